"""Reading order by geometry: words become segments, segments become columns and rows, rows become lines, lines become blocks.

1. A *segment* is a chain of words with ordinary spaces between them.
2. A region is split at a *gutter* (a vertical strip no segment crosses) into left and right when both sides read as text of
   their own: prose columns, or address blocks side by side. What crosses the gutter (a title, a full-width paragraph) ends the
   split above and below. A strip between labels and amounts is not a gutter: those stay on one line.
3. What is not split further is read row by row; everything on one row is one line.

The split is a recursive XY-cut (Nagy and Seth, 1984) whose cuts must earn their place by what stands on both sides.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from heliograph.media.document import Block, BlockKind, Line, Word
from heliograph.media.geometry import union

AMOUNT = re.compile(r"^[-+(]?\W{0,3}\d[\d.,' ]*\W{0,3}$")
BULLET = re.compile(r"^([•●▪■◦‣–—*·-]|\(?\d{1,2}[.)]|\(?[a-z][.)]|\([ivx]+\))$")
CAPTION = re.compile(r"^(figure|fig\.?|table|tab\.|abbildung|abb\.|tabelle|tableau|chart|exhibit)\s*\d+", re.IGNORECASE)
PAGE_NUMBER = re.compile(r"^\W*((page|seite|pagina|página|p\.?)\s*)?\d{1,4}(\s*(of|/|von|de|sur|di)\s*\d{1,4})?\W*$", re.IGNORECASE)


ON_END = -2
"""The `line` of words that the reader saw running up or down the page: this and less, another number for each line."""


class Arranged(msgspec.Struct):
    """Words in reading order with their lines and blocks; indices point into these lists."""

    words: list[Word]
    lines: list[Line]
    blocks: list[Block]


class _Segment:
    """A chain of words; coordinates in points, with the page's skew taken out."""

    __slots__ = ("amount", "count", "size", "words", "x0", "x1", "y0", "y1")

    def __init__(self, words: list[_Placed]) -> None:
        self.words = words
        self.x0, self.x1 = words[0].x0, max(word.x1 for word in words)
        self.y0, self.y1 = min(word.y0 for word in words), max(word.y1 for word in words)
        self.size = max(word.size for word in words)
        self.count = len(words)
        self.amount = AMOUNT.match(" ".join(word.word.text for word in words)) is not None

    @property
    def cy(self) -> float:
        return (self.y0 + self.y1) / 2


class _Placed:
    """A word with its place in points."""

    __slots__ = ("index", "size", "word", "x0", "x1", "y0", "y1")

    def __init__(self, index: int, word: Word, width: float, height: float, slope: float) -> None:
        self.index, self.word = index, word
        self.x0, self.x1 = word.box.x * width, word.box.x1 * width
        shift = slope * (self.x0 + self.x1) / 2
        self.y0, self.y1 = word.box.y * height - shift, word.box.y1 * height - shift
        self.size = word.size or (self.y1 - self.y0)


def arrange(words: Sequence[Word], width: float, height: float, *, skew: float = 0.0) -> Arranged:
    """Put the `words` of a page of `width` x `height` points in reading order and group them.

    `skew`: degrees, clockwise, by which the page's lines lean. The words are copied, with `line` set. Those whose `line` is
    `ON_END` or less are a line of their own with all that have the same.
    """
    placed = [_Placed(index, word, width, height, math.tan(math.radians(skew))) for index, word in enumerate(words) if word.text.strip()]
    if not placed:
        return Arranged([], [], [])
    typical = max(median(word.size for word in placed), 1.0)
    upward, placed = _vertical(placed)
    head, middle, foot = _margins(_segments(placed, typical), typical, height)
    regions = [region for region in (head, *_split(middle, typical), foot) if region]
    rows = [row for region in regions for row in _rows(region)]
    rows += [(-1 - number, [_Segment(run)]) for number, run in enumerate(upward)]
    ordered: list[Word] = []
    lines: list[Line] = []
    for _, row in rows:
        indices: list[int] = []
        items = [item for segment in row for item in segment.words]
        for item in items if not _right_to_left(items) else reversed(items):
            indices.append(len(ordered))
            ordered.append(msgspec.structs.replace(item.word, line=len(lines)))
        text = " ".join(ordered[i].text for i in indices)
        lines.append(Line(text, union(ordered[i].box for i in indices), indices))
    blocks = _blocks(ordered, lines, [number for number, _ in rows], width, height)
    return Arranged(ordered, lines, blocks)


