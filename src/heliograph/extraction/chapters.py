"""Chapters of a page: a heading such as `Experience` or `Ausbildung`, alone on its line or at the left of what it heads, and its lines.

Where headings stand side by side, each has the lines of its own column. A chapter ends at the next heading of its column: one
of the known words, or a line that looks as the known headings do. It goes on at the top of the next page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from heliograph.extraction.candidates import Part
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import plain, split_name, vocabulary

_WORD = re.compile(r"[^\W\d_]+")
_BULLET = re.compile(r"^\s*(?:[•●▪■◦‣⁃➢*·–—-]|\(?\d{1,2}[.)])\s+(?=\S)")
_MARGIN = 0.03
"""Of the page's width: how far lines may begin left of their heading."""
_APART = 0.2
"""Of the page's width: how far right of a heading another one begins a column."""
_FURNITURE = frozenset({"page-header", "page-footer"})


class Row(msgspec.Struct):
    """A line of a chapter: its text, in which a wide gap is a tab, and where the segments begin in it."""

    text: str
    places: list[tuple[int, Segment]]

    @property
    def x0(self) -> float:
        """Left edge, in points."""
        return self.places[0][1].x0

    @property
    def x1(self) -> float:
        """Right edge, in points."""
        return self.places[-1][1].x1

    @property
    def bullet(self) -> int:
        """Where the text behind a bullet begins; 0 where there is none."""
        found = _BULLET.match(self.text)
        return found.end() if found else 0

    def parts(self, start: int, end: int) -> list[Part]:
        """The parts of segments under `text[start:end]`."""
        made: list[Part] = []
        first = max(0, bisect_right([at for at, _ in self.places], start) - 1)
        for at, segment in self.places[first:]:
            a, b = max(0, start - at), min(len(segment.text), end - at)
            if a < b:
                made.append((segment, a, b))
        return made


class Chapter(msgspec.Struct):
    """What stands under one heading. `kind`: a key of the vocabulary's chapters, or the heading's own words."""

    kind: str
    rows: list[Row]


def kind_of(text: str) -> str:
    """The chapter that words head or a field's name asks for; empty where they are none that is known."""
    return _kinds().get(_key(split_name(text)), "")


def chapters(sheets: Sequence[Sheet]) -> list[Chapter]:
    """The chapters of a document in order; none where no known heading is found."""
    made: list[Chapter] = []
    last: Chapter | None = None
    for sheet in sheets:
        headings = list(_headings(sheet))
        first = min((heading.row for heading, _ in headings), default=len(sheet.rows))
        if last is not None:
            last.rows += _rows(sheet, 0, first, 0.0, sheet.page.width)
        for heading, kind in headings:
            left, right = _column(sheet, heading, [other for other, _ in headings])
            ends = [other.row for other, _ in headings if other.row > heading.row and left <= other.x0 < right]
            beside = _beside(sheet, heading, right)
            last = Chapter(kind, [*beside, *_rows(sheet, heading.row + 1, min(ends, default=len(sheet.rows)), left, right)])
            made.append(last)
    return made


def lines(sheet: Sheet, row: int) -> list[Row]:
    """One row of a page as a line of a chapter."""
    return _rows(sheet, row, row + 1, 0.0, sheet.page.width)


def _headings(sheet: Sheet) -> Iterator[tuple[Segment, str]]:
    known = [(segment, kind) for segment in sheet.segments if (kind := _heading(sheet, segment))]
    alike = {segment.index for segment, _ in known}
    looks = {(segment.text.isupper(), round(segment.size, 1)) for segment, _ in known}
    for segment in sheet.segments:
        if segment.index in alike:
            yield segment, next(kind for other, kind in known if other is segment)
        elif known and segment is sheet.rows[segment.row][0] and _looks(sheet, segment, looks):
            yield segment, _key(segment.text)


def _heading(sheet: Sheet, segment: Segment) -> str:
    """The chapter that a segment heads. On its row nothing stands before it in its column."""
    if len(segment.text) > 60 or any(c.isdigit() for c in segment.text) or _BULLET.match(segment.text):
        return ""
    kind = kind_of(segment.text)
    if not kind:
        return ""
    before = [other for other in sheet.rows[segment.row] if other.x1 <= segment.x0 + 1]
    return kind if all(segment.x0 - other.x1 > _MARGIN * sheet.page.width for other in before) else ""


def _looks(sheet: Sheet, segment: Segment, looks: set[tuple[bool, float]]) -> bool:
    """Whether a line that is no known heading looks as those do, and not as the text."""
    words = _WORD.findall(segment.text)
    if sheet.page.source != "text" or not 0 < len(words) <= 5 or re.search(r"[\d,|•@:.]", segment.text):
        return False
    return (segment.text.isupper(), round(segment.size, 1)) in looks and segment.size > 1.08 * sheet.size


def _column(sheet: Sheet, heading: Segment, headings: list[Segment]) -> tuple[float, float]:
    width = sheet.page.width
    if abs(heading.cx - width / 2) < 0.04 * width:
        return 0.0, width
    return heading.x0 - _MARGIN * width, min((h.x0 for h in headings if h.x0 > heading.x0 + _APART * width), default=width) - 1


def _beside(sheet: Sheet, heading: Segment, right: float) -> list[Row]:
    segments = [other for other in sheet.rows[heading.row] if heading.x1 < other.x0 < right]
    return [_row(sheet, segments)] if segments else []


def _rows(sheet: Sheet, first: int, last: int, left: float, right: float) -> list[Row]:
    furniture = {line for block in sheet.page.blocks if block.kind in _FURNITURE for line in block.lines}
    made: list[Row] = []
    for row in sheet.rows[first:last]:
        own = [s for s in row if left <= s.x0 < right and not s.on_end and sheet.page.words[s.words[0]].line not in furniture]
        if own:
            made.append(_row(sheet, own))
    return made


def _row(sheet: Sheet, segments: list[Segment]) -> Row:
    text = ""
    places: list[tuple[int, Segment]] = []
    for at, segment in enumerate(segments):
        if at:
            text += " " if segment.x0 - segments[at - 1].x1 < 1.2 * sheet.height else "\t"
        places.append((len(text), segment))
        text += segment.text
    return Row(text, places)


def _key(text: str) -> str:
    return " ".join(plain(word) for word in _WORD.findall(text.rstrip(":")))


@cache
def _kinds() -> dict[str, str]:
    return {_key(words): kind for kind, headings in vocabulary().raw.chapters.items() for words in (kind, *headings)}
