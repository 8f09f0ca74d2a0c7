from __future__ import annotations

import pytest

from heliograph.evaluation.cuts import compare


def test_a_cut_may_be_two_frames_off_and_no_more() -> None:
    share, late = compare([0, 30, 76, 137], [0, 28, 78, 140])
    assert share == (2, 3, 3)
    assert late == [-2, 2]
    assert share.f1 == pytest.approx(2 / 3)


def test_one_cut_is_found_once() -> None:
    assert compare([30], [29, 30, 31]).share == (1, 3, 1)
    assert compare([29, 30, 31], [30]).share == (1, 1, 3)


def test_the_beginning_of_a_recording_is_no_cut() -> None:
    assert compare([0], [0]).share == (0, 0, 0)
    assert compare([0], [0]).share.f1 == 1
    assert compare([0], [0, 50]).share.f1 == 0


def test_neighbouring_cuts_are_all_paired() -> None:
    # taking the nearest for 31 first would leave 33 without a partner
    assert compare([30, 32], [31, 33]).share.right == 2
    assert compare([30, 32], [30, 34]).late == [0, 2]
