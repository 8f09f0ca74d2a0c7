import asyncio
import json
import sys
import time

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models.contract import Ask, Picture, Text, assistant, system, user
from heliograph.models.errors import ModelBusy, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.failures import room
from heliograph.models.providers import ProviderBackend
from heliograph.models.scripted import Scripted, Turn

MODELS = {"anthropic": "claude-haiku-4-5", "google": "gemini-3.8-flash"}
DIALECTS = {"anthropic": "anthropic", "google": "gemini"}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"], "additionalProperties": False}
BOTH = pytest.mark.parametrize("kind", ["anthropic", "google"])


def scripted(kind, script=(), **abilities):
    return Scripted(script, DIALECTS[kind], models=[MODELS[kind]], **abilities)


def backend(kind, server, **settings):
    return ProviderBackend("route", ModelSettings(kind=kind, url=server.origin, model=MODELS[kind], key="secret-key", **settings))


def asked(text="What is the total?", **fields):
    return Ask(messages=[system("Be exact."), user(Text(text))], **fields)


async def said(kind, turn, ask=None, **settings):
    async with scripted(kind, [turn]) as server:
        model = backend(kind, server, **settings)
        try:
            return await model.ask(ask or asked())
        finally:
            await model.close()


@BOTH
@pytest.mark.parametrize("mode", ["json_schema", "tool", "prompt"])
async def test_an_answer_has_its_json_its_tokens_and_who_gave_it(kind, mode):
    reply = await said(kind, {"total": 12.5}, asked(schema=SCHEMA, mode=mode))
    assert json.loads(reply.text) == {"total": 12.5}
    assert (reply.finish, reply.mode, reply.route, reply.model) == ("stop", mode, "route", MODELS[kind])
    assert reply.spent.input > 5
    assert reply.spent.output > 1


@BOTH
async def test_the_schema_goes_by_the_way_the_mode_says(kind):
    async with scripted(kind, [Turn(times=0)]) as server:
        model = backend(kind, server)
        for mode in ("json_schema", "tool", "prompt"):
            await model.ask(asked(schema=SCHEMA, mode=mode, name="invoice"))
        await model.close()
        heard = [request.heard for request in server.requests]
    assert [request.mode for request in heard] == ["json_schema", "tool", "prompt"]
    assert heard[0].schema["properties"] == SCHEMA["properties"]
    assert heard[1].tool == "invoice"
    assert '"total"' in heard[2].last


@BOTH
async def test_pictures_turns_and_limits_arrive(kind):
    conversation = [system("Be exact."), user(Picture(b"abc", 1, 1), Text("one")), assistant("two"), user(Text("three"))]
    async with scripted(kind, ["four"]) as server:
        model = backend(kind, server, headers={"X-Team": "papers"})
        await model.ask(Ask(messages=conversation, max_tokens=77, temperature=0.5))
        await model.close()
        (request,) = server.requests
    assert [(message.role, message.text, len(message.pictures)) for message in request.heard.messages] == [
        ("system", "Be exact.", 0),
        ("user", "one", 1),
        ("assistant", "two", 0),
        ("user", "three", 0),
    ]
    assert request.heard.max_tokens == 77
    assert request.headers["x-team"] == "papers"
    assert 0.5 in (request.body.get("temperature"), request.body.get("generationConfig", {}).get("temperature"))


async def test_a_model_that_refuses_a_temperature_is_sent_none():
    async with Scripted(["a"], "anthropic", models=["claude-sonnet-5-5"]) as server:
        model = ProviderBackend("route", ModelSettings(kind="anthropic", url=server.origin, model="claude-sonnet-5-5", key="k"))
        await model.ask(asked())
        await model.close()
        assert "temperature" not in server.bodies[0]


@BOTH
async def test_a_stream_comes_in_pieces_and_ends_with_the_reply(kind):
    async with scripted(kind, ["one two three"]) as server:
        model = backend(kind, server)
        deltas = [delta async for delta in model.stream(asked())]
        await model.close()
    assert "".join(delta.text for delta in deltas) == "one two three"
    assert len(deltas) > 3
    assert [delta.reply is not None for delta in deltas][-2:] == [False, True]
    assert deltas[-1].reply.text == "one two three"


@BOTH
async def test_a_cut_answer_says_so_and_a_refusal_is_told_from_it(kind):
    assert (await said(kind, Turn(answer="one two three", truncate=2))).finish == "length"
    refused = await said(kind, Turn(refusal="I cannot."))
    assert (refused.finish, refused.text, bool(refused.refusal)) == ("refusal", "", True)


