"""Whole conversations with every kind of server: schemas of real domains go out in its dialect, and answers come back whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.extraction.domains import catalog
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import compile_schema
from heliograph.models.contract import Backend, Dialect, Text, system, user
from heliograph.models.scripted import Heard, Scripted, Turn, When
from heliograph.models.scripted.filling import fill
from heliograph.models.serving import Models

KINDS: list[tuple[str, Dialect, str]] = [
    ("openai", "openai", "gpt"),
    ("openai", "vllm", "qwen"),
    ("openai", "sglang", "qwen"),
    ("openai", "llama.cpp", "qwen"),
    ("openai", "ollama", "qwen"),
    ("openai", "gemini", "gemini-3.8-flash"),
    ("anthropic", "anthropic", "claude-haiku-4-5"),
    ("google", "gemini", "gemini-3.8-flash"),
]
EVERY = pytest.mark.parametrize(("kind", "dialect", "name"), KINDS, ids=[f"{kind}-{dialect}" for kind, dialect, _ in KINDS])
DOMAINS = ["document.invoice", "document.receipt", "document.resume", "accounting.form-1040-tax-statement", "healthcare.claims-processing"]
BILL = {
    "type": "object",
    "properties": {
        "number": {"type": "string", "pattern": "^INV-\\d+$"},
        "total": {"type": "number", "minimum": 0},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "amount": {"type": ["number", "null"], "multipleOf": 0.01}},
                "required": ["name"],
            },
        },
    },
    "required": ["number", "total", "lines"],
}
ANSWER = {"number": "INV-7", "total": 10.5, "lines": [{"name": f"item {row}", "amount": row + 0.5} for row in range(12)]}


@asynccontextmanager
async def asked(
    tmp_path: Path, kind: str, dialect: Dialect, name: str, script: list[Any], *, context: int = 100_000, **settings: Any
) -> AsyncIterator[tuple[Backend, Scripted]]:
    async with Scripted(script, dialect, models=[name], context=context) as server:
        url = server.url if kind == "openai" else server.origin
        model = ModelSettings(**{"kind": kind, "url": url, "model": name, "key": "k", "attempts": 1, "context": context} | settings)
        models = Models(Settings(models={"default": model}, data_dir=tmp_path))
        try:
            yield models.backend("default"), server
        finally:
            await models.close()


def messages(text: str = "Invoice INV-7, total 10.50") -> list[Any]:
    return [system("You read documents."), user(Text(text))]


def lowered(value: Any) -> Any:
    """Answers in the form that was asked for: keys that the lowered schema has."""

    def answer(heard: Heard) -> Any:
        assert heard.schema is not None
        return value if set(heard.schema["properties"]) <= set(value) else fill(heard.schema)

    return answer


@EVERY
@pytest.mark.parametrize("domain", DOMAINS)
async def test_a_domains_schema_is_taken_and_its_answer_fits(tmp_path: Path, kind: str, dialect: Dialect, name: str, domain: str) -> None:
    schema = compile_schema(catalog()[domain].json_schema)
    async with asked(tmp_path, kind, dialect, name, [Turn(times=0)]) as (backend, server):
        said = await converse(backend, messages(), schema, Request())
        assert said.value
        assert not any("refused the mode" in warning for warning in said.warnings)
        assert {request.status for request in server.requests} == {200}
        assert {request.heard.mode for request in server.requests if request.heard} <= {"json_schema", "tool"}


@EVERY
async def test_an_answer_comes_whole(tmp_path: Path, kind: str, dialect: Dialect, name: str) -> None:
    async with asked(tmp_path, kind, dialect, name, [Turn(answer=lowered(ANSWER), times=0)]) as (backend, _):
        said = await converse(backend, messages(), compile_schema(BILL), Request())
    assert said.value == ANSWER
    assert (said.truncated, said.refused, said.problems) == (False, None, [])
    assert said.spent.output > 0


@EVERY
async def test_a_cut_answer_is_gone_on_with_and_no_row_is_lost_or_doubled(tmp_path: Path, kind: str, dialect: Dialect, name: str) -> None:
    def rest(heard: Heard) -> Any:
        if heard.prefill is not None:
            return ANSWER
        told = re.search(r"only the entries from number (\d+) on", heard.last)
        assert told
        return {**ANSWER, "lines": ANSWER["lines"][int(told[1]) - 1 :]}

    script = [Turn(answer=ANSWER, truncate=80), Turn(answer=rest, times=0)]
    async with asked(tmp_path, kind, dialect, name, script) as (backend, server):
        said = await converse(backend, messages(), compile_schema(BILL), Request())
        assert len(server.requests) >= 2
    assert [row["name"] for row in said.value["lines"]] == [row["name"] for row in ANSWER["lines"]]
    assert not said.truncated


@EVERY
async def test_a_value_that_does_not_fit_is_shown_to_the_model_and_mended(tmp_path: Path, kind: str, dialect: Dialect, name: str) -> None:
    script = [Turn(when=When(repair=True), answer=ANSWER), Turn(answer=ANSWER | {"number": "7"}, times=0)]
    async with asked(tmp_path, kind, dialect, name, script) as (backend, server):
        said = await converse(backend, messages(), compile_schema(BILL), Request(max_retries=1))
        assert any(request.heard and request.heard.repair for request in server.requests)
    assert said.value["number"] == "INV-7"


@EVERY
async def test_a_refusal_is_told_as_one(tmp_path: Path, kind: str, dialect: Dialect, name: str) -> None:
    async with asked(tmp_path, kind, dialect, name, [Turn(refusal="I cannot read this.", times=0)]) as (backend, _):
        said = await converse(backend, messages(), compile_schema(BILL), Request())
    assert said.refused
    assert said.value is None


@EVERY
async def test_endless_white_space_ends_and_what_came_before_is_kept(tmp_path: Path, kind: str, dialect: Dialect, name: str) -> None:
    script = [Turn(answer=ANSWER, whitespace=True, times=0)]
    async with asked(tmp_path, kind, dialect, name, script, max_output=2000) as (backend, _):
        said = await converse(backend, messages(), compile_schema(BILL), Request())
    assert said.value == ANSWER
