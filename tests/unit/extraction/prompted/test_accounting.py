"""Rows that tables show against rows that answers have."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.prompted.accounting import account, put_in, shorter
from heliograph.extraction.schema import compile_schema

from .ledgers import entries, ledger

COLUMNS = ("name", "qty", "amount")
SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {name: {"type": "string"} for name in COLUMNS}},
            }
        },
    }
)
HEAD = ("Item", "Qty", "Amount")


def _page(count: int = 8, *more: tuple[str, str, str], index: int = 0) -> Any:
    return ledger([HEAD, *((f"Thing {n}", str(n), f"{n}.50") for n in range(count)), *more], index=index)


def test_rows_that_no_entry_stands_in_are_missing() -> None:
    page = _page()
    value, leaves = entries(page, "items", COLUMNS, [1, 2, 4, 5, 6, 8])
    (one,) = account(value, leaves, SCHEMA.root, [page])
    assert [row.text for row in one.missing] == ["Thing 2 | 2 | 2.50", "Thing 6 | 6 | 6.50"]
    assert one.warning == "rows_missing: items: 6 of 8 rows"


def test_a_whole_list_misses_nothing() -> None:
    page = _page()
    value, leaves = entries(page, "items", COLUMNS, range(1, 9))
    (one,) = account(value, leaves, SCHEMA.root, [page])
    assert (one.seen, one.emitted, one.missing) == (8, 8, [])


def test_totals_headings_and_continued_lines_are_no_rows() -> None:
    page = _page(6, ("of steel", "", ""), ("Item", "Qty", "Amount"), ("Subtotal", "15", "18.00"), ("", "", "3.00"))
    value, leaves = entries(page, "items", COLUMNS, range(1, 7))
    (one,) = account(value, leaves, SCHEMA.root, [page])
    assert one.missing == []


def test_a_list_that_picks_from_a_table_is_left_alone() -> None:
    page = _page(20)
    value, leaves = entries(page, "items", COLUMNS, [3, 9, 15])
    assert account(value, leaves, SCHEMA.root, [page]) == []


def test_a_list_that_no_table_counts_is_held_against_the_embedded_engines() -> None:
    few, many = ({"items": [{"name": str(n)} for n in range(count)]} for count in (2, 5))
    assert shorter(few, many, SCHEMA.root, []) == ["rows_differ: items: 2 rows by the model, 5 by the embedded engine"]
    assert shorter({"items": None}, many, SCHEMA.root, []) == ["rows_differ: items: 0 rows by the model, 5 by the embedded engine"]
    assert shorter(many, few, SCHEMA.root, []) == []
    assert shorter(few, many, SCHEMA.root, [("items",)]) == []


def test_rows_of_every_page_count() -> None:
    first, second = _page(5), _page(5, index=1)
    value, leaves = entries(first, "items", COLUMNS, range(1, 6))
    more, others = entries(second, "items", COLUMNS, [1, 2, 3, 4])
    value["items"] += more["items"]  # type: ignore[operator]
    leaves |= {("items", int(path[1]) + 5, path[2]): leaf for path, leaf in others.items()}
    (one,) = account(value, leaves, SCHEMA.root, [first, second])
    assert [(row.page, row.text) for row in one.missing] == [(1, "Thing 4 | 4 | 4.50")]


def test_rows_that_come_late_take_their_places() -> None:
    page = _page()
    value, leaves = entries(page, "items", COLUMNS, [1, 2, 4, 5, 7, 8])
    (one,) = account(value, leaves, SCHEMA.root, [page])
    late, found = entries(page, "items", COLUMNS, [3, 6])
    assert put_in(value, leaves, ("items",), late, found, one.missing) == 2
    assert [row["name"] for row in value["items"]] == [f"Thing {n}" for n in range(8)]  # type: ignore[index]
    assert all(leaf.value == value["items"][path[1]][path[2]] for path, leaf in leaves.items())  # type: ignore[index]


def test_entries_that_stand_in_no_missing_row_are_not_put_in() -> None:
    page = _page()
    value, leaves = entries(page, "items", COLUMNS, [1, 2, 4, 5, 6, 7, 8])
    (one,) = account(value, leaves, SCHEMA.root, [page])
    late, found = entries(page, "items", COLUMNS, [1, 3, 4])
    assert put_in(value, leaves, ("items",), late, found, one.missing) == 1
    assert len(value["items"]) == 8  # type: ignore[arg-type]
