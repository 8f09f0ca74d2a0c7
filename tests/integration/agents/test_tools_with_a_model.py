"""Tools that ask the run's model: what it says, in the shape of the tool's answer."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph import samples
from heliograph.agents.memory import MemoryWorkspace
from heliograph.config import ModelSettings, ProviderSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models.scripted import Scripted
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.tooling import INVOICE, Tools, pdf

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def asking(
    reader: Reader, folder: Path, turns: list[Any], *, route: str | None = "default", vision: bool = True, **changes: Any
) -> AsyncGenerator[tuple[Tools, Scripted]]:
    """Tools of a run whose model answers by a script."""
    async with Scripted(turns) as server:
        model = ModelSettings(url=server.url, model="scripted", vision=vision, attempts=1)
        settings = Settings(data_dir=folder, models={"default": model, "other": model}, **changes)
        models = Models(settings)
        try:
            run = Tools(settings, reader, models, providers=["qwen-qwen3-vl-8b"])
            run.at = dataclasses.replace(run.at, route=route)
            yield run, server
        finally:
            await models.close()


async def test_a_picture_is_described_and_questions_about_it_answered(reader: Reader, tmp_path: Path) -> None:
    async with asking(reader, tmp_path, ["A receipt on a table.", "Two items."]) as (run, server):
        ref = await run.bring(samples.RECEIPT.read_bytes(), "img", "image/png")
        assert await run.call("parse_image", image=ref) == {"text": "A receipt on a table.", "answered_by": "scripted"}
        assert (await run.call("parse_image", image=ref, prompt="How many items?"))["text"] == "Two items."
        first, second = [request.heard for request in server.requests if request.heard.pictures]
    assert "what this picture shows" in first.text
    assert "How many items?" in second.text


async def test_a_model_that_takes_no_pictures_is_told_by_its_setting(reader: Reader, tmp_path: Path) -> None:
    async with asking(reader, tmp_path, ["no"], vision=False) as (run, server):
        ref = await run.bring(samples.RECEIPT.read_bytes(), "img", "image/png")
        with pytest.raises(NotConfigured, match=r"models\.default"):
            await run.call("parse_image", image=ref)
        assert not [request for request in server.requests if request.heard.pictures]


async def test_a_provider_that_looks_is_asked_where_the_run_has_no_model(reader: Reader, tmp_path: Path) -> None:
    providers = {"qwen-qwen3-vl-8b": ProviderSettings(route="other")}
    async with asking(reader, tmp_path, ["A receipt."], route=None, providers=providers) as (run, _):
        ref = await run.bring(samples.RECEIPT.read_bytes(), "img", "image/png")
        assert (await run.call("parse_image", image=ref))["text"] == "A receipt."


async def test_a_model_chooses_the_kind_and_says_why(reader: Reader, tmp_path: Path) -> None:
    said = {"rationale": "It says Invoice at the top.", "kind": "invoice"}
    async with asking(reader, tmp_path, [said]) as (run, _):
        ref = await run.bring(pdf(*INVOICE))
        found = await run.call("classify_document", document=ref, kinds=["letter", "invoice"])
    assert (found["kind"], found["domain"], found["rationale"], found["answered_by"]) == (
        "invoice", "document.invoice", "It says Invoice at the top.", "default",
    )  # fmt: skip


async def test_a_model_that_names_no_kind_leaves_it_to_the_labels(reader: Reader, tmp_path: Path) -> None:
    async with asking(reader, tmp_path, ["I like it."] * 5) as (run, _):
        ref = await run.bring(pdf(*INVOICE))
        found = await run.call("classify_document", document=ref, kinds=["letter", "invoice"])
    assert found["kind"] == "invoice"
    assert any("told by labels" in warning for warning in found["warnings"])


async def test_a_question_that_no_label_answers_is_put_to_the_model_and_its_answer_looked_for(reader: Reader, tmp_path: Path) -> None:
    async with asking(reader, tmp_path, [{"answer": "jane@example.com"}]) as (run, server):
        ref = await run.bring(pdf(*INVOICE))
        found = await run.call("answer_from_document", document=ref, field="how can I reach whoever pays?")
        assert any("how can I reach" in request.heard.text for request in server.requests)
    assert (found["field"], found["value"], found["page"], found["match"]) == ("answer", "jane@example.com", 1, "exact")


async def test_fields_are_asked_of_the_model_with_its_values_cited(reader: Reader, tmp_path: Path) -> None:
    async with asking(reader, tmp_path, [{"payer": "Jane Doe"}]) as (run, _):
        ref = await run.bring(pdf(*INVOICE))
        schema = {"type": "object", "properties": {"payer": {"type": "string"}}}
        parsed = await run.call("parse_document", document=ref, json_schema=schema, grounding=True)
    assert parsed["response"]["payer"] == "Jane Doe"
    assert parsed["response"]["payer_metadata"]["bboxes"][0]["page"] == 1


async def test_what_a_model_answered_inside_a_call_is_not_asked_again_after_a_crash(reader: Reader, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"payer": {"type": "string"}}}
    async with asking(reader, tmp_path, [{"payer": "Jane Doe"}]) as (run, server):
        ref = await run.bring(pdf(*INVOICE))
        first = await run.call("parse_document", document=ref, json_schema=schema)
        asked = len(server.requests)
        again = Tools(run.at.settings, reader, run.at.models)
        again.at = dataclasses.replace(again.at, workspace=MemoryWorkspace(run.memory), route="default")
        assert await again.call("parse_document", document=ref, json_schema=schema) == first
        assert len(server.requests) == asked
