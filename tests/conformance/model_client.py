"""Drives the official Python SDK against a server that has a model; run by the interpreter of the clients' own environment.

Environment and output as `driver.py` says. The model's server answers by `test_with_a_model.py`'s script: what is to go wrong
stands in the request's prompt.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Literal

from driver import CHECKS, INVOICE, RECEIPT, SCRATCH, check, completed, grounded_leaf, run
from PIL import Image, ImageChops
from pydantic import BaseModel, Field
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import ResourceNotFoundError
from vlmrun.client.types import AgentExecutionConfig, AgentSkill, GenerationConfig

PHOTO, FACES = Path(os.environ["PHOTO"]), int(os.environ["FACES"])


class Item(BaseModel):
    description: str | None = None
    total_price: float | None = None


class Receipt(BaseModel):
    merchant_name: str | None = Field(None, description="Who sold it")
    transaction_date: str | None = Field(None, json_schema_extra={"format": "date"})
    total: float | None = None
    moon_phase: str | None = None
    mood: Literal["glad", "sad"] | None = None
    items: list[Item] | None = None


def asked(client: VLMRun, case: str, **options: Any) -> Any:
    config = GenerationConfig(
        response_model=Receipt, prompt=f"CASE: {case}.", grounding=True, confidence=True, service_tier="flex", **options
    )
    return completed(client.image.generate(images=[RECEIPT], domain="document.receipt", config=config))


@check("values are the model's, boxes are where the page has them")
def _(client: VLMRun) -> None:
    response = asked(client, "well").response
    assert response["merchant_name"] == "Marlow & Finch Market"
    assert response["transaction_date"] == "2026-03-14"
    for field in ("merchant_name", "transaction_date", "total"):
        grounded_leaf(response, field)
    assert response["transaction_date_metadata"]["bboxes"][0]["content"] != response["transaction_date"]


@check("a value that the page does not support is kept, and said to be")
def _(client: VLMRun) -> None:
    response = asked(client, "well").response
    assert response["mood"] == "glad"
    assert response["mood_metadata"]["confidence"] == "lo"
    assert response["mood_metadata"]["bboxes"] == []
    assert response["moon_phase"] is None
    assert response["moon_phase_metadata"] is None


@check("a cut answer is continued and keeps its rows")
def _(client: VLMRun) -> None:
    answer = asked(client, "cut")
    assert [item["description"] for item in answer.response["items"]] == ["OAT MILK 1L", "RYE BREAD SLICED"], answer.response


@check("a wrong answer goes back to the model with what is wrong")
def _(client: VLMRun) -> None:
    assert asked(client, "wrong", max_retries=2).response["total"] == 76.1


@check("a refusal is told as one")
def _(client: VLMRun) -> None:
    answer = asked(client, "refuse")
    assert "refus" in answer.usage.message
    assert answer.response["moon_phase"] is None
    assert answer.response["moon_phase_metadata"]["state"] == "refused"


@check("an overloaded model is asked again")
def _(client: VLMRun) -> None:
    assert asked(client, "busy").response["merchant_name"] == "Marlow & Finch Market"


@check("a stream that breaks off loses nothing that came")
def _(client: VLMRun) -> None:
    assert asked(client, "break").response["merchant_name"] == "Marlow & Finch Market"


@check("pages of a PDF, in the background")
def _(client: VLMRun) -> None:
    config = GenerationConfig(response_model=Receipt, prompt="CASE: well.")
    started = client.document.generate(file=INVOICE, domain="document.invoice", config=config, batch=True)
    assert client.predictions.wait(started.id, timeout=120, sleep=1).response["merchant_name"] == "Marlow & Finch Market"


@check("published model names lead to the model, others are not found")
def _(client: VLMRun) -> None:
    config = GenerationConfig(response_model=Receipt, prompt="CASE: well.")
    answer = client.image.generate(images=[RECEIPT], model="vlmrun-orion-1:auto", domain="document.receipt", config=config)
    assert completed(answer).response["merchant_name"] == "Marlow & Finch Market"
    try:
        client.image.generate(images=[RECEIPT], model="gpt-4", domain="document.receipt", config=config)
    except ResourceNotFoundError as error:
        assert "vlm-1" in str(error)  # noqa: PT017 - this driver runs without pytest
        return
    raise AssertionError("a model that nobody configured was found")


def published(client: VLMRun, name: str, files: dict[str, str]) -> AgentSkill:
    folder = SCRATCH / "skills" / name
    for path, content in ({"schema.json": json.dumps({"type": "object", "properties": {"total": {"type": "number"}}})} | files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return client.skills.create_from_directory(folder)


@check("a stored skill's words and schema reach the model")
def _(client: VLMRun) -> None:
    skill = published(client, "totals", {"SKILL.md": "---\nname: totals\ndescription: Reads totals\n---\nRead the total. CASE: skilled.\n"})
    answer = completed(client.image.generate(images=[RECEIPT], domain=None, config=GenerationConfig(skills=[skill], grounding=True)))
    assert answer.response["total"] == 76.1
    grounded_leaf(answer.response, "total")


@check("a stored skill's examples reach the model")
def _(client: VLMRun) -> None:
    files = {
        "SKILL.md": "---\nname: shown\ndescription: Reads totals\n---\nRead the total. CASE: shown.\n",
        "resources/kiosk.txt": "SAMPLE KIOSK\nAll in all 41.17\n",
        "resources/kiosk.json": '{"total": 41.17}',
    }
    answer = completed(client.document.generate(file=RECEIPT, config=GenerationConfig(skills=[published(client, "shown", files)])))
    assert answer.response == {"total": 76.1}


@check("a skill written by the model is there to be used")
def _(client: VLMRun) -> None:
    made = client.skills.create(
        prompt="CASE: write. Read totals", json_schema={"type": "object", "properties": {"total": {"type": "number"}}}
    )
    assert made.description.startswith("Reads the total of receipts (Written by the model ")
    skills = [AgentSkill(skill_name=made.name, skill_version=made.skill_version)]
    assert completed(client.document.generate(file=RECEIPT, config=GenerationConfig(skills=skills))).response == {"total": 76.1}


@check("what a picture shows")
def _(client: VLMRun) -> None:
    answer = completed(client.image.generate(images=[RECEIPT], domain="image.caption"))
    assert answer.response["caption"] == "A receipt on a table."


@check("feedback on a model's answer")
def _(client: VLMRun) -> None:
    answer = asked(client, "well")
    client.feedback.submit(request_id=answer.id, response={"total": 76.1}, notes="the total is wrong")
    assert client.feedback.get(answer.id).items[0].notes == "the total is wrong"


@check("a chat's artifact is there for who asked")
def _(client: VLMRun) -> None:
    asked: Any = {"model": "vlmrun-orion-1:auto", "messages": [{"role": "user", "content": "CASE: chart."}]}
    answer: Any = client.agent.completions.create(**asked, toolsets=["core", "viz"])
    reference = answer.choices[0].message.content[-11:-1]
    assert client.artifacts.get(object_id=reference, session_id=answer.session_id).size == (1600, 1000)
    chunks: list[Any] = list(client.agent.completions.create(**asked, toolsets=["viz"], stream=True))
    words = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert client.artifacts.get(object_id=words[-11:-1], session_id=chunks[0].session_id).size == (1600, 1000)


@check("an execution blurs the faces of a picture")
def _(client: VLMRun) -> None:
    inputs = {"image": {"type": "input_file", "file_id": client.files.upload(PHOTO).id}}
    config = AgentExecutionConfig(prompt="CASE: blur. Blur all the faces.")
    made = client.agent.execute(inputs=inputs, config=config, toolsets=["core", "image"])
    done = client.executions.wait(made.id, timeout=60, sleep=1)
    found = re.search(r"img_[0-9a-f]{6}", str(done.response))
    assert found, done.response
    assert done.usage.steps == 2, done.usage
    if FACES:
        blurred = client.artifacts.get(object_id=found[0], execution_id=done.id)
        with Image.open(PHOTO) as before:
            assert ImageChops.difference(before.convert("RGB"), blurred).getbbox() is not None, "nothing was blurred"


@check("an execution answers in its schema")
def _(client: VLMRun) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}
    config = AgentExecutionConfig(prompt="CASE: person. Who is it?", json_schema=schema)
    made = client.agent.execute(inputs={"note": "It is Ann, who is 31."}, config=config)
    assert client.executions.wait(made.id, timeout=60, sleep=1).response == {"name": "Ann", "age": 31}


if __name__ == "__main__":
    run(VLMRun(max_retries=2), list(CHECKS))
