from __future__ import annotations

from typing import Any

import pytest

from heliograph.evaluation.pagetests import judged, passes
from heliograph.evaluation.tablelikeness import Spot

PAGE = "Annual report\nThe harbour took more ships than ever.\nSo it was “built” wider.\n12"
TABLE = [
    Spot(text, r, c) for r, row in enumerate(["Port|2023|2024", "Leith|410|380", "Hull|150|275"]) for c, text in enumerate(row.split("|"))
]


def result(kind: str, **test: Any) -> bool:
    return passes({"type": kind} | test, PAGE, [TABLE])


def test_present_wants_the_text_and_forgives_so_many_edits() -> None:
    assert result("present", text="took more ships")
    assert result("present", text='was "built" wider')
    assert not result("present", text="took mare ships")
    assert result("present", text="took mare ships", max_diffs=1)
    assert not result("present", text="TOOK MORE")
    assert result("present", text="TOOK MORE", case_sensitive=False)


def test_absent_looks_only_where_it_is_told_to() -> None:
    assert result("absent", text="Page 12 of 20")
    assert not result("absent", text="12")
    assert result("absent", text="12", first_n=30)
    assert not result("absent", text="12", last_n=5)


def test_order_wants_one_before_the_other() -> None:
    assert result("order", before="harbour", after="wider")
    assert not result("order", before="wider", after="harbour")
    assert not result("order", before="harbour", after="nowhere to be found")


def test_a_table_wants_the_cell_with_its_neighbours_and_headings() -> None:
    assert result("table", cell="380", left="410", down="275", top_heading="2024", left_heading="Leith")
    assert not result("table", cell="380", left="150")
    assert not result("table", cell="380", top_heading="2023")
    assert not passes({"type": "table", "cell": "380"}, PAGE, [])


def test_formulas_are_not_judged() -> None:
    assert not judged({"type": "math"})
    with pytest.raises(ValueError, match="math"):
        result("math", math="x")
