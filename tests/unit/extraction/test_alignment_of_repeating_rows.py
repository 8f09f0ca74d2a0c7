"""Long lists whose rows share a few values: each row stands on its own line, and the work grows as the rows do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from heliograph.extraction.alignment import Alignment
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Page
from tests.unit.extraction.drawing import page

NAMES = ("Oak board", "Blue pen", "Red tiles", "Steel nail")
QUANTITIES = (3, 12, 40)
PRICES = (4.5, 12.25, 7.9, 30.0, 99.95)
A_PAGE = 50
Row = tuple[str, int, float]


def cycling(count: int) -> list[Row]:
    """Rows of which every sixtieth says the same."""
    return [(NAMES[at % 4], QUANTITIES[at % 3], PRICES[at % 5]) for at in range(count)]


def drawn(rows: Sequence[Row], misread: Sequence[int] = ()) -> list[Page]:
    """The rows as tables of fifty lines a page; the names of some with a letter misread."""
    lines = [f"{name:<14}{quantity:<7}{price:.2f}" for name, quantity, price in rows]
    for at in misread:
        lines[at] = lines[at].replace("l", "i").replace("rd", "nd")
    return [
        page("\n".join(["Name          Qty    Price", *lines[at : at + A_PAGE]]), index=at // A_PAGE) for at in range(0, len(lines), A_PAGE)
    ]


def asked(rows: Sequence[Row]) -> tuple[dict[str, Any], Schema]:
    properties = {"name": {"type": "string"}, "quantity": {"type": "integer"}, "price": {"type": "number"}}
    schema = compile_schema({"properties": {"items": {"type": "array", "items": {"properties": properties}}}})
    return {"items": [dict(zip(properties, row, strict=True)) for row in rows]}, schema


def lines_of(leaves: dict[Path, Leaf], pages: Sequence[Page], count: int) -> list[set[int | None]]:
    """For each row the lines of the tables, counted through all pages, on which its values were found; None for one that was not."""
    at: dict[tuple[int, float], int] = {}
    for number, each in enumerate(pages):
        for line, drawn_line in enumerate(each.lines[1:]):
            at[number, round(each.words[drawn_line.words[0]].box.cy, 4)] = number * A_PAGE + line
    found: list[set[int | None]] = [set() for _ in range(count)]
    for path, leaf in leaves.items():
        row = path[1]
        assert isinstance(row, int)
        boxes = [part.box for part in leaf.evidence]
        found[row].update(at[box.page, round(box.cy, 4)] for box in boxes)
        if not boxes:
            found[row].add(None)
    return found


@pytest.mark.parametrize("count", [300, 900])
def test_rows_that_repeat_every_sixty_lines_each_stand_on_their_own(count: int) -> None:
    rows = cycling(count)
    pages = drawn(rows)
    leaves = Alignment(pages).align(*asked(rows))
    assert lines_of(leaves, pages, count) == [{line} for line in range(count)]


@pytest.mark.parametrize("count", [300, 900])
def test_rows_that_repeat_are_found_in_order_though_every_third_was_left_out(count: int) -> None:
    rows = cycling(count)
    pages = drawn(rows)
    said = [at for at in range(count) if at % 3 != 2]
    leaves = Alignment(pages).align(*asked([rows[at] for at in said]))
    assert lines_of(leaves, pages, len(said)) == [{line} for line in said]


def test_a_misread_first_row_does_not_lead_the_others_down_the_pages() -> None:
    rows = cycling(300)
    pages = drawn(rows, misread=[0])
    found = lines_of(Alignment(pages).align(*asked(rows)), pages, 300)
    assert found[1:] == [{line} for line in range(1, 300)]


def test_rows_that_all_say_the_same_take_one_line_each() -> None:
    rows = [("Oak board", 3, 4.5)] * 300
    pages = drawn(rows)
    leaves = Alignment(pages).align(*asked(rows))
    assert lines_of(leaves, pages, 300) == [{line} for line in range(300)]


def test_the_work_grows_as_the_rows_do() -> None:
    few, many = (_calls(cycling(count)) for count in (150, 900))
    assert many < 1.5 * 6 * few


def _calls(rows: list[Row]) -> int:
    """How many calls the look-up makes."""
    pages = drawn(rows)
    values, schema = asked(rows)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        Alignment(pages).align(values, schema)
    finally:
        sys.setprofile(before)
    return calls
