"""Probes against every kind of server that the scripted one stands for, over the wire."""

import asyncio
import socket

import pytest

from heliograph.config import ModelSettings
from heliograph.models.contract import Ask, user
from heliograph.models.contract import Text as Words
from heliograph.models.endpoint import Endpoint
from heliograph.models.openai import OpenAIBackend
from heliograph.models.probing import examine
from heliograph.models.profiles import ProfileCache, profile_of
from heliograph.models.scripted import Scripted, Turn

ALL = ("json_schema", "tool", "json_object", "prompt")


async def found_at(server: Scripted, **settings):
    told = ModelSettings(url=server.url, **settings)
    endpoint = Endpoint("r", told)
    try:
        found = await examine(endpoint, told)
    finally:
        await endpoint.close()
    return found, profile_of(found, told)


@pytest.mark.parametrize(
    ("dialect", "context", "prefill"),
    [
        ("vllm", 9000, True),
        ("sglang", 9000, True),
        ("llama.cpp", 9000, True),
        ("ollama", 9000, False),
        ("openai", 128_000, False),
        ("gemini", 128_000, False),
        ("plain", 32_768, False),
    ],
)
async def test_each_kind_of_server_is_told_and_asked_as_it_wants_to_be(dialect, context, prefill):
    async with Scripted(dialect=dialect, context=9000) as server:
        found, profile = await found_at(server)
        assert found.server.trouble is None
        assert (profile.dialect, profile.context, profile.prefill, profile.model) == (dialect, context, prefill, "scripted")
        assert (profile.json_modes, profile.vision, profile.streaming) == (ALL, True, True)
        assert found.parts.complete
        assert server.requests == []


@pytest.mark.parametrize("dialect", ["vllm", "llama.cpp", "ollama", "openai", "plain"])
async def test_what_a_server_lacks_is_found_lacking(dialect):
    lacks = {"json_schema", "tools", "logprobs"}
    async with Scripted(dialect=dialect, without=lacks, vision=False) as server:
        _, profile = await found_at(server)
        assert profile.json_modes == ("json_object", "prompt")
        assert (profile.vision, profile.logprobs, profile.tools) == (False, False, False)


async def test_the_limit_of_pictures_of_vllm_is_found():
    async with Scripted(dialect="vllm", max_pictures=3) as server:
        _, profile = await found_at(server)
        assert (profile.max_pictures, profile.known_from["max_pictures"]) == (3, "probed")


async def test_a_wrong_key_and_a_wrong_model_have_names():
    async with Scripted(dialect="vllm", key="right") as server:
        found, _ = await found_at(server, key="wrong")
        assert found.server.trouble == "key"
        found, _ = await found_at(server, key="right", model="other")
        assert (found.server.trouble, found.server.models) == ("model", ["scripted"])


async def test_a_dead_port_is_unreachable_and_quick():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        told = ModelSettings(url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        endpoint = Endpoint("r", told)
        async with asyncio.timeout(5):
            found = await examine(endpoint, told)
        await endpoint.close()
    assert found.server.trouble == "unreachable"
    assert "cannot be reached" in found.server.words


async def test_a_backend_asks_once_and_the_next_one_not_at_all(tmp_path):
    async with Scripted([Turn(answer="yes", times=0)], dialect="vllm") as server:
        for _ in range(2):
            backend = OpenAIBackend("r", ModelSettings(url=server.url), cache=ProfileCache(tmp_path))
            assert (await backend.ask(Ask(messages=[user(Words("?"))]))).text == "yes"
            assert (await backend.profile()).dialect == "vllm"
            await backend.close()
        probes = len(server.probes)
        assert probes == 9
        assert len(server.requests) == 2
