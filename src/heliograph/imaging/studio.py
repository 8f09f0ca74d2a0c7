"""The door to pictures that are made: each order goes to a killable child, and comes back encoded.

Children start with the first order. A picture that takes too long, too much memory or crashes its child ends as an error of the tree.
"""

from __future__ import annotations

from pathlib import Path

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.imaging.orders import Chart, Drawn, Edit, Format, Mark, Match, Point, Shade, Sheet, Tile
from heliograph.media.content import Limits


class Studio:
    """Makes pictures. One per process, shared by all calls. Close it."""

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.page_timeout
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels)
        self._children = ChildPool(
            "heliograph.imaging.working",
            size=2,
            memory=settings.child_memory,
            recycle_after=settings.child_recycle * 5,
            env={"MPLCONFIGDIR": str((settings.data_dir / "charts").absolute())},  # or it looks through all fonts at every start
        )

    async def edit(self, sheet: Sheet, edits: list[Edit], form: Format | None = None) -> Drawn:
        """The picture after all `edits`; in its own format (JPEG or PNG) unless `form` says. Raises MediaErrors, InvalidRequest."""
        return await self._children.call("edit", sheet, edits, form, self._limits, timeout=self._timeout, returns=Drawn)

    async def boxes(self, sheet: Sheet, marks: list[Mark]) -> Drawn:
        """The picture with boxes and their labels. Raises MediaErrors, InvalidRequest for a colour that is none."""
        return await self._children.call("boxes", sheet, marks, self._limits, timeout=self._timeout, returns=Drawn)

    async def points(self, sheet: Sheet, marks: list[Point]) -> Drawn:
        """The picture with points and their labels. Raises as `boxes`."""
        return await self._children.call("points", sheet, marks, self._limits, timeout=self._timeout, returns=Drawn)

    async def shades(self, sheet: Sheet, areas: list[Shade]) -> Drawn:
        """The picture with areas tinted and outlined. Raises as `boxes`."""
        return await self._children.call("shades", sheet, areas, self._limits, timeout=self._timeout, returns=Drawn)

    async def grid(self, tiles: list[Tile], *, columns: int | None = None, cell: int = 480) -> Drawn:
        """The pictures side by side, each within `cell` x `cell` pixels. Raises MediaErrors."""
        return await self._children.call("grid", tiles, columns, cell, self._limits, timeout=self._timeout, returns=Drawn)

    async def seek(self, sheet: Sheet, template: Sheet, *, least: float, most: int, scales: bool) -> list[Match]:
        """Where the template is in the picture, the best first. Raises MediaErrors, InvalidRequest for a template of one colour."""
        call = (sheet, template, least, most, scales, self._limits)
        return await self._children.call("seek", *call, timeout=self._timeout, returns=list[Match])

    async def chart(self, asked: Chart) -> Drawn:
        """A chart. Raises InvalidRequest."""
        return await self._children.call("chart", asked, timeout=self._timeout, returns=Drawn)

    async def size(self, path: Path, page: int = 0) -> tuple[int, int]:
        """Width and height in pixels of an upright picture. Raises MediaErrors."""
        sheet = Sheet(str(path), page)
        return await self._children.call("size", sheet, self._limits, timeout=self._timeout, returns=tuple[int, int])

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return self._children.pids

    async def close(self) -> None:
        """End the children; calls under way fail with Unavailable."""
        await self._children.close()
