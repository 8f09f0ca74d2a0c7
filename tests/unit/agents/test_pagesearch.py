"""What is found on pages is cited: page, boxes, words."""

from __future__ import annotations

import re

import pytest

from heliograph.agents.pagesearch import PageText, find, folded, phrase
from tests.unit.extraction.drawing import page

PAGES = [page("Invoice number  4711\nTotal due  119.00"), page("The café accepts\ncards. Subtotal 3", index=1)]


def test_words_are_found_across_blanks_with_page_and_box() -> None:
    [hit] = find(PAGES, "invoice NUMBER")
    words = [word.box for word in PAGES[0].words[:2]]
    assert (hit.page, hit.text, hit.context) == (0, "Invoice number", "Invoice number 4711")
    assert hit.xywh == pytest.approx([words[0].x, words[0].y, words[1].x1 - words[0].x, words[0].h], abs=1e-4)


def test_words_over_two_lines_have_a_box_for_each() -> None:
    [hit] = find(PAGES, "accepts cards")
    assert len(hit.boxes) == 2
    assert (hit.page, hit.text, hit.context) == (1, "accepts cards", "The café accepts cards. Subtotal 3")


def test_accents_and_case_do_not_matter_and_whole_words_do_when_asked() -> None:
    assert [hit.text for hit in find(PAGES, "CAFE")] == ["café"]
    assert [hit.text for hit in find(PAGES, "total")] == ["Total", "total"]
    assert [hit.page for hit in find(PAGES, "total", whole=True)] == [0]


def test_what_stands_in_a_query_is_meant_as_it_is_written() -> None:
    assert list(find(PAGES, ".*")) == []
    assert phrase("a.c", whole=False).search("abc") is None


def test_folding_keeps_every_letter_in_its_place() -> None:
    for text in ("Straße", "İstanbul", "ﬁne", "Ａ１", "\u0301x"):
        assert len(folded(text)) == len(text)


def test_blanks_between_words_are_nobodys() -> None:
    text = PageText(PAGES[0])
    gap = re.search(r"\s", text.text)
    assert gap is not None
    assert text.citation(*gap.span()) is None
