from __future__ import annotations

import pytest

from heliograph.evaluation.voices import Turn, confusion

TALK = [Turn(0, 10, "anna"), Turn(10, 20, "ben")]


def test_names_do_not_matter_and_the_best_matching_is_taken() -> None:
    assert confusion(TALK, [Turn(0, 10, "B"), Turn(10, 20, "A")]) == (0, 20, 20)


def test_missed_invented_and_mistaken_seconds_count_alike() -> None:
    # 0-2 missed, 8-10 given to the wrong one, 20-23 nobody speaks
    share = confusion(TALK, [Turn(2, 8, "A"), Turn(8, 20, "B"), Turn(20, 23, "B")])
    assert share.right == pytest.approx(2 + 2 + 3)
    assert share.recall == pytest.approx(7 / 20)


def test_one_voice_for_all_gets_the_longer_speaker_right() -> None:
    assert confusion([Turn(0, 12, "anna"), Turn(12, 20, "ben")], [Turn(0, 20, "A")]).right == pytest.approx(8)


def test_two_at_once_count_twice() -> None:
    share = confusion([Turn(0, 10, "anna"), Turn(5, 10, "ben")], [Turn(0, 10, "A")])
    assert (share.right, share.want) == (pytest.approx(5), pytest.approx(15))


def test_the_collar_forgives_what_is_off_by_less_around_true_edges_only() -> None:
    off = [Turn(0.2, 9.9, "A"), Turn(9.9, 20.2, "B")]
    assert confusion(TALK, off).right == pytest.approx(0.2 + 0.1 + 0.2)
    share = confusion(TALK, off, collar=0.25)
    assert (share.right, share.want) == (pytest.approx(0), pytest.approx(20 - 0.25 - 0.5 - 0.25))
    assert confusion(TALK, [Turn(0, 5, "A"), Turn(5.5, 10, "A"), Turn(10, 20, "B")], collar=0.25).right == pytest.approx(0.5)


def test_turns_of_one_voice_that_touch_have_no_edge_between_them() -> None:
    cut = [Turn(0, 4, "anna"), Turn(4, 10, "anna"), Turn(10, 20, "ben")]
    assert confusion(cut, [], collar=0.25).want == pytest.approx(confusion(TALK, [], collar=0.25).want)


def test_nobody_told_apart_is_all_wrong() -> None:
    assert confusion(TALK, []).recall == 1
    assert confusion([], [Turn(0, 2, "A")]) == (2, 2, 0)
