"""The door to recordings that are made: each order goes to a killable child, which writes a file or answers with pictures.

Children start with the first order. What takes too long, too much memory or crashes its child ends as an error of the tree, and leaves no
file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.filming.orders import Bounds, Cut, Filmed, Still, Timeline, progress_at
from heliograph.imaging.orders import Drawn, Format

Done = Callable[[float], Awaitable[None]]
"""Told how many seconds of a film are done."""

LARGEST = 1000 << 20
"""Bytes of a file that is made; a child may write little more."""
PATIENCE = 20.0
"""Seconds an edit may take for each second of film beside those that opening takes: 4K on two busy cores takes about six."""
LOOK = 1.0
"""Seconds between two looks at how far a child is."""


class Cutter:
    """Makes recordings of recordings. One per process, shared by all calls. Close it."""

    def __init__(self, settings: Settings) -> None:
        self._opening = settings.open_timeout
        self._pixels = settings.max_pixels
        self._threads = max(1, settings.cpu_budget or 2)
        self._children = ChildPool(
            "heliograph.filming.working",
            memory=settings.child_memory,
            recycle_after=settings.child_recycle,
            env={"MPLCONFIGDIR": str((settings.data_dir / "charts").absolute()), "MALLOC_ARENA_MAX": "2"},
        )

    async def film(self, timeline: Timeline, target: Path, *, lasts: float, most: int = LARGEST, done: Done | None = None) -> Filmed:
        """Write the film to `target` as MP4 (H.264, AAC). `lasts`: about how many seconds it will have; `most`: bytes.

        Where nothing is drawn or resized, and the part begins and ends where the source allows, its pictures are copied, not encoded
        anew. Raises InvalidRequest (times it has not, no pictures, letters without a font), MediaErrors.
        """
        return await self._written("film", timeline, target, self._bounds(most), target=target, lasts=lasts, done=done)

    async def sound(self, cuts: Sequence[Cut], target: Path, *, lasts: float, most: int = LARGEST, done: Done | None = None) -> Filmed:
        """Write the sound of `cuts`, one after the other, to `target` as MP3. Raises as `film`, and InvalidRequest where there is none."""
        return await self._written("sound", list(cuts), target, self._bounds(most), target=target, lasts=lasts, done=done)

    async def gif(
        self, cut: Cut, target: Path, *, lasts: float, width: int | None = 480, fps: float = 10.0, most: int = LARGEST, frames: int = 600
    ) -> Filmed:
        """Write a part of a film to `target` as a GIF that repeats. Raises as `film`, and MediaLimitExceeded for more than `frames`."""
        bounds = Bounds(most, self._pixels, frames, self._threads)
        return await self._written("gif", cut, target, width, fps, bounds, target=target, lasts=lasts, done=None)

    async def frames(self, path: Path, times: Sequence[float], *, longest: int | None = None, form: Format = "jpeg") -> list[Drawn]:
        """The frames shown at these times (seconds), upright, in the order of `times`; no side longer than `longest` pixels.

        Raises InvalidRequest for a time that the recording has not, or where it has no pictures; MediaErrors.
        """
        timeout = self._opening + 10.0 * len(times)
        return await self._children.call("frames", path, list(times), longest, form, timeout=timeout, returns=list[Drawn])

    async def sheet(
        self, path: Path, times: Sequence[float], *, captions: Sequence[str] | None = None, columns: int | None = None, cell: int = 320
    ) -> Drawn:
        """A contact sheet as JPEG: the frames shown at these times, each within `cell` x `cell` pixels over its time, or its caption.

        Raises as `frames`, and MediaLimitExceeded for a sheet of more than 64 million pixels.
        """
        asked = [Still(time, captions[number] if captions else None) for number, time in enumerate(times)]
        timeout = self._opening + 10.0 * len(times)
        return await self._children.call("contact_sheet", path, asked, columns, cell, timeout=timeout, returns=Drawn)

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return self._children.pids

    async def close(self) -> None:
        """End the children; calls under way fail with Unavailable."""
        await self._children.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _bounds(self, most: int) -> Bounds:
        return Bounds(min(most, LARGEST), self._pixels, threads=self._threads)

    async def _written(self, function: str, *order: Any, target: Path, lasts: float, done: Done | None) -> Filmed:
        telling = asyncio.create_task(_tell(target, done)) if done is not None else None
        try:
            timeout = self._opening + PATIENCE * max(lasts, 1.0)
            return await self._children.call(function, *order, timeout=timeout, returns=Filmed)
        except BaseException:
            _leave(target)
            raise
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
            _leave(progress_at(target))


async def _tell(target: Path, done: Done) -> None:
    """Tell how far a child is whenever that has changed."""
    before = ""
    while True:
        await asyncio.sleep(LOOK)
        with suppress(OSError, ValueError):
            now = progress_at(target).read_text()
            if now != before:
                before = now
                await done(float(now))


def _leave(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
