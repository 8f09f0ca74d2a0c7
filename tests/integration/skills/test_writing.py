"""Skills written in the child of the API: by the template, by a model over the wire, and what becomes of a model that fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from heliograph.api.writing import Writer
from heliograph.config import ModelSettings, Settings
from heliograph.errors import InvalidRequest, Unavailable
from heliograph.models.contract import Dialect
from heliograph.models.scripted import Scripted, Turn
from heliograph.skills import package
from tests.ggufs import write_model

PROMPT = "Extract invoice_id, the date and total_amount"
FIELD: dict[str, Any] = {"description": "It", "choices": [], "several": False}
PROPOSAL: dict[str, Any] = {
    "description": "Reads invoices.",
    "instructions": 'The number stands at the head of the page: invoice_id is labelled "Invoice No".',
    "fields": [{"name": name, "type": kind, **FIELD} for name, kind in (("invoice_id", "string"), ("total_amount", "number"))],
    "groups": [],
}

Writing = Callable[..., Writer]


@pytest.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    """Makes a `Writer` of settings."""
    made: list[Writer] = []

    def make(**settings: Any) -> Writer:
        made.append(Writer(Settings(data_dir=tmp_path, **settings)))
        return made[-1]

    yield make
    for writer in made:
        await writer.close()


async def test_the_template_writes_where_no_model_is(writing: Writing) -> None:
    writer = writing()
    made = package.read(await writer.write(PROMPT))
    assert made.name == "extract-invoice-id-date-total-amount"
    assert made.schema is not None
    assert list(made.schema["properties"]) == ["invoice_id", "date", "total_amount"]
    assert "no model is configured" in str(made.description)
    with pytest.raises(InvalidRequest) as refused:
        await writer.write(PROMPT, {"type": "nonsense"})
    assert refused.value.param == "json_schema"


@pytest.mark.parametrize("dialect", ["vllm", "openai", "anthropic", "gemini"])
async def test_a_model_writes_in_the_child_with_the_key_that_this_process_has(
    writing: Writing, monkeypatch: pytest.MonkeyPatch, dialect: Dialect
) -> None:
    monkeypatch.setenv("A_MODELS_KEY", "secret-of-the-model")
    async with Scripted([PROPOSAL], dialect, key="secret-of-the-model") as server:
        kind = {"anthropic": "anthropic", "gemini": "google"}.get(dialect, "openai")
        url = server.url if kind == "openai" else server.origin
        model = ModelSettings(kind=kind, url=url, model="scripted", key_env="A_MODELS_KEY")
        made = package.read(await writing(models={"default": model}).write(PROMPT, name="invoices"))
    assert made.name == "invoices"
    assert made.schema is not None
    assert list(made.schema["properties"]) == ["invoice_id", "total_amount"]
    assert "Invoice No" in made.text
    assert str(made.description).startswith("Reads invoices. (Written by the model scripted")
    assert PROMPT in server.requests[0].heard.text  # type: ignore[union-attr]


async def test_a_model_may_be_given_with_its_key_itself(writing: Writing) -> None:
    async with Scripted([PROPOSAL], key="secret-of-the-model") as server:
        made = package.read(await writing(model_url=server.url, model_key="secret-of-the-model").write(PROMPT))
    assert "Invoice No" in made.text


async def test_a_model_that_is_away_is_a_reason_to_try_again_later(writing: Writing) -> None:
    away: dict[str, Any] = {"url": "http://127.0.0.1:9/v1", "model": "m", "attempts": 1}
    with pytest.raises(Unavailable, match="cannot be reached"):
        await writing(models={"default": ModelSettings(**away)}).write(PROMPT)
    stood_in = package.read(await writing(models={"default": ModelSettings(**away, fallback="embedded")}).write(PROMPT))
    assert "could not be reached" in str(stood_in.description)


async def test_a_model_that_takes_too_long_leaves_it_to_the_template(writing: Writing) -> None:
    async with Scripted([Turn(answer=PROPOSAL, delay=30)]) as server:
        made = package.read(await writing(model_url=server.url, wait_timeout=1.5).write(PROMPT))
    assert "did not finish in time" in str(made.description)


async def test_a_killed_child_is_a_reason_to_try_again_and_the_next_one_writes(writing: Writing) -> None:
    async with Scripted([Turn(answer=PROPOSAL, delay=30), PROPOSAL]) as server:
        writer = writing(model_url=server.url)
        first = asyncio.create_task(writer.write(PROMPT))
        while not server.requests:
            await asyncio.sleep(0.05)
        for pid in writer._pool.pids:  # pyright: ignore[reportPrivateUsage]
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="died"):
            await first
        assert "Invoice No" in package.read(await writer.write(PROMPT)).text


async def test_a_prompt_that_nobody_waits_for_any_more_is_not_asked_about_any_further(writing: Writing) -> None:
    async with Scripted([Turn(answer=PROPOSAL, delay=30)]) as server:
        left = asyncio.create_task(writing(model_url=server.url).write(PROMPT))
        while not server.requests:
            await asyncio.sleep(0.05)
        left.cancel()
        async with asyncio.timeout(5):
            while server.requests[0].disconnected is None:
                await asyncio.sleep(0.05)


async def test_an_offline_server_asks_no_model_elsewhere(writing: Writing) -> None:
    elsewhere = ModelSettings(url="http://192.0.2.1/v1", model="m")
    with pytest.raises(InvalidRequest, match="offline"):
        await writing(models={"default": elsewhere}, offline=True).write(PROMPT)


async def test_a_gguf_file_can_write_too_and_its_server_is_not_held_to_the_childs_limits(writing: Writing, tmp_path: Path) -> None:
    """Random weights write no sense; but they are asked, and their server lives on beyond the call."""
    path = write_model(tmp_path / "tiny.gguf", context=8192)
    writer = writing(models={"default": ModelSettings(kind="gguf", path=path, context=8192, max_output=600)}, cpu_budget=1)
    made = package.read(await writer.write(PROMPT))
    assert made.description is not None
    (told,) = (tmp_path / "models" / "gguf").glob("*/server.json")
    pid = json.loads(told.read_bytes())["pid"]
    limits = Path(f"/proc/{pid}/limits").read_text()
    cpu = next(line for line in limits.splitlines() if line.startswith("Max cpu time"))
    assert cpu.split()[3] == "unlimited"


def test_the_api_brings_nothing_heavy_to_write() -> None:
    code = "import sys, heliograph.api.writing; print([m for m in ('numpy', 'pydantic_ai', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
