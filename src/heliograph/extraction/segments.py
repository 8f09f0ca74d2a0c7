"""A page as people see it: rows of runs of words.

A `Segment` is a run of words that stand together on one row: a label, a value, a cell, a line of an address. Wide gaps and cell
borders end it. Candidates, labels and tables are found on segments; spans of their text map back to words and so to boxes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from heliograph.extraction import mending
from heliograph.extraction.result import Evidence
from heliograph.extraction.ruling import Ruling
from heliograph.media.document import Cell, Document, Page
from heliograph.media.geometry import Box, union

_NUMBERED = re.compile(r"\(?(\d{1,2}[a-z]?)[.)]?\s+[^\W\d_]{2,}[^\d]*$|\(?(\d{1,2}[a-z]?)[.)]?\s+[A-Z][^\W\d_]+")
_NUMBER = re.compile(r"\d{1,2}[a-z]?[.)]?")
_THOUSANDS = re.compile(r"[-−–(]?\d{1,3} \d{3}(?:[.,]\d{1,2})?\)?")
"""Two words that are one number, its thousands set apart: `3 514,61`. No border goes through it."""
_LETTERS = 3
"""Letters and digits that a line on end has at least; less is a narrow character."""
_MANY = 5
"""Numbered headings from which on a page is taken for a form with numbered boxes."""


class Segment:
    """A run of words. `row` counts from the top of its page; `text` joins the words with single spaces.

    `on_end`: it runs up or down the page, as stamps and notes in the margin do, and is a row of its own behind all others.
    Distances are in lines: `x0, y0, x1, y1` are points on the page, `height` the words' median height, `size` that of their type.
    """

    __slots__ = ("height", "index", "offsets", "on_end", "page", "row", "score", "sheet", "size", "text", "words", "x0", "x1", "y0", "y1")

    def __init__(self, sheet: Sheet, words: list[int], row: int, *, on_end: bool = False) -> None:
        page = sheet.page
        self.on_end = on_end
        self.sheet, self.words, self.row, self.page, self.index = sheet, words, row, page.index, -1
        texts = [page.words[i].text for i in words]
        if page.source not in ("text", "speech"):
            texts = mending.names(texts)
        self.text = " ".join(texts)
        self.offsets: list[int] = []
        at = 0
        for text in texts:
            self.offsets.append(at)
            at += len(text) + 1
        boxes = [page.words[i].box for i in words]
        self.x0, self.x1 = min([b.x for b in boxes]) * page.width, max([b.x1 for b in boxes]) * page.width
        self.y0, self.y1 = min([b.y for b in boxes]) * page.height, max([b.y1 for b in boxes]) * page.height
        tall = [b.w * page.width if on_end else b.h * page.height for b in boxes]
        self.height = max(sorted(tall)[len(tall) // 2], 1.0)
        sizes = sorted(page.words[i].size or height for i, height in zip(words, tall, strict=True))
        self.size = max(sizes[len(sizes) // 2], 1.0)
        self.score = min(page.words[i].score for i in words)

    @property
    def cx(self) -> float:
        """Centre, in points."""
        return (self.x0 + self.x1) / 2

    @property
    def cy(self) -> float:
        """Centre, in points."""
        return (self.y0 + self.y1) / 2

    def word_at(self, offset: int) -> int:
        """Which of `words` holds the character at `offset`."""
        return max(0, bisect_right(self.offsets, offset) - 1)

    def evidence(self, start: int = 0, end: int | None = None) -> Evidence:
        """The words under `text[start:end]`; a word that is only partly inside is cut in proportion to its characters."""
        end = len(self.text) if end is None else end
        words = self.sheet.page.words
        boxes: list[Box] = []
        scores: list[float] = []
        for position, index in enumerate(self.words):
            word, at = words[index], self.offsets[position]
            first, last = max(start - at, 0), min(end - at, len(word.text))
            if first >= last:
                continue
            share = word.box.w / max(1, len(word.text))
            boxes.append(Box(word.box.x + first * share, word.box.y, (last - first) * share, word.box.h, word.box.page))
            scores.append(word.score)
        if not boxes:
            return Evidence(self.text[start:end], words[self.words[0]].box, 0.0)
        return Evidence(self.text[start:end].strip(), union(boxes), min(scores))

    def share(self, other: Segment) -> float:
        """How much of the narrower one's width both have in common, 0-1."""
        common = min(self.x1, other.x1) - max(self.x0, other.x0)
        return max(0.0, common) / max(1.0, min(self.x1 - self.x0, other.x1 - other.x0))

    def __repr__(self) -> str:
        return f"<{self.page}:{self.row} {self.text!r}>"


