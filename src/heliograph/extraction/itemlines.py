"""Receipts without headings: an item is a line of text that ends in an amount, above the totals."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from heliograph.extraction.candidates import Part, read_as
from heliograph.extraction.columns import totals_begin
from heliograph.extraction.fields import Ask
from heliograph.extraction.normalise import Conventions, amounts, dates
from heliograph.extraction.result import Path
from heliograph.extraction.segments import Sheet

_TIMES = re.compile(r"(?<![\w.,])(\d{1,4}(?:[.,]\d{1,3})?)\s?(?:[xX×*@]|PCS?\b|EA\b)\s?@?\s?(?:RM|[$€£])?\s?(\d+[.,]\d{2})?")


class Told(NamedTuple):
    """A value of an item, and the words that say it."""

    path: Path
    ask: Ask
    value: Any
    parts: list[Part]
    quality: float


def item_lines(sheet: Sheet, writing: Conventions, asked: list[tuple[Path, Ask]]) -> list[list[Told]]:
    """What each item line of a receipt says; none when the list is not of things with a description and a price."""
    by_concept = {ask.concept.id: (path, ask) for path, ask in asked if ask.concept is not None}
    ends = next((n for n, row in enumerate(sheet.rows) if n > 2 and totals_begin(row)), -1)
    if "item.description" not in by_concept or "item.total" not in by_concept or ends < 0:
        return []
    found: list[list[Told]] = []
    text: list[Part] = []
    for row in sheet.rows[:ends]:
        last = row[-1]
        priced = [a for a in amounts(last.text, writing.decimal) if a.decimals == 2 and not a.percent]
        if any(dates(s.text) for s in row) or any(":" in s.text for s in row):
            text = []
            continue
        if not priced or last.text[priced[-1].end :].strip().count(" ") > 0:
            text = [(s, 0, len(s.text)) for s in row if sum(c.isalpha() for c in s.text) >= 3]
            continue
        amount = priced[-1]
        path, ask = by_concept["item.total"]
        value: Any = float(amount.value) if ask.field.kind == "number" else amount.raw
        told = [Told(path, ask, value, [(last, amount.start, amount.end)], 1.0)]
        own = [(s, 0, len(s.text)) for s in row[:-1]]
        if last.text[: amount.start].strip():
            own.append((last, 0, amount.start))
        own, quantity, price = _counted(own, writing)
        described = [p for p in own if sum(c.isalpha() for c in p[0].text[p[1] : p[2]]) >= 2] or text
        text = []
        if not described:
            continue
        path, ask = by_concept["item.description"]
        told.append(Told(path, ask, " ".join(s.text[a:b].strip() for s, a, b in described), described, 0.8))
        for name, part in (("item.quantity", quantity), ("item.unit_price", price)):
            if part is not None and name in by_concept:
                path, ask = by_concept[name]
                read = read_as(ask, part[0].text, writing, start=part[1], end=part[2])
                told += [Told(path, ask, one.value, [part], one.quality) for one in read[:1]]
        found.append(told)
    return found


def _counted(parts: list[Part], writing: Conventions) -> tuple[list[Part], Part | None, Part | None]:
    """Take `2 x 3.50`, or a small number in front, off an item line."""
    kept: list[Part] = []
    quantity: Part | None = None
    price: Part | None = None
    for segment, start, end in parts:
        piece = segment.text[start:end]
        m = _TIMES.search(piece)
        if m and quantity is None:
            quantity = (segment, start + m.start(1), start + m.end(1))
            if m[2]:
                price = (segment, start + m.start(2), start + m.end(2))
            for a, b in ((start, start + m.start()), (start + m.end(), end)):
                if segment.text[a:b].strip():
                    kept.append((segment, a, b))
            continue
        lead = re.match(r"\s*(\d{1,3})\s+(?=[^\W\d_])", piece)
        if lead and quantity is None and not kept:
            quantity = (segment, start + lead.start(1), start + lead.end(1))
            kept.append((segment, start + lead.end(), end))
            continue
        if re.fullmatch(r"\s*\d{1,3}\s*", piece) and quantity is None:
            quantity = (segment, start, end)
            continue
        money = [a for a in amounts(piece, writing.decimal) if a.decimals == 2 and a.raw == piece.strip()]
        if money and price is None and money[0].value > Decimal(0):
            price = (segment, start, end)
            continue
        kept.append((segment, start, end))
    return kept, quantity, price
