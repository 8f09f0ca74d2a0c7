"""Where text stands on end on an upright page: receipt stamps across a form, notes up a margin.

The detector sees such a line in pieces, and overlooks its short words, which look like upright characters of their own. A strip of
the page around the pieces, turned, shows the line as any other line is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import cv2
import msgspec
import numpy as np

from heliograph.perception.detection import Image, Quad

Edges = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LEAN = 25.0
"""Degrees by which a line on end may lean."""
REACH, SIDE = 12.0, 1.0
"""How far along and beside its pieces a strip goes, in heights of the text."""
DARK = 128
ACROSS, THICKEST, EDGE = 0.6, 0.12, 1
"""A rule runs over so much of a strip's height without a break, is so thick at most in parts of it, and has so soft an edge in pixels."""


class Strip(msgspec.Struct, frozen=True):
    """A part of an image; turned clockwise by `turn` degrees its text is upright."""

    left: int
    top: int
    right: int
    bottom: int
    turn: Literal[90, 270]

    def on_image(self, box: Edges) -> Edges:
        """A box in the turned strip as one in the image."""
        x0, y0, x1, y1 = box
        if self.turn == 90:  # text that runs up
            return self.left + y0, self.bottom - x1, self.left + y1, self.bottom - x0
        return self.right - y1, self.top + x0, self.right - y0, self.top + x1

    def quad_on_image(self, quad: Quad) -> Quad:
        """The corners of a line in the turned strip as those of the line in the image."""
        points = [self.on_image((x, y, x, y))[:2] for x, y in quad.tolist()]
        return np.array(points, np.float32)

    @property
    def direction(self) -> float:
        """The angle on the image of a line that is level in the turned strip."""
        return -90.0 if self.turn == 90 else 90.0


def on_end(angle: float) -> bool:
    """Whether a line at `angle` degrees, clockwise, runs up or down."""
    return abs(abs(angle) - 90) < LEAN


def strips(pieces: Iterable[tuple[Edges, float]], width: int, height: int) -> list[Strip]:
    """The strips of an image of `width` x `height` that hold the lines of which `pieces` (box and angle) were seen."""
    groups: list[tuple[bool, Edges]] = []
    for box, angle in sorted(pieces):
        if not on_end(angle):
            continue
        thick = box[2] - box[0]
        wide = (
            max(0.0, box[0] - SIDE * thick),
            max(0.0, box[1] - REACH * thick),
            min(float(width), box[2] + SIDE * thick),
            min(float(height), box[3] + REACH * thick),
        )
        same = next((n for n, (down, other) in enumerate(groups) if down == (angle > 0) and _overlap(other, wide)), None)
        if same is None:
            groups.append((angle > 0, wide))
        else:
            other = groups[same][1]
            groups[same] = angle > 0, (min(other[0], wide[0]), min(other[1], wide[1]), max(other[2], wide[2]), max(other[3], wide[3]))
    return [Strip(int(x0), int(y0), round(x1), round(y1), 270 if down else 90) for down, (x0, y0, x1, y1) in groups]


def _overlap(a: Edges, b: Edges) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def unruled(strip: Image) -> Image | None:
    """A turned strip without the form's rules, which run across the text in it; strokes that cross a rule stay whole.

    None where there are none.
    """
    height, width = strip.shape[:2]
    dark = (cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY) < DARK).astype(np.uint8)
    rules = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((max(2, round(ACROSS * height)), 1), np.uint8))
    if not rules.any():
        return None
    made = strip.copy()
    columns = np.flatnonzero(rules.any(axis=0))
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        if not 0 < len(run) <= THICKEST * height:
            continue
        first, last = max(0, int(run[0]) - EDGE), min(width - 1, int(run[-1]) + EDGE)
        sides = np.maximum(strip[:, max(0, first - 1)], strip[:, min(width - 1, last + 1)])
        made[:, first : last + 1] = sides[:, None]
    return made
