"""A page as text that a model can read: lines in reading order, tables as rows with `|` between their cells.

The same page always gives the same text, byte for byte, so that a backend's prefix cache and our own journal find it again.
"""

from __future__ import annotations

import re

from heliograph.media.document import Page, Table

_OURS = re.compile(r"<(?=\s*/?\s*(?:document|page|examples?)\b)", re.IGNORECASE)
"""What would look like a marker of ours inside a document: no text may close the part of the prompt that it stands in."""


def page_text(page: Page) -> str:
    """The words of `page` as lines and table rows; barcodes last, as they say something that no line does."""
    owner = {word: number for number, table in enumerate(page.tables) for cell in table.cells for word in cell.words}
    written: set[int] = set()
    made: list[str] = []
    for line in page.lines:
        numbers = [owner[word] for word in line.words if word in owner]
        if numbers and (number := max(set(numbers), key=numbers.count)) not in written:
            written.add(number)
            made += table_rows(page.tables[number])
        rest = [word for word in line.words if word not in owner]
        if not numbers:
            made.append(line.text)
        elif rest:
            made.append(" ".join(page.words[word].text for word in rest))
    made += [f"{code.format}: {code.text}" for code in page.barcodes]
    return unmarked("\n".join(made))


def unmarked(text: str) -> str:
    """`text` without anything that looks like a marker of ours."""
    return _OURS.sub("< ", text)


def table_rows(table: Table) -> list[str]:
    """Each row of `table` in a line; a column that is empty from top to bottom is left out, an empty cell keeps its place."""
    rows: list[dict[int, str]] = [{} for _ in range(table.rows)]
    for cell in table.cells:
        if cell.text and cell.row < table.rows:
            rows[cell.row][cell.column] = " ".join(cell.text.split())
    columns = sorted({column for row in rows for column in row})
    return [" | ".join(row.get(column, "") for column in columns).rstrip() for row in rows if row]
