"""Frames that were read one by one, put together over time: a text that stays is one text with its times, however often it was read.

Between two frames that were read, a text comes or goes at a moment that neither says; `Turn` is what a closer look is asked about, and
`settle` writes down what it found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rapidfuzz import fuzz

from heliograph.media.document import Line, Page, Word
from heliograph.media.geometry import Box, union
from heliograph.media.recording import Code, Frame, Shot, Shown
from heliograph.perception.scenes.watched import Moments, Turn

ALIKE, ALIKE_UNSURE, UNSURE = 88.0, 75.0, 0.85
"""Likeness, 0-100, from which two readings of one place are readings of one text; the second where the score of either is below the third.
A digit more or less makes another text."""
LOOK_ALIKE = str.maketrans("OoQDIl|!ZSB", "00001111258")
"""Letters that are read for digits, and digits for letters, in numbers."""
PLACE = 0.35
"""Share of the smaller box that two readings of one text have in common."""
APART = 1.2
"""Gap between words of a line, in its heights, from which they are texts of their own, such as a score and the clock beside it."""
SIDEWAYS, RESIZED = 0.03, 0.2
"""A text that scrolls stays in its column (or line) within this fraction of the picture, and keeps its width within this share."""


class Read(msgspec.Struct):
    """A frame that was read. `since`: from when on what it shows stands there; `best`: it stands for its shot."""

    frame: Frame
    since: float
    best: bool = True


class Seen(msgspec.Struct):
    """What was read of one text or code: `item` with its times, the first and the last reading, and where it was last."""

    item: Shown | Code
    first: int
    last: int
    box: Box


class Together(msgspec.Struct):
    """Frames that were read, put together. `seen`: all texts and codes; `turns`: the moments at which some of them came or went."""

    frames: list[Frame]
    seen: list[Seen]
    turns: list[Turn]

    @property
    def texts(self) -> list[Shown]:
        """The texts, by when they appear."""
        return sorted((one.item for one in self.seen if isinstance(one.item, Shown)), key=lambda text: (text.start, text.box.y, text.box.x))

    @property
    def codes(self) -> list[Code]:
        """The codes, by when they appear."""
        return sorted((one.item for one in self.seen if isinstance(one.item, Code)), key=lambda code: (code.start, code.box.y, code.box.x))


def together(read: Sequence[Read], shots: Sequence[Shot], end: float) -> Together:
    """The frames to keep, numbered, with all texts and codes and when they are shown, as well as frames alone can tell.

    `read`: in order of time; `end`: of the pictures. A frame that stands for no shot and says nothing new is left out.
    """
    frames: list[Frame] = []
    seen: list[Seen] = []
    standing: list[Seen] = []
    turns: list[Turn] = []
    for number, one in enumerate(read):
        until = read[number + 1].since if number + 1 < len(read) else end
        items = [*_texts(one.frame.page), *_codes(one.frame.page)]
        stays = _matched(standing, items)
        fresh: list[Seen] = []
        for place, item in enumerate(items):
            before = stays.get(place)
            if before is None:
                item.start, item.end, item.frame = one.since, until, len(frames)
                fresh.append(Seen(item, number, number, item.box))
                continue
            before.item.end, before.last, before.box = until, number, item.box
            if isinstance(item, Shown) and isinstance(before.item, Shown) and item.score > before.item.score:
                before.item.text, before.item.score = item.text, item.score
        gone = [other for other in standing if other.last < number]
        if number and (fresh or gone) and read[number - 1].frame.shot == one.frame.shot:
            turns.append(_turn(read, number, fresh, gone))
        if one.best or fresh or gone or not frames:
            one.frame.until = until
            for item in fresh:
                item.item.box = _on(item.item.box, len(frames))
            frames.append(_numbered(one.frame, len(frames)))
        else:
            frames[-1].until = until
        seen += fresh
        standing = [other for other in standing if other.last == number] + fresh
    return Together(frames, seen, turns)


def settle(put: Together, number: int, moments: Moments) -> None:
    """Write down when the texts of a turn came and went. `number`: the turn's."""
    came = [one for one in put.seen if one.first == number]
    went = [one for one in put.seen if one.last == number - 1]
    for one, moment in zip(came, moments.came, strict=True):
        one.item.start = one.item.start if moment is None else min(moment, one.item.end)
    for one, moment in zip(went, moments.went, strict=True):
        one.item.end = one.item.end if moment is None else max(moment, one.item.start)


