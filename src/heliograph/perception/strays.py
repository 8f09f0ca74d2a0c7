"""Marks that the detector passed over: a colon in a column of its own, the one digit of a quantity, a letter cut off at a line's end.

The detector looks for lines and misses what is a glyph wide and stands apart. What ink is left beside a line, within its height, is cut
out with that line's top and bottom, and the recogniser says whether it is a mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.detection import Image, Quad, sides

WORKING = 28
"""Height in pixels of a median line on the picture in which ink is looked for."""
INK = 30
"""Steps of grey by which ink is darker than the paper around it."""
FAINTEST = 0.25
"""Least contrast of a mark, in contrasts of the line beside it: dots are fainter than strokes on a picture made smaller."""
OUTSIDE = 0.5
"""A blob of ink with a larger share of its pixels inside detected lines belongs to them."""
TOUCHING = 0.3
"""Gap to the line's end up to which a mark belongs to the line itself. This and all below are in heights of the line's quad."""
COLON_GAP = 1.5
"""Gap up to which the line is read again with a colon; alone, its two dots are hard to read."""
RUN_GAP = 0.35
"""Blobs closer to each other than this are one mark, or one run of marks."""
LOWEST, TALLEST, WIDEST = 0.25, 0.8, 2.5
"""Least height of a mark, and the largest height and width; a full stop alone cannot be told from dirt, and a rule is taller than text."""
FARTHEST = 5.0
"""Largest gap to a line: in 60 receipts and 4 photos no mark farther away was wanted, and edges of paper and pictures were."""
MOST = 100
"""More marks than these on one page are a picture or dirt."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Strays:
    """What stands beside detected lines: `longer` quads by the number of the line that they should replace, and `marks` of their own."""

    longer: dict[int, Quad] = field(default_factory=dict)
    marks: list[Quad] = field(default_factory=list)


@dataclass
class _Mark:
    """A place along and across a line, in heights of its quad from its top left corner. `stacked`: blobs above one another."""

    x0: float
    y0: float
    x1: float
    y1: float
    stacked: int = 1


def find_strays(image: Image, quads: Sequence[Quad], detected: Sequence[Quad] = ()) -> Strays:
    """What stands beside the lines `quads` of an RGB `image`, and neither in them nor in what else was `detected`; in pixels of `image`."""
    lines = [number for number, quad in enumerate(quads) if sides(quad)[0] > sides(quad)[1] > 4]
    if not lines:
        return Strays()
    scale = min(1.0, WORKING / float(np.median([sides(quads[number])[1] for number in lines])))
    whole = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shrunk = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else whole
    grey = np.asarray(shrunk, dtype=np.uint8)
    small = [quad * np.float32(scale) for quad in quads]
    blobs = _blobs(grey, [*small, *(quad * np.float32(scale) for quad in detected)])
    found = Strays()
    for number, marks in _beside(grey, small, lines, *blobs).items():
        quad = quads[number]
        left, right = 0.0, (end := sides(quad)[0] / sides(quad)[1])
        for mark in _runs(marks):
            gap = max(mark.x0 - end, -mark.x1)
            if gap > FARTHEST or mark.x1 - mark.x0 > WIDEST or not LOWEST <= mark.y1 - mark.y0 <= TALLEST:
                continue
            if gap < TOUCHING or (gap < COLON_GAP and mark.stacked == 2 and mark.x1 - mark.x0 < TOUCHING):
                left, right = min(left, mark.x0 - 0.15), max(right, mark.x1 + 0.15)
            else:
                found.marks.append(_part(quad, mark.x0 - 0.25, mark.x1 + 0.25))
        if (left, right) != (0.0, end):
            found.longer[number] = _part(quad, left, right)
    return found if len(found.marks) <= MOST else Strays()


