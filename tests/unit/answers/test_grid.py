from __future__ import annotations

import pytest
from tests.unit.answers.drawn import Sheet

from heliograph.extraction.grid import dtype, grid, snake


def test_headers_have_ids_of_name_and_column_and_types() -> None:
    data = grid(Sheet().table([["Year", "Net Revenue", "", "Paid"], ["2023", "$1,200.50", "x", "yes"], ["2024", "$900", "y", "no"]]))
    assert [(c.id, c.name, c.dtype) for c in data.columns] == [
        ("year_0", "Year", "int"),
        ("net_revenue_1", "Net Revenue", "currency"),
        ("column_2", "", "str"),
        ("paid_3", "Paid", "bool"),
    ]
    assert data.records()[0] == {"year_0": 2023, "net_revenue_1": "$1,200.50", "column_2": "x", "paid_3": True}


def test_headings_of_two_rows_are_joined_from_the_top() -> None:
    data = grid(Sheet().table([["", "2023", "<", "2024"], ["Item", "Q1", "Q2", "^"], ["a", "1", "2", "3"]], header_rows=2))
    assert [c.name for c in data.columns] == ["Item", "2023 > Q1", "2023 > Q2", "2024"]


def test_a_first_row_over_the_whole_table_is_its_title() -> None:
    data = grid(Sheet().table([["Sales by region", "<"], ["Region", "Sales"], ["North", "1"]], header_rows=2))
    assert (data.title, [c.name for c in data.columns], data.rows) == ("Sales by region", ["Region", "Sales"], [["North", "1"]])


def test_rows_that_head_others_go_before_their_labels() -> None:
    rows = [["Item", "2024"], ["Assets", ""], ["Cash", "1"], ["Stock", "2"], ["Liabilities", ""], ["Loans", "3"], ["Net", "4"]]
    data = grid(Sheet().table(rows, indent={2: 10, 3: 10, 5: 10}))
    assert data.rows == [["Assets > Cash", "1"], ["Assets > Stock", "2"], ["Liabilities > Loans", "3"], ["Net", "4"]]
    assert data.sources == [2, 3, 5, 6]


def test_rows_over_the_whole_width_and_rows_ending_in_a_colon_head_too() -> None:
    data = grid(
        Sheet().table([["Test", "Value"], ["Blood count", "<"], ["WBC", "5"], ["Cells:", ""], ["a", "6"], ["Urine", "<"], ["pH", "7"]])
    )
    assert data.rows == [["Blood count > WBC", "5"], ["Blood count > Cells > a", "6"], ["Urine > pH", "7"]]


def test_a_label_without_values_is_a_row_where_nothing_says_it_heads_others() -> None:
    assert grid(Sheet().table([["Item", "Note"], ["Bolt", ""], ["Nut", "new"]])).rows == [["Bolt", ""], ["Nut", "new"]]


def test_a_cell_over_several_rows_counts_in_each() -> None:
    assert grid(Sheet().table([["Who", "What"], ["Ann", "a"], ["^", "b"]])).rows == [["Ann", "a"], ["Ann", "b"]]


def test_a_cell_over_several_columns_is_said_once() -> None:
    assert grid(Sheet().table([["Item", "Note", "Price"], ["Bolt", "out of stock", "<"]])).rows == [["Bolt", "out of stock", ""]]


def test_a_lone_first_cell_above_a_full_row_of_headings_is_a_title() -> None:
    data = grid(Sheet().table([["Ducks per year", ""], ["Year", "Ducks"], ["2019", "120"]]))
    assert (data.title, [c.name for c in data.columns], data.rows) == ("Ducks per year", ["Year", "Ducks"], [["2019", "120"]])


def test_a_heading_with_nothing_below_it_is_a_row() -> None:
    data = grid(Sheet().table([["Test", "Value"], ["Blood", "<"], ["Urine", "<"], ["pH", "7"], ["Notes:", ""], ["End:", ""], ["x", ""]]))
    assert data.rows == [["Blood", ""], ["Urine > pH", "7"], ["Urine > Notes", ""], ["Urine > End > x", ""]]


def test_a_table_without_header_keeps_all_rows() -> None:
    data = grid(Sheet().table([["a", "1"], ["b", "2"]], header_rows=0))
    assert ([c.id for c in data.columns], data.rows) == (["column_0", "column_1"], [["a", "1"], ["b", "2"]])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "20", "-3", "1,000"], "int"),
        (["1", "2.50", "(3.00)"], "float"),
        (["1.234,56", "2,50"], "float"),
        (["5%", "7.5 %"], "percentage"),
        (["$5", "12.00"], "currency"),
        (["EUR 5,00", "7,00 €"], "currency"),
        (["2024-01-31", "31/01/2024", "Jan 5, 2024"], "date"),
        (["2024-01-31 10:00"], "datetime"),
        (["10:30", "9:05 pm"], "time"),
        (["3 days", "2 weeks"], "duration"),
        (["yes", "No"], "bool"),
        (["007", "12"], "str"),
        (["a", "1"], "str"),
        (["", "-", "n/a"], None),
    ],
)
def test_a_column_has_the_type_that_all_its_values_have(texts: list[str], expected: str | None) -> None:
    assert dtype(texts) == expected


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234.50", "2.00"], [1234.5, 2.0]),
        (["1.234,50", "2,00"], [1234.5, 2.0]),
        (["(5)", "1,000"], [-5, 1000]),
        (["-", "3"], ["-", 3]),
        (["", "3"], [None, 3]),
    ],
)
def test_numbers_are_read_in_their_columns_own_convention(texts: list[str], values: list[object]) -> None:
    data = grid(Sheet().table([["A", "B"], *[["x", text] for text in texts]]))
    assert [record["b_1"] for record in data.records()] == values


def test_snake_case_parts_words_and_humps() -> None:
    assert [snake(name) for name in ("Unit Price (USD)", "unitPrice", "№ 5", "größe")] == ["unit_price_usd", "unit_price", "5", "größe"]
