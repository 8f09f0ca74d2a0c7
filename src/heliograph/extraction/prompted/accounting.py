"""Rows that the page's tables show against rows that an answer has.

A list belongs to a table when its entries stand in the table's rows. Rows of such a table that look like those entries (they fill the
same columns) and carry none are missing: they are asked for once more, and what is missing then is said.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import msgspec

from heliograph.extraction.prompted.merging import Merged
from heliograph.extraction.prompted.pagetext import table_rows
from heliograph.extraction.result import Extraction, Leaf, Path
from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import tokens_of, vocabulary
from heliograph.media.document import Cell, Page, Table

Json = Any
Place = tuple[float, float]
"""The centre of words: from the top and from the left."""

LEAST = 3
"""Entries that a table must carry before its other rows are taken for entries too."""
SHARE = 0.5
"""Share of a table's fitting rows that must carry entries: with fewer, the answer picks from it on purpose."""
FILLED = 0.8
"""A column counts when this share of the rows with entries fill it, and a row fits when it fills this share of such columns."""
_SUMS = {("total",), ("subtotal",)}
"""What a row begins with that adds others up, whatever follows; other such words (`payment`, `discount`) may begin entries too."""
MOST_ASKED = 60
"""Missing rows that are asked for at a time."""
NEAR = 0.012
"""How far apart, in page heights, the middles of a row and of an entry that stands in it may be: about a line."""


class Missing(msgspec.Struct, frozen=True):
    """A row of a table that no entry stands in: its text, cells divided by `|`, page, and centre from the top, 0-1."""

    text: str
    page: int
    at: float


class Account(msgspec.Struct):
    """The rows of one list. `name` is dotted; `missing` are rows without an entry, as the page has them, with their page."""

    path: Path
    name: str
    seen: int
    emitted: int
    missing: list[Missing] = []

    @property
    def warning(self) -> str:
        """One line for `usage.message`."""
        return f"rows_missing: {self.name}: {self.emitted} of {self.seen} rows"


def account(value: Json, leaves: dict[Path, Leaf], root: Field, pages: Sequence[Page]) -> list[Account]:
    """The lists of an answer whose entries stand in tables of `pages`, with the rows that they lack."""
    made: list[Account] = []
    by_page = {page.index: page for page in pages}
    for path, field, entries in lists(value, root):
        if field.item is None or field.item.is_leaf or len(entries) < LEAST:
            continue
        places = _standing(path, leaves, by_page)
        one = Account(path, field.dotted, 0, len(entries))
        carried = 0
        for page in pages:
            for table in page.tables:
                rows, taken = _fitting(table, places.get(page.index, []))
                if len(taken) >= LEAST and len(taken) >= SHARE * len(rows):
                    one.missing += [_missing(table, row, page) for row in sorted(rows - taken)]
                    carried += len(taken)
        one.seen = one.emitted + len(one.missing)
        if carried:
            made.append(one)
    return made


def shorter(value: Json, evidence: Json, root: Field, counted: Iterable[Path]) -> list[str]:
    """What to say of lists that no table counts (those of `counted` are) and of which the embedded engine's answer has more entries."""
    known = set(counted)
    ours = {path: len(entries) for path, _, entries in lists(value, root)}
    return [
        f"rows_differ: {field.dotted}: {ours.get(path, 0)} rows by the model, {len(entries)} by the embedded engine"
        for path, field, entries in lists(evidence, root)
        if path not in known and field.item is not None and not field.item.is_leaf and len(entries) > ours.get(path, 0)
    ]


def lists(value: Json, field: Field, path: Path = ()) -> Iterator[tuple[Path, Field, list[Json]]]:
    """Every list of an answer that is not inside another list, with its field."""
    if isinstance(value, list):
        shape = field if field.kind == "array" else next((one for one in field.variants if one.kind == "array"), None)
        if shape is not None:
            yield path, shape, cast("list[Json]", value)
    elif isinstance(value, dict):
        shape = field if field.kind == "object" else next((one for one in field.variants if one.kind == "object"), field)
        for name, child in cast("dict[str, Json]", value).items():
            below = shape.field(name)
            if below is not None:
                yield from lists(child, below, (*path, name))


def _standing(path: Path, leaves: dict[Path, Leaf], pages: dict[int, Page]) -> dict[int, list[Place]]:
    """The centres of the words that the entries of the list at `path` cite, by page, from the top."""
    made: dict[int, list[Place]] = {}
    for where, leaf in leaves.items():
        if where[: len(path)] == path and len(where) > len(path):
            for part in leaf.evidence:
                if part.box.page in pages:
                    made.setdefault(part.box.page, []).append((part.box.cy, part.box.cx))
    for places in made.values():
        places.sort()
    return made


