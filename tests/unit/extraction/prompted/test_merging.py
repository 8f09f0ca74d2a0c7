"""Windows' answers become one: entries seen twice, entries cut by a page break, scalars that differ."""

from __future__ import annotations

import time
from typing import Any

from heliograph.extraction.prompted.merging import Merged, Part, merge
from heliograph.extraction.result import Evidence, Leaf, Path
from heliograph.extraction.schema import compile_schema
from heliograph.media.geometry import Box

SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "total": {"type": "number"},
            "seller": {"type": "object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}},
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"date": {"type": "string"}, "text": {"type": "string"}, "amount": {"type": "number"}},
                },
            },
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
)


def _leaf(value: Any, page: int, y: float, *, match: Any = "exact", probability: float = 0.9, x: float = 0.1) -> Leaf:
    evidence = [] if match == "none" else [Evidence(str(value), Box(x, y, 0.1, 0.01, page), 1.0)]
    return Leaf(value, "found", match, probability, evidence)


def _part(pages: list[int], value: Any, leaves: dict[Path, Leaf], carried: list[int] | None = None) -> Part:
    return Part(pages, value, leaves, carried or [])


def _rows(pages: list[int], rows: list[tuple[int, float, dict[str, Any]]], carried: list[int] | None = None) -> Part:
    """A window whose `rows` stand at a page and a height."""
    leaves = {
        ("rows", at, name): _leaf(value, page, y, x=0.1 + 0.2 * column)
        for at, (page, y, row) in enumerate(rows)
        for column, (name, value) in enumerate(row.items())
        if value is not None
    }
    return _part(pages, {"rows": [row for _, _, row in rows]}, leaves, carried)


def _merge(*parts: Part) -> Merged:
    return merge(parts, SCHEMA.root)


def _texts(merged: Merged) -> list[Any]:
    return [row["text"] for row in merged.value["rows"]]


def test_lists_keep_page_order_and_their_leaves_move_along() -> None:
    one = _rows([0], [(0, 0.2, {"date": "1 May", "text": "a", "amount": 1}), (0, 0.3, {"date": "2 May", "text": "b", "amount": 2})])
    two = _rows([1], [(1, 0.2, {"date": "3 May", "text": "c", "amount": 3})])
    merged = _merge(one, two)
    assert _texts(merged) == ["a", "b", "c"]
    assert merged.leaves[("rows", 2, "text")].evidence[0].box.page == 1
    assert len(merged.leaves) == 9


def test_a_row_that_two_windows_saw_is_one() -> None:
    row = {"date": "2 May", "text": "b", "amount": 2}
    one = _rows([0, 1], [(0, 0.2, {"date": "1 May", "text": "a", "amount": 1}), (1, 0.3, row)])
    two = _rows([1, 2], [(1, 0.3, dict(row)), (2, 0.1, {"date": "3 May", "text": "c", "amount": 3})], carried=[1])
    assert _texts(_merge(one, two)) == ["a", "b", "c"]


def test_of_two_readings_of_one_row_the_better_supported_value_stands() -> None:
    one = _part([0, 1], {"rows": [{"text": "Oat mi", "amount": 5}]}, {
        ("rows", 0, "text"): _leaf("Oat mi", 1, 0.9, match="fuzzy"), ("rows", 0, "amount"): _leaf(5, 1, 0.9, x=0.5)})  # fmt: skip
    two = _part([1, 2], {"rows": [{"text": "Oat milk", "amount": 5}]}, {
        ("rows", 0, "text"): _leaf("Oat milk", 1, 0.9), ("rows", 0, "amount"): _leaf(5, 1, 0.9, x=0.5)}, [1])  # fmt: skip
    merged = _merge(one, two)
    assert merged.value["rows"] == [{"text": "Oat milk", "amount": 5}]
    assert merged.conflicts == []


def test_two_rows_that_say_the_same_on_different_pages_are_two() -> None:
    row = {"date": "1 May", "text": "Coffee", "amount": 3}
    assert _texts(_merge(_rows([0], [(0, 0.5, row)]), _rows([1], [(1, 0.5, dict(row))]))) == ["Coffee", "Coffee"]


def test_two_rows_that_say_the_same_one_below_the_other_in_a_shared_page_are_two() -> None:
    row = {"date": "1 May", "text": "Coffee", "amount": 3}
    one = _rows([0, 1], [(1, 0.5, row), (1, 0.6, dict(row))])
    two = _rows([1, 2], [(1, 0.5, dict(row)), (1, 0.6, dict(row))], carried=[1])
    assert _texts(_merge(one, two)) == ["Coffee", "Coffee"]


