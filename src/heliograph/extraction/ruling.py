"""The lines drawn on a page, as a form uses them: borders, between which its boxes lie, and blanks to write on.

A *border* ends where other lines stand, or at the edge of the form; what the nearest borders enclose is a box, open where there is
none. A *blank* is a horizontal line that ends freely: what is written on it fills it in. A line just as wide as the words over it
only underlines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec

from heliograph.media.document import Page, Word

NEAR = 4.0
"""Points within which lines meet."""
_SHORTEST = 12.0
"""Points of the shortest blank: room for two characters."""
_NARROW, _TEETH = (7.0, 30.0), 4
"""Points of the width of a comb's places, and the least number of its lines."""
_FRAME = 3
"""Wide lines from which on their ends are a form's edges."""
_EDGE = 0.015
"""Of the page, from its edges: where no form draws lines."""
_LOW = 24.0
"""Points of the height of a box of one line."""
_TYPED = 3
"""Underscores from which on a word is a typed blank."""


class Blank(msgspec.Struct):
    """A line to write on, in points."""

    x0: float
    x1: float
    y: float


class Region(msgspec.Struct, frozen=True):
    """Left, top, right, bottom of a box in points; the page's edges where it is open. `walls` counts its drawn sides."""

    x0: float
    y0: float
    x1: float
    y1: float
    walls: int = 0


class Ruling:
    """The borders and blanks of one page."""

    def __init__(self, page: Page) -> None:
        self.width, self.height = page.width, page.height
        across: list[tuple[float, float, float]] = []
        self.down: list[tuple[float, float, float]] = []
        for rule in page.rules:
            if not (_EDGE < rule.cx < 1 - _EDGE and _EDGE < rule.cy < 1 - _EDGE):
                continue  # the edge of the sheet, seen by the scanner
            x0, y0, x1, y1 = rule.to_xyxy(page.width, page.height)
            if x1 - x0 >= y1 - y0:
                across.append(((y0 + y1) / 2, x0, x1))
            else:
                self.down.append(((x0 + x1) / 2, y0, y1))
        across = _joined(across)
        wide = [rule for rule in across if rule[2] - rule[1] > 0.3 * page.width]
        self._left = _most([rule[1] for rule in wide], 0.0)
        self._right = _most([rule[2] for rule in wide], page.width)
        self.across = [rule for rule in across if self._held(rule)]
        free = [rule for rule in across if not self._held(rule) and rule[2] - rule[1] >= _SHORTEST and not self._lid(rule)]
        boxes = [(word.box.to_xyxy(page.width, page.height), word.text) for word in page.words] if free else []
        words = [(x0, y0, x1, y1, max(y1 - y0, 4.0), text) for (x0, y0, x1, y1), text in boxes]
        self.blanks = [blank for y, x0, x1 in free if (blank := _written(Blank(x0, x1, y), words)) is not None]
        self.blanks += [
            Blank(x0, x1, y1)
            for word in page.words
            if is_blank(word.text)
            for x0, _, x1, y1 in (word.box.to_xyxy(page.width, page.height),)
        ]
        self.blanks.sort(key=lambda blank: (blank.y, blank.x0))

    def _held(self, rule: tuple[float, float, float]) -> bool:
        """Whether a horizontal line ends at others or at the form's edge on both sides."""
        y, x0, x1 = rule
        left = x0 <= self._left + 1.5 * NEAR or any(abs(x - x0) <= NEAR and a - NEAR <= y <= b + NEAR for x, a, b in self.down)
        return left and (x1 >= self._right - 1.5 * NEAR or any(abs(x - x1) <= NEAR and a - NEAR <= y <= b + NEAR for x, a, b in self.down))

    def _lid(self, rule: tuple[float, float, float]) -> bool:
        """Whether a horizontal line closes a low box: a border as long runs close under it."""
        y, x0, x1 = rule
        return any(NEAR < other - y < _LOW and abs(a - x0) <= NEAR and abs(b - x1) <= NEAR for other, a, b in self.across)

    def blank_of(self, word: Word) -> int | None:
        """The blank that a word is written on, as an index into `blanks`."""
        x0, y0, x1, y1 = word.box.to_xyxy(self.width, self.height)
        tall = max(y1 - y0, 4.0)
        for number, blank in enumerate(self.blanks):
            if blank.y > y1 + tall:
                break
            if (
                blank.x0 - 2 <= (x0 + x1) / 2 <= blank.x1 + 2
                and x1 - x0 <= blank.x1 - blank.x0 + 4
                and y1 - 0.45 * tall <= blank.y <= y1 + 0.75 * tall
            ):
                return number
        return None

    def parted(self, left: Word, right: Word) -> bool:
        """Whether an upright line stands between two words of one row."""
        gap0, gap1 = left.box.x1 * self.width - 1, right.box.x * self.width + 1
        y = (left.box.cy + right.box.cy) / 2 * self.height
        return any(gap0 <= x <= gap1 and a - 1 <= y <= b + 1 for x, a, b in self.down)

    def combs(self) -> list[Region]:
        """Rows of narrow places for one character each: four or more upright lines at one distance."""
        found: list[Region] = []
        left = sorted(self.down, key=lambda rule: (rule[1], rule[0]))
        while left:
            _, top, bottom = left[0]
            level = sorted(rule[0] for rule in left if abs(rule[1] - top) <= NEAR and abs(rule[2] - bottom) <= NEAR)
            left = [rule for rule in left if abs(rule[1] - top) > NEAR or abs(rule[2] - bottom) > NEAR]
            run = level[:1]
            for x in [*level[1:], float("inf")]:
                step = x - run[-1]
                if _NARROW[0] <= step <= _NARROW[1] and (len(run) < 2 or abs(step - (run[1] - run[0])) < 0.25 * step):
                    run.append(x)
                    continue
                if len(run) >= _TEETH and bottom - top < 3 * (run[1] - run[0]):
                    found.append(Region(run[0], top, run[-1], bottom, 4))
                run = [x]
        return found

    def around(self, segment: Any) -> Region:
        """The box that a segment (anything with x0, y0, x1, y1 in points) stands in."""
        x0, y0, x1, y1 = segment.x0, segment.y0, segment.x1, segment.y1
        cy, slack, wide = (y0 + y1) / 2, 0.35 * (y1 - y0), x1 - x0
        left = right = None
        past = max(2.0, 0.06 * wide)  # letters of tight boxes reach over their borders
        for x, a, b in self.down:
            if a - 1 <= cy <= b + 1:
                if x <= x0 + past and (left is None or x > left):
                    left = x
                elif x >= x1 - past and (right is None or x < right):
                    right = x
        least = 0.6 * wide
        over = (y for y, a, b in reversed(self.across) if y <= y0 + slack and min(b, x1) - max(a, x0) >= least)
        under = (y for y, a, b in self.across if y >= y1 - slack and min(b, x1) - max(a, x0) >= least)
        top, bottom = next(over, None), next(under, None)
        walls = sum(side is not None for side in (left, top, right, bottom))
        return Region(
            left if left is not None else 0.0,
            top if top is not None else 0.0,
            right if right is not None else self.width,
            bottom if bottom is not None else self.height,
            walls,
        )