@BOTH
@pytest.mark.parametrize("turn", [Turn(answer="a b c d e f", reset_after=5), Turn(answer="a b c d e f", end_after=5)])
async def test_what_breaks_off_is_broken_for_who_asks_and_an_error_for_who_listens(kind, turn):
    reply = await said(kind, turn)
    assert reply.finish == "broken"
    assert reply.text
    assert "a b c d e f".startswith(reply.text)
    async with scripted(kind, [turn]) as server:
        model = backend(kind, server)
        with pytest.raises(ModelUnavailable, match="broke off"):
            _ = [delta async for delta in model.stream(asked())]
        await model.close()


@BOTH
@pytest.mark.parametrize(
    ("turn", "error", "words"),
    [
        (Turn(status=429, retry_after=3), ModelBusy, "takes no more requests"),
        (Turn(status=500), ModelUnavailable, "failed"),
        (Turn(status=503), ModelUnavailable, "failed|takes no more"),
        (Turn(status=401, error="key secret-key is wrong"), ModelRefused, "does not accept its key"),
        (Turn(status=404, error="no such model"), ModelRefused, "was not found"),
        (Turn(status=400, error="temperature: too high"), ModelRefused, "temperature: too high"),
        (Turn(answer="x", reset_after=0), ModelUnavailable, "failed"),
        (Turn(answer="x", garbage_after=0), ModelUnavailable, "failed"),
    ],
)
async def test_failures_are_ours_and_tried_once(kind, turn, error, words):
    async with scripted(kind, [turn, "second try"]) as server:
        model = backend(kind, server)
        with pytest.raises(error, match=words) as raised:
            await model.ask(asked())
        await model.close()
        assert len(server.requests) == 1
    assert "secret-key" not in raised.value.message
    if turn.retry_after:
        assert raised.value.retry_after == 3


@BOTH
async def test_too_long_a_prompt_is_a_limit(kind):
    async with scripted(kind, ["x"], context=50) as server:
        model = backend(kind, server)
        with pytest.raises(ModelLimit):
            await model.ask(asked("word " * 100))
        await model.close()


async def test_an_answer_that_leaves_too_little_room_is_a_limit_and_says_how_much_there_is():
    async with scripted("anthropic", ["x"], context=5000) as server:
        model = backend("anthropic", server)
        with pytest.raises(ModelLimit) as raised:
            await model.ask(asked(max_tokens=4998))
        await model.close()
    assert room(raised.value) == 5000 - len(server.requests[0].heard.prompt)


@BOTH
async def test_leaving_reaches_the_provider_within_a_second(kind):
    async with scripted(kind, [Turn(answer="word " * 500, pace=0.05), Turn(delay=30)]) as server:
        model = backend(kind, server)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(model.ask(asked()), 0.5)
            left = time.monotonic()
            while server.requests[-1].disconnected is None and time.monotonic() - left < 1:
                await asyncio.sleep(0.01)
            assert server.requests[-1].disconnected is not None
        await model.close()


@BOTH
async def test_silence_and_slowness_end(kind):
    async with scripted(kind, [Turn(answer="a b c", pace=0.2), Turn(delay=2)]) as server:
        model = backend(kind, server, idle_timeout=0.1, timeout=1.5)
        assert (await model.ask(asked())).finish == "broken"
        with pytest.raises(ModelUnavailable, match=r"within 1\.5 seconds"):
            await model.ask(asked())
        await model.close()


@BOTH
async def test_settings_override_what_is_assumed_of_a_provider(kind):
    async with scripted(kind) as server:
        assumed = await backend(kind, server).profile()
        made = await backend(kind, server, vision=False, context=9000, max_output=500, json_mode="tool", coordinates="fraction").profile()
    assert (assumed.vision, assumed.json_modes[0], assumed.dialect) == (True, "json_schema", DIALECTS[kind])
    assert (made.vision, made.context, made.max_output, made.json_modes, made.coordinates) == (
        False,
        9000,
        500,
        ("tool", "prompt"),
        "fraction",
    )


async def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(NotConfigured, match=r"models\.mine\.model"):
        ProviderBackend("mine", ModelSettings(kind="anthropic"))
    with pytest.raises(NotConfigured, match=r"models\.mine\.key_env"):
        await ProviderBackend("mine", ModelSettings(kind="anthropic", model="claude-haiku-4-5")).profile()
    with pytest.raises(NotConfigured, match=r"models\.mine\.kind is 'nobody'"):
        await ProviderBackend("mine", ModelSettings(kind="nobody", model="x")).profile()
    with pytest.raises(NotConfigured, match=r"mistral.*needs a package"):
        await ProviderBackend("mine", ModelSettings(kind="mistral", model="x", key="k")).profile()
    with pytest.raises(NotConfigured, match="offline"):
        ProviderBackend("mine", ModelSettings(kind="anthropic", model="x"), settings=Settings(offline=True))


async def test_without_pydantic_ai_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydantic_ai"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(NotConfigured, match=r"pip install 'heliograph\[providers\]'"):
        await ProviderBackend("mine", ModelSettings(kind="anthropic", model="x", key="k")).profile()
