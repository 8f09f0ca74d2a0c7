"""Tools of a request, calls of an answer, and their results, in every dialect that is spoken."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from heliograph.config import ModelSettings
from heliograph.models.completions import Completion
from heliograph.models.contract import Ask, Call, Delta, Dialect, Function, Message, Reply, Text, system, user
from heliograph.models.openai import OpenAIBackend
from heliograph.models.parts import Parts
from heliograph.models.profiles import Found, profile_of
from heliograph.models.providers import ProviderBackend
from heliograph.models.scripted import Scripted, Turn
from heliograph.models.scripted.script import Call as Calls
from heliograph.models.servers import Server

ROTATE = Function("rotate_image", "Turn an image.", {"type": "object", "properties": {"angle": {"type": "number"}}, "required": ["angle"]})
CALL = Call("call_0", "rotate_image", '{"angle": 90}')
ASK = Ask(messages=[system("Be exact."), user(Text("Turn it."))], tools=[ROTATE])


@asynccontextmanager
async def speaking(kind: str, turns: list[Any], **abilities: Any):
    if kind == "openai":
        async with Scripted(turns, "vllm", **abilities) as server:
            model = OpenAIBackend("route", ModelSettings(url=server.url, model="scripted"))
            yield model, server
            await model.close()
        return
    name = {"anthropic": "claude-haiku-4-5", "google": "gemini-3.8-flash"}[kind]
    dialect: Dialect = "anthropic" if kind == "anthropic" else "gemini"
    async with Scripted(turns, dialect, models=[name], **abilities) as server:
        model = ProviderBackend("route", ModelSettings(kind=kind, url=server.origin, model=name, key=SecretStr("secret-key")))
        yield model, server
        await model.close()


KINDS = pytest.mark.parametrize("kind", ["openai", "anthropic", "google"])


@KINDS
async def test_a_call_comes_back_with_its_name_and_arguments(kind: str) -> None:
    async with speaking(kind, [Turn(calls=[Calls("rotate_image", {"angle": 90}), Calls("rotate_image", {"angle": 180})])]) as (model, _):
        reply = await model.ask(ASK)
    assert [(call.name, json.loads(call.arguments)) for call in reply.calls] == [
        ("rotate_image", {"angle": 90}),
        ("rotate_image", {"angle": 180}),
    ]
    assert len({call.id for call in reply.calls}) == 2
    assert reply.finish == "stop"


@KINDS
async def test_a_result_goes_back_to_the_call_that_it_answers(kind: str) -> None:
    conversation = [*ASK.messages, Message("assistant", [], [CALL]), Message("tool", [Text('{"id": "img_a1b2c3"}')], call=CALL)]
    async with speaking(kind, ["Done."]) as (model, server):
        reply = await model.ask(Ask(messages=conversation, tools=[ROTATE]))
        sent = json.dumps(server.bodies[-1])
    assert (reply.text, reply.calls) == ("Done.", [])
    assert "img_a1b2c3" in sent
    assert "rotate_image" in sent


async def test_words_before_a_call_are_told_too() -> None:
    async with speaking("openai", [Turn(answer="Let me turn it.", calls=[Calls("rotate_image", {"angle": 90})])]) as (model, _):
        reply = await model.ask(ASK)
    assert (reply.text, [call.name for call in reply.calls]) == ("Let me turn it.", ["rotate_image"])


async def test_thinking_streams_apart_from_the_answer() -> None:
    async with speaking("openai", [Turn(answer="Done.", reasoning="It is upside down.")]) as (model, _):
        deltas = [delta async for delta in model.stream(ASK)]
    assert "".join(delta.thinking for delta in deltas) == "It is upside down."
    assert "".join(delta.text for delta in deltas) == "Done."
    assert isinstance(deltas[-1], Delta)
    assert isinstance(deltas[-1].reply, Reply)
    assert deltas[-1].reply.thinking == "It is upside down."


@pytest.mark.parametrize(
    ("choice", "sent"), [("none", "none"), ("rotate_image", {"type": "function", "function": {"name": "rotate_image"}})]
)
async def test_a_choice_among_tools_is_sent(choice: str, sent: Any) -> None:
    async with speaking("openai", [Turn(answer="Done.", times=0)]) as (model, server):
        await model.ask(Ask(messages=ASK.messages, tools=[ROTATE], choice=choice, parallel=False, top_p=0.5, seed=7, stop=["END"]))
        body = server.bodies[-1]
    assert body["tool_choice"] == sent
    assert (body["parallel_tool_calls"], body["top_p"], body["seed"], body["stop"]) == (False, 0.5, 7, ["END"])


def test_a_call_cut_into_pieces_is_whole_again() -> None:
    completion = Completion(None)
    pieces: list[dict[str, Any]] = [
        {"index": 0, "id": "a", "function": {"name": "crop", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 1, "id": "b", "function": {"name": "blur", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": " 1}"}},
    ]
    for piece in pieces:
        completion.take({"choices": [{"delta": {"tool_calls": [piece]}}]})
    assert completion.reply(route="r", model="m").calls == [Call("a", "crop", '{"x": 1}'), Call("b", "blur", "{}")]


def test_calls_of_one_index_are_apart_by_their_ids() -> None:
    completion = Completion(None)
    for id in ("a", "b"):
        completion.take({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": id, "function": {"name": "crop", "arguments": "{}"}}]}}]})
    assert [call.id for call in completion.reply(route="r", model="m").calls] == ["a", "b"]


@pytest.mark.parametrize(
    ("dialect", "wanted", "calls"),
    [("vllm", "auto", "native"), ("ollama", "auto", "schema"), ("llama.cpp", "auto", "schema"), ("llama.cpp", "native", "native")],
)
def test_how_a_model_calls_tools_follows_from_its_server_unless_set(dialect: Any, wanted: Any, calls: str) -> None:
    found = Found(at=0.0, server=Server(dialect=dialect), parts=Parts(accepts={"tool": True}))
    assert profile_of(found, ModelSettings(tool_calls=wanted)).calls == calls
