"""What a model added to a page that was read here."""

from __future__ import annotations

import msgspec

from heliograph.media.document import Table


class Described(msgspec.Struct):
    """`figures`: a description for each picture block of the page, in their order, where there is one; `notes`: by the number of a table in
    `Page.tables`, where the model read it otherwise; `lost`: tables that only the model made out."""

    figures: list[str | None] = []
    notes: dict[int, str] = {}
    lost: list[Table] = []

    def figure(self, number: int) -> str | None:
        """What the picture block with this number shows, if a model said."""
        return self.figures[number] if number < len(self.figures) else None
