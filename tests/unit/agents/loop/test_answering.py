"""Answers that must be JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from heliograph.agents.loop.answering import Unformatted
from heliograph.agents.task import SkillRef
from heliograph.models.scripted import Turn
from heliograph.models.scripted.script import Call

from .conftest import Done, Worlds, asks

TOTAL = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"], "additionalProperties": False}
REF = {"type": "object", "properties": {"image": {"type": "string", "pattern": r"^img_\w{6}$"}}, "required": ["image"]}
BOTH = pytest.mark.parametrize("dialect", ["vllm", "llama.cpp"])


def wants(schema: Any = TOTAL, *, strict: bool = True, **fields: Any) -> Any:
    return asks("What is the total?", format={"schema": schema, "strict": strict}, **fields)


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_of_the_format_is_given_as_its_json(world: Worlds, done: Done, dialect: str, stream: bool) -> None:
    answer = {"total": 12.5} if dialect == "vllm" else {"answer": {"total": 12.5}}
    async with world([answer], dialect) as at:
        outcome = await at.run(wants(stream=stream))
    assert json.loads(outcome.text) == outcome.value == {"total": 12.5}
    assert (at.said, outcome.warnings, outcome.spent.steps) == (outcome.text, [], 1)


async def test_json_is_taken_out_of_a_fence(world: Worlds, done: Done) -> None:
    async with world([Turn(answer={"total": 1}, wrap="fence")]) as at:
        outcome = await at.run(wants())
    assert outcome.value == {"total": 1}
    assert json.loads(at.said) == {"total": 1}


@BOTH
async def test_what_does_not_fit_is_mended_with_the_reason(world: Worlds, done: Done, dialect: str) -> None:
    async with world(["It is twelve fifty.", {"total": "12,50"}, {"total": 12.5}], dialect) as at:
        outcome = await at.run(wants())
        told = [request.heard.last for request in at.server.requests]
        assert at.server.requests[-1].heard.schema is not None
    assert outcome.value == {"total": 12.5}
    assert "not JSON" in told[1]
    assert "total" in told[2]
    assert outcome.spent.steps == 3
    assert json.loads(at.said) == {"total": 12.5}


async def test_after_calls_it_is_mended_without_the_tools(world: Worlds, done: Done) -> None:
    turns = [Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3"})]), "It is done.", {"total": 4}]
    async with world(turns) as at:
        outcome = await at.run(wants())
        assert not at.server.requests[-1].heard.tools
    assert outcome.value == {"total": 4}


async def test_what_cannot_be_mended_is_refused_when_strict_and_given_with_a_warning_otherwise(world: Worlds, done: Done) -> None:
    async with world([Turn(answer="No idea.", times=0)]) as at:
        with pytest.raises(Unformatted):
            await at.run(wants())
        assert at.said == ""
    async with world([Turn(answer={"total": "much"}, times=0)]) as at:
        outcome = await at.run(wants(strict=False))
        assert len(at.server.requests) == 1
    assert outcome.value == {"total": "much"}
    assert "not of the format" in outcome.warnings[0]


async def test_an_artifact_that_there_is_not_is_mended(world: Worlds, done: Done) -> None:
    turns = [Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3"})]), {"image": "img_ffffff"}, Turn(answer=answer_with_the_made)]
    async with world(turns) as at:
        outcome = await at.run(wants(REF))
        (made,) = [artifact.ref for artifact, _ in at.memory.artifacts.values()]
    assert outcome.value == {"image": made}


def answer_with_the_made(heard: Any) -> Any:
    found = set(re.findall(r"img_\w{6}", heard.text)) - {"img_a1b2c3", "img_ffffff"}
    return {"image": found.pop()}


async def test_any_object_will_do_without_a_schema(world: Worlds, done: Done) -> None:
    async with world(["[1]", {"any": "thing"}]) as at:
        outcome = await at.run(wants(None))
    assert outcome.value == {"any": "thing"}


async def test_an_executions_value_is_its_response(world: Worlds, done: Done) -> None:
    async with world([{"total": 3}]) as at:
        outcome = await at.run(
            asks(messages=[], kind="execution", prompt="Add them.", inputs={"a": 1, "b": 2}, format={"schema": TOTAL}, toolsets=["core"])
        )
        assert '{"a": 1, "b": 2}' in at.server.requests[-1].heard.last
    assert (outcome.value, outcome.mode) == ({"total": 3}, "agent")


async def test_an_execution_without_a_format_answers_in_its_skills_schema(world: Worlds, done: Done, tmp_path: Path) -> None:
    folder = tmp_path / "sums"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: sums\ndescription: Sums.\n---\nAdd them.")
    (folder / "schema.json").write_text(json.dumps(TOTAL))
    skills = [SkillRef(name="sums", hash="h", blob="b")]
    task = asks(messages=[], kind="execution", prompt="", inputs={"a": 1}, skills=skills, toolsets=["core"])
    async with world(["Three.", {"total": 3}]) as at:
        at.memory.skills["h"] = folder
        outcome = await at.run(task)
    assert (outcome.value, outcome.warnings) == ({"total": 3}, [])
    async with world([Turn(answer="Three.", times=0)]) as at:
        at.memory.skills["h"] = folder
        outcome = await at.run(task)
    assert (outcome.text, outcome.value) == ("Three.", None)
    assert "not of the format" in outcome.warnings[0]
