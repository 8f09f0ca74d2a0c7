from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.answers.drawn import Sheet, document, invoice

from heliograph.extraction.domains import catalog
from heliograph.extraction.markdown import markdown
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import BlockKind


def page(sheet: Sheet) -> dict[str, Any]:
    return markdown(document(sheet))["pages"][0]


def content(kind: BlockKind, *lines: str, level: int = 0, w: float | None = None) -> str:
    sheet = Sheet()
    sheet.block(kind, *lines, level=level, w=w)
    return page(sheet)["content"]


def test_headings_take_their_level_and_lists_their_marks() -> None:
    assert content("title", "Annual Report") == "# Annual Report"
    assert content("section-header", "Results", level=3) == "### Results"
    assert content("list-item", "• first thing", "• second thing") == "- first thing\n- second thing"
    assert content("list-item", "2. second thing") == "2. second thing"


def test_header_footer_and_number_are_comments_that_nothing_can_close() -> None:
    assert content("page-header", "ACME Inc.") == '<!-- PageHeader="ACME Inc." -->'
    assert content("page-footer", 'say "x" --> now') == '<!-- PageFooter="say &quot;x&quot; &#45;&#45;&gt; now" -->'
    for text in ("5", "Page 5", "- 5 -", "5 / 12", "Page 5 of 12"):
        assert content("page-footer", text) == '<!-- PageNumber="5" -->'


def test_lines_that_fill_their_block_run_on_and_short_lines_stay_lines() -> None:
    assert content("text", "The quick brown fox jumps over the", "lazy dog.") == "The quick brown fox jumps over the lazy dog."
    assert content("text", "The quick brown fox jumps over sleep-", "ing dogs.") == "The quick brown fox jumps over sleeping dogs."
    assert content("text", "ACME Ltd", "1 Long Street, Springfield", "USA") == "ACME Ltd\n1 Long Street, Springfield USA"


def test_a_hyphen_that_belongs_to_the_word_stays() -> None:
    assert (
        content("text", "Pressure from many organisations, all non-", "governmental.")
        == "Pressure from many organisations, all non-governmental."
    )
    sheet = Sheet()
    sheet.block("text", "An event-driven design", y=20)
    sheet.block("text", "What is the use of a very well made event-", "driven design?", y=60)
    assert page(sheet)["content"].endswith("well made event-driven design?")


def test_text_does_not_become_markup_by_accident() -> None:
    assert content("text", "# 5 is a number") == "\\# 5 is a number"
    assert content("text", '<Table id="tb-0"/>') == '&lt;Table id="tb-0"/>'


def test_paragraphs_are_parted_and_items_of_a_list_stand_together() -> None:
    sheet = Sheet()
    sheet.block("title", "T", y=20)
    sheet.block("list-item", "• a", y=40)
    sheet.block("list-item", "• b", y=60)
    sheet.block("text", "End", y=80)
    assert page(sheet)["content"] == "# T\n\n- a\n- b\n\nEnd"


def test_a_table_stands_as_placeholder_and_as_data_with_cells() -> None:
    sheet = Sheet()
    sheet.block("caption", "Table 1: sales", y=280)
    sheet.table([["Year", "Sales | net"], ["2023", "1,200"], ["2024", "1,300"]])
    made = page(sheet)
    table = made["tables"][0]
    assert made["content"] == 'Table 1: sales\n\n<Table id="tb-0"/>'
    assert table["metadata"] == {"title": None, "caption": "Table 1: sales", "notes": None}
    assert table["headers"] == [
        {"id": "year_0", "column": 0, "name": "Year", "dtype": "int"},
        {"id": "sales_net_1", "column": 1, "name": "Sales | net", "dtype": "int"},
    ]
    assert table["data"] == [{"year_0": 2023, "sales_net_1": 1200}, {"year_0": 2024, "sales_net_1": 1300}]
    assert table["content"] == "| Year | Sales \\| net |\n| --- | --- |\n| 2023 | 1,200 |\n| 2024 | 1,300 |"
    assert table["cells"][3] == {"content": "1,200", "bbox": {"xywh": [0.2667, 0.3925, 0.0417, 0.0125]}, "index": [1, 1], "span": [1, 1]}
    assert made["markdown_content"] == f"Table 1: sales\n\n{table['content']}"


def test_a_figure_has_an_integer_id_its_caption_and_the_text_inside_it() -> None:
    sheet = Sheet()
    sheet.block("picture", "Q1 Q2 Q3", y=100)
    sheet.block("caption", "Figure 1: growth", y=115)
    made = page(sheet)
    assert made["content"] == '<Figure id="fg-0"/>\n\nFigure 1: growth'
    assert made["figures"] == [
        {"id": 0, "title": None, "caption": "Figure 1: growth", "content": "Q1 Q2 Q3", "bbox": {"xywh": sheet.page.blocks[0].box.xywh()}}
    ]
    assert made["markdown_content"] == '<Figure id="fg-0"/>\n\nQ1 Q2 Q3\n\nFigure 1: growth'


def test_ids_begin_anew_on_every_page_and_pages_keep_their_numbers() -> None:
    pages = markdown(invoice())["pages"]
    assert [made["metadata"] for made in pages] == [{"language": "en", "page_number": 0}, {"language": "en", "page_number": 1}]
    assert all('<Table id="tb-0"/>' in made["content"] and len(made["tables"]) == 1 for made in pages)


def test_lines_in_no_block_are_not_lost() -> None:
    sheet = Sheet()
    sheet.block("text", "inside", y=20)
    sheet.line("outside", 50, 200)
    assert page(sheet)["content"] == "inside\n\noutside"


WORDS = st.text(st.sampled_from("abz019.,-:|$%<> \\"), max_size=8)


@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=6), st.integers(0, 3), st.integers(0, 5))
def test_no_word_of_a_table_is_left_out(rows: list[list[str]], header_rows: int, indented: int) -> None:
    sheet = Sheet()
    sheet.table([[text.replace("<", "(").replace("^", "") for text in row] for row in rows], header_rows=header_rows, indent={indented: 10})
    made = page(sheet)
    said = made["markdown_content"] + re.sub(r"\\(.)", r"\1", made["markdown_content"])  # cells are escaped, a title is not
    for row in rows:
        for text in row:
            for word in text.replace("<", "(").split():
                assert word.rstrip(":") in said
    assert compile_schema(catalog()["document.markdown"].json_schema).check({"pages": [made]}) == []


def test_an_empty_page_is_a_page() -> None:
    assert page(Sheet()) == {
        "content": "",
        "markdown_content": "",
        "metadata": {"language": "en", "page_number": 0},
        "tables": [],
        "figures": [],
    }


@pytest.mark.parametrize("made", [markdown(invoice()), markdown(document(Sheet()))], ids=["invoice", "empty"])
def test_the_answer_fits_the_domains_own_schema(made: dict[str, Any]) -> None:
    assert compile_schema(catalog()["document.markdown"].json_schema).check(made) == []
