"""Which place on the pages each row of a list has.

Rows of a list follow each other down the pages, and the values of a row stand together. Each row's likely places come from its rarest
values; a walk over all rows (Viterbi) picks one for each, so that most values are near and the order is kept. Linear in the rows.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from heliograph.extraction.alignment.places import Place
from heliograph.extraction.alignment.sought import Sought
from heliograph.extraction.result import Path

_LIKELY = 12
"""Places of a row that are weighed against each other."""
_COMMON = 60
"""Places of a value that still say where its row may be."""
_BACK, _SAME, _SKIP = 0.35, 0.5, 0.06
"""Cost of a row over the one before it, on the same line, and of each doubling of the lines between them."""
_WIDEST = 12
"""Columns of a list whose places are compared with each other's."""
_TELL = 15
"""Rows that say where a column stands."""
PAGE = 1e6
"""Points between two pages, on the one scale that rows are put on."""


class Spot(msgspec.Struct, frozen=True):
    """Where a row is: points down all pages, and the height of a line there."""

    down: float
    height: float

    def near(self, down: float) -> float:
        """How much something so far down belongs to this row, 0-1: on its line, or on the lines around it."""
        lines = abs(down - self.down) / self.height
        return 1.0 if lines < 0.6 else 0.6 if lines < 1.8 else 0.35 if lines < 3.5 else 0.1 if lines < 6 else 0.0


class Table:
    """Where the columns of a list stand, learned from the rows that leave no choice."""

    def __init__(self) -> None:
        self._across: dict[Path, list[float]] = {}
        self._apart: dict[tuple[Path, Path], list[float]] = {}

    def add(self, row: Sequence[Sought]) -> None:
        """Learn from the values of a row whose place is known."""
        known = [(one.column, one.chosen) for one in row if one.chosen is not None][:_WIDEST]
        for column, place in known:
            self._across.setdefault(column, []).append(place.head.cx)
            for other, beside in known:
                if other != column:
                    self._apart.setdefault((column, other), []).append((down(place) - down(beside)) / max(place.board.height, 1.0))

    def usual(self, one: Sought, place: Place, row: Sequence[Sought]) -> float | None:
        """How well a place fits a value's column, 0-2: across the page, and by its lines from the row's other values. None if unknown."""
        across = self._across.get(one.column)
        if across is None:
            return None
        fit = max(0.0, 1 - 8 * abs(place.head.cx - _middle(across)))
        for other in row:
            apart = self._apart.get((one.column, other.column))
            if other.chosen is not None and apart is not None:
                lines = (down(place) - down(other.chosen)) / max(place.board.height, 1.0)
                return fit + math.exp(-abs(lines - _middle(apart)))
        return fit


def _middle(values: list[float]) -> float:
    """The median of the first values, which are enough to tell."""
    first = sorted(values[:_TELL])
    return first[len(first) // 2]


def down(place: Place) -> float:
    """How far down all pages a place is, in points."""
    return place.board.ordinal * PAGE + place.level


def spots(rows: Sequence[Sequence[Sought]], between: Sequence[tuple[float, float] | None]) -> list[Spot | None]:
    """A spot for each row; None for rows none of whose values is found.

    `between` gives for each row the stretch of the pages that it must lie in, where that is known (a list within a list's row).
    """
    likely = [_likely(row, stretch) for row, stretch in zip(rows, between, strict=True)]
    known = [(index, options) for index, options in enumerate(likely) if options]
    made: list[Spot | None] = [None] * len(rows)
    if not known:
        return made
    best = [value for _, value in known[0][1]]
    back: list[list[int]] = []
    for (_, before), (_, after) in pairwise(known):
        came: list[int] = []
        scores: list[float] = []
        for spot, value in after:
            gained = [score - _cost(prior, spot) for score, (prior, _) in zip(best, before, strict=True)]
            top = max(range(len(gained)), key=gained.__getitem__)
            came.append(top)
            scores.append(gained[top] + value)
        back.append(came)
        best = scores
    at = max(range(len(best)), key=best.__getitem__)
    for step in range(len(known) - 1, -1, -1):
        index, options = known[step]
        made[index] = options[at][0]
        at = back[step - 1][at] if step else at
    return made


def _cost(before: Spot, after: Spot) -> float:
    lines = (after.down - before.down) / after.height
    if abs(lines) < 0.3:
        return _SAME
    return _SKIP * math.log2(1 + min(abs(lines), 4096)) + (_BACK if lines < 0 else 0.0)


def _likely(row: Sequence[Sought], stretch: tuple[float, float] | None) -> list[tuple[Spot, float]]:
    """Where a row may be, with how much of it is there, the best first."""
    columns = [(sorted(down(place) for place in one.places), one) for one in row if one.places]
    telling = sorted((one for _, one in columns), key=lambda one: len(one.places))
    options: dict[int, Spot] = {}
    for one in telling:
        if options and len(one.places) > _COMMON:
            break
        for place in one.places[:_COMMON]:
            depth = down(place)
            if stretch is None or stretch[0] <= depth <= stretch[1]:
                height = max(place.board.height, 1.0)
                options.setdefault(round(depth / height), Spot(depth, height))
    scored = [(spot, sum(_weight(one) * _nearest(depths, spot) for depths, one in columns)) for spot in options.values()]
    scored.sort(key=lambda option: -option[1])
    return scored[:_LIKELY]


def _weight(one: Sought) -> float:
    return max(place.quality for place in one.places[:1]) / (1 + 0.5 * math.log(len(one.places)))


def _nearest(depths: list[float], spot: Spot) -> float:
    at = bisect_left(depths, spot.down)
    return max((spot.near(depth) for depth in depths[max(0, at - 1) : at + 1]), default=0.0)
