"""Lists: rows of tables, item lines of receipts, and lists of scalars."""

from __future__ import annotations

import msgspec

from heliograph.extraction.candidates import Part
from heliograph.extraction.normalise import Conventions
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import Field
from heliograph.extraction.segments import Sheet


class Row(msgspec.Struct):
    """One item of a list: its leaves by path within the item (`()` for a scalar)."""

    leaves: dict[Path, Leaf]


class Rows:
    """Finds the rows that answer a list field."""

    def __init__(self, sheets: list[Sheet], writing: Conventions, used: set[Part]) -> None:
        self.sheets, self.writing, self.used = sheets, writing, used

    def none(self) -> Rows:
        """For lists inside items: nothing more to find."""
        return Rows([], self.writing, self.used)

    def find(self, field: Field) -> list[Row]:
        """The rows that answer `field`, in document order."""
        return []
