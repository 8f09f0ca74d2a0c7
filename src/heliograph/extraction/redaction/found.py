"""What was found: which words of a page are an identifier, and of which kind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from heliograph.media.document import Page
from heliograph.media.geometry import Box, union

Category = Literal[
    "name", "address", "date", "phone", "fax", "email", "ssn", "medical_record_number", "health_plan_number", "account_number",
    "license_number", "vehicle", "device", "url", "ip_address", "biometric", "photo", "other", "unreadable",
]  # fmt: skip
"""The eighteen kinds of 45 CFR 164.514(b)(2)(i) (`date` holds ages over 89 too, `other` any other number or code of its own), and
`unreadable` for what may be one."""
CATEGORIES: tuple[Category, ...] = get_args(Category)


class Part(msgspec.Struct, frozen=True):
    """The characters `[start, end)` of the word with this index on its page."""

    word: int
    start: int
    end: int


class Found(msgspec.Struct):
    """An identifier: `text` as written, over the `parts` of words of the page with this index."""

    category: Category
    page: int
    text: str
    parts: list[Part]


class Passage:
    """A run of a page's words as one text, joined by spaces and, where `breaks` says that a line ends before a word, newlines."""

    def __init__(self, page: Page, words: list[int], breaks: Iterable[int] = ()) -> None:
        self.page, self.words = page, words
        ends = set(breaks)
        pieces: list[str] = []
        self.offsets: list[int] = []
        at = 0
        for number, word in enumerate(words):
            if number:
                pieces.append("\n" if number in ends else " ")
                at += 1
            self.offsets.append(at)
            pieces.append(page.words[word].text)
            at += len(page.words[word].text)
        self.text = "".join(pieces)

    def parts(self, start: int, end: int) -> list[Part]:
        """The words under `text[start:end]`."""
        parts: list[Part] = []
        for number in range(max(0, bisect_right(self.offsets, start) - 1), len(self.words)):
            at = self.offsets[number]
            if at >= end:
                break
            first, last = max(start - at, 0), min(end - at, len(self.page.words[self.words[number]].text))
            if first < last:
                parts.append(Part(self.words[number], first, last))
        return parts


def passages(page: Page) -> list[Passage]:
    """A page's text as passages: the lines of a block together, so that what wraps at the end of a line stays whole."""
    made: list[Passage] = []
    placed: set[int] = set()
    at = 0
    while at < len(page.lines):
        block = page.lines[at].block
        words: list[int] = []
        breaks: list[int] = []
        while at < len(page.lines) and page.lines[at].block == block and (block >= 0 or not words):
            breaks.append(len(words))
            words += page.lines[at].words
            at += 1
        placed.update(words)
        made.append(Passage(page, words, breaks))
    made += [Passage(page, [word]) for word in range(len(page.words)) if word not in placed]
    return made


class Findings:
    """The identifiers of a document, no character of a word in two of them. What is added first keeps its kind."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._taken: dict[tuple[int, int], list[Part]] = {}

    def add(self, category: Category, passage: Passage, start: int, end: int) -> bool:
        """Add `passage.text[start:end]`, or what of it was not found before; whether there was any."""
        fresh = [part for part in passage.parts(start, end) if not self._overlaps(passage.page.index, part)]
        if not fresh or not any(c.isalnum() for part in fresh for c in self._text(passage.page, part)):
            return False
        for part in fresh:
            self._taken.setdefault((passage.page.index, part.word), []).append(part)
        text = " ".join(self._text(passage.page, part) for part in fresh)
        self.found.append(Found(category, passage.page.index, text, fresh))
        return True

    def has(self, page: int, word: int) -> bool:
        """Whether any of a word was found."""
        return (page, word) in self._taken

    def _overlaps(self, page: int, part: Part) -> bool:
        return any(part.start < other.end and other.start < part.end for other in self._taken.get((page, part.word), ()))

    @staticmethod
    def _text(page: Page, part: Part) -> str:
        return page.words[part.word].text[part.start : part.end]


def runs(page: Page, words: Iterable[int]) -> list[tuple[Box, list[int]]]:
    """Words as the boxes that cover them: those that stand side by side on a line in one. In the order given."""
    made: list[tuple[Box, list[int]]] = []
    for word in words:
        box = page.words[word].box
        if made:
            last, members = made[-1]
            near = box.x - last.x1 < 1.2 * box.h * page.height / page.width and box.x1 > last.x
            if near and abs(box.cy - last.cy) < 0.5 * max(box.h, last.h):
                made[-1] = (union((last, box)), [*members, word])
                continue
        made.append((box, [word]))
    return made
