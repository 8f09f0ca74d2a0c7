"""The tools of documents, on files drawn here."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heliograph import samples
from heliograph.agents import tools
from heliograph.agents.task import SkillRef
from heliograph.config import Settings
from heliograph.errors import EncryptedMedia, InvalidRequest, NotConfigured, NotFound
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.tooling import INVOICE, Tools, pdf
from tests.unit.media.paper import Pdf

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def run(settings: Settings, reader: Reader, models: Models) -> Tools:
    return Tools(settings, reader, models)


async def texts(run: Tools, ref: str) -> list[str]:
    read = await run.call("read_document", document=ref)
    return [page["text"] for page in read["pages"]]


async def test_pages_are_read_once_whoever_asks(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE), filename="invoice.pdf")
    first = await run.call("read_document", document=ref, pages=[1])
    assert [(page["page"], page["source"]) for page in first["pages"]] == [(1, "text")]
    assert run.at.readings.anew == 1
    await run.call("search_document", document="invoice.pdf", query="total")
    await run.call("answer_from_document", document=ref, field="total")
    assert run.at.readings.anew == 2


async def test_listeners_hear_how_far_the_reading_of_a_long_document_is(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE * 13))
    await run.call("search_document", document=ref, query="Jane")
    assert run.said == [f"10 pages of {ref} are read.", f"20 pages of {ref} are read."]
    await run.call("search_document", document=ref, query="Doe")
    assert len(run.said) == 2


async def test_a_page_that_lies_on_its_side_is_drawn_upright_once_it_was_read(run: Tools) -> None:
    ref = await run.bring(samples.RECEIPT.read_bytes(), "img", "image/png")
    upright = (await run.call("document_images", document=ref))["images"][0]
    with Image.open(io.BytesIO(await run.workspace.artifacts.read(upright["id"]))) as image:
        sink = io.BytesIO()
        image.transpose(Image.Transpose.ROTATE_90).save(sink, "PNG")
    lying = await run.bring(sink.getvalue(), "img", "image/png")
    await run.call("read_document", document=lying)
    drawn = (await run.call("document_images", document=lying))["images"][0]
    assert (drawn["width"] < drawn["height"]) == (upright["width"] < upright["height"])


async def test_a_long_document_is_told_in_whole_pages_with_the_next_to_go_on_from(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    read = await run.call("read_document", document=ref, characters=10)
    assert ([page["page"] for page in read["pages"]], read["next_page"], read["page_count"]) == ([0], 1, 2)


async def test_words_and_patterns_are_found_with_page_and_box(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    words = await run.call("search_document", document=ref, query="jane doe")
    assert words["count"] == 1
    [hit] = words["matches"]
    x, y, w, h = hit["xywh"]
    assert (hit["page"], hit["text"]) == (1, "Jane Doe")
    assert 0.2 < x < 0.5
    assert 0.1 < y < 0.2
    assert 0.05 < w < 0.2
    assert 0 < h < 0.03
    assert "Payment is made by Jane Doe" in hit["context"]
    pattern = await run.call("search_document", document=ref, query=r"INV-\d+", regex=True)
    assert [(hit["page"], hit["text"]) for hit in pattern["matches"]] == [(0, "INV-4711")]
    nothing = await run.call("search_document", document=ref, query="zebra")
    assert (nothing["count"], nothing["matches"], nothing["pages_searched"]) == (0, [], 2)
    with pytest.raises(InvalidRequest, match="not a regular expression"):
        await run.call("search_document", document=ref, query="(", regex=True)


async def test_a_field_in_plain_words_is_answered_with_its_place_and_how_sure_it_is(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    total = await run.call("answer_from_document", document=ref, field="total")
    assert (total["value"], total["page"], total["match"], total["state"]) == (119.0, 0, "exact", "found")
    assert total["confidence"] in ("hi", "med")
    assert total["places"][0]["text"] == "USD 119.00"
    due = await run.call("answer_from_document", document=ref, field="What is the due date?")
    assert (due["field"], due["value"]) == ("due_date", "2026-03-01")


async def test_what_a_document_does_not_say_is_null_and_without_a_place(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    found = await run.call("answer_from_document", document=ref, field="passport number")
    assert (found["value"], found["state"], found["page"], found["xywh"], found["places"]) == (None, "absent", None, None, [])
    assert found["confidence"] is None


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"domain": "document.invoice"}, {"invoice_id": "INV-4711", "total": 119.0}),
        ({"json_schema": {"type": "object", "properties": {"due_date": {"type": "string", "format": "date"}}}}, {"due_date": "2026-03-01"}),
        ({"prompt": "Extract the invoice number"}, {"invoice_number": "INV-4711"}),
        ({}, {"invoice_number": "INV-4711", "total_due": 119.0}),
    ],
    ids=["domain", "schema", "prompt", "labels"],
)
async def test_fields_are_extracted_by_domain_schema_prompt_or_the_documents_own_labels(
    run: Tools, how: dict[str, Any], expected: dict[str, Any]
) -> None:
    ref = await run.bring(pdf(*INVOICE))
    parsed = await run.call("parse_document", document=ref, **how)
    assert expected.items() <= parsed["response"].items()
    assert run.shown[-1] == ("preview.json", {"value": parsed["response"]})


async def test_grounding_gives_page_and_box_of_each_value(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    parsed = await run.call("parse_document", document=ref, prompt="Extract the invoice number", pages=[0], grounding=True)
    [box] = parsed["response"]["invoice_number_metadata"]["bboxes"]
    assert (box["content"], box["page"], parsed["pages"]) == ("INV-4711", 0, 1)


async def test_a_skill_of_the_conversation_says_what_to_extract_and_no_other(
    settings: Settings, reader: Reader, models: Models, tmp_path: Path
) -> None:
    folder = tmp_path / "dues"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: dues\ndescription: What is due when.\n---\n\n- `due_date` (date): when it is due\n")
    run = Tools(settings, reader, models, skills=[SkillRef(name="dues", hash="h", blob="b")])
    run.memory.skills["h"] = folder
    ref = await run.bring(pdf(*INVOICE))
    assert (await run.call("parse_document", document=ref, skill="dues"))["response"] == {"due_date": "2026-03-01"}
    with pytest.raises(NotFound, match="there are: dues"):
        await run.call("parse_document", document=ref, skill="other")


async def test_an_unknown_domain_is_refused_with_the_nearest(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    with pytest.raises(InvalidRequest, match=r"document\.invoice"):
        await run.call("parse_document", document=ref, domain="document.invoce")


async def test_a_document_becomes_markdown_and_parts_with_boxes(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    markdown = await run.call("parse_document_markdown", document=ref)
    assert "Invoice number: INV-4711" in markdown["pages"][0]["markdown"]
    assert [page["page"] for page in markdown["pages"]] == [0, 1]
    layout = await run.call("detect_document_layout", document=ref, pages=[1])
    assert {element["page"] for element in layout["elements"]} == {1}
    assert any("Jane Doe" in element["text"] and len(element["xywh"]) == 4 for element in layout["elements"])


async def test_pages_become_images_that_can_be_read_again(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    made = await run.call("document_images", document=ref, pages=[0], longest_side=1400)
    [image] = made["images"]
    assert (image["page"], image["height"], image["id"][:4]) == (0, 1400, "img_")
    assert [card for card, _ in run.shown] == ["preview.grid"]
    assert "INV-4711" in (await texts(run, image["id"]))[0]
    found = await run.call("parse_document_image", image=image["id"], prompt="Extract the due date")
    assert found["response"] == {"due_date": "2026-03-01"}
    with pytest.raises(InvalidRequest, match="no page 2"):
        await run.call("document_images", document=ref, pages=[2])


async def test_documents_are_taken_apart_and_put_together(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    parts = (await run.call("split_document", document=ref))["documents"]
    assert [part["pages"] for part in parts] == [1, 1]
    assert (await texts(run, parts[1]["id"]))[0].startswith("Terms")
    [chosen] = (await run.call("split_document", document=ref, parts=[[1, 0]]))["documents"]
    assert [text.split("\n")[0] for text in await texts(run, chosen["id"])] == ["Terms", "Invoice"]
    merged = await run.call("merge_documents", documents=[parts[1]["id"], ref])
    assert (merged["pages"], run.shown[-1][0]) == (3, "preview.document")
    assert [text.split("\n")[0] for text in await texts(run, merged["id"])] == ["Terms", "Invoice", "Terms"]


async def test_files_that_are_no_pdf_are_put_together_with_their_words(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    note = await run.bring(b"A note about the weather of the last few weeks.\n", media_type="text/plain", filename="note.txt")
    image = (await run.call("document_images", document=ref, pages=[0]))["images"][0]["id"]
    merged = await run.call("merge_documents", documents=[note, image])
    read = await texts(run, merged["id"])
    assert "the weather" in read[0]
    assert "INV-4711" in read[1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"parts": [[7]]}, "no page 7"),
        ({"parts": [[]]}, "without pages"),
        ({"parts": [[0]], "every": 1}, "not both"),
    ],
)
async def test_parts_that_cannot_be_are_refused(run: Tools, arguments: dict[str, Any], why: str) -> None:
    ref = await run.bring(pdf(*INVOICE))
    with pytest.raises(InvalidRequest, match=why):
        await run.call("split_document", document=ref, **arguments)


async def test_an_encrypted_pdf_is_told_to_be_one(run: Tools) -> None:
    locked = Pdf()
    locked.page(b"BT /F1 12 Tf 72 700 Td (secret) Tj ET")
    ref = await run.bring(locked.bytes(password=b"x"))
    for name, arguments in (("read_document", {}), ("split_document", {}), ("document_info", {})):
        with pytest.raises(EncryptedMedia):
            await run.call(name, document=ref, **arguments)


async def test_a_redacted_copy_no_longer_says_who(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    copy = await run.call("redact_document", document=ref)
    assert copy["counts"]["email"] == 1
    assert copy["pages"] == 2
    text = " ".join(await texts(run, copy["id"]))
    assert "jane@example.com" not in text
    assert "Payment" in text
    assert any("must look" in warning for warning in copy["warnings"])


async def test_a_document_is_classified_among_kinds_in_words_and_among_all_domains(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    among = await run.call("classify_document", document=ref, kinds=["bank statement", "invoice", "lease"])
    assert (among["kind"], among["domain"], among["answered_by"], among["certain"]) == ("invoice", "document.invoice", "embedded", True)
    assert "Invoice" in among["rationale"]
    every = await run.call("classify_document", document=ref)
    assert every["domain"] == "document.invoice"


async def test_a_document_of_no_kind_is_not_given_one(run: Tools) -> None:
    ref = await run.bring(pdf(["Of the sea", "The tide came in late and nobody saw it."]))
    found = await run.call("classify_document", document=ref, kinds=["invoice", "bank statement"])
    assert (found["kind"], found["certain"]) == (None, False)


async def test_a_kind_of_which_little_is_there_is_not_certain(run: Tools) -> None:
    ref = await run.bring(pdf(["Patient Report", "Patient name: Ann Lee", "Date of birth: 1980-02-03", "Referring physician: Dr. Roe"]))
    found = await run.call("classify_document", document=ref, kinds=["patient referral", "invoice"])
    assert (found["kind"], found["certain"]) == ("patient referral", False)


async def test_a_kind_without_a_schema_is_known_by_its_heading(run: Tools) -> None:
    ref = await run.bring(pdf(["Packing List", "Three boxes of apples"]))
    found = await run.call("classify_document", document=ref, kinds=["invoice", "packing list"])
    assert (found["kind"], found["domain"]) == ("packing list", None)


async def test_what_needs_a_model_says_so(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    with pytest.raises(NotConfigured, match="HELIOGRAPH_MODEL_URL"):
        await run.call("parse_image", image=ref)


async def test_an_artifact_that_is_not_there_is_told_with_those_that_are(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    with pytest.raises(NotFound, match=ref):
        await run.call("read_document", document="doc_000000")


async def test_the_tool_that_the_documentation_shows_works(run: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "writing-a-tool.md"
    shown = page.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    (tmp_path / "shown_tool.py").write_text(shown)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tools, "REGISTRY", {})
    import_module("shown_tool")
    ref = await run.bring(pdf(["One two", "three fourteen"]))
    assert await run.call("count_words", document=ref, longer_than=4) == {"words": 2}
