"""The journal of one run: what was read stands in a blob and a row before the next page begins, and nobody reads it again.

A page is kept in the tenant's page cache (by content hash and reading options) so that later requests find it too, or, where
the request wants no cache or no retention, below the prediction. Its row in the journal says that this prediction
has read it, which is what it pays for; a page that the cache had already is free.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import heliograph
from heliograph.errors import NotFound
from heliograph.jobs.loop import Draining, HandBack, Lost
from heliograph.media.document import Document, Page
from heliograph.store import steps
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader


class Journal:
    """The steps of `row`'s run `run`, and the pages they made. `cache`: share read pages with later requests."""

    def __init__(self, database: Database, blobs: Blobs, row: Prediction, run: str, draining: Draining, *, cache: bool) -> None:
        self.stopped: HandBack | Lost | None = None
        self.pages_read = 0
        self._database, self._blobs = database, blobs
        self._row, self._run, self._draining, self._cache = row, run, draining, cache
        self._steps: dict[str, str | None] = {}

    async def open(self) -> None:
        """Read what earlier runs of the prediction wrote."""
        async with self._database.begin() as conn:
            for step in await steps.list_(conn, self._row.tenant, self._row.id):
                self._steps[step.key] = step.blob

    @property
    def pages_billed(self) -> int:
        """Pages that this prediction, in this run or an earlier one, has really read."""
        return sum(name.startswith("page:") for name in self._steps)

    def check(self) -> None:
        """Raise HandBack when the worker is stopping."""
        try:
            self._draining.check()
        except HandBack as stop:
            self.stopped = stop
            raise

    async def record(self, step: str, blob: str | None = None) -> None:
        """Write a finished step down. Raises Lost when the run may not go on, HandBack when the worker is stopping."""
        async with self._database.begin() as conn:
            held = await steps.record(conn, self._row.tenant, self._row.id, self._run, step, blob=blob)
        if not held:
            self.stopped = Lost("cancelled, deleted, or run by another")
            raise self.stopped
        self._steps[step] = blob
        self.check()

    async def page(self, read: Input, options: str, index: int) -> Page | None:
        """The page, when this prediction or, with the cache, another one has read it."""
        self.check()
        blob = self._steps.get(_step(read, options, index)) or (self._blob(read, options, index) if self._shares(read) else None)
        if blob is None:
            return None
        try:
            page = msgspec.msgpack.decode(await self._blobs.get(blob), type=Page)
        except (NotFound, msgspec.DecodeError):
            return None
        self.pages_read += 1
        return page

    async def keep(self, read: Input, options: str, page: Page) -> None:
        """Store a page that was just read, and record it."""
        self.pages_read += 1
        blob = self._blob(read, options, page.index)
        await self._blobs.put(blob, msgspec.msgpack.encode(page))
        await self.record(_step(read, options, page.index), blob)

    def _shares(self, read: Input) -> bool:
        return self._cache and self._row.retain and read.sha256 is not None

    def _blob(self, read: Input, options: str, index: int) -> str:
        if self._shares(read):
            return key(self._row.tenant, "pages", read.sha256 or "", options, index)
        return key(self._row.tenant, "work", self._row.id, read.position, options, index)


class JournalledReader:
    """A `Reader` whose pages go through the journal. `reads`: which input each path is."""

    def __init__(self, reader: Reader, journal: Journal, reads: dict[Path, Input]) -> None:
        self._reader, self._journal, self._reads = reader, journal, reads

    async def read(
        self,
        path: Path,
        *,
        pages: list[int] | None = None,
        detail: Any = "auto",
        structure: Any = "light",
        known: Callable[[int], Awaitable[Page | None]] | None = None,
        on_page: Callable[[Page], Awaitable[None]] | None = None,
    ) -> Document:
        """As `Reader.read`; a page in the journal or the cache is not read again, one that is read is journalled."""
        read = self._reads[path]
        options = f"{heliograph.__version__}-{detail}-{structure}"

        async def find(index: int) -> Page | None:
            return (await known(index) if known else None) or await self._journal.page(read, options, index)

        async def keep(page: Page) -> None:
            await self._journal.keep(read, options, page)
            if on_page:
                await on_page(page)

        return await self._reader.read(path, pages=pages, detail=detail, structure=structure, known=find, on_page=keep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def _step(read: Input, options: str, index: int) -> str:
    return f"page:{read.position}:{index}:{options}"
