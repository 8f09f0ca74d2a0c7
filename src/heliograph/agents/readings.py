"""What a run's tools have read: each page once, whoever asks for it again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliograph.agents.artifacts import Artifact, Artifacts
from heliograph.media.document import Document, Page
from heliograph.perception.options import Detail, Structure

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader

MOST = 400
"""Pages that a run keeps read."""


class _Key(msgspec.Struct, frozen=True):
    sha256: str
    index: int
    detail: Detail
    structure: Structure


class Opened(msgspec.Struct):
    """An artifact as a local file, with the pages of it that were read before."""

    artifact: Artifact
    path: Path
    readings: Readings
    detail: Detail
    structure: Structure

    async def known(self, index: int) -> Page | None:
        """The page with this index, if the run has read it at least as closely."""
        return self.readings.find(self.artifact.sha256, index, self.detail, self.structure)

    async def on_page(self, page: Page) -> None:
        """Keep a page for who asks next."""
        self.readings.keep(self.artifact.sha256, page, self.detail, self.structure)


class Readings:
    """The pages of one run. `anew`: how many were really read."""

    def __init__(self, most: int = MOST) -> None:
        self.anew = 0
        self._most = most
        self._pages: OrderedDict[_Key, Page] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def open(
        self, artifacts: Artifacts, name: str, *, detail: Detail = "auto", structure: Structure = "light"
    ) -> AsyncGenerator[Opened]:
        """The artifact called `name`, for one reader at a time: who asks for it meanwhile finds its pages read. Raises NotFound."""
        artifact = await artifacts.get(name)
        async with self._turns.setdefault(artifact.sha256, asyncio.Lock()), artifacts.local(artifact.ref) as path:
            yield Opened(artifact, path, self, detail, structure)

    async def read(
        self,
        reader: Reader,
        artifacts: Artifacts,
        name: str,
        *,
        pages: Sequence[int] | None = None,
        detail: Detail = "auto",
        structure: Structure = "light",
    ) -> Document:
        """The document called `name`, as `Reader.read` gives it. Raises NotFound, and what reading raises."""
        async with self.open(artifacts, name, detail=detail, structure=structure) as opened:
            return await reader.read(
                opened.path, pages=pages, detail=detail, structure=structure, known=opened.known, on_page=opened.on_page
            )

    def find(self, sha256: str, index: int, detail: Detail, structure: Structure) -> Page | None:
        """The page of the file with this content, if it is kept; one that was read in full serves who needs less."""
        enough: tuple[Structure, ...] = ("light", "full") if structure == "light" else ("full",)
        for each in enough:
            key = _Key(sha256, index, detail, each)
            if (page := self._pages.get(key)) is not None:
                self._pages.move_to_end(key)
                return page
        return None

    def keep(self, sha256: str, page: Page, detail: Detail, structure: Structure) -> None:
        """Keep a page; the one that nobody asked for the longest goes."""
        if self.find(sha256, page.index, detail, structure) is page:
            return
        self.anew += 1
        self._pages[_Key(sha256, page.index, detail, structure)] = page
        while len(self._pages) > self._most:
            self._pages.popitem(last=False)
