"""Which place on the pages each row of a list has.

Rows of a list follow each other down the pages, and the values of a row stand together. Each row's likely places come from its rarest
values; a walk over all rows (Viterbi) picks one for each, so that most values are near and the order is kept. Where rows repeat, so that
each may be in hundreds of places, the walk weighs the best of them and those that come next after the ways it is on. Linear in the rows.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from heliograph.extraction.alignment.places import PAGE, Place, Places
from heliograph.extraction.alignment.sought import Sought
from heliograph.extraction.result import Path

_LIKELY = 12
"""Places of a row that are weighed against each other wherever they are, and ways that are followed from row to row."""
_COMMON = 60
"""Places of a value that still say where its row may be, though another value of the row has fewer."""
_AS_RARE = 4
"""Times the places of a row's rarest value that its second may have to say, too, where the row may be."""
_FOLLOWING = 3
"""Places of a row next after the one before it that are weighed too, however little of the row is there."""
_FURTHER_UP, _BEHIND = 8, 1.0
"""Ways that are followed too because they are furthest up, and how much worse than the best these may be."""
_WHOLE = 0.85
"""Share of the most that is anywhere of a row with which a place has all of it, as far as can be told."""
_BACK, _SAME, _SKIP = 0.35, 0.5, 0.06
"""Cost of a row over the one before it, on the same line, and of each doubling of the lines between them."""
_WIDEST = 12
"""Columns of a list whose places are compared with each other's."""
_TELL = 15
"""Rows that say where a column stands."""
_LEAF = 60
"""Lines that a page counts for between rows on different pages."""


class Spot(msgspec.Struct, frozen=True):
    """Where a row is: points down all pages, and the height of a line there."""

    down: float
    height: float

    def near(self, down: float) -> float:
        """How much something so far down belongs to this row, 0-1: on its line, or on the lines around it."""
        lines = abs(down - self.down) / self.height
        return 1.0 if lines < 0.6 else 0.6 if lines < 1.8 else 0.35 if lines < 3.5 else 0.1 if lines < 6 else 0.0

    @property
    def below(self) -> float:
        """Where its line ends and the next may begin."""
        return self.down + 0.3 * self.height

    def beside(self, places: Places) -> list[Place]:
        """Those on this row's line or on the next to it."""
        return self._within(1.8, places)

    def about(self, places: Places) -> list[Place]:
        """Those on the few lines around it."""
        return self._within(3.5, places)

    def _within(self, lines: float, places: Places) -> list[Place]:
        return places.between(self.down - lines * self.height, self.down + lines * self.height)


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
                    self._apart.setdefault((column, other), []).append((place.down - beside.down) / max(place.board.height, 1.0))

    def usual(self, one: Sought, place: Place, row: Sequence[Sought]) -> float | None:
        """How well a place fits a value's column, 0-2: across the page, and by its lines from the row's other values. None if unknown."""
        across = self._across.get(one.column)
        if across is None:
            return None
        fit = max(0.0, 1 - 8 * abs(place.head.cx - _middle(across)))
        for other in row:
            apart = self._apart.get((one.column, other.column))
            if other.chosen is not None and apart is not None:
                lines = (place.down - other.chosen.down) / max(place.board.height, 1.0)
                return fit + math.exp(-abs(lines - _middle(apart)))
        return fit


