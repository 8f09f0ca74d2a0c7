"""Numbers against a bar, and against an earlier run."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.evaluation.bar import heights, read_numbers
from heliograph.evaluation.comparison import changes, turns
from heliograph.evaluation.summary import Numbers, lower_is_better

MEASURED: Numbers = {"mine": {"micro": {"f1": 0.8, "hallucination": 0.02}, "total": {"f1": 0.9}}}


def under(measured: Numbers, bar: Numbers, sets: set[str] | None = None) -> list[str]:
    return [str(height) for height in heights(measured, bar, sets) if height.under]


def test_what_is_under_the_bar_is_named_and_the_rest_is_not() -> None:
    assert under(MEASURED, {"mine": {"micro": {"f1": 0.8, "hallucination": 0.02}}}) == []
    assert under(MEASURED, {"mine": {"total": {"f1": 0.95}}}) == ["mine total f1 is 0.900; the bar is at least 0.95"]


def test_of_made_up_answers_the_bar_is_the_most_allowed() -> None:
    assert under(MEASURED, {"mine": {"micro": {"hallucination": 0.01}}}) == ["mine micro hallucination is 0.020; the bar is at most 0.01"]


def test_every_number_of_the_bar_is_told_with_what_was_reached() -> None:
    bar = {"mine": {"total": {"f1": 0.95}, "micro": {"hallucination": 0.03}}}
    assert [(one.field, one.got, one.under) for one in heights(MEASURED, bar)] == [("total", 0.9, True), ("micro", 0.02, False)]


@pytest.mark.parametrize("metric", ["CER, rotated twin", "WER", "false positives", "likeness of blocks, lost on photos, French", "ece"])
def test_of_errors_and_losses_less_is_better(metric: str) -> None:
    assert lower_is_better(metric)
    assert not heights({"a": {"micro": {metric: 0.1}}}, {"a": {"micro": {metric: 0.2}}})[0].under


def test_what_was_not_measured_is_under_the_bar_unless_its_set_was_not_asked_for() -> None:
    bar = {"other": {"micro": {"f1": 0.5}}}
    assert under(MEASURED, bar) == ["other micro f1 was not measured; the bar is 0.5"]
    assert under(MEASURED, bar, {"mine"}) == []


@pytest.mark.parametrize("text", ["[]", "{", '{"a": {"b": 1}}', '{"a": {"b": {"f1": "high"}}}'])
def test_a_file_of_another_shape_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "bar.json").write_text(text)
    with pytest.raises(ValueError, match=r"bar\.json"):
        read_numbers(tmp_path / "bar.json")


def test_changes_know_what_is_better() -> None:
    before = {"mine": {"micro": {"f1": 0.7, "hallucination": 0.01}, "total": {"f1": 0.9}}, "gone": {"micro": {"f1": 1.0}}}
    assert [(change.field, change.metric, change.gained) for change in changes(before, MEASURED)] == [
        ("micro", "f1", True),
        ("micro", "hallucination", False),
    ]


def test_all_sets_together_are_compared_only_when_they_are_the_same() -> None:
    both: Numbers = {"a": {"micro": {"f1": 0.5}}, "b": {"micro": {"f1": 0.5}}, "all": {"micro": {"f1": 0.5}}}
    one: Numbers = {"a": {"micro": {"f1": 0.5}}, "all": {"micro": {"f1": 0.6}}}
    assert changes(both, one) == []
    assert [change.set for change in changes(both, both | {"all": {"micro": {"f1": 0.6}}})] == ["all"]


def test_documents_that_turned_are_told() -> None:
    before = {"mine": {"a": {"total": "right", "date": "wrong", "name": "right"}}}
    after = {"mine": {"a": {"total": "wrong", "date": "missing", "name": "right", "new": "right"}, "b": {"total": "right"}}}
    assert [(turn.field, turn.gained) for turn in turns(before, after)] == [("total", False), ("date", True)]
