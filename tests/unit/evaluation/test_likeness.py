from __future__ import annotations

import pytest

from heliograph.evaluation.likeness import (
    Share,
    bags,
    blank_tokens,
    block_likeness,
    character_errors,
    keywords,
    letter_tokens,
    word_errors,
)


def test_characters_are_counted_in_edits_after_blanks_are_evened() -> None:
    assert character_errors("Total  due\n25.92", "Total due 25.92") == (0, 15)
    # one substitution, one deletion
    assert character_errors("Total 25.92", "Tota1 2592") == (2, 11)


def test_words_are_counted_in_edits_of_words() -> None:
    # "loaf" is missing, "4.20" is wrong
    assert word_errors("Sourdough loaf 4.20 net", "Sourdough 4.2O net") == (2, 4)


def test_tokens_between_blanks_keep_their_marks_and_those_of_letters_do_not() -> None:
    assert blank_tokens("Tel: 03-327 RM4.20") == ["tel:", "03-327", "rm4.20"]
    assert letter_tokens("Tel: 03-327 RM4.20") == ["tel", "03", "327", "rm4", "20"]


def test_bags_count_each_thing_as_often_as_it_occurs() -> None:
    share = bags(["a", "a", "b", "c"], ["a", "b", "b"])
    assert share == Share(2, 3, 4)
    assert share.f1 == pytest.approx(4 / 7)
    assert share.recall == 0.5
    assert share.plus(Share(1, 1, 1)) == Share(3, 4, 5)
    assert Share().f1 == 1.0


def test_keywords_are_found_whatever_their_case_and_blanks() -> None:
    assert keywords(["Short Time", "100KΩ±3%", "absent"], "SHORT\nTIME overload 100 KΩ ±3 %") == Share(2, 3, 3)


def test_a_block_is_compared_with_the_part_of_the_page_most_like_it() -> None:
    assert block_likeness("The second block.", "first block\nthe SECOND block\nthird") == 1.0
    assert block_likeness("abcd", "ab") == 0.5
    # one of ten letters is wrong
    assert block_likeness("abcdefghij", "xxx abcdeXghij yyy") == pytest.approx(0.9, abs=0.02)
