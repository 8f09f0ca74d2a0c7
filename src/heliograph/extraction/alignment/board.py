"""A page prepared for looking values up: its words in reading order as runs, and as one folded stream of characters."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import msgspec

from heliograph.extraction.alignment.folding import folded, unspaced
from heliograph.extraction.result import Evidence
from heliograph.media.document import Page, Word
from heliograph.media.geometry import Box, union

_WIDE = 1.6
"""Heights of a word: a gap wider than this ends a run."""
_NUMBER = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,'’]\d{3})+(?:[.,]\d+)?(?![\d.,]*\d)|(?<![\d.,])\d+[.,]\d{1,4}(?![\d.,]*\d)")
"""A number whose dots and commas part no words: the 500 of `1,500` is no value."""
_LONG, _MANY, _STEEP = 6, 5, 0.2
"""Heights of a word that a line must be long, and how many of them it takes, to say how the page slopes; more slope than this is none."""
_NARROW = 0.7
"""A gap narrower than this is none between cells either: such borders were found wrongly."""


class Span(msgspec.Struct, frozen=True):
    """Words of a board from character `start` of word `first` up to character `end` of word `last`."""

    first: int
    start: int
    last: int
    end: int


class Run(msgspec.Struct, gc=False):
    """Words `[first, last]` that stand together on one line. `x0, y0, x1, y1` and `height` in points of the page, its slope taken out."""

    index: int
    first: int
    last: int
    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    height: float

    @property
    def cy(self) -> float:
        """Centre, in points."""
        return (self.y0 + self.y1) / 2


class Board:
    """A page's index. `ordinal` is its place among the pages looked at. Made in one pass over the words."""

    def __init__(self, page: Page, ordinal: int) -> None:
        self.page, self.ordinal = page, ordinal
        self.words: list[Word] = [word for word in page.words if word.text.strip()]
        self.slope = self._sloping()
        self.stream, self.starts, self._breaks = self._streamed()
        self.runs: list[Run] = list(self._cut())
        self.run_of: list[int] = [run.index for run in self.runs for _ in range(run.first, run.last + 1)]
        heights = sorted(run.height for run in self.runs)
        self.height = heights[len(heights) // 2] if heights else 10.0

    def _sloping(self) -> float:
        """By how much the page's lines fall to the right, as a tangent: the median of those that are long; 0 when there are few."""
        ends: dict[int, tuple[Box, Box]] = {}
        for word in self.words:
            if word.line >= 0:
                ends[word.line] = (ends[word.line][0] if word.line in ends else word.box, word.box)
        width, height = self.page.width, self.page.height
        falls = [
            (b.cy - a.cy) * height / ((b.cx - a.cx) * width)
            for a, b in ends.values()
            if abs(b.cx - a.cx) * width > _LONG * max(a.h, b.h) * height
        ]
        slope = sorted(falls)[len(falls) // 2] if len(falls) >= _MANY else 0.0
        return slope if abs(slope) < _STEEP else 0.0

    @cached_property
    def levels(self) -> list[float]:
        """How far down the page the centre of each word is, in points, had the page's lines not been sloping."""
        height, fall = self.page.height, self.slope * self.page.width
        return [word.box.cy * height - fall * word.box.cx for word in self.words]

    def _streamed(self) -> tuple[str, list[int], set[int]]:
        """The folded stream, where each word begins in it, and where a value may begin or end inside words."""
        pieces: list[str] = []
        starts: list[int] = []
        breaks: set[int] = set()
        at = 0
        for word in self.words:
            text, origins = folded(word.text)
            starts.append(at)
            breaks.add(at)
            if not text.isascii():
                breaks.update(at + i for i, c in enumerate(text) if unspaced(c) or (i and unspaced(text[i - 1])))
            if origins is not None:
                whole = _NUMBER.search(word.text)
                breaks.update(
                    at + i
                    for i, (a, b) in enumerate(pairwise(origins), 1)
                    if b - a > 1 and not (whole and whole.start() <= a and b < whole.end())
                )
            pieces.append(text)
            at += len(text)
        breaks.add(at)
        return "".join(pieces), starts, breaks

    def _cut(self) -> Iterator[Run]:
        cells = {word: (table, cell) for table, t in enumerate(self.page.tables) for cell, c in enumerate(t.cells) for word in c.words}
        cell_of = [cells.get(i) for i, word in enumerate(self.page.words) if word.text.strip()] if cells else []
        width, height = self.page.width, self.page.height
        first = index = 0
        for at in range(1, len(self.words) + 1):
            if at < len(self.words):
                last, word = self.words[at - 1], self.words[at]
                if last.line == word.line and (word.line >= 0 or _beside(last.box, word.box)):
                    gap = max(word.box.x - last.box.x1, last.box.x - word.box.x1) * width
                    tall = max(min(last.box.h, word.box.h) * height, 1.0)
                    bordered = bool(cells) and cell_of[at - 1] != cell_of[at] and gap > _NARROW * tall
                    if gap <= _WIDE * tall and not bordered:
                        continue
            words = self.words[first:at]
            boxes = [word.box for word in words]
            fall = self.slope * (boxes[0].x + boxes[-1].x1) / 2 * width
            tall = sorted([box.h for box in boxes])[len(boxes) // 2] * height
            yield Run(
                index,
                first,
                at - 1,
                " ".join([word.text for word in words]),
                min([box.x for box in boxes]) * width,
                min([box.y for box in boxes]) * height - fall,
                max([box.x1 for box in boxes]) * width,
                max([box.y1 for box in boxes]) * height - fall,
                max(tall, 1.0),
            )
            first, index = at, index + 1

    def bounded(self, start: int, end: int) -> bool:
        """Whether `stream[start:end]` begins and ends where words do, or where letters turn into digits."""
        return self._edge(start) and self._edge(end)

    def _edge(self, at: int) -> bool:
        return at in self._breaks or self.stream[at - 1].isdigit() != self.stream[at].isdigit()

    def edges(self, at: int, reach: int) -> list[int]:
        """Where words begin or end within `reach` characters of `at`, nearest first."""
        around = range(max(0, at - reach), min(len(self.stream), at + reach) + 1)
        return sorted((i for i in around if i in self._breaks), key=lambda i: abs(i - at))

    def span(self, start: int, end: int) -> Span:
        """The words under `stream[start:end]`, which is not empty."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        return Span(first, self._origin(first, start), last, self._origin(last, end - 1) + 1)

    def _origin(self, word: int, at: int) -> int:
        origins = folded(self.words[word].text)[1]
        within = at - self.starts[word]
        return within if origins is None else origins[within]

    def within(self, run: Run, start: int, end: int) -> Span:
        """The words under `run.text[start:end]`, which is not empty."""
        at, first, last, begins, ends = 0, -1, run.last, 0, 0
        for word in range(run.first, run.last + 1):
            size = len(self.words[word].text)
            if first < 0 and start < at + size:
                first, begins = word, max(0, start - at)
            if at < end:
                last, ends = word, min(size, end - at)
            at += size + 1
        return Span(max(first, run.first), begins, last, ends)

    def text(self, span: Span) -> str:
        """The words of a span, with single spaces."""
        if span.first == span.last:
            return self.words[span.first].text[span.start : span.end]
        inner = [word.text for word in self.words[span.first + 1 : span.last]]
        return " ".join([self.words[span.first].text[span.start :], *inner, self.words[span.last].text[: span.end]])

    def evidence(self, span: Span) -> Iterator[Evidence]:
        """The words of a span with their boxes, one for each line; a word that is only partly inside is cut in proportion."""
        group: list[int] = []
        for index in range(span.first, span.last + 1):
            if group and not self._same_line(group[-1], index):
                yield self._carried(span, group)
                group = []
            group.append(index)
        yield self._carried(span, group)

    def _same_line(self, a: int, b: int) -> bool:
        if self.words[a].line >= 0:
            return self.words[a].line == self.words[b].line
        return self.run_of[a] == self.run_of[b]

    def _carried(self, span: Span, group: list[int]) -> Evidence:
        boxes: list[Box] = []
        texts: list[str] = []
        for index in group:
            word = self.words[index]
            start = span.start if index == span.first else 0
            end = span.end if index == span.last else len(word.text)
            share = word.box.w / max(1, len(word.text))
            boxes.append(Box(word.box.x + start * share, word.box.y, (end - start) * share, word.box.h, word.box.page))
            texts.append(word.text[start:end])
        return Evidence(" ".join(texts), union(boxes), min(self.words[index].score for index in group))

    def box(self, span: Span) -> Box:
        """The box around a span's words."""
        return union(part.box for part in self.evidence(span))

    @cached_property
    def _by_height(self) -> tuple[list[float], list[Run]]:
        runs = sorted(self.runs, key=lambda run: run.cy)
        return [run.cy for run in runs], runs

    def around(self, top: float, bottom: float) -> list[Run]:
        """The runs whose centre lies between two heights, in points."""
        heights, runs = self._by_height
        return runs[bisect_left(heights, top) : bisect_right(heights, bottom)]

    def under(self, box: Box) -> list[int]:
        """The words whose centre lies in a box."""
        return [i for i, word in enumerate(self.words) if box.x <= word.box.cx <= box.x1 and box.y <= word.box.cy <= box.y1]


def _beside(a: Box, b: Box) -> bool:
    return min(a.y1, b.y1) - max(a.y, b.y) > 0.5 * min(a.h, b.h)
