"""The journal of one run: what was read, or answered by a model, stands in a blob and a row before the next begins, and nobody asks again.

A page is kept in the tenant's page cache (by content hash and reading options) so that later requests find it too, or, where
the request wants no cache or no retention, below the prediction. Its row in the journal says that this prediction
has read it, which is what it pays for; a page that the cache had already is free. What was heard and seen in a whole recording is kept
in the same two places; its parts, as they are finished, and the answers of a model are the prediction's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

import heliograph
from heliograph.errors import NotFound, Unavailable
from heliograph.jobs.loop import Draining, HandBack, Lost
from heliograph.jobs.recordings import JournalledListener, JournalledWatcher
from heliograph.media.content import PagePicture
from heliograph.media.document import Document, Page
from heliograph.store import predictions, steps
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction

if TYPE_CHECKING:
    from heliograph.media.mask import Mask, Masked
    from heliograph.perception.options import Detail, Structure
    from heliograph.perception.reader import Known, OnPage, Reader

LOOK = 0.7
"""Seconds between two looks at whether a run may go on, while a model answers."""
SMALL = 8192
"""Characters of an answer that stand in its row; a larger one is a blob."""
_PAGE, _WAIT, _WHOLE, _WORK = "page:", "wait:", "whole:", "work:"
Within = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens the transaction in which a step is recorded."""


