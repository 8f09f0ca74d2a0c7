"""Where a value may stand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from heliograph.extraction.alignment.board import Board, Span
from heliograph.extraction.result import Evidence, Match
from heliograph.media.geometry import Box

PAGE = 1e6
"""Points between two pages, on the one scale that places of all pages are put on."""


class Place(msgspec.Struct, eq=False):
    """Words that carry a value: `spans` of one page. `quality` 0-1 says how well they do, whatever stands around them."""

    board: Board
    spans: list[Span]
    match: Match
    quality: float

    @property
    def key(self) -> tuple[int, int, int]:
        """The first character it stands on."""
        return self.board.ordinal, self.spans[0].first, self.spans[0].start

    @property
    def level(self) -> float:
        """How far down its page it begins, in points, the page's slope taken out."""
        return self.board.levels[self.spans[0].first]

    @property
    def down(self) -> float:
        """How far down all pages it begins, in points."""
        return self.board.ordinal * PAGE + self.board.levels[self.spans[0].first]

    @property
    def head(self) -> Box:
        """The box of its first word."""
        return self.board.words[self.spans[0].first].box

    @property
    def box(self) -> Box:
        """The box around its first span."""
        return self.board.box(self.spans[0])

    def evidence(self) -> list[Evidence]:
        """The words with their boxes, one for each line."""
        return [part for span in self.spans for part in self.board.evidence(span)]


class Places:
    """Where one value may stand: iterated, the best first; and in order down the pages. Shared by all rows that say the value."""

    def __init__(self, found: Iterable[Place] = ()) -> None:
        self.best = sorted(found, key=lambda place: (-place.quality, place.key))

    def __len__(self) -> int:
        return len(self.best)

    def __iter__(self) -> Iterator[Place]:
        return iter(self.best)

    @cached_property
    def _ordered(self) -> tuple[list[float], list[Place]]:
        ordered = sorted(((place.down, rank) for rank, place in enumerate(self.best)))
        return [down for down, _ in ordered], [self.best[rank] for _, rank in ordered]

    @property
    def downs(self) -> list[float]:
        """How far down all pages each of them is, in points, ascending."""
        return self._ordered[0]

    def between(self, top: float, bottom: float) -> list[Place]:
        """Those from `top` to `bottom`, in points down all pages, in order."""
        downs, ordered = self._ordered
        return ordered[bisect_left(downs, top) : bisect_right(downs, bottom)]

    def nearest(self, down: float, count: int) -> list[Place]:
        """The `count` places nearest to a height, in points down all pages, nearest first; of two as near the better one."""
        downs, ordered = self._ordered
        at = bisect_left(downs, down)
        around = range(max(0, at - count), min(len(downs), at + count))
        return [ordered[i] for i in sorted(around, key=lambda i: (abs(downs[i] - down), -ordered[i].quality))[:count]]
