from __future__ import annotations

import sys

import pytest

from heliograph.errors import NotConfigured
from heliograph.evaluation import wording
from heliograph.evaluation.wording import Placed, errors, late, normalised, rate


def test_case_marks_and_ways_of_writing_a_number_are_no_errors_in_english() -> None:
    assert errors("Mr. Quilter's twenty cats don't mew!", "mister quilter is 20 cats do not mew", "en").right == 0
    assert normalised("Colour, and centre", "en") == ["color", "and", "center"]


def test_each_word_changed_added_or_left_out_is_one_error() -> None:
    # the cat sat on the mat -> the hat sat on mat again: one changed, one left out, one added, of six
    share = errors("The cat sat on the mat", "the hat sat on mat again", "en")
    assert (share.right, share.got, share.want) == (3, 6, 6)
    assert share.recall == 0.5


def test_what_is_heard_in_silence_counts_without_a_word_to_divide_it_by() -> None:
    assert errors("", "thank you", "en") == (2, 2, 0)
    assert errors("one two", "", "en").recall == 1


def test_languages_without_blanks_are_counted_by_the_character() -> None:
    assert (rate("ja"), rate("de"), rate("en")) == ("CER", "WER", "WER")
    share = errors("東京は、晴れ。", "東京も 晴れ", "ja")
    assert (share.right, share.want) == (1, 5)


def test_an_umlaut_is_a_letter_of_its_own() -> None:
    assert errors("Der Räume genutzt", "der räume genutzt", "de").right == 0
    assert errors("Der Räume genutzt", "der raume genutzt", "de").right == 1


def test_words_heard_rightly_tell_how_late_they_begin() -> None:
    want = [Placed("Mr", 0.5), Placed("Quilter", 0.9), Placed("is", 1.3), Placed("here", 1.6)]
    got = [Placed("mister", 0.6), Placed("quitter", 0.9), Placed("is,", 1.25), Placed("right", 1.4), Placed("here.", 1.9)]
    assert late(want, got, "en") == pytest.approx([0.1, -0.05, 0.3])


def test_a_word_that_is_written_as_two_has_one_beginning() -> None:
    assert late([Placed("don't", 1.0), Placed("go", 2.0)], [Placed("do", 1.5), Placed("not", 1.7), Placed("go", 2.5)], "en") == [0.5, 0.5]
    assert late([Placed("go", 2.0)], [], "en") == []


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(NotConfigured, match=r"pip install 'heliograph\[eval\]'"):
        wording.errors("one", "one", "en")
