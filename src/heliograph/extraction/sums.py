"""What a document's amounts say about each other: net + tax = gross, rows that add up, what was paid less the change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from heliograph.extraction.normalise import Amount, Conventions, amounts
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import tokens_of, vocabulary

CENT = Decimal("0.01")
_SLACK = 2 * CENT
"""Cash totals are rounded to five cents in many countries."""
_TAX = (Decimal("0.02"), Decimal("0.3"))
"""Between which part of the net amount a tax lies."""
_MANY = 150
"""Amounts of a document from which on no more are added up."""
_PAGES = 6
_ROWS = 40
"""Rows of a column that are tried as summands, at most."""

Money = tuple[Segment, Amount]


class Sums(msgspec.Struct):
    """What a document's amounts add up to. Amounts count without their sign: credit notes write theirs with a minus or without."""

    roles: dict[str, set[Decimal]]
    """By the part they can play in net + tax = gross: `net`, `tax`, `gross`."""
    footed: set[tuple[int, int]]
    """Segments (page, index) whose amount is the sum of those that stand over it in the last place of their rows."""
    last: dict[tuple[int, int], int]
    """By page and row, of rows within which net + tax = gross: the row that ends such a stack, which is their sum."""
    settled: set[Decimal]
    """What was handed over less the change."""
    minus: bool
    """Whether the document writes most of its amounts with a minus: a credit note."""

    def plays(self, role: str, value: Decimal) -> bool:
        """Whether an amount can play a part."""
        return abs(value).quantize(CENT) in self.roles.get(role, ())

    def plays_other(self, role: str, value: Decimal) -> bool:
        """Whether an amount can play another part than this."""
        return any(abs(value).quantize(CENT) in values for other, values in self.roles.items() if other != role)


def sums(sheets: Sequence[Sheet], writing: Conventions) -> Sums:
    """Add up a document's amounts."""
    rows = [[list(_money(segment, writing)) for segment in row] for sheet in sheets[:_PAGES] for row in sheet.rows]
    every = [amount for row in rows for cell in row for _, amount in cell]
    values: set[Decimal] = set()
    for amount in every:
        if amount.value and len(values) <= _MANY:
            values.add(abs(amount.value))
    negative = sum(amount.value < 0 for amount in every)
    made = Sums(_roles(values), set(), {}, set(), 2 * negative > len(every) and negative > 1)
    for sheet in sheets[:_PAGES]:
        lines = [[money for segment in row for money in _money(segment, writing)] for row in sheet.rows]
        made.footed |= {(segment.page, segment.index) for segment in _footed(lines)}
        made.last |= {(sheet.page.index, row): last for row, last in _stacks(sheet, lines).items()}
        made.settled |= _settled(sheet, lines)
    return made


def _money(segment: Segment, writing: Conventions) -> Iterator[Money]:
    for amount in amounts(segment.text, writing.decimal):
        if amount.decimals == 2 and not amount.percent:
            yield segment, amount


def _roles(values: set[Decimal]) -> dict[str, set[Decimal]]:
    roles: dict[str, set[Decimal]] = {"gross": set(), "net": set(), "tax": set()}
    ordered = sorted(values)
    for tax in ordered:
        for net in ordered:
            if net > tax and _TAX[0] <= tax / net <= _TAX[1]:
                found = [value for cents in range(-2, 3) if (value := net + tax + cents * CENT) in values]
                if found:
                    roles["gross"].update(found)
                    roles["net"].add(net)
                    roles["tax"].add(tax)
    return roles


def _footed(lines: list[list[Money]]) -> Iterator[Segment]:
    """Amounts at the end of their row that are the sum of two or more rows' right over them."""
    column = [row[-1] for row in lines if row]
    for at, (segment, amount) in enumerate(column):
        total = Decimal(0)
        for count, (_, other) in enumerate(reversed(column[max(0, at - _ROWS) : at]), start=1):
            total += other.value
            if count >= 2 and amount.value and abs(total - amount.value) <= _SLACK:
                yield segment
                break


def _stacks(sheet: Sheet, lines: list[list[Money]]) -> dict[int, int]:
    """Rows that say net, tax and gross side by side, each with the last row of their stack."""
    adding = [row for row, cells in enumerate(lines) if len(cells) >= 3 and _adds([amount.value for _, amount in cells])]
    made: dict[int, int] = {}
    for row in reversed(adding):
        under = next((other for other in adding if other > row and sheet.rows[other][0].y0 - sheet.rows[row][0].y1 < 3 * sheet.height), row)
        made[row] = made.get(under, under)
    return made


def _adds(values: list[Decimal]) -> bool:
    return any(
        abs(net + tax - gross) <= CENT and net and gross and tax and _TAX[0] <= abs(tax / net) <= _TAX[1]
        for net in values
        for tax in values
        for gross in values
        if net is not tax
    )


def _settled(sheet: Sheet, lines: list[list[Money]]) -> set[Decimal]:
    """Cash and change at the end of a receipt: the difference is what was to pay."""
    words = vocabulary()
    means = {tokens_of(word) for word in words.concepts["payment.method"].words.split("|")}
    paid: list[Decimal] = []
    change: list[Decimal] = []
    for row, cells in zip(sheet.rows, lines, strict=True):
        for segment in row:
            said = [tokens_of(segment.text)[:length] for length in (1, 2)]
            after = [amount.value for other, amount in cells if other.x0 >= segment.x0]
            if not after:
                continue
            if any(tokens in words.labels["change.amount"] for tokens in said):
                change.append(after[-1])
            elif any(tokens in words.labels["paid.amount"] or tokens in means for tokens in said):
                paid.append(after[-1])
    return {abs(total - back) for total in paid for back in change if total > back >= 0 or total < back <= 0}
