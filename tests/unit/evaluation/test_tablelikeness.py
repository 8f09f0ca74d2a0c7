from __future__ import annotations

from collections import Counter

import pytest

from heliograph.evaluation.tablelikeness import Spot, html_cells, relations, teds


def cells(*rows: str) -> list[Spot]:
    return [Spot(text, r, c) for r, row in enumerate(rows) for c, text in enumerate(row.split("|"))]


def test_neighbours_are_pairs_to_the_right_and_below() -> None:
    assert relations(cells("A|B", "C|D")) == Counter(
        {("a", "b", "right"): 1, ("c", "d", "right"): 1, ("a", "c", "below"): 1, ("b", "d", "below"): 1}
    )


def test_empty_cells_are_skipped_over() -> None:
    assert relations(cells("A||B")) == Counter({("a", "b", "right"): 1})
    assert relations(cells("A|-|B")) == Counter({("a", "b", "right"): 1})


def test_a_cell_that_spans_is_next_to_each_cell_along_it_once() -> None:
    spanning = [Spot("Head", 0, 0, 1, 2), Spot("x", 1, 0), Spot("y", 1, 1), Spot("Side", 0, 2, 2, 1)]
    assert relations(spanning) == Counter(
        {
            ("head", "x", "below"): 1, ("head", "y", "below"): 1, ("x", "y", "right"): 1,
            ("head", "side", "right"): 1, ("y", "side", "right"): 1,
        }
    )  # fmt: skip


def test_equal_tables_are_alike_in_full() -> None:
    assert teds(cells("A|B", "C|D"), cells("A|B", "C|D")) == 1.0


def test_a_missing_row_costs_its_cells_and_itself() -> None:
    # trees of 10 (table, 3 rows, 6 cells) and 7 nodes: three deletions
    assert teds(cells("A|B", "C|D", "E|F"), cells("A|B", "C|D")) == pytest.approx(1 - 3 / 10)


def test_another_text_costs_its_edit_distance_and_nothing_of_the_structure() -> None:
    want, got = cells("A|B", "C|1234"), cells("A|B", "C|1243")
    assert teds(want, got) == pytest.approx(1 - 0.5 / 7)
    assert teds(want, got, structure_only=True) == 1.0


def test_another_span_costs_one() -> None:
    want = [Spot("H", 0, 0, 1, 2), Spot("x", 1, 0), Spot("y", 1, 1)]
    got = [Spot("H", 0, 0, 1, 1), Spot("x", 1, 0), Spot("y", 1, 1)]
    assert teds(want, got) == pytest.approx(1 - 1 / 6)


def test_two_cells_taken_for_one_cost_a_node_and_the_text() -> None:
    # "A B" against "A" and "B": rename A (2 of 3 characters), delete B; trees of 4 and 3 nodes
    assert teds(cells("A|B"), cells("A B")) == pytest.approx(1 - (1 + 2 / 3) / 4)


def test_html_cells_stand_beside_what_spans_down_to_them() -> None:
    html = "<table><tr><th rowspan='2'>N<br>o</th><td colspan=2>wide</td></tr><tr><td>a</td><td>b</td></tr></table>"
    html += "<table><tr><td>z</td></tr></table>"
    assert html_cells(html) == [Spot("N o", 0, 0, 2, 1), Spot("wide", 0, 1, 1, 2), Spot("a", 1, 1), Spot("b", 1, 2)]