class Journal:
    """The steps of `row`'s run `run`, and the pages they made. `cache`: share read pages with later requests.

    `listeners`: seconds after which a completion that nobody listens to any more is cancelled by who watches it.
    """

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        row: Prediction,
        run: str,
        draining: Draining,
        *,
        cache: bool,
        listeners: float | None = None,
    ) -> None:
        self.stopped: HandBack | Lost | None = None
        self.pages_read = 0
        self._database, self._blobs = database, blobs
        self._row, self._run, self._draining, self._cache, self._listeners = row, run, draining, cache, listeners
        self._steps: dict[str, str | None] = {}  # their blobs
        self._outputs: dict[str, bytes] = {}
        self.waits: list[datetime] = []

    async def open(self, *, after: str | None = None) -> None:
        """Read what earlier runs of the prediction wrote; and of the one whose work it goes on with, `after`."""
        async with self._database.begin() as conn:
            if after is not None:
                before = await steps.list_(conn, self._row.tenant, after)
                for step in before:
                    if not step.key.startswith((_PAGE, _WAIT)):
                        self._remember(step)
            for step in await steps.list_(conn, self._row.tenant, self._row.id):
                self._remember(step)
                if step.key.startswith(_WAIT):
                    self.waits.append(step.created_at)
                elif not step.key.startswith(_PAGE):
                    self.waits.clear()  # the model has answered since

    @property
    def pages_billed(self) -> int:
        """Pages that this prediction, in this run or an earlier one, has really read."""
        return sum(name.startswith(_PAGE) for name in self._steps)

    @property
    def worked(self) -> bool:
        """Whether this prediction, in this run or an earlier one, has really heard or watched its recording."""
        return any(name.startswith(_WORK) for name in self._steps)

    def check(self) -> None:
        """Raise HandBack when the worker is stopping."""
        try:
            self._draining.check()
        except HandBack as stop:
            self.stopped = stop
            raise

    async def record(self, step: str, blob: str | None = None, *, output: str | None = None, within: Within | None = None) -> None:
        """Write a finished step down. Raises Lost when the run may not go on, HandBack when the worker is stopping."""
        async with (within or self._database.begin)() as conn:
            held = await steps.record(conn, self._row.tenant, self._row.id, self._run, step, output=output, blob=blob)
        if not held:
            self.stopped = Lost("cancelled, deleted, or run by another")
            raise self.stopped
        self._steps[step] = blob
        if output is not None:
            self._outputs[step] = output.encode()
        self.check()

    async def watch(self) -> None:
        """Return when the run may not go on, within a second of its being so; `stopped` says why. For while a step takes long."""
        while True:
            await asyncio.sleep(LOOK)
            with suppress(Unavailable):
                async with self._database.begin() as conn:
                    if self._listeners is not None:
                        await predictions.abandon(conn, self._row.tenant, self._row.id, after=self._listeners)
                    held = await predictions.held(conn, self._row.tenant, self._row.id, self._run)
                if not held:
                    self.stopped = Lost("cancelled, deleted, or run by another")
                    return

    async def wait(self, conn: AsyncConnection) -> None:
        """Note that the run ends to wait for its model; in the transaction that says so."""
        name = f"{_WAIT}{sum(step.startswith(_WAIT) for step in self._steps)}"
        await steps.record(conn, self._row.tenant, self._row.id, self._run, name)

    def began(self, step: str) -> bool:
        """Whether the journal says anything of a step."""
        return step in self._steps

    async def answered(self, step: str) -> bytes | None:
        """What was answered in an earlier run."""
        self.check()
        if step in self._outputs:
            return self._outputs[step]
        blob = self._steps.get(step)
        if blob is None:
            return None
        try:
            return await self._blobs.get(blob)
        except NotFound:
            return None

    async def answer(self, step: str, content: bytes, *, within: Within | None = None) -> None:
        """Store what was answered, and record it. Raises as `record`."""
        text = _text(content)
        blob = None
        if text is None:
            blob = key(self._row.tenant, "steps", self._row.id, "answers", step)
            await self._blobs.put(blob, content)
        await self.record(step, blob, output=text, within=within)

    async def picture(self, read: Input, options: str, index: int, draw: Callable[[], Awaitable[PagePicture]]) -> PagePicture:
        """The picture of a page, from the cache where another request has had it drawn."""
        self.check()
        if not self._shares(read):
            return await draw()
        blob = f"{self._place(read, options, shared=True)}/{index}"
        with suppress(NotFound, msgspec.DecodeError):
            return msgspec.msgpack.decode(await self._blobs.get(blob), type=PagePicture)
        drawn = await draw()
        await self._blobs.put(blob, msgspec.msgpack.encode(drawn))
        return drawn

    async def known(self, read: Input, options: str) -> dict[int, str]:
        """The blobs of the pages that this prediction or, with the cache, another one has read, by page."""
        self.check()
        found: dict[int, str] = {}
        if self._shares(read):
            async for blob in self._blobs.walk(self._place(read, options, shared=True)):
                found[int(blob.rpartition("/")[2])] = blob
        for name, blob in self._steps.items():
            if blob and name.startswith(_step(read, options)):
                found[int(name.rpartition(":")[2])] = blob
        return found

    async def page(self, blob: str) -> Page | None:
        """A known page; None when its blob is gone or not what it was."""
        self.check()
        try:
            page = msgspec.msgpack.decode(await self._blobs.get(blob), type=Page)
        except (NotFound, msgspec.DecodeError):
            return None
        self.pages_read += 1
        return page

    async def keep(self, read: Input, options: str, page: Page) -> None:
        """Store a page that was just read, and record it. A page with a warning is not shared: reading it may go better next time."""
        self.pages_read += 1
        blob = f"{self._place(read, options, shared=self._shares(read) and not page.warnings)}/{page.index}"
        await self._blobs.put(blob, msgspec.msgpack.encode(page))
        await self.record(f"{_step(read, options)}{page.index}", blob)

    async def whole(self, read: Input, options: str) -> bytes | None:
        """What was made of a whole recording by this prediction or, with the cache, another one; None: it is to be made, and paid for."""
        self.check()
        places = [self._place(read, options, shared=True)] if self._shares(read) else []
        if own := self._steps.get(_WHOLE + options):
            places.insert(0, own)
        for place in places:
            with suppress(NotFound):
                return await self._blobs.get(place)
        await self.record(_WORK + options)
        return None

    async def keep_whole(self, read: Input, options: str, content: bytes, *, share: bool) -> None:
        """Store what was made of a whole recording, and record it. `share`: with later requests, where they may have it."""
        blob = self._place(read, options, shared=share and self._shares(read))
        await self._blobs.put(blob, content)
        await self.record(_WHOLE + options, blob)

    def _remember(self, step: steps.Step) -> None:
        self._steps[step.key] = step.blob
        if step.output is not None:
            self._outputs[step.key] = step.output.encode()

    def _shares(self, read: Input) -> bool:
        return self._cache and self._row.retain and read.sha256 is not None

    def _place(self, read: Input, options: str, *, shared: bool) -> str:
        if shared:
            return key(self._row.tenant, "pages", read.sha256 or "", options)
        return key(self._row.tenant, "steps", self._row.id, read.position, options)


