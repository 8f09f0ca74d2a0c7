"""Boxes to tick, drawn as small squares: found by their four sides, ticked when there is ink in them.

A tick is drawn in many ways, inside the box, through it or over its edge, and a recogniser reads it as a letter or not at all. So
the square is looked for, not the mark: two horizontal strokes over each other and two vertical ones at their ends, all of about one
length. The mark is then a matter of how much ink the inside holds, beside what the emptiest boxes of the same page hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from heliograph.media.document import Word
from heliograph.media.geometry import Box
from heliograph.perception.detection import Image

TICKED, EMPTY = "☑", "☐"
MARKS = frozenset("☐☑☒□■▢▣❏❐❑❒⊠⬜⬛")
"""Characters that are a box to tick themselves."""
SMALLEST, LARGEST = 6.0, 22.0
"""Sides of boxes to tick, in points."""
LONGEST_SIDE = 1800
"""Images are looked at no larger than this: a box of 6 points on a page of Letter size is then 14 pixels wide."""
SQUARE = 1.35
"""Longer side over shorter one of what is still a square, on scans that were stretched."""
INKED = 0.07
"""Share of ink inside a box from which it is ticked; empty boxes hold none when drawn, and up to 0.03 when scanned (2026-11-21)."""
STRAIGHT = 0.8
"""Share of an upright side that one column of pixels must have: more than has the bow of a letter."""
FULL = 0.9
"""Share of ink from which a square is a bullet or a block of colour."""
COMB = 4
"""Squares side by side from which on they are places for digits."""
_FRAMES = frozenset("口□▢回囗")
"""What a box is read as when it is taken for a letter, also at the head of a word."""
_READ_AS = _FRAMES | frozenset("xXvVyY✓✔✗✘×√区四日田凶曰⊗¥|[]")
"""What a box or its mark is read as when it is taken for a word of its own."""


class _Square(msgspec.Struct):
    """Left, top, right, bottom of the frame's middle in pixels, and the share of ink inside."""

    x0: float
    y0: float
    x1: float
    y1: float
    ink: float = 0.0

    @property
    def side(self) -> float:
        return (self.x1 - self.x0 + self.y1 - self.y0) / 2


def with_ticks(words: Sequence[Word], image: Image, width: float, height: float, page: int = 0) -> list[Word]:
    """`words` of a page of `width` x `height` points, with a word ☐ or ☑ for every box to tick seen on its upright RGB `image`.

    What was read in the place of a box (a letter for its frame or its mark) gives way to it; a square around a word or a digit
    is no box to tick. The score of a mark grows with the distance of its ink from the limit.
    """
    scale = min(1.0, LONGEST_SIDE / max(image.shape[:2]))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = np.asarray(grey, dtype=np.uint8)
    rows, columns = grey.shape
    squares = _apart(list(_squares(grey, rows / height, [word for word in words if len(word.text) > 1])))
    floor = min((square.ink for square in squares), default=0.0)
    floor = floor if floor < INKED and len(squares) > 1 else 0.0
    made = list(words)
    for square in squares:
        box = Box.from_xyxy(square.x0, square.y0, square.x1, square.y1, width=columns, height=rows, page=page)
        more = square.ink - floor - INKED
        score = min(1.0, 0.6 + abs(more) / INKED * 0.4)
        mark = Word(TICKED if more > 0 else EMPTY, box, round(score, 4), size=round(box.h * height * 0.8, 2))
        made = _placed(made, mark, width, height)
    return made


def _placed(words: list[Word], mark: Word, width: float, height: float) -> list[Word]:
    """The words with a mark among them, or as they were where the square is none of a box to tick."""
    box = mark.box
    kept: list[Word] = []
    for word in words:
        shared = word.box.intersection(box)
        if shared < 0.15 * min(word.box.area, box.area):
            kept.append(word)
        elif word.text in MARKS and shared > 0.3 * min(word.box.area, box.area):
            return words  # the page says itself what is ticked
        elif word.text in _READ_AS:
            continue
        elif word.score < 1 and word.text[0] in _FRAMES and box.x1 < word.box.cx:
            start = max(word.box.x + word.box.w / len(word.text), box.x1)
            rest = msgspec.structs.replace(word.box, x=start, w=max(word.box.x1 - start, 0.5 * box.w))
            kept.append(msgspec.structs.replace(word, text=word.text[1:], box=rest))
        elif shared < 0.3 * box.area and word.box.w > 2 * box.w:
            kept.append(word)  # a neighbour whose box reaches over
        else:
            return words
    return [*kept, mark]


def _squares(grey: NDArray[np.uint8], unit: float, words: Sequence[Word]) -> Iterator[_Square]:
    """Squares by their sides, beside `words`; `unit` is the pixels of a point."""
    shortest, longest = SMALLEST * unit, LARGEST * unit
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 2 * round(7 * unit) + 1, 12) > 0
    for x0, x1, y in _strokes(_outside(ink, words), shortest, longest):
        for way in (1, -1):
            across = _opposite(ink, x0, x1, y, way)
            square = None if across is None else _Square(x0, min(y, across), x1, max(y, across))
            if square is not None and _walled(ink, square, shortest):
                square.ink = _inside(grey, square)
                if square.ink < FULL:
                    yield square
                break


