from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.extraction.layout import layout
from heliograph.extraction.markdown import FOUND_BY_MODEL, markdown
from heliograph.extraction.plan import Plan, resolve
from heliograph.extraction.prompted.describing import describe, differences, rows_of, table_of
from heliograph.extraction.prompted.looking import Sight
from heliograph.media.document import Block, Document
from heliograph.media.geometry import Box
from heliograph.models.contract import Ask, Reply
from heliograph.models.errors import ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.routes import Route
from tests.unit.answers.drawn import Sheet, document
from tests.unit.extraction.prompted.talking import Remembered
from tests.unit.extraction.prompted.talking import said as said_to
from tests.unit.extraction.prompted.telling import SIGHTED, Drawn, Telling, shown

ROWS = [["Item", "Amount"], ["Bolt", "1,284.50"], ["Nut", "9.00"]]


def plan() -> Plan:
    return resolve("document", "generate", "document.markdown", route=Route(asked="vlm-1", name="house"))


def report() -> Document:
    """A chart with a word in it, a logo, and a table."""
    sheet = Sheet()
    sheet.block("text", "Sales of the year", y=20)
    sheet.page.blocks.append(Block("picture", Box(0.1, 0.1, 0.4, 0.2), [sheet.line("Q1", 100, 100)]))
    sheet.page.blocks.append(Block("picture", Box(0.9, 0.0, 0.02, 0.02)))
    sheet.table(ROWS)
    return document(sheet)


def said(rows: list[list[str]]) -> dict[str, Any]:
    return {"rows": [{"cells": row} for row in rows]}


def telling(rows: list[list[str]] = ROWS, figures: list[Any] | None = None) -> Telling:
    listed = [{"number": 1, "description": "A bar chart."}] if figures is None else figures

    def answer(ask: Ask) -> Any:
        return said(rows) if "Copy this table" in said_to(ask) else {"figures": listed}

    return Telling(answer)


async def test_a_figure_is_described_before_the_words_in_it_and_a_mark_is_not() -> None:
    backend = telling()
    described, warnings = await describe(report(), plan(), Sight(backend, Drawn()))
    [page] = markdown(report(), described)["pages"]
    assert [figure["content"] for figure in page["figures"]] == ["A bar chart.\n\nQ1", None]
    assert '<Figure id="fg-0"/>\n\nA bar chart.\n\nQ1' in page["markdown_content"]
    assert warnings == []
    [ask] = [ask for ask in backend.asked if "Figure 1:" in said_to(ask)]
    assert "Figure 2:" not in said_to(ask)
    [region] = shown(ask)
    assert (region.width, region.height) == (336, 88), "the region and a little around it"


async def test_without_a_difference_the_answer_is_the_embedded_readers() -> None:
    described, _ = await describe(report(), plan(), Sight(telling(figures=[]), Drawn()))
    assert markdown(report(), described) == markdown(report())


async def test_where_numbers_differ_the_words_of_the_page_stand_and_the_table_says_so() -> None:
    described, warnings = await describe(
        report(), plan(), Sight(telling([*ROWS[:1], ["Bolt", "1,234.50"], ["Nuts and bolts", "9.00"]]), Drawn())
    )
    [page] = markdown(report(), described)["pages"]
    [table] = page["tables"]
    assert table["metadata"]["notes"] == "A model reads 1,234.50 where the words of the page say 1,284.50; the words stand."
    assert table["cells"] == markdown(report())["pages"][0]["tables"][0]["cells"]
    assert "1,284.50" in table["content"]
    assert warnings == [f"table_differs: page 1, table 1: {table['metadata']['notes']}"]


@pytest.mark.parametrize(
    ("rows", "whole", "note"),
    [
        (ROWS, True, None),
        ([["Bolt", "1284,50"], ["Nut", "9.00"]], True, None),
        ([["Bolt", "1,284.50", "7"], ["Nut", "9.00"]], True, "A model reads 7 that the words of the page do not say; the words stand."),
        ([["Bolt", "1,284.50"]], True, "A model reads not 9.00; the words stand."),
        ([["Bolt", "1,284.50"]], False, None),
        ([["Bolt", "?"]], True, None),
        ([], True, None),
    ],
)
def test_numbers_are_compared_by_their_digits(rows: list[list[str]], whole: bool, note: str | None) -> None:
    assert differences(report().pages[0].tables[0], rows, whole=whole) == note


def lost(*rows: str) -> Document:
    """A region that the layout takes for a table, and no table."""
    sheet = Sheet()
    sheet.block("table", *rows, y=300)
    return document(sheet)