class JournalledSteps:
    """The `Steps` of an extraction, kept in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def known(self, step: str) -> bytes | None:
        """As `Steps.known`."""
        return await self._journal.answered(step)

    async def keep(self, step: str, content: bytes) -> None:
        """As `Steps.keep`. Raises Lost or HandBack when the run may not go on."""
        await self._journal.answer(step, content)


class JournalledReader:
    """A `Reader` whose pages go through the journal. `reads`: which input each path is; a path that is none is read as it is."""

    def __init__(self, reader: Reader, journal: Journal, reads: Mapping[Path, Input]) -> None:
        self._reader, self._journal, self._reads = reader, journal, reads

    def __getattr__(self, name: str) -> Any:
        """As the `Reader` does it, whatever is not about pages that can be journalled."""
        return getattr(self._reader, name)

    async def picture(self, path: Path, index: int, page: Page, longest_side: int) -> PagePicture:
        """As `Reader.picture`; drawn once for all requests that share pages."""
        options = f"{heliograph.__version__}-picture-{longest_side}-{page.rotation}"

        async def draw() -> PagePicture:
            return await self._reader.picture(path, index, page, longest_side)

        read = self._reads.get(path)
        return await draw() if read is None else await self._journal.picture(read, options, index, draw)

    @property
    def listener(self) -> JournalledListener:
        """The reader's, which hears no recording twice."""
        return JournalledListener(self._reader.listener, self._journal, self._reads)

    @property
    def watcher(self) -> JournalledWatcher:
        """The reader's, which watches no recording twice."""
        return JournalledWatcher(self._reader.watcher, self._journal, self._reads)

    async def mask(self, path: Path, index: int, how: Mask) -> Masked:
        """As `Reader.mask`, unless the worker is stopping."""
        self._journal.check()
        return await self._reader.mask(path, index, how)

    async def read(
        self,
        path: Path,
        *,
        pages: Sequence[int] | None = None,
        detail: Detail = "auto",
        structure: Structure = "light",
        known: Known | None = None,
        on_page: OnPage | None = None,
        expected: Callable[[int], None] | None = None,
    ) -> Document:
        """As `Reader.read`; a page in the journal or the cache is not read again, one that is read is journalled."""
        read = self._reads.get(path)
        if read is None:
            return await self._reader.read(
                path, pages=pages, detail=detail, structure=structure, known=known, on_page=on_page, expected=expected
            )
        options = f"{heliograph.__version__}-{detail}-{structure}"
        blobs = await self._journal.known(read, options)
        found: set[int] = set()

        async def find(index: int) -> Page | None:
            page = await known(index) if known else None
            if page is None and index in blobs:
                page = await self._journal.page(blobs[index])
            if page is not None:
                found.add(index)
            return page

        async def keep(page: Page) -> None:
            if page.index not in found:
                await self._journal.keep(read, options, page)
            if on_page:
                await on_page(page)

        # a reader that may be told of known pages opens none ahead, so it is asked to only when there are some
        told: dict[str, Any] = {} if expected is None else {"expected": expected}
        return await self._reader.read(
            path, pages=pages, detail=detail, structure=structure, known=find if known or blobs else None, on_page=keep, **told
        )


def _step(read: Input, options: str) -> str:
    return f"{_PAGE}{read.position}:{options}:"


def _text(content: bytes) -> str | None:
    """An answer that a column of text can hold, as the text that it is; None for a large one, or one that it cannot."""
    if len(content) > SMALL or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
