"""Where words stand on pages: what was looked for, as a citation with page, boxes and the line around it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import msgspec

from heliograph.media.document import Page
from heliograph.media.geometry import Box, union

CONTEXT = 200
"""Characters of the lines around a hit that are shown."""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a document. `page` counts from 0. `xywh`: the box around all of it, fractions of the page; `boxes`: one for each line.

    `text` as it is written there; `context`: the whole of its lines.
    """

    page: int
    text: str
    xywh: list[float]
    boxes: list[list[float]]
    context: str


class PageText:
    """A page's words as one text, lines parted by line feeds, where each letter knows its word."""

    def __init__(self, page: Page) -> None:
        self._page = page
        pieces: list[str] = []
        self._owners: list[int] = []
        for line in page.lines:
            for number, word in enumerate(line.words):
                pieces += [" " if number else "", page.words[word].text]
                self._owners += [-1] * bool(number) + [word] * len(page.words[word].text)
            pieces.append("\n")
            self._owners.append(-1)
        self.text = "".join(pieces)

    def citation(self, start: int, end: int) -> Citation | None:
        """What stands between two letters; None where that is no word."""
        words = list(dict.fromkeys(owner for owner in self._owners[start:end] if owner >= 0))
        if not words:
            return None
        lines: dict[int, list[Box]] = {}
        for word in words:
            lines.setdefault(self._page.words[word].line, []).append(self._page.words[word].box)
        boxes = [union(parts) for parts in lines.values()]
        first, last = self.text.rfind("\n", 0, start) + 1, self.text.find("\n", max(end - 1, start))
        return Citation(
            page=self._page.index,
            text=" ".join(self.text[start:end].split()),
            xywh=union(boxes).xywh(),
            boxes=[box.xywh() for box in boxes],
            context=" ".join(self.text[first:last].split())[:CONTEXT],
        )


def folded(text: str) -> str:
    """`text` without case and accents, letter for letter: as long as it was."""
    return "".join(unicodedata.normalize("NFKD", letter)[0].lower()[:1] or letter for letter in text)


def phrase(words: str, *, whole: bool) -> re.Pattern[str]:
    """What finds `words` in a folded text, whatever blanks and line ends stand between them. `whole`: not as parts of other words."""
    between = r"\s+".join(re.escape(word) for word in folded(words).split())
    return re.compile(rf"(?<!\w){between}(?!\w)" if whole else between)


def find(pages: Iterable[Page], words: str, *, whole: bool = False) -> Iterator[Citation]:
    """Every place where `words` stand one after the other, in the order of reading."""
    wanted = phrase(words, whole=whole)
    for page in pages:
        text = PageText(page)
        for found in wanted.finditer(folded(text.text)):
            if (citation := text.citation(*found.span())) is not None:
                yield citation