def _beside(
    grey: NDArray[np.uint8], quads: Sequence[Quad], lines: Sequence[int], corners: Numbers, contrasts: Numbers
) -> dict[int, list[_Mark]]:
    """Each blob with the nearest of the `lines`, numbers of `quads`, in whose height it stands."""
    nearest = np.full(len(corners), np.inf)
    owner = np.full(len(corners), -1)
    spots = np.zeros((len(corners), 4))
    for number in lines:
        quad = quads[number]
        length, height = sides(quad)
        along = (corners - quad[0]) @ (quad[1] - quad[0]) / (length * height)
        across = (corners - quad[0]) @ (quad[3] - quad[0]) / height**2
        spot = np.stack([along.min(axis=1), across.min(axis=1), along.max(axis=1), across.max(axis=1)], axis=1)
        gaps = np.maximum(spot[:, 0] - length / height, -spot[:, 2])
        within = (spot[:, 1] >= 0) & (spot[:, 3] <= 1) & (gaps > -0.5) & (contrasts >= FAINTEST * _contrast(grey, quad))
        closer = within & (gaps < nearest)
        nearest[closer], owner[closer], spots[closer] = gaps[closer], number, spot[closer]
    beside: defaultdict[int, list[_Mark]] = defaultdict(list)
    for blob in np.flatnonzero(owner >= 0):
        x0, y0, x1, y1 = map(float, spots[blob])
        beside[int(owner[blob])].append(_Mark(x0, y0, x1, y1))
    return beside


def _runs(marks: list[_Mark]) -> list[_Mark]:
    runs: list[_Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.x0):
        if runs and mark.x0 - runs[-1].x1 < RUN_GAP:
            last = runs[-1]
            above = mark.y1 <= last.y0 or last.y1 <= mark.y0
            last.stacked = last.stacked + 1 if above and mark.x0 < last.x1 else 9
            last.x1, last.y0, last.y1 = max(last.x1, mark.x1), min(last.y0, mark.y0), max(last.y1, mark.y1)
        else:
            runs.append(mark)
    return runs


def _part(quad: Quad, start: float, end: float) -> Quad:
    """A strip with the top and bottom of `quad`, between two places along it in its heights."""
    length, height = sides(quad)
    along, down = (quad[1] - quad[0]) * (height / length), quad[3] - quad[0]
    return np.array(
        [quad[0] + along * start, quad[0] + along * end, quad[0] + along * end + down, quad[0] + along * start + down], np.float32
    )


def _blobs(grey: NDArray[np.uint8], quads: Sequence[Quad]) -> tuple[Numbers, Numbers]:
    """Ink outside `quads` in blobs of a glyph at most: the corners of each blob (blobs x 4 x 2) and its contrast with the paper."""
    height, width = grey.shape
    paper = cv2.medianBlur(cv2.resize(grey, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA), 21)
    dark = cv2.subtract(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), grey)
    covered = np.zeros_like(grey)
    for quad in quads:
        cv2.fillConvexPoly(covered, np.round(quad).astype(np.int32), [1])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((dark > INK).astype(np.uint8), connectivity=8)
    inside = np.bincount(labels[covered > 0], minlength=count)
    x, y, w, h, area = (stats[:, column].astype(np.float32) for column in range(5))
    at_edge = (x == 0) | (y == 0) | (x + w == width) | (y + h == height)  # the paper's own shadow, or a letter cut in half
    kept = np.flatnonzero((inside < OUTSIDE * area) & (area >= 3) & (w < 2 * WORKING) & (h < 2 * WORKING) & ~at_edge)
    kept = kept[kept > 0]
    x, y, w, h = x[kept], y[kept], w[kept], h[kept]
    corners = np.stack([np.stack([x + w * right, y + h * low], axis=1) for right, low in ((0, 0), (1, 0), (1, 1), (0, 1))], axis=1)
    contrasts = [dark[top : top + tall, left : left + wide].max() for left, top, wide, tall in stats[kept, :4]]
    return corners, np.array(contrasts, np.float32)


def _contrast(grey: NDArray[np.uint8], quad: Quad) -> float:
    x0, y0 = np.maximum(quad.min(axis=0), 0).astype(int)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int)
    part = grey[y0:y1, x0:x1]
    return float(np.percentile(part, 90) - np.percentile(part, 4)) if part.size else 255.0
