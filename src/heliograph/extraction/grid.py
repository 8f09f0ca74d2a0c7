"""A table as data: named and typed columns over rows, as `document.markdown` and proposed schemas give it.

A cell over several rows counts in each of them, headings of several rows are joined from the top, and rows that only head the rows
below them become part of those rows' labels; both are joined by ` > `.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from heliograph.media.document import Cell, Table

Dtype = Literal["str", "int", "float", "bool", "date", "datetime", "time", "timedelta", "duration", "currency", "percentage", "enum"]
Value = str | int | float | bool | None

JOINT = " > "
_INDENT = 0.004
"""Of the page width, about half a character: how much further right a label must start to stand below another."""

_NOTHING = frozenset({"", "-", "–", "—", "−", "n/a", "na", "nil", "none", "...", "…", "."})
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_DATE = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{1,2}}[ .-]+{_MONTH}[ ,.-]*\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}}"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?"
_NUMBER = r"[-+−]?\(?(?:\d{1,3}(?:[,.' ]\d{3})+|\d+)(?:[.,]\d+)?\)?-?|[-+−]?[.,]\d+"
_MARK = r"(?:[$€£¥₹]|US\$|[A-Z]{3}|R[MsS]\.?)"
_PATTERNS: tuple[tuple[Dtype, re.Pattern[str]], ...] = (
    ("bool", re.compile(r"yes|no|true|false", re.IGNORECASE)),
    ("int", re.compile(r"[-+−]?\(?(?:0|[1-9]\d{0,2}(?:[,.' ]\d{3})+|[1-9]\d{0,11})\)?")),
    ("float", re.compile(_NUMBER)),
    ("percentage", re.compile(rf"(?:{_NUMBER}) ?%")),
    ("currency", re.compile(rf"[-+−(]?{_MARK} ?(?:{_NUMBER})\)?|(?:{_NUMBER}) ?{_MARK}")),
    ("date", re.compile(_DATE, re.IGNORECASE)),
    ("datetime", re.compile(rf"(?:{_DATE})[ T,]+{_CLOCK}", re.IGNORECASE)),
    ("duration", re.compile(r"\d+ ?(?:h|hrs?|hours?|min|mins|minutes?|s|secs?|seconds?|days?|weeks?|months?|years?)", re.IGNORECASE)),
    ("time", re.compile(_CLOCK, re.IGNORECASE)),
)


class Column(msgspec.Struct):
    """`id` is unique in its table; `name` is the heading as printed, or empty; `dtype` is None where the column is empty."""

    id: str
    name: str
    dtype: Dtype | None


class Grid(msgspec.Struct):
    """A table's data. `rows[i][c]` is the text of a cell; `sources[i]` its row in the table; `notes` stood alone below everything."""

    columns: list[Column]
    rows: list[list[str]]
    sources: list[int]
    title: str | None = None

    def records(self) -> list[dict[str, Value]]:
        """The rows by column id, whole numbers and decimals as numbers, everything else as printed; empty cells are null."""
        european = [_comma_decimals([cells[column] for cells in self.rows]) for column in range(len(self.columns))]
        return [
            {column.id: _value(text, column.dtype, comma) for column, text, comma in zip(self.columns, cells, european, strict=True)}
            for cells in self.rows
        ]


def grid(table: Table) -> Grid:
    """`table` as data."""
    texts, owners = _spread(table)
    heads = min(max(table.header_rows, 0), table.rows)
    title = None
    while _is_title(texts, owners, heads):
        title = f"{title} {texts[0][0]}" if title else texts[0][0]
        texts, owners, heads = texts[1:], owners[1:], max(heads - 1, 1)
    names = [_joined([texts[row][column] for row in range(heads)]) for column in range(table.columns)]
    offset = table.rows - len(texts)
    rows, sources = _labelled(texts[heads:], owners[heads:], first=heads + offset)
    columns = [
        Column(id=column_id(name, number), name=name, dtype=dtype([row[number] for row in rows])) for number, name in enumerate(names)
    ]
    return Grid(columns=columns, rows=rows, sources=sources, title=title)


def _is_title(texts: list[list[str]], owners: list[list[Cell | None]], heads: int) -> bool:
    """Whether the first row is a title over the table: one cell of many columns, above a row of headings."""
    if heads < 1 or len(texts) < 3 or len(texts[0]) < 2 or not texts[0][0]:
        return False
    cell = owners[0][0]
    alone = not any(text for text, owner in zip(texts[0], owners[0], strict=True) if owner is not cell)
    return alone and (heads > 1 or all(texts[1])) and len({id(owner) for owner in owners[1] if owner}) > 1


def column_id(name: str, number: int) -> str:
    """`name` in snake_case and its column, as the platform writes header ids: `Unit Price` in column 3 is `unit_price_3`."""
    return f"{snake(name) or 'column'}_{number}"