def test_a_row_cut_by_a_page_break_is_joined() -> None:
    whole = [(0, 0.1 * at, {"date": f"{at} May", "text": f"t{at}", "amount": at}) for at in range(1, 8)]
    one = _rows([0], [*whole, (0, 0.95, {"date": "9 May", "text": "Transfer to", "amount": 12})])
    two = _rows(
        [1], [(1, 0.05, {"date": None, "text": "savings account", "amount": None}), (1, 0.1, {"date": "10 May", "text": "x", "amount": 1})]
    )
    merged = _merge(one, two)
    assert merged.value["rows"][7] == {"date": "9 May", "text": "Transfer to savings account", "amount": 12}
    assert len(merged.value["rows"]) == 9
    assert [part.box.page for part in merged.leaves[("rows", 7, "text")].evidence] == [0, 1]


def test_the_other_half_of_a_row_brings_the_values_that_the_first_lacks() -> None:
    whole = [(0, 0.1 * at, {"date": f"{at} May", "text": f"t{at}", "amount": at}) for at in range(1, 8)]
    one = _rows([0], [*whole, (0, 0.95, {"date": "9 May", "text": "Transfer", "amount": None})])
    two = _rows([1], [(1, 0.05, {"date": None, "text": None, "amount": 12})])
    assert _merge(one, two).value["rows"][7] == {"date": "9 May", "text": "Transfer", "amount": 12}


def test_a_short_row_that_contradicts_the_one_before_is_no_rest_of_it() -> None:
    whole = [(0, 0.1 * at, {"date": f"{at} May", "text": f"t{at}", "amount": at}) for at in range(1, 8)]
    two = _rows([1], [(1, 0.05, {"date": None, "text": None, "amount": 99})])
    assert len(_merge(_rows([0], whole), two).value["rows"]) == 8


def test_things_named_on_many_pages_are_listed_once() -> None:
    one = _part([0], {"tags": ["Red", "Blue"]}, {("tags", 0): _leaf("Red", 0, 0.1), ("tags", 1): _leaf("Blue", 0, 0.2)})
    two = _part([1], {"tags": ["blue", "Green"]}, {("tags", 0): _leaf("blue", 1, 0.1), ("tags", 1): _leaf("Green", 1, 0.2)})
    assert _merge(one, two).value["tags"] == ["Red", "Blue", "Green"]


def test_the_scalar_with_the_better_citation_stands() -> None:
    one = _part([0], {"total": 7}, {("total",): _leaf(7, 0, 0.1, match="none")})
    two = _part([1], {"total": 9}, {("total",): _leaf(9, 1, 0.8)})
    merged = _merge(one, two)
    assert merged.value["total"] == 9
    assert merged.leaves[("total",)].match == "exact"
    assert merged.conflicts == []


def test_scalars_that_differ_with_equal_right_are_told() -> None:
    one = _part([0], {"total": 7}, {("total",): _leaf(7, 0, 0.1, probability=0.9)})
    two = _part([1], {"total": 9}, {("total",): _leaf(9, 1, 0.8, probability=0.8)})
    merged = _merge(one, two)
    assert merged.value["total"] == 7
    assert merged.conflicts == ["conflict: total: taken is 7 of page 1, not 9 of page 2"]


def test_a_value_of_one_window_stands_over_the_nulls_of_others() -> None:
    merged = _merge(
        _part([0], {"total": None}, {("total",): Leaf(None, "absent")}),
        _part([1], {"total": 9}, {("total",): _leaf(9, 1, 0.8)}),
        _part([2], {"total": None}, {("total",): Leaf(None, "refused")}),
    )
    assert merged.value["total"] == 9


def test_a_null_says_the_reason_that_leaves_most_open() -> None:
    merged = _merge(
        _part([0], {"total": None}, {("total",): Leaf(None, "absent")}), _part([1], {"total": None}, {("total",): Leaf(None, "refused")})
    )
    assert merged.leaves[("total",)].state == "refused"


def test_objects_are_merged_field_by_field() -> None:
    one = _part([0], {"seller": {"name": "Ann", "city": None}}, {("seller", "name"): _leaf("Ann", 0, 0.1)})
    two = _part([1], {"seller": {"name": None, "city": "Oslo"}}, {("seller", "city"): _leaf("Oslo", 1, 0.1)})
    three = _part([2], {"seller": None}, {})
    merged = _merge(one, two, three)
    assert merged.value == {"seller": {"name": "Ann", "city": "Oslo"}}
    assert set(merged.leaves) == {("seller", "name"), ("seller", "city")}


def test_ten_thousand_rows_of_three_hundred_pages_are_merged_in_seconds() -> None:
    pages = [
        _rows([page], [(page, 0.02 * at, {"date": f"{at} May", "text": f"row {page} {at}", "amount": at}) for at in range(1, 40)])
        for page in range(300)
    ]
    began = time.process_time()
    merged = _merge(*pages)
    assert _texts(merged) == [f"row {page} {at}" for page in range(300) for at in range(1, 40)]
    assert time.process_time() - began < 10
