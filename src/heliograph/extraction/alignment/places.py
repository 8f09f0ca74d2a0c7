"""Where a value may stand."""

from __future__ import annotations

import msgspec

from heliograph.extraction.alignment.board import Board, Span
from heliograph.extraction.result import Evidence, Match
from heliograph.media.geometry import Box


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
        return self.board.level(self.head)

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
