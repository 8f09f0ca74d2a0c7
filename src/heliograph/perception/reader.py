"""The door to reading: a path becomes a `Document`.

A few pages are under way at a time, so memory does not grow with the file. Pages of PDFs are looked at by light children, which
read those with a good text layer at once, side by side, and never wait behind somebody's scan; files of other kinds are opened by
`media`'s children. Pages whose pixels must be read go to the engine child, one by one, which has all threads of the budget.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from heliograph.children import ChildFailed, ChildPool
from heliograph.config import Settings
from heliograph.errors import CorruptMedia, InvalidRequest, MediaLimitExceeded
from heliograph.filming.cutter import Cutter
from heliograph.imaging.studio import Studio
from heliograph.media.content import Inspection, Limits, PageContent, PagePicture
from heliograph.media.document import Barcode, Document, Face, Page, PageImage
from heliograph.media.geometry import Box
from heliograph.media.mask import Mask, Masked
from heliograph.media.website import WebPage
from heliograph.perception.margins import name_margins
from heliograph.perception.options import FACE_SIDE, LOOK_DPI, PHOTO_DPI, SCAN_DPI, Detail, Options, Structure
from heliograph.perception.player import Player
from heliograph.perception.scenes.watcher import Watcher
from heliograph.perception.speech.listener import Listener
from heliograph.perception.textlayer import leave_pictures, needs_pixels

log = logging.getLogger(__name__)

Known = Callable[[int], Awaitable[Page | None]]
"""Asked for each page before it is read; a page that it returns is not read again."""
OnPage = Callable[[Page], Awaitable[None]]
"""Told of each page as it is ready, in order, also of those that were known."""

ENGINE_MEMORY = 6 << 30
"""Address space of an engine child. OpenVINO reserves far more than it uses; what it holds is watched by the pool."""
ENGINE_KEEPS = 1200 << 20
"""Memory in bytes that an engine child may hold between pages before a fresh one takes over. 150 receipts of as many shapes leave it
at about half of this (docs/design/reading.md)."""
ENGINE_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "16000000"}
"""Threads share two heaps and give large free parts back; with a heap each, glibc keeps what pages of every shape left in all of them."""
AHEAD = 2
"""Pages opened ahead of the one that is waited for."""
PDF = "application/pdf"
PAGE_FAILURES = (MediaLimitExceeded, CorruptMedia, ChildFailed)


class Reader:
    """Reads files. One per process: its children hold the engines and are shared by all calls. Close it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = max(1, (settings.cpu_budget or os.cpu_count() or 1) // max(1, settings.workers))
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels)
        recycle = settings.child_recycle
        self._media = ChildPool("heliograph.media.opening", size=2, memory=settings.child_memory, recycle_after=recycle * 20)
        self._engine = ChildPool(
            "heliograph.perception.engine",
            memory=ENGINE_MEMORY,
            recycle_after=recycle * 5,
            most_kept=ENGINE_KEEPS,
            env=ENGINE_ENVIRONMENT,
        )
        self._light = ChildPool("heliograph.perception.looking", size=2, memory=settings.child_memory, recycle_after=recycle * 20)
        self.studio = Studio(settings)
        """Where pictures are made from what was read."""
        self.player = Player(settings, self._threads)
        """Where recordings are opened."""
        self.cutter = Cutter(settings)
        """Where recordings are made of recordings."""
        self.watcher = Watcher(settings, self, self._threads)
        """Who watches recordings."""
        self.listener = Listener(settings, self.player, self._threads)
        """Who hears recordings."""
        self._rooms = (self._media, self._engine, self._light, self.studio, self.player, self.cutter, self.watcher, self.listener)

    async def warm(self) -> None:
        """Load the text engine now, not with the first scan. Raises NotConfigured when it is not installed as it should be."""
        await self._engine.call("warm", self._threads, timeout=self._settings.open_timeout, returns=None)

    async def inspect(self, path: Path) -> Inspection:
        """What a file is, how many pages it has and how large they are. Raises a MediaError for one that cannot be read at all."""
        return await self._media.call("inspect", path, self._limits, timeout=self._settings.open_timeout, returns=Inspection)

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
        """Read `pages` (0-indexed; default all, at most the setting `max_pages`) of the file at `path`.

        `expected` is told how many pages that is, before the first is read.

        A page that takes too long, too much memory or crashes its engine becomes a page with a warning and what its text layer
        says. Raises a MediaError when the file cannot be opened, or no page of it, and InvalidRequest for a page
        that it has not.
        """
        inspection = await self.inspect(path)
        document = Document(inspection.media_type, inspection.page_count, [], inspection.kind, list(inspection.warnings))
        indices = self._indices(inspection, pages, document.warnings)
        if expected:
            expected(len(indices))
        options = Options(detail, structure, self._threads)
        failures: list[Exception] = []

        async def prepared(index: int) -> Page | PageContent:
            page = await known(index) if known else None
            return page or await self._open(path, index, inspection, options)

        waiting = deque(indices)
        under_way: deque[asyncio.Task[Page | PageContent]] = deque()
        try:
            for index in indices:
                while waiting and len(under_way) <= AHEAD:
                    under_way.append(asyncio.create_task(prepared(waiting.popleft())))
                try:
                    page = await under_way[0]
                except PAGE_FAILURES as error:
                    failures.append(error)
                    width, height = inspection.sizes[index] if index < len(inspection.sizes) else (0.0, 0.0)
                    page = Page(index, width, height, warnings=[f"Page {index + 1} could not be opened: {_sentence(error)}"])
                under_way.popleft()
                if isinstance(page, PageContent):
                    page = await self._page(page, options)
                document.pages.append(page)
                if on_page:
                    await on_page(page)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        if failures and len(failures) == len(indices):
            raise failures[0]
        name_margins(document.pages)
        return document

    async def image(self, path: Path, index: int, dpi: float, *, rotation: int = 0) -> PageImage:
        """The pixels of a page at `dpi`. `rotation`: the page's own (`Page.rotation`), so that boxes fit the picture."""
        timeout = self._settings.page_timeout
        image = await self._media.call("render", path, index, dpi, self._limits, timeout=timeout, returns=PageImage)
        return await self._light.call("turn_image", image, rotation, timeout=timeout, returns=PageImage) if rotation else image

    async def mask(self, path: Path, index: int, how: Mask) -> Masked:
        """A page drawn anew with parts of it painted over. Raises a MediaError when it cannot be drawn."""
        return await self._media.call("mask", path, index, how, self._limits, timeout=self._settings.page_timeout, returns=Masked)

    async def faces(self, path: Path, index: int = 0) -> list[Face]:
        """The faces on a picture, or on the page at `index`. Raises a MediaError when it cannot be drawn, and NotConfigured."""
        inspection = await self.inspect(path)
        if not 0 <= index < inspection.page_count:
            raise InvalidRequest(f"There is no page {index}; the file has {inspection.page_count}, counted from 0.", param="page")
        dpi = FACE_SIDE * 72 / max(*inspection.sizes[index], 1.0)
        image = await self.image(path, index, dpi)
        return await self._engine.call("find_faces", image, self._threads, index, timeout=self._settings.page_timeout, returns=list[Face])

    async def barcodes(self, path: Path, index: int = 0) -> list[Barcode]:
        """The barcodes on a picture, or on the page at `index`, without reading anything else. Raises a MediaError."""
        dpi = (PHOTO_DPI if (await self.inspect(path)).kind == "image" else SCAN_DPI)["hi"]
        image = await self.image(path, index, dpi)
        return await self._light.call("barcodes", image, index, timeout=self._settings.page_timeout, returns=list[Barcode])

    async def read_image(self, image: PageImage, detail: Detail = "auto") -> Page:
        """What stands on a picture that is known to be upright, such as a frame of a recording. Raises a MediaError, ChildFailed."""
        page = Page(0, image.width / image.dpi * 72, image.height / image.dpi * 72)
        content = PageContent(page, "good", [Box(0.0, 0.0, 1.0, 1.0)], image)  # one picture on a page that says nothing else
        options = Options(detail, "light", self._threads, paper=False)
        return await self._engine.call("read_page", content, options, timeout=self._settings.page_timeout, returns=Page)

    async def image_faces(self, image: PageImage) -> list[Face]:
        """The faces on an upright picture. Raises a MediaError, ChildFailed, NotConfigured."""
        return await self._engine.call("find_faces", image, self._threads, timeout=self._settings.page_timeout, returns=list[Face])

    async def image_barcodes(self, image: PageImage) -> list[Barcode]:
        """The barcodes on an upright picture. Raises a MediaError, ChildFailed."""
        return await self._light.call("barcodes", image, 0, timeout=self._settings.page_timeout, returns=list[Barcode])

    async def picture(self, path: Path, index: int, page: Page, longest_side: int) -> PagePicture:
        """The page at `index` of the file as an upright JPEG, no side longer than `longest_side` pixels. `page`: what reading it gave."""
        dpi = longest_side * 72 / max(page.width, page.height, 1.0)
        call = (path, index, dpi, longest_side, page.rotation, self._limits)
        return await self._media.call("picture", *call, timeout=self._settings.page_timeout, returns=PagePicture)

    async def assemble(self, sources: Sequence[tuple[Path, Sequence[int] | None]], target: Path) -> int:
        """Write pages of PDFs to a new one at `target`, and say how many: of each source those at these indices, None for all.

        Raises a MediaError for a file that is no PDF in order, InvalidRequest for a page that is not there.
        """
        most = self._settings.max_pages
        return await self._media.call("assemble", sources, target, most, timeout=self._settings.open_timeout, returns=int)

    async def web_page(self, path: Path, address: str) -> WebPage:
        """The HTML file at `path`, which stands at `address`, as Markdown with its links. Raises a MediaError when it cannot be read."""
        return await self._media.call("web_page", path, address, self._limits, timeout=self._settings.open_timeout, returns=WebPage)

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return [pid for room in self._rooms for pid in room.pids]

    async def close(self) -> None:
        """End the children; calls under way fail with Unavailable."""
        await asyncio.gather(*(room.close() for room in self._rooms))

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _indices(self, inspection: Inspection, pages: Sequence[int] | None, warnings: list[str]) -> list[int]:
        count, most = inspection.page_count, self._settings.max_pages
        wanted = sorted(set(pages)) if pages is not None else list(range(count))
        for index in wanted:
            if not 0 <= index < count:
                raise InvalidRequest(f"There is no page {index}; the file has {count}, counted from 0.", param="page_indices")
        if len(wanted) > most:
            warnings.append(f"Only the first {most} of {len(wanted)} pages were read; this server reads no more of one file.")
        return wanted[:most]

    async def _open(self, path: Path, index: int, inspection: Inspection, options: Options) -> Page | PageContent:
        """A page with the pixels that reading it will need, or read already."""
        timeout = self._settings.page_timeout
        if inspection.media_type == PDF:
            return await self._look(path, index, options)
        photo = inspection.kind == "image"
        dpi = PHOTO_DPI[options.detail] if photo else LOOK_DPI
        content = await self._media.call("open_page", path, index, dpi, True, self._limits, timeout=timeout, returns=PageContent)
        leave_pictures(content, options.detail)
        if not photo and needs_pixels(content):
            arguments = (path, index, SCAN_DPI[options.detail], self._limits)
            content.image = await self._media.call("render", *arguments, timeout=timeout, returns=PageImage)
        return content

    async def _look(self, path: Path, index: int, options: Options) -> Page | PageContent:
        """A page of a PDF; when it fails on the way, what opening it alone gives."""
        timeout = self._settings.page_timeout
        try:
            content = await self._light.call("look", path, index, options, self._limits, timeout=timeout, returns=PageContent)
        except PAGE_FAILURES as error:
            log.warning("page %d could not be looked at: %s", index, error)
            content = await self._media.call("open_page", path, index, None, True, self._limits, timeout=timeout, returns=PageContent)
            return await self._plain(content, options, _sentence(error))
        return content.page if content.read else content

    async def _page(self, content: PageContent, options: Options) -> Page:
        """Read an opened page; when its engine fails, keep what the text layer says, with a warning."""
        pool = self._engine if needs_pixels(content) or options.structure == "full" else self._light
        timeout = self._settings.page_timeout
        try:
            return await pool.call("read_page", content, options, timeout=timeout, returns=Page)
        except PAGE_FAILURES as error:
            log.warning("page %d could not be read in full: %s", content.page.index, error)
            return await self._plain(content, options, _sentence(error))

    async def _plain(self, content: PageContent, options: Options, reason: str) -> Page:
        """What a page's text layer says by itself, with the reason for no more."""
        timeout = self._settings.page_timeout
        content.image = None
        plain = Options(options.detail, "light", options.threads, ocr=False)
        try:
            page = await self._light.call("read_page", content, plain, timeout=timeout, returns=Page)
        except PAGE_FAILURES:
            page = content.page
            page.words = []
        page.warnings.append(f"Page {page.index + 1} could not be read in full: {reason}")
        return page


def _sentence(error: Exception) -> str:
    return "its reader failed." if isinstance(error, ChildFailed) else str(error)