def snake(name: str) -> str:
    """`name` in lower case, words joined by underscores: `Unit Price` and `unitPrice` are `unit_price`."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[^\w]+", "_", parted.lower()).strip("_")


def dtype(texts: list[str]) -> Dtype | None:
    """What all `texts` are that say something; `str` where they differ, None where none does. Integers among decimals are floats."""
    said = [text.strip() for text in texts if text.strip().lower() not in _NOTHING]
    if not said:
        return None
    if any(re.fullmatch(r"0\d+", text) for text in said):
        return "str"  # a code: a number is not written with leading zeros
    for kind, pattern in _PATTERNS:
        if all(pattern.fullmatch(text) for text in said):
            return kind
    plain = dict(_PATTERNS)
    if all(plain["currency"].fullmatch(text) or plain["float"].fullmatch(text) for text in said):
        return "currency"
    if all(plain["percentage"].fullmatch(text) or plain["float"].fullmatch(text) for text in said):
        return "percentage"
    return "str"


def _spread(table: Table) -> tuple[list[list[str]], list[list[Cell | None]]]:
    texts = [[""] * table.columns for _ in range(table.rows)]
    owners: list[list[Cell | None]] = [[None] * table.columns for _ in range(table.rows)]
    for cell in table.cells:
        for row in range(cell.row, min(cell.row + max(cell.row_span, 1), table.rows)):
            for column in range(cell.column, min(cell.column + max(cell.column_span, 1), table.columns)):
                texts[row][column] = " ".join(cell.text.split())
                owners[row][column] = cell
    return texts, owners


def _joined(parts: list[str]) -> str:
    """Headings of one column from the top; one that spans several rows counts once."""
    kept: list[str] = []
    for part in parts:
        if part and (not kept or kept[-1] != part):
            kept.append(part)
    return JOINT.join(kept)


class _Heading(msgspec.Struct):
    """A row above others: `rank` 0 spans the table, 1 ends in a colon, 2 has rows further right below it; `start` is its left edge."""

    rank: int
    start: float
    label: str
    """What it says, after what the headings above it say."""
    row: int
    has_rows: bool = False

    def holds(self, rank: int, start: float) -> bool:
        """Whether a row of this rank (3 is data) that starts there still belongs below."""
        if self.rank < rank:
            return self.rank == 0 or start > self.start + (_INDENT if self.rank == 2 else -_INDENT)
        return self.rank == rank != 0 and start > self.start + _INDENT


def _labelled(texts: list[list[str]], owners: list[list[Cell | None]], *, first: int) -> tuple[list[list[str]], list[int]]:
    """Rows with the headings above them in their first cell; rows that are such headings are left out, and so are empty ones."""
    rows: list[list[str]] = []
    sources: list[int] = []
    above: list[_Heading] = []

    def add(cells: list[str], row: int) -> None:
        rows.append(cells)
        sources.append(row + first)

    def keep(rank: int, start: float) -> None:
        """Let go of the headings that end before such a row; one that nothing came to stand under was a row after all."""
        for heading in [heading for heading in above if not heading.holds(rank, start)]:
            above.remove(heading)
            if not heading.has_rows:
                add([heading.label, *[""] * (len(texts[heading.row]) - 1)], heading.row)

    for number, (row, owner) in enumerate(zip(texts, owners, strict=True)):
        if not any(row):
            continue
        start = owner[0].box.x if owner[0] else 1.0
        rank = _rank(number, texts, owners)
        keep(rank, start)
        for heading in above:
            heading.has_rows = True
        label = JOINT.join(part for part in (above[-1].label if above else "", row[0]) if part)
        if rank < 3:
            above.append(_Heading(rank, start, label.rstrip(" :"), number))
            continue
        # what reaches over several columns is said in its first; over several rows, in each
        add([label, *("" if cell and cell is owner[at] else row[at + 1] for at, cell in enumerate(owner[1:]))], number)
    keep(-1, 0.0)
    return rows, sources


def _rank(number: int, texts: list[list[str]], owners: list[list[Cell | None]]) -> int:
    """What kind of `_Heading` a row is; 3 for a row of data."""
    row, cell = texts[number], owners[number][0]
    if cell is None or not row[0] or len(row) < 2 or number + 1 >= len(texts):
        return 3
    if cell.column_span >= len(row):
        return 0
    if any(row[1:]) or cell.row_span > 1:
        return 3
    if row[0].endswith(":"):
        return 1
    below, under = texts[number + 1], owners[number + 1][0]
    indented = under is not None and bool(below[0]) and under.box.x > cell.box.x + _INDENT
    return 2 if indented and any(below[1:]) else 3


def _comma_decimals(texts: list[str]) -> bool:
    """Whether a column writes 1.234,56: a comma before other than three digits, or after a point."""
    return any(re.search(r",\d{1,2}\D*$|\.\d{3},|,\d{4,}", text) for text in texts) and not any(
        re.search(r"\.\d{1,2}\D*$|,\d{3}\.", text) for text in texts
    )


def _value(text: str, kind: Dtype | None, comma: bool) -> Value:
    text = text.strip()
    if not text:
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true")
    if kind in ("int", "float") and text.lower() not in _NOTHING:
        negative = text[0] in "-−(" or text[-1] == "-"
        digits = re.sub(r"[^\d.,]", "", text)
        if kind == "int":
            number: int | float = int(re.sub(r"\D", "", digits))
        else:
            digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
            number = float(digits) if digits.count(".") < 2 else float(digits.replace(".", ""))
        return -number if negative else number
    return text