class Sheet:
    """One page's segments, by row."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.ruling = Ruling(page)
        self._cell_of = _cells(page)
        self.rows: list[list[Segment]] = []
        on_end = _on_end(page)
        for row in _rows(page, {word for words in on_end for word in words}):
            self.rows.append([Segment(self, words, len(self.rows)) for words in _runs(page, row, self.ruling, self._cell_of)])
        self.rows += [[Segment(self, words, len(self.rows) + n, on_end=True)] for n, words in enumerate(on_end)]
        self.segments = [segment for row in self.rows for segment in row]
        for index, segment in enumerate(self.segments):
            segment.index = index
        if page.source not in ("text", "speech"):
            self._point()
        lettered = [segment for segment in self.segments if any(map(str.isalnum, segment.text))]
        heights = sorted(segment.height for segment in lettered)
        self.height = heights[len(heights) // 2] if heights else 10.0
        sizes = sorted(segment.size for segment in lettered)
        self.size = sizes[len(sizes) // 2] if sizes else 10.0
        self._numbers = {segment.index: number for segment in self.segments if (number := self._number(segment))}
        self.numbers = len(set(self._numbers.values())) >= _MANY
        """Whether this is a form that numbers its boxes."""

    def _point(self) -> None:
        """Put back the decimal mark that the reader lost in amounts that stand flush right with others."""
        mark = mending.decimal_mark([segment.text for segment in self.segments])
        whole = [segment for segment in self.segments if mark and re.search(rf"\d\{mark}\d{{2}}$", segment.text)]
        for segment in self.segments if mark else ():
            if mending.lost_point(segment.text) and any(abs(other.x1 - segment.x1) < 0.7 * segment.height for other in whole):
                segment.text = segment.text.replace(" ", mark)

    def numbered(self, segment: Segment) -> bool:
        """Whether a segment is the numbered heading of a form's box, such as `7 Fishing boat proceeds`."""
        return self.numbers and segment.index in self._numbers

    def number_of(self, segment: Segment) -> str:
        """The number that a form gives a box, such as `7` or `1a`, from its heading; empty where it has none."""
        return self._numbers.get(segment.index, "")

    def _number(self, segment: Segment) -> str:
        found = _NUMBERED.match(segment.text)
        if found:
            return found[1] or found[2]
        if segment.text[:1].isupper():
            before = [other for other in self.rows[segment.row] if other.x1 <= segment.x0 + 1]
            if before and segment.x0 - before[-1].x1 < 3 * segment.height and _NUMBER.fullmatch(before[-1].text):
                return before[-1].text
        return ""

    def cell_of(self, segment: Segment, *, least: float = 0.0) -> Cell | None:
        """The cell of a detected table that a segment stands in, of tables found with at least that score."""
        at = self._cell_of.get(segment.words[0])
        if at is None or self.page.tables[at[0]].score < least:
            return None
        return self.page.tables[at[0]].cells[at[1]]

    def cell_segments(self, segment: Segment, cell: Cell) -> list[Segment]:
        """All segments in a cell, in order; `segment` is one of them."""
        words = set(cell.words)
        return [other for other in self.segments if other.words[0] in words]

    def cell_below(self, segment: Segment, cell: Cell) -> list[Segment]:
        """The segments in the cell right under that of `segment`."""
        at = self._cell_of[segment.words[0]]
        table = self.page.tables[at[0]]
        for other in table.cells:
            if other.row == cell.row + cell.row_span and other.column == cell.column and other.column_span == cell.column_span:
                return self.cell_segments(segment, other)
        return []

    def right_of(self, segment: Segment) -> Iterator[Segment]:
        """The segments after this one on its row, left to right."""
        for other in self.rows[segment.row]:
            if other.x0 >= segment.x1 - segment.height * 0.5 and other is not segment:
                yield other

    def below(self, segment: Segment, *, reach: float = 3.0) -> Iterator[Segment]:
        """The segments under this one that share its column, nearest row first, at most `reach` line heights away."""
        limit = segment.y1 + reach * max(segment.height, self.height)
        for row in self.rows[segment.row + 1 :]:
            if not row or min(other.y0 for other in row) > limit:
                return
            for other in row:
                if other.y0 <= limit and other.x0 < segment.x1 + segment.height and other.x1 > segment.x0 - segment.height * 0.5:
                    yield other


