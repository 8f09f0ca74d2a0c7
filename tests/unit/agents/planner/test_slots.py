"""What a request says in figures, quotes and names."""

from __future__ import annotations

import pytest

from heliograph.agents.planner.slots import number, pairs, slots


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,200", 1200), ("1.200,50", 1200.5), ("3,5", 3.5), ("3.5", 3.5), ("-12", -12), ("1,234,567", 1234567), ("1.234.567", 1234567)],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("page 2", [1]),
        ("pages 2-3", [1, 2]),
        ("pages 1, 3 and 5", [0, 2, 4]),
        ("the second page", [1]),
        ("the 4th page", [3]),
        ("the last page", [-1]),
        ("the first two pages", [0, 1]),
        ("the last 2 pages", [-2, -1]),
        ("page 0", []),
    ],
)
def test_pages_are_counted_from_one_by_people(text: str, pages: list[int]) -> None:
    assert slots(text).pages == pages


def test_figures_know_what_they_measure() -> None:
    found = slots("turn it 45° and resize to 640x480, 50 % of 20 px, 4x")
    assert (found.angle, found.size, found.percent, found.pixels, found.factor) == (45, (640, 480), 50, 20, 4)


def test_what_is_quoted_is_nothing_else() -> None:
    found = slots('blur "red page 2" in img_a1b2c3')
    assert found.quoted == ["red page 2"]
    assert found.refs == ["img_a1b2c3"]
    assert (found.pages, found.colour) == ([], None)


def test_black_and_white_is_no_colour() -> None:
    assert slots("make it black and white").colour is None
    assert slots("draw a blue box").colour == "blue"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("apples 3, pears 5 and plums 2", [("apples", 3), ("pears", 5), ("plums", 2)]),
        ("Jan: 10, Feb: 20", [("Jan", 10), ("Feb", 20)]),
        ("rent = 1,200; food = 450.50", [("rent", 1200), ("food", 450.5)]),
        ("Q one (4), Q two (6)", [("Q one", 4), ("Q two", 6)]),
        ("nothing here", []),
    ],
)
def test_labels_keep_their_numbers(text: str, found: list[tuple[str, float]]) -> None:
    assert pairs(text) == found
