"""Where windows end: by tokens, pictures, rows and pages, never between the two parts of a table without showing both."""

from __future__ import annotations

from itertools import pairwise

from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.windows import MOST_PAGES, Budget, Window, goes_on, tokens, windows
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Page
from heliograph.models.contract import Profile

from .ledgers import ledger, plain

FLAT = compile_schema({"type": "object", "properties": {"total": {"type": "number"}}})
ROWS = compile_schema(
    {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}, "amount": {"type": "number"}}},
            }
        },
    }
)


def _cut(pages: list[Page], *, schema: object = FLAT, max_tokens: int = 65_535, **profile: object) -> list[Window]:
    budget = Budget.of(Profile(**profile), schema, Request(max_tokens=max_tokens), "?")  # type: ignore[arg-type]
    return windows(pages, budget)


def _indices(made: list[Window]) -> list[list[int]]:
    return [window.indices for window in made]


def _long(index: int, rows: int = 34) -> Page:
    """A page whose table runs from its head to its foot."""
    return ledger([("Item", "Amount"), *((f"Thing {n}", f"{n}.00") for n in range(rows))], index=index, top=0.1, height=0.023)


def test_a_short_document_is_one_window_and_no_part() -> None:
    made = _cut([plain("a"), plain("b", index=1)])
    assert _indices(made) == [[0, 1]]
    assert not made[0].part


def test_every_page_is_in_a_window_and_each_fits_the_model() -> None:
    pages = [plain("some words that are read\n" * 40, index=index) for index in range(60)]
    made = _cut(pages, context=8_000, max_output=1_000)
    assert [index for window in made for index in window.indices[window.carried :]] == list(range(60))
    assert all(window.part for window in made)
    for window in made:
        assert sum(tokens("some words that are read\n" * 40) for _ in window.pages) < 8_000 - 1_000


def test_pictures_are_no_more_than_the_model_takes() -> None:
    made = _cut([plain("x", index=index) for index in range(10)], vision=True, max_pictures=4)
    assert _indices(made) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_model_of_any_size_is_asked_in_windows_that_a_kill_may_cost() -> None:
    made = _cut([plain("x", index=index) for index in range(40)], context=1_000_000, max_output=60_000)
    assert max(len(window.pages) for window in made) == MOST_PAGES


def test_many_rows_make_small_windows_where_answers_must_be_short() -> None:
    pages = [ledger([("a", "b")] * 30, index=index, height=0.01, top=0.4) for index in range(8)]
    assert len(_cut(pages, schema=ROWS, max_output=2_000)) > len(_cut(pages, schema=FLAT, max_output=2_000)) == 1
    assert len(_cut(pages, schema=ROWS, max_output=60_000, context=200_000, max_tokens=2_000)) > 1


def test_a_window_ends_where_no_table_goes_on() -> None:
    pages = [_long(0), plain("between", index=1), *(_long(index) for index in range(2, 5)), plain("end", index=5)]
    assert goes_on(pages[2], pages[3])
    assert not goes_on(pages[0], pages[1])
    made = _cut(pages, vision=True, max_pictures=3)
    assert _indices(made)[0] == [0, 1], "between pages 2 and 3 a table goes on"


def test_where_a_table_goes_on_over_the_border_its_page_is_shown_twice() -> None:
    made = _cut([_long(index) for index in range(9)], vision=True, max_pictures=4)
    assert _indices(made) == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8]]
    assert [window.carried for window in made] == [0, 1, 1]


def test_windows_of_one_page_carry_none() -> None:
    assert _indices(_cut([_long(index) for index in range(4)], vision=True, max_pictures=1)) == [[0], [1], [2], [3]]


def test_a_page_larger_than_the_model_is_a_window_of_its_own() -> None:
    pages = [plain("a"), plain("word " * 20_000, index=1), plain("b", index=2)]
    assert _indices(_cut(pages, context=4_096, max_output=512)) == [[0], [1], [2]]


def test_a_window_that_is_too_large_after_all_is_halved_down_to_a_page() -> None:
    whole = Window(0, [plain("x", index=index) for index in range(5)])
    halves = whole.halves()
    assert [half.indices for half in halves] == [[0, 1], [2, 3, 4]]
    assert halves[0].halves()[0].halves() == []
    assert all(half.part for half in halves)


def test_windows_are_in_page_order() -> None:
    made = _cut([_long(index) for index in range(30)], vision=True, max_pictures=5)
    assert all(a.indices[-1] <= b.indices[0] for a, b in pairwise(made))
    assert [window.number for window in made] == list(range(len(made)))
