"""The columns of a table of items: which headings make one, which words of a row stand in it, and which rows are no items."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from heliograph.extraction.candidates import Part
from heliograph.extraction.fields import Ask
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import Tokens, tokens_of, vocabulary

_CLOSING = ("subtotal", "line.total.sum", "total", "tax.amount", "due.amount", "paid.amount", "rounding.amount")
"""Concepts with whose labels, and nothing else, totals begin."""


class Column(msgspec.Struct):
    """A column: where its heading stands (points), the lines of the heading top to bottom, and the field it answers."""

    x0: float
    x1: float
    ask: int = -1
    fit: float = 0.0
    texts: list[Segment] = []

    @property
    def tokens(self) -> Tokens:
        """What the heading says."""
        return tokens_of(" ".join(segment.text for segment in sorted(self.texts, key=lambda segment: segment.row)))

    def is_of_another(self, ask: Ask) -> bool:
        """Whether the heading as a whole names something else that items have: `Unit price` is not the price of a line."""
        words = vocabulary()
        said = self.tokens
        if (
            ask.concept is None
            or said in words.labels[ask.concept.id]
            or any(said == phrase.tokens for phrase in ask.phrases if phrase.own)
        ):
            return False
        return any(concept.line and said in words.labels[concept.id] for concept in words.concepts.values())


def columns_of(segments: Iterable[Segment]) -> list[Column]:
    """Headings on one or more lines, joined where they stand over each other."""
    columns: list[Column] = []
    for segment in sorted(segments, key=lambda s: s.x0):
        pieces = [(segment.x0, segment.x1)]
        for x0, x1 in pieces:
            over = next((c for c in columns if min(c.x1, x1) - max(c.x0, x0) > 0.25 * min(c.x1 - c.x0, x1 - x0)), None)
            if over is None:
                columns.append(Column(x0, x1, texts=[segment]))
            else:
                over.x0, over.x1 = min(over.x0, x0), max(over.x1, x1)
                over.texts.append(segment)
    return sorted(columns, key=lambda c: c.x0)


def cells_of(row: list[Segment], columns: list[Column]) -> dict[int, list[Part]]:
    """Which words of a row belong to which column."""
    cells: dict[int, list[Part]] = {}
    for segment in row:
        touched = [
            i
            for i, c in enumerate(columns)
            if min(c.x1, segment.x1) - max(c.x0, segment.x0) > 0.3 * min(c.x1 - c.x0, segment.x1 - segment.x0)
        ]
        if len(touched) <= 1 or not _divisible(segment, columns, touched):
            cells.setdefault(_nearest(segment.x0, segment.x1, columns), []).append((segment, 0, len(segment.text)))
            continue
        start = 0
        current = -1
        previous = 0.0
        for position, at in enumerate(segment.offsets):
            box = segment.sheet.page.words[segment.words[position]].box
            width = segment.sheet.page.width
            index = _nearest(box.x * width, box.x1 * width, columns)
            gap = box.x * width - previous
            if current >= 0 and index != current and gap < 0.6 * segment.height:
                index = current  # words of one sentence do not change column
            previous = (box.x + box.w) * width
            if current >= 0 and index != current:
                cells.setdefault(current, []).append((segment, start, at - 1))
                start = at
            current = index
        cells.setdefault(current, []).append((segment, start, len(segment.text)))
    return cells


def totals_begin(row: list[Segment]) -> bool:
    """Whether the totals of a table of items begin with this row."""
    words = vocabulary()
    for at, segment in enumerate(row):
        tokens = tuple(t for t in tokens_of(segment.text.split(":")[0]) if not t.isdigit() and t != "%")
        if not tokens:
            continue
        if segment is not row[-1] and any(tokens in words.labels[concept] for concept in _CLOSING):
            return True
        if at > 1:
            continue
        for length in range(min(4, len(tokens)), 0, -1):
            if tokens[:length] in words.totals and (length == len(tokens) or len(tokens) <= 6 or ":" in segment.text):
                return True
    return False


def is_extra(row: list[Segment]) -> bool:
    """Whether a row says shipping or discount: an item where it has a quantity or a price as others have, else a part of the totals."""
    labels = vocabulary().labels
    return any(tokens_of(segment.text) in labels[concept] for segment in row[:3] for concept in ("shipping.amount", "discount.amount"))


def is_carried(row: list[Segment]) -> bool:
    """Whether a row carries a sum over from one page to the next."""
    return any(
        tokens_of(segment.text.split(":")[0])[:2] in vocabulary().carried or tokens_of(segment.text)[:1] in vocabulary().carried
        for segment in row[:2]
    )


def _nearest(x0: float, x1: float, columns: list[Column]) -> int:
    """The column that a run of words stands in: most shared width, else the nearest edge."""
    best, best_score = 0, -1e9
    for index, column in enumerate(columns):
        common = min(x1, column.x1) - max(x0, column.x0)
        score = common if common > 0 else min(0.0, -min(abs(x0 - column.x0), abs(x1 - column.x1), abs(x0 - column.x1), abs(x1 - column.x0)))
        if score > best_score:
            best, best_score = index, score
    return best


def _divisible(segment: Segment, columns: list[Column], touched: list[int]) -> bool:
    """Whether a run over several columns is several cells: its words mostly stand under the headings, not between them."""
    width = segment.sheet.page.width
    inside = 0
    for index in segment.words:
        box = segment.sheet.page.words[index].box
        inside += any(columns[i].x0 - segment.height <= (box.x + box.w / 2) * width <= columns[i].x1 + segment.height for i in touched)
    return inside >= 0.6 * len(segment.words)
