"""Files answered with a skill that has several schemas or examples: by the embedded engine, and by a model at a scripted server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.extraction.answer import Answer, answer
from heliograph.extraction.plan import Example, Plan, Skill, resolve
from heliograph.media.document import Document
from heliograph.models.errors import ModelUnavailable
from heliograph.models.routes import Route
from heliograph.models.scripted import Heard, Scripted, Turn
from heliograph.perception.reader import Reader
from heliograph.perception.steps import Steps
from tests.unit.extraction.prompted.talking import Remembered

from .test_prompted import models_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXT: dict[str, Any] = {"type": ["string", "null"]}
CHOICES: dict[str, Any] = {
    "invoice": {
        "title": "Supplier invoice",
        "type": "object",
        "properties": {"invoice_number": TEXT, "due_date": {**TEXT, "format": "date"}, "total": {"type": ["number", "null"]}},
    },
    "referral": {"type": "object", "properties": {"patient_name": TEXT, "date_of_birth": {**TEXT, "format": "date"}, "referred_by": TEXT}},
}
OTHERWISE: dict[str, Any] = {"title": "Any letter", "type": "object", "properties": {"sender": TEXT}}
INVOICE = "INVOICE\n\nInvoice number: A-17\nDue date: 2024-04-05\nTotal: 12.50\n"
REFERRAL = "Patient name: Ada Byron\nDate of birth: 1990-02-01\nReferred by: Dr. Hill\n"
POEM = "The rain came down all night,\nand nobody saw the sun again.\nSender: The Moon\n"
TAUGHT = Example(answer={"invoice_number": "K-88", "total": 77.5}, text="Fakturo: K-88\nSumo: 77.50\n", choice="invoice")


def _plan(schema: dict[str, Any] | None = None, *, choices: dict[str, Any] = CHOICES, route: str | None = None, **skill: Any) -> Plan:
    made = Skill(name="post", prompt="Sort the post.", schema=schema, choices=choices, **skill)
    asked = {"skills": [{"skill_name": "post"}], "grounding": True}
    return resolve("document", config=asked, skills=lambda _: made, route=Route(asked="vlm-1", name=route))


async def _answered(reader: Reader, folder: Path, text: str, plan: Plan, **more: Any) -> Answer:
    path = folder / "post.txt"
    path.write_text(text)
    return await answer(reader, [path], plan, **more)


async def _asked(
    reader: Reader, folder: Path, text: str, plan: Plan, server: Scripted | str, steps: Steps | None = None, **options: Any
) -> Answer:
    async with models_of(folder, server, **options) as models:
        return await _answered(reader, folder, text, plan, models=models, steps=steps)


async def test_the_labels_decide_and_the_answer_stands_in_its_envelope(reader: Reader, tmp_path: Path) -> None:
    made = (await _answered(reader, tmp_path, REFERRAL, _plan())).response
    assert list(made) == ["schemaUsed", "documentType", "classificationRationale", "data"]
    assert (made["schemaUsed"], made["documentType"]) == ("referral", "referral")
    assert "3 of 3 fields of referral" in made["classificationRationale"]
    assert made["data"]["patient_name"] == "Ada Byron"
    assert made["data"]["patient_name_metadata"]["bboxes"][0]["content"] == "Ada Byron"
    assert (await _answered(reader, tmp_path, INVOICE, _plan())).response["documentType"] == "Supplier invoice"


async def test_where_none_fits_the_schema_beside_them_is_taken_or_nothing(reader: Reader, tmp_path: Path) -> None:
    without = await _answered(reader, tmp_path, POEM, _plan())
    assert (without.response["schemaUsed"], without.response["documentType"], without.response["data"]) == (None, None, None)
    assert "Hardly any field" in without.response["classificationRationale"]
    beside = (await _answered(reader, tmp_path, POEM, _plan(OTHERWISE))).response
    assert (beside["schemaUsed"], beside["documentType"], beside["data"]["sender"]) == (None, "Any letter", "The Moon")


async def test_an_example_teaches_the_labels_of_its_schema(reader: Reader, tmp_path: Path) -> None:
    unknown = "Fakturo: B-90\nSumo: 18.25\n"
    assert (await _answered(reader, tmp_path, unknown, _plan())).response["schemaUsed"] is None
    made = (await _answered(reader, tmp_path, unknown, _plan(examples=[TAUGHT]))).response
    assert (made["schemaUsed"], made["data"]["invoice_number"], made["data"]["total"]) == ("invoice", "B-90", 18.25)


async def test_an_example_that_is_a_file_is_read_where_files_are(reader: Reader, tmp_path: Path) -> None:
    example = Example(answer={"total": 77.5}, package="ab" * 32, path="resources/a.pdf")

    class Files:
        async def document(self, example: Example) -> Document:
            path = tmp_path / "example.txt"
            path.write_text("Sumaro: 77.50\n")
            return await reader.read(path)

    plan = _plan(CHOICES["invoice"], choices={}, examples=[example])
    made = await _answered(reader, tmp_path, "Sumaro: 18.25\n", plan, examples=Files())
    assert (made.response["total"], made.warnings) == (18.25, [])
    without = await _answered(reader, tmp_path, "Sumaro: 18.25\n", _plan(CHOICES["invoice"], choices={}, examples=[Example(
        answer={"total": 66.5}, package="cd" * 32, path="resources/b.pdf")]))  # fmt: skip
    assert without.response["total"] is None
    assert without.warnings == ["example_not_read: resources/b.pdf: files of skills cannot be read here"]


def _reads(heard: Heard) -> Any:
    """A model that takes every document for an invoice, and reads its number."""
    if "Which of these kinds" in heard.text:
        return {"rationale": "It says invoice.", "kind": "invoice"}
    return {"invoice_number": "A-17", "due_date": "2024-04-05", "total": 12.5}


async def test_a_model_is_asked_which_schema_and_then_for_its_fields(reader: Reader, tmp_path: Path) -> None:
    steps = Remembered()
    plan = _plan(route="default", examples=[TAUGHT])
    with Scripted([Turn(answer=_reads, times=0)], "vllm") as server:
        made = await _asked(reader, tmp_path, INVOICE, plan, server, steps)
        again = await _asked(reader, tmp_path, INVOICE, plan, server, steps)
    assert made.response["schemaUsed"] == "invoice"
    assert made.response["classificationRationale"] == "It says invoice."
    assert made.response["data"]["total"] == 12.5
    assert made.response["data"]["total_metadata"]["match"] == "exact"
    assert again.response == made.response
    assert sorted(step.partition(":")[0] for step in steps.steps) == ["choose", "window"]
    assert len(server.requests) == 2
    first, second = (request.heard.messages[-1].text for request in server.requests if request.heard)
    assert 'Answer: {"kind":"invoice"}' in first
    assert 'Answer: {"invoice_number":"K-88","total":77.5}' in second
    assert second.index("Sumo: 77.50") < second.index("<document>") < second.index("Sort the post.")


async def test_a_model_that_says_none_fits_is_not_asked_for_fields(reader: Reader, tmp_path: Path) -> None:
    with Scripted([{"rationale": "It is a poem.", "kind": None}], "vllm") as server:
        made = await _asked(reader, tmp_path, POEM, _plan(route="default"), server)
    assert made.response == {"schemaUsed": None, "documentType": None, "classificationRationale": "It is a poem.", "data": None}
    assert len(server.requests) == 1


async def test_where_the_models_choice_is_no_use_the_labels_decide(reader: Reader, tmp_path: Path) -> None:
    turns: list[Any] = [Turn(refusal="I must not."), Turn(answer=_reads, times=0)]
    with Scripted(turns, "vllm") as server:
        made = await _asked(reader, tmp_path, INVOICE, _plan(route="default"), server)
    assert (made.response["schemaUsed"], made.response["data"]["total"]) == ("invoice", 12.5)
    assert any(warning.startswith("schema_chosen_without_model: ") and "I must not." in warning for warning in made.warnings)


async def test_a_model_that_is_away_pauses_the_request_unless_the_engine_may_stand_in(reader: Reader, tmp_path: Path) -> None:
    away = "http://127.0.0.1:9/v1"
    with pytest.raises(ModelUnavailable):
        await _asked(reader, tmp_path, INVOICE, _plan(route="default"), away)
    made = await _asked(reader, tmp_path, INVOICE, _plan(route="default"), away, fallback="embedded")
    assert (made.response["schemaUsed"], made.response["data"]["invoice_number"]) == ("invoice", "A-17")
    assert [warning for warning in made.warnings if warning.startswith("model_unavailable")]


async def test_examples_that_leave_the_document_no_room_are_left_out(reader: Reader, tmp_path: Path) -> None:
    long = [Example(answer={"total": float(n)}, text=f"Sumo: {n}.00\n" + "word " * 1_000) for n in range(3)]
    plan = _plan(CHOICES["invoice"], choices={}, route="default", examples=[*long, Example(answer={"total": 4.5}, text="Sumo: 4.50")])
    with Scripted([{"invoice_number": None, "due_date": None, "total": 12.5}], "vllm") as server:
        made = await _asked(reader, tmp_path, INVOICE, plan, server, context=8_000)
    heard = server.requests[0].heard
    assert heard is not None
    assert "Sumo: 4.50" in heard.text
    assert heard.text.count("word word") < 3 * 999
    assert any(warning.startswith("examples_left_out: ") for warning in made.warnings)
    assert json.dumps(made.response["total"]) == "12.5"