def _segments(words: list[_Placed], typical: float) -> list[_Segment]:
    """Chain each word to its nearest neighbour on the right, at most a wide space away."""
    buckets: dict[int, list[_Placed]] = defaultdict(list)
    for word in sorted(words, key=lambda word: word.x0):
        for bucket in range(int(word.y0 // typical), int(word.y1 // typical) + 1):
            buckets[bucket].append(word)
    successor: dict[int, _Placed] = {}
    taken: dict[int, tuple[float, _Placed]] = {}
    for word in words:
        best: tuple[float, _Placed] | None = None
        for bucket in range(int(word.y0 // typical), int(word.y1 // typical) + 1):
            for other in buckets[bucket]:
                if other is word or other.x0 < word.x0 or (other.x0 == word.x0 and other.index <= word.index):
                    continue
                gap = other.x0 - word.x1
                if best and gap > best[0]:
                    break
                if gap > _space(word, other, typical):
                    break
                if gap > -0.5 * min(word.x1 - word.x0, other.x1 - other.x0) and _beside(word, other):
                    best = gap, other
        if best and (best[1].index not in taken or taken[best[1].index][0] > best[0]):
            if best[1].index in taken:
                successor.pop(taken[best[1].index][1].index, None)
            taken[best[1].index] = best[0], word
            successor[word.index] = best[1]
    segments: list[_Segment] = []
    for word in words:
        if word.index not in taken:
            chain = [word]
            while (following := successor.get(chain[-1].index)) is not None:
                chain.append(following)
            segments.append(_Segment(chain))
    return segments


def _space(left: _Placed, right: _Placed, typical: float) -> float:
    """The widest gap that still is a space between two words of one run."""
    return 0.65 * max(min(left.size, right.size), 0.7 * typical)


def _beside(a: _Placed | _Segment, b: _Placed | _Segment) -> bool:
    """Do two things share a row? Half of the lower one's height must be common, and sizes not differ wildly."""
    shared = min(a.y1, b.y1) - max(a.y0, b.y0)
    return shared >= 0.5 * min(a.y1 - a.y0, b.y1 - b.y0)


def _vertical(words: list[_Placed]) -> tuple[list[list[_Placed]], list[_Placed]]:
    """Runs of words that stand on end, as along a margin, in the order they came in; and the other words."""
    marked: dict[int, list[_Placed]] = {}
    runs: list[list[_Placed]] = []
    others: list[_Placed] = []
    for word in words:
        if word.word.line <= ON_END:
            marked.setdefault(word.word.line, []).append(word)
        elif len(word.word.text) < 3 or word.y1 - word.y0 < 1.5 * (word.x1 - word.x0):
            others.append(word)
        elif runs and min(runs[-1][-1].x1, word.x1) - max(runs[-1][-1].x0, word.x0) > 0.5 * (word.x1 - word.x0):
            runs[-1].append(word)
        else:
            runs.append([word])
    return [*marked.values(), *runs], others


def _right_to_left(items: list[_Placed]) -> bool:
    if all(item.word.text.isascii() for item in items):
        return False
    letters = [char for item in items for char in item.word.text if char.isalpha()]
    return 2 * sum("\u0590" <= char <= "\u08ff" or "\ufb1d" <= char <= "\ufefc" for char in letters) > len(letters)


def _margins(segments: list[_Segment], typical: float, height: float) -> tuple[list[_Segment], list[_Segment], list[_Segment]]:
    """What stands in the top and bottom 8 % of the page, apart from the rest: running headers and footers, which have no columns."""
    top = [s for s in segments if s.y1 < 0.08 * height]
    bottom = [s for s in segments if s.y0 > 0.92 * height]
    apart = {id(s) for s in top + bottom}
    middle = [s for s in segments if id(s) not in apart]
    if not middle:
        return [], segments, []
    if top and min(s.y0 for s in middle) - max(s.y1 for s in top) < typical:
        top, middle = [], top + middle
    if bottom and min(s.y0 for s in bottom) - max(s.y1 for s in middle) < typical:
        bottom, middle = [], middle + bottom
    return top, middle, bottom


def _split(segments: list[_Segment], typical: float, depth: int = 0) -> list[list[_Segment]]:
    """Regions in reading order; each is then read row by row."""
    best: tuple[float, list[_Segment], list[_Segment], list[_Segment], list[_Segment]] | None = None
    if depth < 8 and len(segments) >= 4:
        for x in _candidates(segments):
            for band in _bands(segments, x, typical):
                score = _worth(band, x, typical)
                if score > 0 and (best is None or score > best[0]):
                    top, bottom = min(s.y0 for s in band), max(s.y1 for s in band)
                    members = set(map(id, band))
                    rest = [s for s in segments if id(s) not in members]
                    above = [s for s in rest if s.cy < (top + bottom) / 2]
                    below = [s for s in rest if s.cy >= (top + bottom) / 2]
                    best = score, above, [s for s in band if s.x1 <= x], [s for s in band if s.x0 >= x], below
    if best is None:
        return [segments] if segments else []
    return [region for part in best[1:] for region in _split(part, typical, depth + 1)]


def _candidates(segments: list[_Segment]) -> list[float]:
    """Places where a gutter may be: just left of where several segments begin."""
    starts = sorted(segment.x0 for segment in segments)
    found: list[float] = []
    run: list[float] = []
    for x in starts:
        if run and x - run[0] > 12:
            if len(run) >= 2:
                found.append(run[0] - 0.5)
            run = []
        run.append(x)
    if len(run) >= 2:
        found.append(run[0] - 0.5)
    return found[1:] if found and found[0] <= starts[0] else found


def _bands(segments: list[_Segment], x: float, typical: float) -> Iterable[list[_Segment]]:
    """Runs of segments, from top to bottom, that none crosses `x`; and, of each, the parts between white stripes."""
    band: list[_Segment] = []
    for segment in [*sorted(segments, key=lambda segment: segment.y0), None]:
        if segment is not None and not segment.x0 < x < segment.x1:
            band.append(segment)
            continue
        if band:
            parts = _parts(band, typical)
            yield band
            if len(parts) > 1:
                yield from parts
        band = []


def _parts(band: list[_Segment], typical: float) -> list[list[_Segment]]:
    parts: list[list[_Segment]] = []
    bottom = 0.0
    for segment in band:
        if not parts or segment.y0 - bottom > 0.8 * typical:
            parts.append([])
        parts[-1].append(segment)
        bottom = max(bottom, segment.y1)
    return parts


def _worth(band: list[_Segment], x: float, typical: float) -> float:
    """How much a gutter at `x` through `band` deserves to split it; 0 is not at all. Grows with the text it divides."""
    left, right = [s for s in band if s.x1 <= x], [s for s in band if s.x0 >= x]
    if len(left) < 2 or len(right) < 2:
        return 0
    gutter = min(s.x0 for s in right) - max(s.x1 for s in left)
    if gutter < 0.5 * typical:
        return 0
    low, high = max(min(s.y0 for s in left), min(s.y0 for s in right)), min(max(s.y1 for s in left), max(s.y1 for s in right))
    common = high - low
    if common < 2.2 * typical:
        return 0
    if gutter < 0.8 * typical and not _flush(right, typical):
        return 0
    if common > 4 * typical:
        prose = _prose(left), _prose(right)
        if all(prose):
            return common * (1 + min(gutter, 3 * typical) / typical)
        if any(prose) and _keep_no_step(*((left, right) if prose[1] else (right, left)), typical):
            return 0.5 * common
    if gutter > 2.5 * typical and _address(left, typical) and _address(right, typical):
        return 0.1 * common
    return 0


def _prose(side: list[_Segment]) -> bool:
    """Rows that mostly fill a column, without large holes, and hold several words each."""
    width = max(s.x1 for s in side) - min(s.x0 for s in side)
    rows = [row for _, row in _rows(side)]
    full = sum(row[-1].x1 - row[0].x0 > 0.6 * width and sum(s.x1 - s.x0 for s in row) > 0.7 * (row[-1].x1 - row[0].x0) for row in rows)
    many = sum(sum(s.count for s in row) >= 4 for row in rows)
    return len(rows) >= 4 and full >= 0.5 * len(rows) and many >= 0.6 * len(rows)


def _flush(side: list[_Segment], typical: float) -> bool:
    """A long column whose rows nearly all begin at its left edge."""
    rows = [row for _, row in _rows(side)]
    left = median(row[0].x0 for row in rows)
    return len(rows) >= 8 and sum(abs(row[0].x0 - left) < 0.6 * typical for row in rows) >= 0.8 * len(rows)


def _keep_no_step(notes: list[_Segment], prose: list[_Segment], typical: float) -> bool:
    """Do notes stand in a margin of prose? Their rows keep no step with its rows, as labels and values would."""
    if not _flush(prose, typical):
        return False
    steps = [(row[0].cy, row[-1].cy) for _, row in _rows(prose)]
    rows = [row for _, row in _rows(notes)]
    alone = sum(len(row) == 1 and not row[0].amount for row in rows)
    loose = sum(min(abs(row[0].cy - cy) for pair in steps for cy in pair) > 0.15 * typical for row in rows)
    return 3 <= len(rows) < len(steps) and alone >= 0.8 * len(rows) and loose >= 0.5 * len(rows)


def _address(side: list[_Segment], typical: float) -> bool:
    """A short block of words, left-aligned, one run a row, hardly any amounts, no labels waiting for a value."""
    left = min(s.x0 for s in side)
    aligned = sum(s.x0 - left < 0.8 * typical for s in side)
    worded = sum(s.count >= 2 for s in side)
    waiting = sum(s.words[-1].word.text.endswith(":") for s in side)
    ordered = sorted(side, key=lambda s: s.y0)
    alone = sum(not _beside(a, b) for a, b in pairwise(ordered))
    close = sum(b.y0 - a.y1 < 1.2 * typical for a, b in pairwise(ordered))
    return (
        2 <= len(side) <= 12
        and aligned >= 0.8 * len(side)
        and worded >= 0.5 * len(side)
        and sum(s.amount for s in side) <= 0.25 * len(side)
        and waiting <= max(1, 0.2 * len(side))
        and alone == len(side) - 1
        and close >= 0.7 * (len(side) - 1)
    )


def _rows(region: list[_Segment]) -> list[tuple[int, list[_Segment]]]:
    """Rows from top to bottom, each from left to right, with a number that tells regions apart."""
    rows: list[list[_Segment]] = []
    bottoms: list[float] = []
    for segment in sorted(region, key=lambda s: s.cy):
        # the closest of the last rows that it stands beside; rows overlap on crooked pages
        last = range(max(0, len(rows) - 4), len(rows))
        fitting = [number for number in last if bottoms[number] >= segment.y0 and _fits(rows[number], segment)]
        if fitting:
            closest = min(fitting, key=lambda number: abs(_nearest(rows[number], segment).cy - segment.cy))
            rows[closest].append(segment)
            bottoms[closest] = max(bottoms[closest], segment.y1)
        else:
            rows.append([segment])
            bottoms.append(segment.y1)
    number = id(region)
    return [(number, sorted(row, key=lambda s: s.x0)) for row in sorted(rows, key=lambda row: median(s.cy for s in row))]


def _nearest(row: list[_Segment], segment: _Segment) -> _Segment:
    if len(row) == 1:
        return row[0]
    return min(row, key=lambda other: max(other.x0 - segment.x1, segment.x0 - other.x1))


def _fits(row: list[_Segment], segment: _Segment) -> bool:
    near = _nearest(row, segment)
    overlap = min(near.x1, segment.x1) - max(near.x0, segment.x0)
    if overlap > 0.3 * min(near.x1 - near.x0, segment.x1 - segment.x0):
        return False
    shared = min(near.y1, segment.y1) - max(near.y0, segment.y0)
    lower, taller = sorted((near.y1 - near.y0, segment.y1 - segment.y0))
    return shared >= 0.5 * lower and (shared >= 0.35 * taller or lower < 0.6 * taller)


def _blocks(words: list[Word], lines: list[Line], regions: list[int], width: float, height: float) -> list[Block]:
    """Paragraphs, headings, list items, captions, page headers and footers; sets each line's `block`."""
    sizes = [_size(words, line, height) for line in lines]
    weights: dict[float, int] = defaultdict(int)
    for line, size in zip(lines, sizes, strict=True):
        weights[round(size * 2) / 2] += len(line.text)
    body = max(weights, key=lambda size: weights[size]) or 1.0
    # sizes read from pixels vary from word to word
    heading = 1.15 if all(word.score == 1.0 for word in words) else 1.4
    groups: list[list[int]] = []
    for index, line in enumerate(lines):
        same = index and regions[index] == regions[index - 1]
        if same and _continues(words, (lines[index - 1], line), (sizes[index - 1], sizes[index]), height):
            groups[-1].append(index)
        else:
            groups.append([index])
    blocks: list[Block] = []
    for position, group in enumerate(groups):
        box = union(lines[i].box for i in group)
        text = " ".join(lines[i].text for i in group)
        size = max(sizes[i] for i in group)
        bold = all(words[w].bold for i in group for w in lines[i].words)
        place = (position == 0, position == len(groups) - 1)
        spread = len(group) == 1 and _parts_of(words, lines[group[0]], size, width) >= 3
        kind = _kind(text, len(group), (size / body, heading), (box.y, box.y1), place, bold=bold, spread=spread)
        blocks.append(Block(kind, box, lines=list(group)))
        for i in group:
            lines[i].block = len(blocks) - 1
    _levels(blocks, sizes)
    return blocks


def _parts_of(words: list[Word], line: Line, size: float, width: float) -> int:
    """Into how many parts wide white divides a line."""
    boxes = sorted((words[i].box for i in line.words), key=lambda box: box.x)
    return 1 + sum((b.x - a.x1) * width > 3 * size for a, b in pairwise(boxes))


def _size(words: list[Word], line: Line, height: float) -> float:
    return median(words[i].size or words[i].box.h * height for i in line.words)


def _continues(words: list[Word], lines: tuple[Line, Line], sizes: tuple[float, float], height: float) -> bool:
    """Does the second line belong to the block of the first, just before it?"""
    (before, line), (size_before, size) = lines, sizes
    gap = (line.box.y - before.box.y1) * height
    if gap > 0.9 * max(size, size_before) or gap < -1.5 * max(size, size_before):
        return False
    if abs(size - size_before) > 0.25 * max(size, size_before):
        return False
    if words[line.words[0]].bold != words[before.words[0]].bold:
        return False
    return not BULLET.match(words[line.words[0]].text)


def _kind(
    text: str, lines: int, sizes: tuple[float, float], span: tuple[float, float], place: tuple[bool, bool], *, bold: bool, spread: bool
) -> BlockKind:
    """What a block of `lines` is.

    `sizes`: its own and that of the smallest heading, in body text sizes; `span`: its top and bottom on the page; `place`:
    is it the first block, the last? `spread`: is it one line in three parts, as running headers and footers are?
    """
    (size, heading), (top, bottom), (first, last) = sizes, span, place
    if (first or top < 0.05) and bottom < 0.08 and lines <= 2 and (PAGE_NUMBER.match(text) or size < 0.95 or spread):
        return "page-header"
    if (last or bottom > 0.95) and top > 0.92 and lines <= 3 and (PAGE_NUMBER.match(text) or size < 0.95 or spread):
        return "page-footer"
    if CAPTION.match(text):
        return "caption"
    if BULLET.match(text.split(" ", 1)[0]):
        return "list-item"
    if lines <= 3 and len(text) < 160 and sum(map(str.isalpha, text)) >= 3:
        if size > 1.3 * heading and top < 0.35:
            return "title"
        if size > heading or (bold and lines == 1 and not text.endswith((".", ",", ":"))):
            return "section-header"
    return "text"


def _levels(blocks: list[Block], sizes: list[float]) -> None:
    """Heading depth by size: the largest is 1; of titles, only the largest stays one."""
    headings = [(max(sizes[i] for i in block.lines), block) for block in blocks if block.kind in {"title", "section-header"}]
    if not headings:
        return
    steps: list[float] = []
    for size, _ in sorted(headings, key=lambda item: -item[0]):
        if not steps or size < 0.92 * steps[-1]:
            steps.append(size)
    for size, block in headings:
        block.level = min(6, 1 + next(i for i, step in enumerate(steps) if size >= 0.92 * step))
        if block.kind == "title" and block.level > 1:
            block.kind = "section-header"
