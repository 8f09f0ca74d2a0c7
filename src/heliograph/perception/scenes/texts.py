"""Frames that were read one by one, put together over time: a text that stays is one text with its times, however often it was read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rapidfuzz import fuzz

from heliograph.media.document import Barcode, Line, Page
from heliograph.media.geometry import Box
from heliograph.media.recording import Code, Frame, Shot, Shown

ALIKE = 80.0
"""Likeness, 0-100, from which two readings of one place are readings of one text. A digit more or less makes another text."""
PLACE = 0.35
"""Share of the smaller box that two readings of one text have in common."""


class Read(msgspec.Struct):
    """A frame that was read. `since`: from when on what it shows stands there; `best`: it stands for its shot."""

    frame: Frame
    since: float
    best: bool = True


def together(read: Sequence[Read], shots: Sequence[Shot], end: float) -> tuple[list[Frame], list[Shown], list[Code]]:
    """The frames to keep, numbered, with all texts and codes and when they are shown. `read`: in order of time; `end`: of the pictures.

    A frame that stands for no shot and says nothing new is left out.
    """
    frames: list[Frame] = []
    texts: list[Shown] = []
    codes: list[Code] = []
    standing: list[Shown] = []
    seen: list[Code] = []
    for number, one in enumerate(read):
        until = read[number + 1].since if number + 1 < len(read) else end
        page = one.frame.page
        fresh: list[Shown] = []
        still: list[Shown] = []
        for line, score in _lines(page):
            before = next((text for text in standing if text not in still and _one(text, line)), None)
            if before is None:
                fresh.append(Shown(line.text, one.since, until, line.box, score, -1))
                continue
            before.end = until
            still.append(before)
            if score > before.score:
                before.text, before.score = line.text, score
        new_codes = [
            Code(code.text, code.format, one.since, until, code.box, -1) for code in page.barcodes if not _again(code, seen, until)
        ]
        gone = len(still) < len(standing)
        if one.best or fresh or new_codes or gone:
            one.frame.until = until
            index = len(frames)
            frames.append(_numbered(one.frame, index))
            for item in [*fresh, *new_codes]:
                item.frame, item.box = index, _on(item.box, index)
        elif frames:
            frames[-1].until = until
        texts += fresh
        codes += new_codes
        standing = [*still, *fresh]
        seen = [code for code in [*seen, *new_codes] if code.end == until]
    return frames, texts, codes


def _lines(page: Page) -> list[tuple[Line, float]]:
    """Lines with a letter or digit, and the mean score of their words."""
    result: list[tuple[Line, float]] = []
    for line in page.lines:
        scores = [page.words[index].score for index in line.words]
        if any(char.isalnum() for char in line.text) and scores:
            result.append((line, round(sum(scores) / len(scores), 4)))
    return result


def _one(text: Shown, line: Line) -> bool:
    """Whether a line is a further reading of a text that was shown just before."""
    if _shared(text.box, line.box) < PLACE:
        return False
    if text.text == line.text:
        return True
    digits = "".join(filter(str.isdigit, text.text)), "".join(filter(str.isdigit, line.text))
    return digits[0] == digits[1] and fuzz.ratio(text.text, line.text) >= ALIKE


def _shared(one: Box, other: Box) -> float:
    """Of two boxes of whatever frames, what they share of the smaller one."""
    other = _on(other, one.page)
    least = min(one.area, other.area)
    return one.intersection(other) / least if least > 0 else 0.0


def _again(code: Barcode, seen: Sequence[Code], until: float) -> bool:
    """Whether a code was there just before; then it still is."""
    for other in seen:
        if other.text == code.text and other.format == code.format and _shared(other.box, code.box) > 0:
            other.end = until
            return True
    return False


def _numbered(frame: Frame, index: int) -> Frame:
    """The frame with `index` as that of its page, and of all boxes on it."""
    page = frame.page
    page.index = index
    cells = [cell for table in page.tables for cell in table.cells]
    for item in [*page.words, *page.lines, *page.blocks, *page.tables, *cells, *page.barcodes, *page.unread]:
        item.box = _on(item.box, index)
    page.rules = [_on(box, index) for box in page.rules]
    return frame


def _on(box: Box, page: int) -> Box:
    return Box(box.x, box.y, box.w, box.h, page)