async def test_a_table_that_the_reader_lost_is_added_marked_beside_its_said_to() -> None:
    document = lost("Item Amount", "Bolt 1,284.50", "Nut 9.00")
    described, warnings = await describe(document, plan(), Sight(telling(), Drawn()))
    [page] = markdown(document, described)["pages"]
    [before] = markdown(document)["pages"]
    assert page["content"] == before["content"] + '\n\n<Table id="tb-0"/>'
    [table] = page["tables"]
    assert table["metadata"]["notes"] == FOUND_BY_MODEL
    assert table["data"] == [{"item_0": "Bolt", "amount_1": 1284.5}, {"item_0": "Nut", "amount_1": 9.0}]
    bolt = document.pages[0].words[2]
    assert next(cell for cell in table["cells"] if cell["content"] == "Bolt")["bbox"]["xywh"] == bolt.box.xywh()
    assert warnings == []


async def test_a_table_whose_words_are_not_on_the_page_is_dropped_and_said() -> None:
    document = lost("Something else entirely", "that is no table")
    described, warnings = await describe(document, plan(), Sight(telling(), Drawn()))
    assert markdown(document, described) == markdown(document)
    assert [warning for warning in warnings if warning.startswith("table_dropped: ")]


def test_a_cell_whose_words_stand_twice_has_the_place_of_its_table() -> None:
    page = lost("Bolt 5", "Nut 5").pages[0]
    box = page.blocks[0].box
    table = table_of(page, box, [["Bolt", "5"], ["Nut", ""]])
    assert [(cell.text, cell.box == box) for cell in table.cells] == [("Bolt", False), ("5", True), ("Nut", False)]


def test_rows_are_made_as_long_as_the_longest() -> None:
    said: list[dict[str, Any]] = [{"cells": ["a", None, " b\n c "]}, {"cells": []}, {"cells": ["d"]}, {"cells": "e"}, {}]
    assert rows_of(said) == [["a", "", "b c"], ["d", "", ""]]


async def test_a_blind_model_adds_nothing_and_a_warning_says_why() -> None:
    backend = Telling({}, msgspec.structs.replace(SIGHTED, vision=False))
    described, warnings = await describe(report(), plan(), Sight(backend, Drawn()))
    assert (described, backend.asked) == ({}, [])
    assert warnings
    assert "house takes no pictures" in warnings[0]
    sheet = Sheet()
    sheet.block("text", "Only words")
    assert await describe(document(sheet), plan(), Sight(backend, Drawn())) == ({}, []), "nothing was missed"


@pytest.mark.parametrize("problem", [ModelRefused("no"), ModelLimit("too large"), Reply(text="", finish="refusal", refusal="I will not.")])
async def test_what_the_model_refuses_leaves_the_page_as_it_was_read(problem: Any) -> None:
    described, warnings = await describe(report(), plan(), Sight(Telling(problem), Drawn()))
    assert markdown(report(), described) == markdown(report())
    assert len(warnings) == 2


async def test_a_model_that_is_away_ends_the_request_and_what_it_said_before_is_kept() -> None:
    def away(ask: Ask) -> Any:
        return ModelUnavailable("away") if "Copy this table" in said_to(ask) else {"figures": [{"number": 1, "description": "A chart."}]}

    journal = Remembered()
    with pytest.raises(ModelUnavailable):
        await describe(report(), plan(), Sight(Telling(away), Drawn(), journal))
    back = telling()
    described, _ = await describe(report(), plan(), Sight(back, Drawn(), journal))
    assert described[0].figures[0] == "A chart."
    assert [said_to(ask).count("Figure 1:") for ask in back.asked] == [0]


async def test_many_figures_are_shown_as_many_at_a_time_as_the_model_takes_and_keep_their_numbers() -> None:
    sheet = Sheet()
    for number in range(6):
        sheet.page.blocks.append(Block("picture", Box(0.1, number / 10, 0.3, 0.08)))

    def answer(ask: Ask) -> Any:
        numbers = [number for number in range(1, 9) if f"Figure {number}:" in said_to(ask)]
        stray = [{"number": 8, "description": "nothing"}, {"number": numbers[0], "description": "again"}]
        return {"figures": [*({"number": number, "description": f"figure {number}"} for number in numbers), *stray]}

    backend = Telling(answer)
    described, _ = await describe(document(sheet), plan(), Sight(backend, Drawn()))
    assert described[0].figures == [f"figure {number}" for number in range(1, 7)]
    assert [len(shown(ask)) for ask in backend.asked] == [4, 2]


async def test_layout_has_what_pictures_show_and_the_words_stay() -> None:
    backend = telling()
    described, _ = await describe(report(), plan(), Sight(backend, Drawn()), tables=False)
    assert not [ask for ask in backend.asked if "Copy this table" in said_to(ask)]
    made = layout(report(), described)
    pictures = [element for element in made["elements"] if element["category"] == "picture"]
    assert [(element["text"], element.get("description")) for element in pictures] == [("Q1", "A bar chart."), ("", None)]
    assert made["picture_1_page0"] == "Q1"
    wordless = Sheet()
    wordless.page.blocks.append(Block("picture", Box(0.1, 0.1, 0.4, 0.2)))
    described, _ = await describe(document(wordless), plan(), Sight(backend, Drawn()), tables=False)
    assert layout(document(wordless), described)["picture_1_page0"] == "A bar chart."