def _outside(ink: NDArray[np.bool_], words: Sequence[Word]) -> NDArray[np.uint8]:
    """The ink that is not within a word; the first and last character that a recogniser read may be a box."""
    rows, columns = ink.shape
    left = ink.astype(np.uint8)
    for word in words:
        x0, y0, x1, y1 = word.box.to_xyxy(columns, rows)
        end = 0.8 * (y1 - y0) if word.score < 1 else 0.0
        left[max(0, round(y0 - 2)) : round(y1 + 2), round(x0 + end) : max(round(x0 + end), round(x1 - end))] = 0
    return left


def _opposite(ink: NDArray[np.bool_], x0: float, x1: float, y: float, way: int) -> float | None:
    """Where a side stands over or under a horizontal stroke, as far from it as the stroke is long; it may be part of a longer rule."""
    length = x1 - x0
    inner = slice(round(x0 + 0.15 * length), round(x1 - 0.15 * length) + 1)
    found: list[int] = []
    for step in range(round(length / SQUARE), round(length * SQUARE) + 1):
        row = round(y) + way * step
        if not 0 <= row < len(ink):
            break
        if ink[row, inner].mean() > 0.97:
            found.append(row)
        elif found:
            break
    return sum(found) / len(found) if found else None


def _strokes(ink: NDArray[np.uint8], shortest: float, longest: float) -> list[tuple[float, float, float]]:
    """Horizontal strokes as long as the side of a box: left, right, middle; from top to bottom."""
    bar = cv2.getStructuringElement(cv2.MORPH_RECT, (max(4, round(0.75 * shortest)), 1))
    contours, _ = cv2.findContours(cv2.morphologyEx(ink, cv2.MORPH_OPEN, bar), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    made: list[tuple[float, float, float]] = []
    for x, y, w, h in map(cv2.boundingRect, contours):
        if shortest * 0.9 <= w <= longest * 1.1 and h <= max(4, 0.3 * w):
            made.append((x, x + w - 1, y + (h - 1) / 2))
    return sorted(made, key=lambda stroke: stroke[2])


def _walled(ink: NDArray[np.bool_], square: _Square, shortest: float) -> bool:
    """Whether strokes run down both ends of a square, and end there: those of a grid go on."""
    top, bottom = round(square.y0), round(square.y1)
    beyond = round(0.5 * square.side)
    slack = max(3.0, 0.2 * square.side)
    first = max(0, top - beyond)
    places: list[float] = []
    for x in (square.x0, square.x1):
        left = max(0, round(x - slack))
        band = ink[first : bottom + beyond + 1, left : round(x + slack) + 1]
        wall = band[top - first + 1 : bottom - first]
        if not wall.size or float(wall.mean(axis=0).max()) < STRAIGHT:
            return False
        straight = np.flatnonzero(wall.mean(axis=0) > wall.mean(axis=0).max() - 0.1)
        column = band[:, int(straight[len(straight) // 2])]
        above, below = column[: max(0, top - first - 3)], column[bottom - first + 4 :]
        if (above.size > 2 and above.mean() > 0.8) or (below.size > 2 and below.mean() > 0.8):
            return False
        places.append(left + float(straight.mean()))
    square.x0, square.x1 = places
    return square.side >= shortest * 0.95 and 1 / SQUARE <= (square.x1 - square.x0) / max(1.0, square.y1 - square.y0) <= SQUARE


def _inside(grey: NDArray[np.uint8], square: _Square) -> float:
    """The share of a square's inside that is clearly darker than its paper."""
    edge = max(3.0, 0.2 * square.side)
    around = grey[
        max(0, round(square.y0 - edge)) : round(square.y1 + edge) + 1, max(0, round(square.x0 - edge)) : round(square.x1 + edge) + 1
    ]
    paper, dark = np.percentile(around, (80, 3))
    within = grey[round(square.y0 + edge) : round(square.y1 - edge) + 1, round(square.x0 + edge) : round(square.x1 - edge) + 1]
    return float((within < paper - 0.35 * (paper - dark)).mean()) if within.size else 0.0


def _apart(squares: list[_Square]) -> list[_Square]:
    """Of frames in each other the inner one; none of rows of squares for one character each."""
    single: list[_Square] = []
    for square in sorted(squares, key=lambda square: square.side):
        if not any(min(square.x1, o.x1) - max(square.x0, o.x0) > 0 and min(square.y1, o.y1) - max(square.y0, o.y0) > 0 for o in single):
            single.append(square)
    single.sort(key=lambda square: (square.y0, square.x0))

    def beside(square: _Square) -> Iterator[_Square]:
        for other in single:
            gap = max(square.x0, other.x0) - min(square.x1, other.x1)
            level = abs(square.y0 - other.y0) < 0.3 * square.side and abs(square.side - other.side) < 0.25 * square.side
            if other is not square and level and gap < 0.7 * square.side:
                yield other

    combs: set[int] = set()
    for square in single:
        row, seen = [square], {id(square)}
        while row:
            for other in beside(row.pop()):
                if id(other) not in seen:
                    seen.add(id(other))
                    row.append(other)
        if len(seen) >= COMB:
            combs |= seen
    return [square for square in single if id(square) not in combs]