def _turn(read: Sequence[Read], number: int, fresh: Iterable[Seen], gone: Iterable[Seen]) -> Turn:
    before, after = read[number - 1], read[number]
    return Turn(number, before.frame.time, after.frame.time, after.since, [one.box for one in fresh], [one.box for one in gone])


def _texts(page: Page) -> list[Shown]:
    """What stands together on a line and has a letter or digit."""
    result: list[Shown] = []
    for line in page.lines:
        for words in _runs(page, line):
            text = " ".join(word.text for word in words) if len(words) < len(line.words) else line.text
            if any(char.isalnum() for char in text):
                score = round(sum(word.score for word in words) / len(words), 4)
                result.append(Shown(text, 0.0, 0.0, union(word.box for word in words), score, 0))
    return result


def _runs(page: Page, line: Line) -> list[list[Word]]:
    """A line's words, parted where the gap between them is wide."""
    runs: list[list[Word]] = []
    for index in line.words:
        word = page.words[index]
        gap = (word.box.x - runs[-1][-1].box.x1) * page.width if runs else 0.0
        if not runs or gap > APART * line.box.h * page.height:
            runs.append([])
        runs[-1].append(word)
    return runs


def _codes(page: Page) -> list[Code]:
    return [Code(code.text, code.format, 0.0, 0.0, code.box, 0) for code in page.barcodes]


def _matched(standing: Sequence[Seen], items: Sequence[Shown | Code]) -> dict[int, Seen]:
    """Which items, by their places, are further readings of what stood there before: first those where they were, then those that moved."""
    found: dict[int, Seen] = {}
    taken: set[int] = set()
    for same in (_stayed, _scrolled):
        for place, item in enumerate(items):
            if place in found:
                continue
            for number, before in enumerate(standing):
                if number not in taken and same(before, item):
                    found[place] = before
                    taken.add(number)
                    break
    return found


def _stayed(before: Seen, item: Shown | Code) -> bool:
    return _shared(before.box, item.box) >= PLACE and _same(before.item, item)


def _scrolled(before: Seen, item: Shown | Code) -> bool:
    """Whether a text is elsewhere, but in its column, or in its line."""
    if not _same(before.item, item) or abs(item.box.w - before.box.w) > RESIZED * before.box.w:
        return False
    return abs(item.box.cx - before.box.cx) < SIDEWAYS or abs(item.box.cy - before.box.cy) < SIDEWAYS


def _same(one: Shown | Code, other: Shown | Code) -> bool:
    if one.text == other.text:
        return isinstance(one, Code) == isinstance(other, Code)
    if isinstance(one, Code) or isinstance(other, Code):
        return False
    first, second = _unambiguous(one.text), _unambiguous(other.text)
    if [char for char in first if char.isdigit()] != [char for char in second if char.isdigit()]:
        return False
    return fuzz.ratio(first, second) >= (ALIKE_UNSURE if min(one.score, other.score) < UNSURE else ALIKE)


def _unambiguous(text: str) -> str:
    """The text with digits for all that may be one, in words that have a digit or but one character."""
    words = text.split()
    return " ".join(word.translate(LOOK_ALIKE) if len(word) == 1 or any(map(str.isdigit, word)) else word for word in words)


def _shared(one: Box, other: Box) -> float:
    """Of two boxes of whatever frames, what they share of the smaller one."""
    other = _on(other, one.page)
    least = min(one.area, other.area)
    return one.intersection(other) / least if least > 0 else 0.0


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