def is_blank(text: str) -> bool:
    """Whether a word is a blank typed with underscores."""
    return len(text) >= _TYPED and set(text) <= {"_"}


def _written(blank: Blank, words: Sequence[tuple[float, float, float, float, float, str]]) -> Blank | None:
    """The blank, or nothing where the line only underlines the words over it, or is a stroke through some.

    Words are their corners, their height, which is four points at least, and their text.
    """
    over: list[tuple[float, float]] = []
    room = 8.0
    for x0, y0, x1, y1, tall, text in words:
        if not y0 - 4 < blank.y < y1 + tall:
            continue
        common = min(x1, blank.x1) - max(x0, blank.x0)
        if common > 0.5 * (x1 - x0) and y0 - 1 < blank.y < y1 - 0.45 * tall:
            return None
        if x0 >= blank.x0 - tall and x1 <= blank.x1 + tall and y1 - 0.45 * tall <= blank.y <= y1 + 0.75 * tall:
            if text.endswith(":"):
                return None
            over.append((x0, x1))
            room = tall
    over.sort()
    if over and over[-1][1] - over[0][0] > blank.x1 - blank.x0 - 0.8 * room:
        return None
    if any(right[0] - left[1] > 3 * room for left, right in pairwise(over)):
        return None  # a row of a table, and the line under it
    return blank


def _most(places: list[float], default: float) -> float:
    """Where most lines begin or end."""
    if len(places) < _FRAME:
        return default
    return max(places, key=lambda place: (sum(abs(place - other) <= NEAR for other in places), -abs(place - default)))


def _joined(rules: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Horizontal lines that go on in each other as one: dashes, and borders drawn box by box."""
    joined: list[tuple[float, float, float]] = []
    for y, x0, x1 in sorted(rules):
        for index in range(len(joined) - 1, max(-1, len(joined) - 30), -1):
            other, start, end = joined[index]
            if abs(y - other) <= NEAR / 2 and x0 <= end + NEAR and start <= x1 + NEAR:
                joined[index] = other, min(start, x0), max(end, x1)
                break
        else:
            joined.append((y, x0, x1))
    return sorted(joined)
