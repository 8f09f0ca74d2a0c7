"""The measures measure what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from heliograph.evaluation.metrics import (
    accuracy_at_coverage,
    anls_star,
    assignment,
    auroc,
    calibration_error,
    f1,
    inside,
    money,
    risk_coverage,
    rows_right,
    same,
    similar,
    words_right,
)
from heliograph.media.geometry import Box


@pytest.mark.parametrize(
    ("got", "want", "kind", "equal"),
    [
        ("Ａcme  ltd", "ACME LTD", "text", True), ("Acme", "Acme Ltd", "text", False), (12.5, "RM 12.50", "number", True),
        (12.5, "12.51", "number", False),
        ("2018-01-05", "05/01/18", "date", True), ("2018-05-01", "05/01/18", "date", False), (True, True, "boolean", True),
        (None, "a", "text", False),
        (None, None, "text", True), ("x", None, "text", False), (1234.0, "$1,234", "number", True),
    ],
)  # fmt: skip
def test_values_are_equal_after_normalisation_only(got: object, want: object, kind: str, equal: bool) -> None:
    assert same(got, want, kind) is equal


def test_texts_may_be_similar_and_numbers_may_not() -> None:
    assert similar("12, Jalan Tampoi 7/4", "12 JALAN TAMPOI 7/4", "text")
    assert not similar("Jalan", "12 JALAN TAMPOI 7/4", "text")
    assert not similar(100.0, 100.1, "number")


def test_money_reads_what_people_write() -> None:
    assert [str(money(text)) for text in ("$2,025", "RM8.50", 3, "12.50", None, True)] == ["2025", "8.50", "3", "12.50", "None", "None"]


def test_f1_weighs_what_was_answered_and_what_was_there() -> None:
    assert f1(2, 4, 2) == pytest.approx(2 / 3)
    assert f1(0, 0, 0) == 1.0
    assert f1(0, 3, 0) == 0.0


@given(
    st.integers(1, 6).flatmap(
        lambda columns: st.lists(st.lists(st.floats(0, 1), min_size=columns, max_size=columns), min_size=1, max_size=6)
    )
)
def test_the_assignment_is_as_good_as_scipys(scores: list[list[float]]) -> None:
    pairs = assignment(scores)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs) == min(len(scores), len(scores[0]))
    rows, columns = linear_sum_assignment(scores, maximize=True)
    assert sum(scores[r][c] for r, c in pairs) == pytest.approx(sum(scores[r][c] for r, c in zip(rows, columns, strict=True)))


def test_rows_are_matched_in_any_order_and_each_once() -> None:
    want = [{"n": "a"}, {"n": "b"}]
    assert rows_right([{"n": "b"}, {"n": "a"}, {"n": "a"}], want, lambda g, w: float(g == w)) == 2
    assert rows_right([], want, lambda g, w: 1.0) == 0


def test_calibration_error_is_the_gap_between_said_and_true() -> None:
    assert calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == pytest.approx(0.0)
    assert calibration_error([(0.95, False)] * 10) == pytest.approx(0.95)
    assert calibration_error([]) == 0.0


def test_auroc_is_the_chance_that_right_ranks_above_wrong() -> None:
    assert auroc([(0.9, True), (0.1, False)]) == 1.0
    assert auroc([(0.1, True), (0.9, False)]) == 0.0
    assert auroc([(0.5, True), (0.5, False)]) == 0.5
    assert auroc([(0.5, True)]) is None


def test_words_count_as_multisets() -> None:
    assert words_right(["a", "A", "b"], ["a", "b", "b"]) == (2, 3, 3)


def test_a_box_is_inside_by_its_area_on_its_page() -> None:
    box = Box(0.1, 0.1, 0.2, 0.1)
    assert inside(box, [Box(0.0, 0.0, 0.2, 1.0)]) == pytest.approx(0.5)
    assert inside(box, [Box(0.0, 0.0, 1.0, 1.0, 1)]) == 0.0


def test_risk_falls_and_rises_with_the_answers_that_are_kept() -> None:
    judged = [(0.9, True), (0.8, False), (0.8, True), (0.1, False)]
    assert risk_coverage(judged) == [(0.25, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert risk_coverage([]) == []


def test_accuracy_at_coverage_takes_the_surest_and_shares_ties() -> None:
    judged = [(0.9, True), (0.9, True), (0.9, True), (0.5, False), (0.1, False)]
    assert accuracy_at_coverage(judged) == pytest.approx(3 / 4)  # four of five are kept
    assert accuracy_at_coverage([(0.5, True), (0.5, False)], 0.5) == pytest.approx(0.5)
    assert accuracy_at_coverage([]) is None


@pytest.mark.parametrize(
    ("got", "want", "score"),
    [
        ({"a": "Hello", "b": "x"}, {"a": "hello", "b": "y"}, 1 / 2),
        ({"a": "abcd"}, {"a": "abcx"}, 3 / 4),
        ({"a": "abcd"}, {"a": "wxyz"}, 0.0),
        ({"a": "axyz"}, {"a": "abcd"}, 0.0),  # a quarter alike: under the threshold of a half
        ({"a": None}, {"a": "x"}, 0.0),
        ({"a": None, "b": "x"}, {"b": "x"}, 1.0),  # null on both sides does not count
        ({"rows": ["b", "a"]}, {"rows": ["a", "b"]}, 1.0),
        ({"rows": ["a", "b", "c"]}, {"rows": ["a"]}, 1 / 3),
        ({"rows": [{"n": "ab", "m": "1"}]}, {"rows": [{"n": "ab", "m": "2"}, {"n": "cd", "m": "3"}]}, 1 / 4),
        ({"rows": None}, {"rows": [{"n": "ab", "m": "2"}]}, 0.0),
        ({}, {}, 1.0),
    ],
)
def test_anls_star_averages_over_the_leaves_of_both_trees(got: object, want: object, score: float) -> None:
    assert anls_star(got, want) == pytest.approx(score)
