from __future__ import annotations

import msgspec
from tests.unit.perception.drawing import placed

from heliograph.media.document import Page
from heliograph.perception.margins import name_margins
from heliograph.perception.order import arrange


def page(index: int, *lines: tuple[float, str], size: float = 10.0) -> Page:
    arranged = arrange([word for y, text in lines for word in placed(60, y, text, size=size)], 600, 800)
    return Page(index, 600, 800, words=arranged.words, lines=arranged.lines, blocks=arranged.blocks)


def kinds(page: Page) -> dict[str, str]:
    return {" ".join(page.lines[i].text for i in block.lines): block.kind for block in page.blocks}


def test_what_repeats_at_the_edges_is_header_and_footer_though_its_number_changes() -> None:
    pages = [
        page(n, (40, "Annual report of the harbour"), (300, f"Chapter {n}"), (740, f"Harbour office, sheet {n + 1} of 3")) for n in range(3)
    ]
    name_margins(pages)
    assert [list(kinds(page).values()) for page in pages] == [["page-header", "text", "page-footer"]] * 3


def test_what_repeats_in_the_middle_or_stands_once_stays_text() -> None:
    pages = [page(n, (60, f"{'abc'[n] * 5} opening line"), (300, "The same sentence"), (500, "and its end")) for n in range(3)]
    before = [kinds(page) for page in pages]
    name_margins(pages)
    assert [kinds(page) for page in pages] == before


def test_what_repeats_in_different_places_is_no_running_title() -> None:
    pages = [page(0, (20, "Notes"), (300, "x")), page(1, (75, "Notes"), (300, "y"))]
    before = msgspec.json.encode(pages)
    name_margins(pages)
    assert msgspec.json.encode(pages) == before


def test_the_lone_pages_of_a_long_document_do_not_make_a_running_title() -> None:
    pages = [page(n, (40, "Appendix" if n > 7 else f"{'abcdefgh'[n] * 6} part"), (300, "x")) for n in range(10)]
    name_margins(pages)
    assert kinds(pages[9])["Appendix"] != "page-header"
