"""A GGUF file served end to end by llama.cpp: a model of random weights, drawn by the test."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models import gguf_server
from heliograph.models.contract import Ask, Text, system, user
from heliograph.models.endpoint import Endpoint
from heliograph.models.errors import ModelUnavailable
from heliograph.models.gguf import GgufBackend
from heliograph.models.gguf_locks import Lock, Place
from heliograph.models.probing import examine
from heliograph.models.serving import Models
from tests.ggufs import write_model

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "kind": {"enum": ["receipt", "invoice"]}, "total": {"type": ["number", "null"]}},
    "required": ["ok", "kind", "total"],
    "additionalProperties": False,
}
QUESTION = Ask(messages=[system("Read."), user(Text("A receipt of 3.50"))], schema=SCHEMA, max_tokens=400, logprobs=True)
LONG = Ask(messages=[user(Text("Go on for ever."))], max_tokens=30_000)


@pytest.fixture(autouse=True)
def _short_lives(monkeypatch):
    monkeypatch.setattr(gguf_server, "GRACE", 1.0)
    original = gguf_server.specify

    def specify(*args, **kwargs):
        return msgspec.structs.replace(original(*args, **kwargs), grace=1.0)

    monkeypatch.setattr("heliograph.models.gguf.specify", specify)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("weights") / "tiny.gguf", context=32_768)


@asynccontextmanager
async def served(model: Path, tmp_path: Path, **settings):
    told = ModelSettings(kind="gguf", path=model, context=32_768, max_output=30_000, **settings)
    backend = GgufBackend("tiny", told, settings=Settings(data_dir=tmp_path, cpu_budget=1))
    try:
        yield backend
    finally:
        await backend.close()


def place(tmp_path: Path) -> Place:
    (folder,) = (tmp_path / "models" / "gguf").iterdir()
    return Place(folder)


def pid(tmp_path: Path) -> int:
    return place(tmp_path).read()["pid"]


async def until(done, seconds=15.0):
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.05)


async def test_it_answers_under_a_schema_with_logprobs(model, tmp_path):
    async with served(model, tmp_path) as backend:
        reply = await backend.ask(QUESTION)
        answer = json.loads(reply.text)
        assert list(answer) == ["ok", "kind", "total"]
        assert answer["kind"] in {"receipt", "invoice"}
        assert (reply.finish, reply.mode, reply.route, reply.model) == ("stop", "json_schema", "tiny", "tiny")
        assert "".join(token.text for token in reply.tokens) == reply.text
        assert reply.spent.output > 10


async def test_it_streams(model, tmp_path):
    async with served(model, tmp_path) as backend:
        deltas = [delta async for delta in backend.stream(QUESTION)]
        assert len(deltas) > 5
        assert "".join(delta.text for delta in deltas) == deltas[-1].reply.text


async def test_what_it_is_said_to_take_it_takes(model, tmp_path):
    async with served(model, tmp_path) as backend:
        profile = await backend.profile()
        await backend.ask(QUESTION)
        told = place(tmp_path).read()
        settings = ModelSettings(url=told["url"], key=told["key"])
        endpoint = Endpoint("tiny", settings)
        found = await examine(endpoint, settings)
        await endpoint.close()
        assert found.parts.accepts == {
            "json_schema": True, "tool": True, "json_object": True, "images": False, "streaming": True, "logprobs": True, "prefill": True,
        }  # fmt: skip
        assert (profile.json_modes[0], profile.vision, profile.logprobs, profile.prefill) == ("json_schema", False, True, True)
        assert (profile.dialect, profile.context, profile.concurrency) == (found.server.dialect, found.server.context, found.server.slots)


async def test_routes_of_kind_gguf_lead_here_also_offline(model, tmp_path):
    settings = Settings(data_dir=tmp_path, cpu_budget=1, offline=True, models={"tiny": ModelSettings(kind="gguf", path=model)})
    models = Models(settings)
    reply = await models.backend("tiny").ask(QUESTION)
    await models.close()
    assert json.loads(reply.text)


async def test_every_worker_shares_one_process_which_outlives_the_one_that_started_it(model, tmp_path):
    code = (
        "import asyncio, os, sys\n"
        "from tests.integration.models.test_gguf import GgufBackend, ModelSettings, QUESTION, Settings\n"
        "from pathlib import Path\n"
        "async def main():\n"
        "    settings = Settings(data_dir=Path(sys.argv[2]), cpu_budget=1)\n"
        "    backend = GgufBackend('tiny', ModelSettings(kind='gguf', path=Path(sys.argv[1]), context=32_768), settings=settings)\n"
        "    await backend.ask(QUESTION)\n"
        "    print('asked', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    first = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", code, str(model), str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    try:
        assert await asyncio.to_thread(first.stdout.readline) == b"asked\n"
        server = pid(tmp_path)
        async with served(model, tmp_path) as backend:
            await backend.ask(QUESTION)
            assert pid(tmp_path) == server
            first.kill()
            first.wait()
            await asyncio.sleep(2)
            await backend.ask(QUESTION)
            assert pid(tmp_path) == server
    finally:
        first.kill()
        first.wait()
        first.stdout.close()


async def test_many_that_need_it_at_once_start_it_once(model, tmp_path):
    async with served(model, tmp_path) as one, served(model, tmp_path) as other:
        await asyncio.gather(*(backend.ask(QUESTION) for backend in (one, other) * 3))
        assert len(list((tmp_path / "models" / "gguf").iterdir())) == 1
        assert place(tmp_path).read() is not None


async def test_it_ends_when_nobody_holds_it_and_starts_again(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        server = pid(tmp_path)
    await until(lambda: Lock(place(tmp_path).alive).free())
    assert not place(tmp_path).address.exists()
    async with served(model, tmp_path) as backend:
        assert json.loads((await backend.ask(QUESTION)).text)
        assert pid(tmp_path) != server


async def test_it_gives_its_memory_back_when_nobody_has_asked_for_long(model, tmp_path, monkeypatch):
    specify = gguf_server.specify
    short = lambda *args, **kwargs: msgspec.structs.replace(specify(*args, **kwargs), grace=60.0, idle=1.0)  # noqa: E731
    monkeypatch.setattr("heliograph.models.gguf.specify", short)
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        await until(lambda: Lock(place(tmp_path).alive).free())
        assert json.loads((await backend.ask(QUESTION)).text)


async def test_a_server_that_was_killed_is_started_anew(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        server = pid(tmp_path)
        os.kill(server, signal.SIGKILL)
        assert json.loads((await backend.ask(QUESTION)).text)
        assert pid(tmp_path) != server


async def test_a_server_killed_while_it_answers_loses_no_request(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        asking = asyncio.create_task(backend.ask(LONG))
        await until(lambda: not Lock(place(tmp_path).busy).free())
        await asyncio.sleep(0.2)
        os.kill(pid(tmp_path), signal.SIGKILL)
        reply = await asking
        assert reply.finish in {"broken", "stop", "length"}
        assert json.loads((await backend.ask(QUESTION)).text)


async def test_leaving_stops_the_model_within_a_second(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        asking = asyncio.create_task(backend.ask(LONG))
        await until(lambda: not Lock(place(tmp_path).busy).free())
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        started = time.monotonic()
        await backend.ask(QUESTION)  # there is one slot: it answers when the other has gone
        assert time.monotonic() - started < 1.0
        assert Lock(place(tmp_path).busy).free()


async def test_what_a_dead_server_left_behind_is_seen_through(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        os.kill(pid(tmp_path), signal.SIGKILL)
        left = place(tmp_path)
    left.announce({"url": "http://127.0.0.1:9/v1", "key": "old", "pid": os.getpid()})
    async with served(model, tmp_path) as backend:
        assert json.loads((await backend.ask(QUESTION)).text)


async def test_weights_that_are_cut_short_are_refused_with_the_reason(model, tmp_path):
    whole = model.read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[: len(whole) // 2])
    async with served(tmp_path / "cut.gguf", tmp_path / "data") as backend:
        with pytest.raises(NotConfigured, match=r"models.tiny.path: .*cut.gguf cannot be served: .*not within the file bounds"):
            await backend.ask(QUESTION)


async def test_a_process_that_dies_over_every_request_is_said_not_restarted_for_ever(model, tmp_path):
    class Killer:
        asked = 0

        def __init__(self, *_):
            pass

        async def ask(self, _):
            Killer.asked += 1
            os.kill(pid(tmp_path), signal.SIGKILL)
            await until(lambda: Lock(place(tmp_path).alive).free())
            raise ModelUnavailable("broke off")

        async def close(self):
            pass

    backend = GgufBackend(
        "tiny", ModelSettings(kind="gguf", path=model), settings=Settings(data_dir=tmp_path, cpu_budget=1), connect=Killer
    )
    with pytest.raises(ModelUnavailable, match="died twice over a request"):
        await backend.ask(QUESTION)
    assert Killer.asked == 2
    await backend.close()


async def test_nobody_else_on_the_machine_may_ask_it(model, tmp_path):
    async with served(model, tmp_path) as backend:
        await backend.ask(QUESTION)
        settings = ModelSettings(url=place(tmp_path).read()["url"], key="guessed")
        endpoint = Endpoint("tiny", settings)
        answer = await endpoint.send("POST", f"{settings.url}/chat/completions", {"messages": []}, timeout=5)
        await endpoint.close()
        assert answer.status == 401
        assert place(tmp_path).folder.stat().st_mode & 0o077 == 0
