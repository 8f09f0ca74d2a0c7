"""From a document to an extraction by asking a model: windows, rows, states, resuming, and what is not hidden."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from heliograph.extraction.prompted.extractor import Extractor, extract
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.result import Extraction
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document, Page, Unread
from heliograph.media.geometry import Box
from heliograph.models.contract import Ask, Reply
from heliograph.models.errors import ModelLimit, ModelUnavailable
from heliograph.perception.steps import NoSteps, Steps

from .ledgers import ledger, plain
from .talking import Drawn, Remembered, Talking, said, seen

FLAT = compile_schema({"type": "object", "properties": {"number": {"type": "string"}, "total": {"type": "number"}}})
ROWS = compile_schema(
    {
        "type": "object",
        "properties": {
            "entries": {
                "type": "array",
                "items": {"type": "object", "properties": {"text": {"type": "string"}, "amount": {"type": "number"}}},
            }
        },
    }
)


def _document(*pages: Page, page_count: int | None = None) -> Document:
    return Document("application/pdf", page_count or len(pages), list(pages))


async def _extract(document: Document, schema: Schema, model: Talking, *, steps: Steps | None = None, **request: Any) -> Extraction:
    return await extract(document, schema, Request(**request), model, Drawn(), steps or NoSteps())


def _statement(index: int, rows: int = 5) -> Page:
    lines = [("Text", "Amount"), *((f"Transfer {index * 100 + n}", f"{index * 100 + n}.25") for n in range(rows))]
    return ledger(lines, index=index)


def _reads_rows(ask: Ask) -> Any:
    """A model that reads every row that it is shown, or that it is asked for once more."""
    text = said(ask)
    shown = text.rpartition("entries that the pages show:")[2] if "lacks entries" in text else text
    return {"entries": [{"text": name, "amount": float(amount)} for name, amount in re.findall(r"(Transfer \d+) \| (\d+\.\d\d)", shown)]}


def _numbers(made: Extraction) -> list[int]:
    return [int(entry["amount"]) for entry in made.values["entries"]]


async def test_values_come_with_the_words_that_carry_them() -> None:
    page = plain("Invoice number A-17\nTotal 12.50")
    made = await _extract(_document(page), FLAT, Talking(lambda _: {"number": "A-17", "total": 12.5}))
    assert made.values == {"number": "A-17", "total": 12.5}
    assert [(leaf.state, leaf.match) for leaf in made.leaves.values()] == [("found", "exact")] * 2
    assert made.leaves[("number",)].evidence[0].content == "A-17"


async def test_a_value_that_no_page_supports_is_kept_and_marked() -> None:
    made = await _extract(_document(plain("Invoice number A-17")), FLAT, Talking(lambda _: {"number": "Z-99", "total": None}))
    assert made.values["number"] == "Z-99"
    assert (made.leaves[("number",)].match, made.leaves[("number",)].evidence) == ("none", [])


async def test_three_hundred_pages_are_read_in_windows_side_by_side_in_order_and_none_twice() -> None:
    pages = [_statement(index) for index in range(300)]
    model = Talking(_reads_rows, delay=0.01, concurrency=6)
    made = await _extract(_document(*pages), ROWS, model)
    assert _numbers(made) == [index * 100 + n for index in range(300) for n in range(5)]
    assert made.leaves[("entries", 1499, "text")].evidence[0].box.page == 299
    assert 300 / 16 <= len(model.asked) < 100
    assert not [warning for warning in made.warnings if "rows" in warning]


async def test_no_more_windows_are_under_way_than_the_model_takes() -> None:
    under_way = most = 0

    class Counting(Talking):
        async def ask(self, ask: Ask) -> Reply:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                return await super().ask(ask)
            finally:
                under_way -= 1

    model = Counting(_reads_rows, delay=0.01, concurrency=3, vision=True, max_pictures=2)
    await _extract(_document(*(_statement(index) for index in range(20))), ROWS, model)
    assert most == 3


async def test_a_window_is_asked_about_while_later_pages_are_read() -> None:
    model = Talking(_reads_rows, vision=True, max_pictures=2)
    extractor = await Extractor.begin(ROWS, Request(), model, Drawn(), NoSteps())
    pages = [_statement(index) for index in range(5)]
    for page in pages[:3]:
        extractor.add(page)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(model.asked) == 1
    for page in pages[3:]:
        extractor.add(page)
    made = await extractor.finish(_document(*pages))
    assert len(_numbers(made)) == 25


async def test_rows_that_the_model_left_out_are_asked_for_once_more() -> None:
    def forgetful(ask: Ask) -> Any:
        made = _reads_rows(ask)
        return made if "lacks entries" in said(ask) else {"entries": [entry for entry in made["entries"] if entry["amount"] != 3.25]}

    model = Talking(forgetful)
    made = await _extract(_document(_statement(0, rows=8)), ROWS, model)
    assert _numbers(made) == list(range(8))
    assert len(model.asked) == 2
    assert "Transfer 3 | 3.25" in said(model.asked[1]).rpartition("lacks entries")[2]
    assert model.asked[0].messages[0] == model.asked[1].messages[0]
    assert model.asked[0].messages[1].parts[0] == model.asked[1].messages[1].parts[0], "the same document, for the prefix cache"


async def test_rows_that_stay_missing_are_said_or_marked_as_the_embedded_engines() -> None:
    def deaf(ask: Ask) -> Any:
        return {"entries": [entry for entry in _reads_rows(ask)["entries"] if entry["amount"] not in (3.25, 5.25)]}

    made = await _extract(_document(_statement(0, rows=8)), ROWS, Talking(deaf))
    told = [warning for warning in made.warnings if warning.startswith(("rows_missing: entries", "rows_added: entries"))]
    assert told
    if any(warning.startswith("rows_missing") for warning in told):
        assert "rows_missing: entries: 6 of 8 rows" in told
    else:
        assert _numbers(made) == list(range(8))


async def test_finished_windows_are_not_asked_about_again_after_a_failure() -> None:
    pages = [_statement(index) for index in range(8)]
    steps = Remembered()

    def breaks_at_the_third(ask: Ask) -> Any:
        return ModelUnavailable("gone") if "Transfer 400" in said(ask) else _reads_rows(ask)

    first = Talking(breaks_at_the_third, vision=True, max_pictures=2, concurrency=1)
    with pytest.raises(ModelUnavailable):
        await _extract(_document(*pages), ROWS, first, steps=steps)
    assert len(steps.steps) == 2
    second = Talking(_reads_rows, vision=True, max_pictures=2, concurrency=1)
    made = await _extract(_document(*pages), ROWS, second, steps=steps)
    assert len(second.asked) == 2
    assert _numbers(made) == [index * 100 + n for index in range(8) for n in range(5)]


async def test_another_question_takes_nothing_from_the_journal() -> None:
    page, steps = plain("Invoice number A-17\nTotal 12.50"), Remembered()
    model = Talking(lambda _: {"number": "A-17", "total": 12.5})
    for instructions in (None, "Read it twice."):
        await _extract(_document(page), FLAT, model, steps=steps, instructions=instructions)
    assert len(model.asked) == 2


async def test_a_model_that_takes_less_than_it_says_is_asked_in_halves() -> None:
    def small(ask: Ask) -> Any:
        return ModelLimit("too long") if said(ask).count("<page ") > 3 else _reads_rows(ask)

    made = await _extract(_document(*(_statement(index) for index in range(8))), ROWS, Talking(small))
    assert len(_numbers(made)) == 40


async def test_a_refusal_is_a_state_and_a_warning() -> None:
    def refuses(_: Ask) -> Any:
        return Reply(text="", finish="refusal", refusal="I cannot help with this.")

    made = await _extract(_document(plain("scribbles of no kind")), FLAT, Talking(refuses))
    assert {leaf.state for leaf in made.leaves.values() if leaf.value is None} == {"refused"}
    assert any("refused" in warning and "I cannot help with this." in warning for warning in made.warnings)


async def test_a_model_without_eyes_is_not_asked_about_a_picture_and_says_so() -> None:
    model = Talking(lambda _: {"number": "A-17", "total": 1})
    made = await _extract(_document(Page(0, 600, 800)), FLAT, model)
    assert model.asked == []
    assert made.values == {"number": None, "total": None}
    assert {leaf.state for leaf in made.leaves.values()} == {"unreadable"}
    assert any(warning.startswith("page_not_seen") and "takes no images" in warning for warning in made.warnings)


async def test_what_could_not_be_read_is_not_absent() -> None:
    page = plain("Invoice number A-17")
    page.unread.append(Unread("Cyrillic", Box(0.1, 0.5, 0.3, 0.02)))
    made = await _extract(_document(page), FLAT, Talking(lambda _: {"number": "A-17", "total": None}))
    assert made.leaves[("total",)].state == "unreadable"
    seeing = await _extract(_document(page), FLAT, Talking(lambda _: {"number": "A-17", "total": None}, vision=True))
    assert seeing.leaves[("total",)].state == "absent"


async def test_pictures_are_as_large_as_detail_says_and_only_what_is_shown_is_drawn() -> None:
    model, drawn = Talking(lambda _: {"number": None, "total": None}, vision=True, longest_side=2000), Drawn()
    scan = plain("read from pixels", index=1)
    scan.source = "ocr"
    document = _document(plain("text of the file"), scan)
    await extract(document, FLAT, Request(detail="lo"), model, drawn, NoSteps())
    await extract(document, FLAT, Request(detail="hi"), model, drawn, NoSteps())
    assert drawn.asked == [(1, 768), (0, 2000), (1, 2000)]
    assert [seen(ask) for ask in model.asked] == [1, 2]


async def test_closing_cancels_what_the_model_is_at() -> None:
    model = Talking(_reads_rows, delay=30, vision=True, max_pictures=1)
    extractor = await Extractor.begin(ROWS, Request(), model, Drawn(), NoSteps())
    for index in range(3):
        extractor.add(_statement(index))
    await asyncio.sleep(0.05)
    await extractor.close()
    assert model.cancelled == len(model.asked) == 2


async def test_a_problem_of_an_early_window_ends_the_reading() -> None:
    extractor = await Extractor.begin(
        ROWS, Request(), Talking(lambda _: ModelUnavailable("gone"), vision=True, max_pictures=1), Drawn(), NoSteps()
    )
    extractor.add(_statement(0))
    extractor.add(_statement(1))
    await asyncio.sleep(0.05)
    with pytest.raises(ModelUnavailable):
        extractor.add(_statement(2))
    await extractor.close()
