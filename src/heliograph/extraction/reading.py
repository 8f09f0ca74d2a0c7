"""A document prepared for questions: its sheets, how it writes numbers and dates, whose parts it has, which amounts add up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from heliograph.extraction.candidates import Part
from heliograph.extraction.normalise import Conventions, amounts, conventions
from heliograph.extraction.parties import Parties
from heliograph.extraction.segments import Segment, Sheet, sheets
from heliograph.media.document import Document

_CENTS = tuple(Decimal(cent) / 100 for cent in (-2, -1, 1, 2))
"""Cash totals are rounded to five cents in many countries."""


class Reading:
    """A document prepared for questions."""

    def __init__(self, document: Document) -> None:
        self.sheets = sheets(document)
        texts = [segment.text for sheet in self.sheets for segment in sheet.segments]
        language = next((page.language for page in document.pages if page.language), None)
        self.conventions: Conventions = conventions(texts, language=language)
        self.parties = Parties(self.sheets)
        self.taken: list[list[Part]] = []
        self.sums = _sums(self.sheets, self.conventions)
        self.barcodes = [code for page in document.pages for code in page.barcodes]

    def segments(self) -> Iterator[Segment]:
        """Every segment of every page, in order."""
        for sheet in self.sheets:
            yield from sheet.segments


def _sums(all_sheets: list[Sheet], writing: Conventions) -> dict[str, set[Decimal]]:
    """Amounts of the document by the part they can play in net + tax = gross."""
    values: set[Decimal] = set()
    for sheet in all_sheets[:6]:
        for segment in sheet.segments:
            for amount in amounts(segment.text, writing.decimal):
                if amount.decimals == 2 and amount.value > 0 and not amount.percent:
                    values.add(amount.value)
        if len(values) > 150:
            break
    roles: dict[str, set[Decimal]] = {"gross": set(), "net": set(), "tax": set()}
    ordered = sorted(values)
    for tax in ordered:
        for net in ordered:
            if net > tax and Decimal("0.02") <= tax / net <= Decimal("0.3"):
                exact = net + tax in values
                rounded = [net + tax + cent for cent in _CENTS if net + tax + cent in values] + [net + tax] * exact
                if rounded:
                    roles["gross"].update(rounded)
                    roles["net"].add(net)
                    roles["tax"].add(tax)
    return roles
