"""A document prepared for questions: its sheets, how it writes numbers and dates, whose parts it has, which amounts add up."""

from __future__ import annotations

from collections.abc import Iterator

from heliograph.extraction.candidates import Part
from heliograph.extraction.normalise import Conventions, conventions
from heliograph.extraction.parties import Parties
from heliograph.extraction.segments import Segment, sheets
from heliograph.extraction.sums import sums
from heliograph.media.document import Document

LABELLED = 0.8
"""Fit of a label from which the document is taken to have a place for a value."""


class Reading:
    """A document prepared for questions."""

    def __init__(self, document: Document) -> None:
        self.sheets = sheets(document)
        texts = [segment.text for segment in self.segments()]
        self.folded = [text.casefold() for text in texts]
        """The text of every segment in lower case."""
        language = next((page.language for page in document.pages if page.language), None)
        self.conventions: Conventions = conventions(texts, language=language)
        self.parties = Parties(self.sheets)
        self.taken: list[list[Part]] = []
        self.sums = sums(self.sheets, self.conventions)
        self.barcodes = [code for page in document.pages for code in page.barcodes]
        self._unread = sum(len(page.unread) for page in document.pages)
        self._lines = sum(len(page.lines) for page in document.pages)

    def may_hide(self, label: float) -> bool:
        """May a value stand in what could not be read? `label`: how well the best label for it fits, if it has a place on the page."""
        return self._unread > self._lines or (self._unread > 0 and label >= LABELLED)

    def segments(self) -> Iterator[Segment]:
        """Every segment of every page, in order."""
        for sheet in self.sheets:
            yield from sheet.segments
