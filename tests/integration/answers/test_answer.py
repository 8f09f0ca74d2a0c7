"""From files to answers, with real reading: the sample invoice (two pages) and the sample receipt (an image)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import InvalidRequest, RequiredMissing
from heliograph.extraction.answer import answer
from heliograph.extraction.plan import Plan, resolve
from heliograph.media.document import Page
from heliograph.perception.reader import Reader

pytestmark = pytest.mark.asyncio(loop_scope="package")
SAMPLES = Path(str(files("heliograph") / "samples"))
INVOICE, RECEIPT = SAMPLES / "invoice.pdf", SAMPLES / "receipt.png"


def plan(domain: str | None = None, **config: Any) -> Plan:
    return resolve("document", "generate", domain, config)


def schema(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


async def test_an_invoice_is_answered_under_old_and_new_names(reader: Reader) -> None:
    got = await answer(reader, [INVOICE], plan("document.invoice", grounding=True))
    response = got.response
    assert (response["invoice_id"], response["total"], response["total_amount"]) == ("BW-2026-0318", 8956.08, 8956.08)
    assert response["issuer"] == response["issuer_name"] == "Brightwater Instruments Ltd"
    assert response["invoice_id_metadata"]["bboxes"][0]["page"] == 0
    assert list(response).index("notes") < list(response).index("order_id") < list(response).index("invoice_id_metadata")
    assert (got.elements, got.element_type) == (2, "page")


async def test_several_files_are_one_document_whose_pages_go_on(reader: Reader) -> None:
    told: list[tuple[int, int]] = []

    async def on_page(page: Page) -> None:
        told.append((page.index, page.words[0].box.page))

    receipt_total = schema(receipt_no={"type": "string", "description": "Receipt number"})
    got = await answer(reader, [INVOICE, RECEIPT], plan(json_schema=receipt_total, grounding=True, page_indices=[1, 2]), on_page=on_page)
    assert told == [(1, 1), (2, 2)]
    assert [page.index for page in got.document.pages] == [1, 2]
    assert got.response["receipt_no_metadata"]["bboxes"][0]["page"] == 2
    assert (got.elements, got.document.page_count) == (2, 3)


async def test_how_far_the_reading_is_is_told_in_pages(reader: Reader) -> None:
    told: list[tuple[str, float, float]] = []

    async def progress(step: str, done: float, total: float) -> None:
        told.append((step, done, total))

    await answer(reader, [INVOICE], plan("document.layout-detection"), progress=progress)
    await answer(reader, [INVOICE, RECEIPT], plan("document.layout-detection"), progress=progress)
    await answer(reader, [INVOICE], plan("document.layout-detection", page_indices=[1]), progress=progress)
    assert told == [("reading", done, total) for done, total in ((1, 2), (2, 2), (1, 3), (2, 3), (3, 3), (1, 1))]


async def test_pages_that_are_known_are_not_read_again(reader: Reader) -> None:
    kept: dict[int, Page] = {}

    async def keep(page: Page) -> None:
        kept[page.index] = page

    async def known(index: int) -> Page | None:
        page = kept[index]
        page.words[0].text = "Remembered"
        return page

    await answer(reader, [INVOICE, INVOICE], plan("document.layout-detection"), on_page=keep)
    got = await answer(reader, [INVOICE, INVOICE], plan("document.layout-detection"), known=known)
    assert sorted(kept) == [0, 1, 2, 3]
    assert [page.words[0].text for page in got.document.pages] == ["Remembered"] * 4
    assert [page.words[0].box.page for page in got.document.pages] == [0, 1, 2, 3]


async def test_a_page_that_is_not_there_is_refused_before_anything_is_read(reader: Reader) -> None:
    with pytest.raises(InvalidRequest, match="page 2, but there is only 2 pages"):
        await answer(reader, [INVOICE], plan("document.invoice", page_indices=[0, 2]))


async def test_a_required_value_that_is_not_there_is_a_warning_and_with_strict_a_failure(reader: Reader) -> None:
    asked = schema(invoice_number={"type": "string"}, passport_number={"type": "string", "description": "Number of the passport"})
    got = await answer(reader, [INVOICE], plan(json_schema=asked))
    assert got.response == {"invoice_number": "BW-2026-0318", "passport_number": None}
    assert got.message is not None
    assert "required_missing: passport_number" in got.message
    with pytest.raises(RequiredMissing, match="passport_number"):
        await answer(reader, [INVOICE], plan(json_schema={"name": "x", "schema": asked, "strict": True}))


async def test_a_skill_without_a_schema_is_answered_in_fields_of_the_document(reader: Reader) -> None:
    skill = Plan(kind="document", operation="generate", mode="extract", warnings=["schema_derived: from the document"])
    got = await answer(reader, [INVOICE], skill)
    assert got.response["total_due"] == 8956.08
    assert got.message is not None
    assert got.message.startswith("schema_derived")


async def test_warnings_of_the_plan_stand_in_one_line(reader: Reader) -> None:
    got = await answer(reader, [INVOICE], plan("document.markdown", keyframes=True, grounding=True))
    assert got.message is not None
    assert "\n" not in got.message
    assert [part.split()[0] for part in got.message.split("; ")][:2] == ["config.keyframes", "markdown"]
    assert [page["metadata"]["page_number"] for page in got.response["pages"]] == [0, 1]


async def test_a_schema_is_proposed_from_a_picture(reader: Reader) -> None:
    got = await answer(reader, [RECEIPT], resolve("image", "schema"))
    assert {"total", "subtotal", "tax", "date"} <= got.response["json_schema"]["properties"].keys()
    assert got.response["json_schema"]["properties"]["items"]["type"] == "array"
    assert got.element_type == "image"
    assert "total" in got.response["gql_stmt"]