def _fitting(table: Table, places: list[Place]) -> tuple[set[int], set[int]]:
    """Rows below the headings that look like entries, and those of them that carry one; lines that only continue a row are neither."""
    filled: dict[int, set[int]] = {}
    figures: dict[int, set[int]] = {}
    taken: set[int] = set()
    for cell in table.cells:
        if cell.row < table.header_rows or not cell.text:
            continue
        filled.setdefault(cell.row, set()).add(cell.column)
        if any(character.isdigit() for character in cell.text):
            figures.setdefault(cell.row, set()).add(cell.column)
        if cell.row not in taken and _carries(cell, places):
            taken.add(cell.row)
    widest = max((len(filled[row]) for row in taken), default=0)
    whole = {row for row in taken if len(filled[row]) * 2 > widest}
    usual, counted = _usual(filled, whole), _usual(figures, whole)
    fitting = {
        row
        for row, columns in filled.items()
        if len(columns & usual) >= FILLED * len(usual) and counted <= figures.get(row, set()) and not _totals(table, row)
    }
    return (fitting | whole, whole) if whole else (set(), set())


def _usual(columns: dict[int, set[int]], rows: set[int]) -> set[int]:
    """The columns that nearly all of `rows` have."""
    counts = Counter(column for row in rows for column in columns.get(row, ()))
    return {column for column, count in counts.items() if count >= FILLED * len(rows)}


def _totals(table: Table, row: int) -> bool:
    """Whether a row adds others up."""
    words = vocabulary()
    for cell in table.cells:
        if cell.row == row and cell.text:
            said = tuple(token for token in tokens_of(cell.text.split(":")[0]) if not token.isdigit())
            if said in words.totals or said in words.carried or said[:1] in _SUMS:
                return True
    return False


def _carries(cell: Cell, places: list[Place]) -> bool:
    """Whether one of `places` is inside a cell."""
    box = cell.box
    first = bisect_left(places, (box.y, 0.0))
    return any(box.x <= x <= box.x1 for _, x in places[first : bisect_right(places, (box.y1, 1.0))])


def _missing(table: Table, row: int, page: Page) -> Missing:
    cells = [cell for cell in table.cells if cell.row == row]
    alone = Table(table.box, 1, table.columns, [msgspec.structs.replace(cell, row=0, row_span=1) for cell in cells], 0)
    middle = [cell.box.cy for cell in cells if cell.text]
    return Missing("".join(table_rows(alone)), page.index, sum(middle) / len(middle) if middle else 0.0)


def put_in(value: Json, leaves: dict[Path, Leaf], path: Path, answer: Json, found: dict[Path, Leaf], wanted: Sequence[Missing]) -> int:
    """Put the entries of `answer`'s list at `path` that stand in `wanted` rows into `value`'s, each in its place; returns how many.

    `found` are the leaves of `answer`, `leaves` those of `value`, which change with it.
    """
    theirs = _entries(cast("list[Json]", _at(answer, path) or []), found, path)
    lines: dict[int, list[float]] = {}
    for row in wanted:
        lines.setdefault(row.page, []).append(row.at)
    added = [one for one in theirs if one.place and any(abs(at - one.place[1]) <= NEAR for at in lines.get(one.place[0], ()))]
    if not added:
        return 0
    ours = cast("list[Json]", _at(value, path))
    made = _entries(ours, leaves, path)
    for one in added:
        after = [at for at, other in enumerate(made) if other.place and one.place and other.place <= one.place]
        made.insert(after[-1] + 1 if after else 0, one)
    for where in [where for where in leaves if where[: len(path)] == path]:
        del leaves[where]
    ours[:] = [one.value for one in made]
    leaves.update({(*path, at, *where): leaf for at, one in enumerate(made) for where, leaf in one.leaves.items()})
    return len(added)


class _Entry(msgspec.Struct):
    """An entry of a list with its leaves by their path below it, and where it stands: its page, and its middle from the top."""

    value: Json
    leaves: dict[Path, Leaf] = {}
    place: tuple[int, float] | None = None


def _entries(values: list[Json], leaves: dict[Path, Leaf], path: Path) -> list[_Entry]:
    made = [_Entry(value) for value in values]
    for where, leaf in leaves.items():
        at = where[len(path)] if len(where) > len(path) and where[: len(path)] == path else None
        if isinstance(at, int) and at < len(made):
            made[at].leaves[where[len(path) + 1 :]] = leaf
    for one in made:
        places = sorted((part.box.page, part.box.cy) for leaf in one.leaves.values() for part in leaf.evidence)
        first = [place for place in places if place[0] == places[0][0]]
        one.place = first[len(first) // 2] if first else None
    return made


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = value[step] if value is not None else None
    return value


def embedded_rows(one: Account, merged: Merged, evidence: Extraction) -> int:
    """Put the rows that `one` lacks and the embedded extraction has into the merged answer; returns how many."""
    try:
        theirs = _at(evidence.values, one.path)
    except (KeyError, IndexError, TypeError):
        return 0
    if not isinstance(theirs, list):
        return 0
    return put_in(merged.value, merged.leaves, one.path, evidence.values, evidence.leaves, one.missing)