def sheets(document: Document) -> list[Sheet]:
    """The pages of a document as segments."""
    return [Sheet(page) for page in document.pages]


def _on_end(page: Page) -> list[list[int]]:
    """The words of each line that runs up or down the page, in the order they are read in."""
    made: list[list[int]] = []
    for line in page.lines:
        boxes = [page.words[word].box for word in line.words]
        if len(boxes) == 1:
            tall = boxes[0].h * page.height > 1.5 * boxes[0].w * page.width
        else:
            tall = all(abs(b.cy - a.cy) * page.height > abs(b.cx - a.cx) * page.width for a, b in pairwise(boxes))
        if tall and sum(char.isalnum() for char in line.text) >= _LETTERS:
            made.append(line.words)
    return made


def _rows(page: Page, apart: set[int]) -> list[list[int]]:
    """Words that stand on one row, top to bottom, each left to right; without those that stand `apart`."""
    words = page.words
    order = sorted(
        (i for i, word in enumerate(words) if i not in apart and word.text.strip() and word.box.h > 0),
        key=lambda i: (words[i].box.cy, words[i].box.x),
    )
    lefts, rights = [word.box.x for word in words], [word.box.x1 for word in words]
    tops, bottoms = [word.box.y for word in words], [word.box.y1 for word in words]
    middles, halves = [word.box.cx for word in words], [word.box.w / 2 for word in words]
    rows: list[list[int]] = []
    spans: list[tuple[float, float]] = []  # from the highest to the lowest of each row, since most rows are not even near
    for index in order:
        left, right, middle, half = lefts[index], rights[index], middles[index], halves[index]
        top, bottom, tall = tops[index], bottoms[index], words[index].box.h
        best, best_score = -1, 0.45
        for at in range(max(0, len(rows) - 6), len(rows)):
            highest, lowest = spans[at]
            if top >= lowest or bottom <= highest:
                continue
            row = rows[at]
            far = [abs(middles[j] - middle) - halves[j] for j in row]
            nearest = min(far)
            other = row[far.index(nearest)]
            less = max(1e-9, min(tall, words[other].box.h))
            overlap = (min(bottom, bottoms[other]) - max(top, tops[other])) / less
            if overlap <= best_score or (overlap < 0.8 and max(tall, words[other].box.h) / less > 2.5):
                continue
            if nearest >= half or not any(min(right, rights[j]) - max(left, lefts[j]) > min(half, halves[j]) for j in row):
                best, best_score = at, overlap
        if best < 0:
            rows.append([index])
            spans.append((top, bottom))
        else:
            rows[best].append(index)
            spans[best] = (min(spans[best][0], top), max(spans[best][1], bottom))
    for row in rows:
        row.sort(key=lambda i: words[i].box.x)
    rows.sort(key=lambda row: sum(words[i].box.cy for i in row) / len(row))
    return rows


def _runs(page: Page, row: Sequence[int], ruling: Ruling, cell_of: Mapping[int, tuple[int, int]]) -> Iterator[list[int]]:
    """A row cut at wide gaps, at borders, and where blanks to fill in begin and end."""
    blank_of = {index: ruling.blank_of(page.words[index]) for index in row} if ruling.blanks else {}
    run: list[int] = []
    for index in row:
        if run:
            last, word = page.words[run[-1]], page.words[index]
            gap = (word.box.x - last.box.x1) * page.width
            height = max(min(last.box.h, word.box.h) * page.height, 1.0)
            same_line = last.line == word.line and last.line >= 0
            wide = gap > height * (1.6 if same_line else 1.0)
            celled = cell_of.get(run[-1]) != cell_of.get(index)
            if celled and ruling.down and gap < 0.7 * height and not ruling.parted(last, word):
                celled = False  # cells of a grid that no line divides here
            apart = celled or blank_of.get(run[-1]) != blank_of.get(index)
            if apart and gap < 0.8 * height and _THOUSANDS.fullmatch(f"{last.text} {word.text}"):
                apart = False
            if wide or apart:
                yield run
                run = []
        run.append(index)
    if run:
        yield run


def _cells(page: Page) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for table_index, table in enumerate(page.tables):
        for cell_index, cell in enumerate(table.cells):
            for word in cell.words:
                found[word] = (table_index, cell_index)
    return found
