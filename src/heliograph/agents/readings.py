"""What a run's tools have read: each page once, whoever asks for it again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from heliograph.agents.artifacts import Artifact, Artifacts
from heliograph.media.document import Document, Page
from heliograph.perception.options import Detail, Structure

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader

MOST = 400
"""Pages that a run keeps read."""
TOLD = 10
"""Pages after which listeners hear how far reading is."""
Say = Callable[[str], Awaitable[None]]


class _Key(msgspec.Struct, frozen=True):
    sha256: str
    index: int
    detail: Detail
    structure: Structure


class Opened:
    """An artifact as a local file, with the pages of it that were read before."""

    def __init__(self, artifact: Artifact, path: Path, readings: Readings, detail: Detail, structure: Structure, say: Say | None) -> None:
        self.artifact, self.path = artifact, path
        self._readings, self._say = readings, say
        self._detail: Detail = detail
        self._structure: Structure = structure
        self._read = 0

    async def known(self, index: int) -> Page | None:
        """The page with this index, if the run has read it at least as closely."""
        return self._readings.find(self.artifact.sha256, index, self._detail, self._structure)

    async def on_page(self, page: Page) -> None:
        """Keep a page for who asks next, and tell of every tenth that was read."""
        if not self._readings.keep(self.artifact.sha256, page, self._detail, self._structure):
            return
        self._read += 1
        if self._say is not None and self._read % TOLD == 0:
            await self._say(f"{self._read} pages of {self.artifact.ref} are read.")


class Readings:
    """The pages of one run. `anew`: how many were really read."""

    def __init__(self, most: int = MOST) -> None:
        self.anew = 0
        self._most = most
        self._pages: OrderedDict[_Key, Page] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def open(
        self,
        artifacts: Artifacts,
        name: str,
        *,
        detail: Detail = "auto",
        structure: Structure = "light",
        say: Say | None = None,
        alone: bool = True,
    ) -> AsyncGenerator[Opened]:
        """The artifact called `name`. `alone`: for one reader at a time, so that who asks for it meanwhile finds its pages read.

        `say`: told how far reading is. Raises NotFound.
        """
        artifact = await artifacts.get(name)
        turn = self._turns.setdefault(artifact.sha256, asyncio.Lock()) if alone else nullcontext()
        async with turn, artifacts.local(artifact.ref) as path:
            yield Opened(artifact, path, self, detail, structure, say)

    async def read(
        self,
        reader: Reader,
        artifacts: Artifacts,
        name: str,
        *,
        pages: Sequence[int] | None = None,
        detail: Detail = "auto",
        structure: Structure = "light",
        say: Say | None = None,
    ) -> Document:
        """The document called `name`, as `Reader.read` gives it. Raises NotFound, and what reading raises."""
        async with self.open(artifacts, name, detail=detail, structure=structure, say=say) as opened:
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

    def keep(self, sha256: str, page: Page, detail: Detail, structure: Structure) -> bool:
        """Keep a page, and say whether it is new; the one that nobody asked for the longest goes."""
        if self.find(sha256, page.index, detail, structure) is page:
            return False
        self.anew += 1
        self._pages[_Key(sha256, page.index, detail, structure)] = page
        while len(self._pages) > self._most:
            self._pages.popitem(last=False)
        return True

    def rotation(self, sha256: str, index: int) -> Literal[0, 90, 180, 270]:
        """By how much a page was turned to be upright when it was read; 0 for one that was not."""
        for key, page in self._pages.items():
            if (key.sha256, key.index) == (sha256, index):
                return page.rotation
        return 0