def _middle(values: list[float]) -> float:
    """The median of the first values, which are enough to tell."""
    first = sorted(values[:_TELL])
    return first[len(first) // 2]


class _Way(msgspec.Struct, frozen=True):
    """A row's spot, with how good the best way down the pages to it is, and the spot of the row before on that way."""

    row: int
    spot: Spot
    score: float
    before: _Way | None


def spots(rows: Sequence[Sequence[Sought]], stretch: tuple[float, float] | None = None) -> list[Spot | None]:
    """A spot for each row; None for rows none of whose values is found.

    `stretch` is the part of the pages that they must lie in, where that is known (a list within a list's row).
    """
    alike: dict[tuple[int, ...], _Likely] = {}  # by what the rows say: the same values share their places
    ways: list[_Way] = []
    for index, row in enumerate(rows):
        says = tuple(id(one.places) for one in row if one.places)
        if says not in alike:
            alike[says] = _Likely([one for one in row if one.places], stretch)
        options = alike[says].after(ways)
        if options:
            ways = _kept([_led(index, spot, value, ways) for spot, value in options])
    made: list[Spot | None] = [None] * len(rows)
    way = max(ways, key=lambda way: way.score, default=None)
    while way is not None:
        made[way.row] = way.spot
        way = way.before
    return made


def _led(row: int, spot: Spot, value: float, ways: Sequence[_Way]) -> _Way:
    """The best way to a spot."""
    if not ways:
        return _Way(row, spot, value, None)
    scores = [way.score - _cost(way.spot, spot) for way in ways]
    top = max(range(len(scores)), key=scores.__getitem__)
    return _Way(row, spot, scores[top] + value, ways[top])


def _kept(ways: list[_Way]) -> list[_Way]:
    """The best ways, of those as good the ones further up; and some furthest up, as they leave the most lines for the rows to come."""
    if len(ways) <= _LIKELY:
        return ways
    ranked = sorted(ways, key=lambda way: (-round(way.score, 3), way.spot.down))
    behind = [way for way in ranked[_LIKELY:] if way.score > ranked[0].score - _BEHIND]
    return ranked[:_LIKELY] + sorted(behind, key=lambda way: way.spot.down)[:_FURTHER_UP]


def _cost(before: Spot, after: Spot) -> float:
    pages = after.down // PAGE - before.down // PAGE
    lines = pages * _LEAF if pages else (after.down - before.down) / after.height
    if abs(lines) < 0.3:
        return _SAME
    return _SKIP * math.log2(1 + abs(lines)) + (_BACK if lines < 0 else 0.0)


class _Likely:
    """Where rows that say the same may be, with how much of them is there."""

    def __init__(self, row: Sequence[Sought], stretch: tuple[float, float] | None) -> None:
        found = [(spot, sum(_weight(one) * _nearest(one.places.downs, spot) for one in row)) for spot in _lines(row, stretch)]
        self._best = sorted(found, key=lambda option: -option[1])[:_LIKELY]
        self._every = sorted(found, key=lambda option: option[0].down) if len(found) > _LIKELY else []
        self._whole = [option for option in self._every if option[1] >= _WHOLE * self._best[0][1]]
        self._every_down, self._whole_down = ([spot.down for spot, _ in options] for options in (self._every, self._whole))

    def after(self, ways: Sequence[_Way]) -> list[tuple[Spot, float]]:
        """The best of them, the best first, and those that come next after the row before; for the first row, at the top."""
        if not self._every:
            return self._best
        options = dict(self._best)
        best = max(ways, key=lambda way: way.score, default=None)
        at = bisect_right(self._every_down, best.spot.below) if best is not None else 0
        options.update(self._every[at : at + _FOLLOWING])
        for below in [way.spot.below for way in ways] or [0.0]:
            at = bisect_right(self._whole_down, below)
            options.update(self._whole[at : at + 1])
        return list(options.items())


def _lines(row: Sequence[Sought], stretch: tuple[float, float] | None) -> Iterable[Spot]:
    """The lines on which a row's rarest values stand; two of them if they are about as rare, since one may be misread on its line."""
    options: dict[int, Spot] = {}
    telling = sorted(row, key=lambda one: len(one.places))
    for rank, one in enumerate(telling):
        if rank and len(one.places) > (_COMMON if rank > 1 else max(_COMMON, _AS_RARE * len(telling[0].places))):
            break
        for place in one.places if stretch is None else one.places.between(*stretch):
            down, height = place.down, max(place.board.height, 1.0)
            options.setdefault(round(down / height), Spot(down, height))
    return options.values()


def _weight(one: Sought) -> float:
    return one.places.best[0].quality / (1 + 0.5 * math.log(len(one.places)))


def _nearest(downs: list[float], spot: Spot) -> float:
    at = bisect_left(downs, spot.down)
    return max((spot.near(down) for down in downs[max(0, at - 1) : at + 1]), default=0.0)
