"""The functions that run in a child of the cutter. Call them through a `ChildPool("heliograph.filming.working")`."""

from __future__ import annotations

from pathlib import Path

import av.logging

from heliograph.filming import sounds
from heliograph.filming.copying import copied
from heliograph.filming.orders import Bounds, Cut, Filmed, Still, Timeline
from heliograph.filming.rendering import rendered
from heliograph.filming.stills import animated, sheet, stills
from heliograph.imaging.orders import Drawn, Format

av.logging.set_level(None)


def film(timeline: Timeline, target: Path, bounds: Bounds) -> Filmed:
    """Write a film as MP4, with the source's own pictures where that is exact."""
    return copied(timeline, target, bounds) or rendered(timeline, target, bounds)


def sound(cuts: list[Cut], target: Path, bounds: Bounds) -> Filmed:
    """Write sound as MP3."""
    return sounds.heard(cuts, target, bounds)


def gif(cut: Cut, target: Path, width: int | None, fps: float, bounds: Bounds) -> Filmed:
    """Write a part of a film as GIF."""
    return animated(cut, target, width, fps, bounds)


def frames(path: Path, times: list[float], longest: int | None, form: Format) -> list[Drawn]:
    """Frames as pictures."""
    return stills(path, times, longest, form)


def contact_sheet(path: Path, asked: list[Still], columns: int | None, cell: int) -> Drawn:
    """Frames side by side."""
    return sheet(path, asked, columns, cell)
