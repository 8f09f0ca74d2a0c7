"""Lines as runs of words, and where a run must be parted because two columns stand no further from each other than words do.

A gap in a line is ordinary when it is about a space wide. In a narrow table ordinary gaps also part columns, which only
the other lines can tell:

* *Numbers before text*: a number begins the run and the text after it begins at one place in most lines (`12 Oat milk`).
* *Numbers side by side*: both end at one place in most lines (`2.15 25.80`), and are no digits of one number.
* *White elsewhere*: other lines leave white at the gap, and what stands left and right of it is aligned with their runs. So headings
  part over their columns (`PRICE AMOUNT`), and a long name from its price.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from heliograph.media.document import Word

NUMBER = re.compile(r"^[^\w]{0,3}[\d(+-][\d.,'/ :-]*\W{0,2}\s*([a-zA-Z%€$£]{1,4}\W?)?$|^[-–—.]$|^n/?a$", re.IGNORECASE)
SPACE = 0.75
"""The widest gap within a run, in text sizes."""
WIDER = 0.4
"""Spaces between words of proportional type are about 0.3 text sizes; what parts columns, unless text from a number, is wider."""
ALIGNED = 0.35
"""Edges this close are aligned, in text sizes."""
MOST = 0.6
"""Share of the lines concerned that must agree."""
CLEAR = 0.85
"""Share of these lines in which no word crosses the cut."""
NEARBY = 8
"""Lines above and below that are asked for their white."""


class Piece(msgspec.Struct, gc=False, frozen=True):
    """A word in points, with its index on the page."""

    x0: float
    x1: float
    index: int
    text: str


class Run(msgspec.Struct, gc=False):
    """Words of one line with ordinary spaces between them."""

    pieces: list[Piece]

    @property
    def x0(self) -> float:
        """Left edge in points."""
        return self.pieces[0].x0

    @property
    def x1(self) -> float:
        """Right edge in points."""
        return max(piece.x1 for piece in self.pieces)

    @property
    def words(self) -> list[int]:
        """Indices of its words."""
        return [piece.index for piece in self.pieces]


class Row(msgspec.Struct, gc=False):
    """One line as runs from left to right; `size` is that of its text, in points."""

    y0: float
    y1: float
    size: float
    runs: list[Run]

    @property
    def pieces(self) -> list[Piece]:
        """All its words from left to right."""
        return [piece for run in self.runs for piece in run.pieces]


def row_of(words: Sequence[Word], indices: Sequence[int], width: float, height: float) -> Row | None:
    """The words `indices` of a line of a page of `width` x `height` points; None without words."""
    if not indices:
        return None
    pieces = sorted((Piece(words[i].box.x * width, words[i].box.x1 * width, i, words[i].text) for i in indices), key=lambda piece: piece.x0)
    size = median(words[i].size or words[i].box.h * height for i in indices)
    runs: list[Run] = []
    for piece in pieces:
        if runs and piece.x0 - runs[-1].pieces[-1].x1 <= SPACE * size:
            runs[-1].pieces.append(piece)
        else:
            runs.append(Run([piece]))
    return Row(min(words[i].box.y for i in indices) * height, max(words[i].box.y1 for i in indices) * height, size, runs)


def parted(rows: Sequence[Row]) -> list[Row]:
    """The same consecutive lines, with runs parted where two columns meet."""
    if len(rows) < 3:
        return list(rows)
    size = median(row.size for row in rows)
    result = list(rows)
    for cut in [*_cuts(rows, size, _number_before_text, left=False), *_cuts(rows, size, _numbers, left=True)]:
        result = [_cut(row, cut, size) for row in result]
    for _ in range(4):
        before = sum(len(row.runs) for row in result)
        result = [_with_white(row, [*result[max(0, n - NEARBY) : n], *result[n + 1 : n + 1 + NEARBY]]) for n, row in enumerate(result)]
        if sum(len(row.runs) for row in result) == before:
            break
    return result


def _number_before_text(run: Run, position: int) -> bool:
    return all(NUMBER.match(piece.text) for piece in run.pieces[:position]) and _worded(run.pieces[position].text)


def _numbers(run: Run, position: int) -> bool:
    a, b = run.pieces[position - 1].text, run.pieces[position].text
    grouped = re.fullmatch(r"\D{0,2}\d{1,3}", a) and re.match(r"\d{3}(\D|$)", b)
    return bool(NUMBER.match(a) and NUMBER.match(b) and any(map(str.isdigit, a)) and any(map(str.isdigit, b))) and not grouped


def _worded(text: str) -> bool:
    return sum(map(str.isalpha, text)) >= 2


def _cuts(rows: Sequence[Row], size: float, parts: Callable[[Run, int], bool], *, left: bool) -> list[float]:
    """Places at which most lines part: `parts` says whether a run does so before one of its words, `left` which edge is aligned."""
    found: list[tuple[float, float, int]] = []
    for number, row in enumerate(rows):
        for run in row.runs:
            for position, (a, b) in enumerate(pairwise(run.pieces), 1):
                if parts(run, position):
                    found.append((a.x1 if left else b.x0, b.x0 - a.x1, number))
    cuts: list[float] = []
    while found:
        groups = [[item for item in found if abs(item[0] - x) <= ALIGNED * size] for x, _, _ in found]
        group = max(groups, key=len)
        found = [item for item in found if item not in group]
        places, gaps = [x for x, _, _ in group], [gap for _, gap, _ in group]
        middle = median(places) + (0.5 if left else -0.5) * median(gaps)
        lines = {number for _, _, number in group}
        spread = [row for row in rows[min(lines) : max(lines) + 1] if len(row.pieces) >= 2]
        crossed = sum(any(piece.x0 < middle < piece.x1 for piece in row.pieces) for row in spread)
        wide = median(gaps) >= WIDER * size or max(gaps) - min(gaps) >= WIDER * size
        if len(lines) >= 3 and len(lines) >= MOST * len(spread) and crossed <= (1 - CLEAR) * len(spread) and wide:
            cuts.append(middle)
    return cuts


def _cut(row: Row, x: float, size: float) -> Row:
    runs: list[Run] = []
    for run in row.runs:
        at = next((n for n, (a, b) in enumerate(pairwise(run.pieces), 1) if a.x1 <= x + ALIGNED * size and b.x0 >= x - ALIGNED * size), 0)
        runs += [Run(run.pieces[:at]), Run(run.pieces[at:])] if at else [run]
    return Row(row.y0, row.y1, row.size, runs)


def _with_white(row: Row, others: Sequence[Row]) -> Row:
    """The row, each run parted at most once at a gap where others leave white and both sides are aligned."""
    fullest = max((len(other.runs) for other in others), default=0)
    others = [other for other in others if len(other.runs) >= max(2, len(row.runs), MOST * fullest)]
    runs: list[Run] = []
    for run in row.runs:
        at = next((n for n in range(1, len(run.pieces)) if _white(Run(run.pieces[:n]), Run(run.pieces[n:]), row.size, others)), 0)
        runs += [Run(run.pieces[:at]), Run(run.pieces[at:])] if at else [run]
    return Row(row.y0, row.y1, row.size, runs)


def _white(left: Run, right: Run, size: float, others: Sequence[Row]) -> bool:
    if right.x0 - left.x1 < WIDER * size and not (_worded(left.pieces[-1].text) and NUMBER.match(right.pieces[0].text)):
        return False
    middle = (left.x1 + right.x0) / 2
    neighbours: list[tuple[Run, Run]] = []
    crossed = 0
    for other in others:
        before = [run for run in other.runs if run.x1 <= middle]
        after = [run for run in other.runs if run.x0 >= middle]
        if len(before) + len(after) < len(other.runs):
            crossed += 1
        elif before and after:
            neighbours.append((before[-1], after[0]))
    if len(neighbours) < 2 or len(neighbours) < MOST * (len(neighbours) + crossed):
        return False
    return all(
        sum(_aligned(side, pair[which], size) for pair in neighbours) >= 0.5 * len(neighbours) for which, side in enumerate((left, right))
    )


def _aligned(run: Run, other: Run, size: float) -> bool:
    return min(abs(run.x0 - other.x0), abs(run.x1 - other.x1)) <= ALIGNED * size
