"""The client of OpenAI-compatible servers against a scripted one: what is sent, what is understood, and every way to fail."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models.contract import Ask, Dialect, JsonMode, Picture, Profile, Text, system, user
from heliograph.models.errors import ModelBusy, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.openai import OpenAIBackend
from heliograph.models.scripted import Call, Scripted, Turn
from heliograph.models.serving import Models

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "company": {"type": "string"}},
    "required": ["total", "company"],
    "additionalProperties": False,
}
ANSWER = {"total": 12.5, "company": "Zoë Müller 株式会社 😀"}
ALL: Profile = Profile(
    json_modes=("json_schema", "tool", "json_object", "prompt"), dialect="vllm", logprobs=True, vision=True, prefill=True, model="scripted"
)


@asynccontextmanager
async def asked(
    script: Any = (), dialect: Dialect = "vllm", *, profile: Profile | None = ALL, abilities: Any = None, **settings: Any
) -> AsyncIterator[tuple[OpenAIBackend, Scripted]]:
    async with Scripted(script, dialect, **(abilities or {})) as server:
        backend = OpenAIBackend("test", ModelSettings(**{"url": server.url, "model": "scripted"} | settings), profile=profile)
        try:
            yield backend, server
        finally:
            await backend.close()


def question(**more: Any) -> Ask:
    return Ask(messages=[system("You read."), user(Text("What does it cost?"))], schema=SCHEMA, **more)


@pytest.mark.parametrize("mode", ["json_schema", "tool", "json_object", "prompt"])
@pytest.mark.parametrize("dialect", ["openai", "vllm", "sglang", "llama.cpp"])
async def test_every_json_mode_gives_the_answer_as_text(mode: JsonMode, dialect: Dialect) -> None:
    async with asked([Turn(answer=ANSWER, times=0)], dialect, profile=None) as (backend, _):
        first = await backend.ask(question(mode=mode))
        assert json.loads(first.text) == ANSWER
        assert (first.finish, first.mode, first.route, first.model) == ("stop", mode, "test", "scripted")
        assert first.spent.input > 0
        assert first.spent.output > 0


async def test_the_strongest_mode_that_was_found_is_used() -> None:
    async with asked(dialect="vllm", profile=None, abilities={"without": {"json_schema"}}) as (backend, server):
        assert (await backend.ask(question())).mode == "tool"
        assert "response_format" not in server.bodies[-1]


async def test_a_schema_that_nothing_holds_the_model_to_is_told_to_it() -> None:
    async with asked([ANSWER, ANSWER]) as (backend, server):
        for mode in ("json_object", "prompt"):
            await backend.ask(question(mode=mode))
            assert json.dumps(SCHEMA, separators=(",", ":")) in server.bodies[-1]["messages"][-1]["content"]


async def test_pictures_go_as_data_and_text_stays_plain() -> None:
    async with asked([ANSWER]) as (backend, server):
        picture = Picture(b"\xff\xd8 jpeg", 10, 20)
        await backend.ask(Ask(messages=[system("You read."), user(picture, Text("What?"))], schema=SCHEMA))
        rules, shown = server.bodies[0]["messages"]
        assert rules["content"] == "You read."
        assert shown["content"][0]["image_url"]["url"] == "data:image/jpeg;base64,/9gganBlZw=="
        assert shown["content"][1] == {"type": "text", "text": "What?"}


async def test_settings_reach_the_request_and_limits_are_clamped() -> None:
    profile = Profile(model="scripted", max_output=500)
    options = {"options": {"top_k": 1}, "headers": {"X-Team": "scans"}, "key": "secret-key"}
    async with asked(["hello"], profile=profile, **options) as (backend, server):
        reply = await backend.ask(Ask(messages=[user(Text("Say hello."))], max_tokens=65_535, temperature=0.3))
        body, headers = server.requests[0].body, server.requests[0].headers
        assert reply.text == "hello"
        assert reply.mode is None
        assert (body["top_k"], body["max_tokens"], body["temperature"], body["model"]) == (1, 500, 0.3, "scripted")
        assert headers["x-team"] == "scans"
        assert headers["authorization"] == "Bearer secret-key"


@pytest.mark.parametrize(("dialect", "flagged"), [("vllm", True), ("sglang", True), ("llama.cpp", False)])
async def test_a_begun_answer_is_gone_on_from_and_only_the_rest_is_given(dialect: Dialect, flagged: bool) -> None:
    text = json.dumps(ANSWER, ensure_ascii=False)
    profile = Profile(json_modes=("json_schema", "prompt"), dialect=dialect, prefill=True, model="scripted")
    async with asked([ANSWER], dialect, profile=profile) as (backend, server):
        reply = await backend.ask(question(prefill=text[:20]))
        body = server.bodies[0]
        assert text[:20] + reply.text == text
        assert body["messages"][-1] == {"role": "assistant", "content": text[:20]}
        assert ("continue_final_message" in body) is flagged
        assert "response_format" not in body  # a grammar would begin anew


async def test_tokens_spell_the_answer_with_their_probabilities() -> None:
    async with asked([Turn(answer=ANSWER, logprob={"12.5": -1.5})]) as (backend, _):
        reply = await backend.ask(question(logprobs=True))
        assert reply.tokens is not None
        assert "".join(token.text for token in reply.tokens) == reply.text
        assert min(token.logprob for token in reply.tokens) == -1.5


async def test_a_stream_gives_pieces_and_the_whole_at_last() -> None:
    async with asked([Turn(answer=ANSWER, pace=0.01), Turn(calls=[Call("answer", ANSWER)])]) as (backend, _):
        for mode in ("json_schema", "tool"):
            deltas = [delta async for delta in backend.stream(question(mode=mode))]
            assert deltas[-1].reply is not None
            assert len(deltas) > (5 if mode == "json_schema" else 1)
            assert "".join(delta.text for delta in deltas) == deltas[-1].reply.text
            assert json.loads(deltas[-1].reply.text) == ANSWER


async def test_a_server_that_does_not_stream_is_understood() -> None:
    profile = Profile(model="scripted", streaming=False, json_modes=("tool",))
    async with asked([Turn(fill=True)], profile=profile) as (backend, server):
        assert (await backend.ask(question())).finish == "stop"
        assert "stream" not in server.bodies[0]


async def test_why_an_answer_ended_is_told() -> None:
    turns = [Turn(answer=ANSWER, truncate=3), Turn(refusal="I may not."), Turn(answer="half", finish="content_filter")]
    async with asked(turns, "openai") as (backend, _):
        cut, refused, filtered = [await backend.ask(question()) for _ in turns]
        assert cut.finish == "length"
        assert json.dumps(ANSWER).startswith(cut.text)
        assert (refused.finish, refused.refusal) == ("refusal", "I may not.")
        assert filtered.finish == "refusal"


async def test_a_provider_that_minds_the_document_refuses_rather_than_fails() -> None:
    minds = {"error": {"message": "Your request was rejected as a result of our safety system.", "code": "content_policy_violation"}}
    async with asked([Turn(status=400, body=minds)], "openai") as (backend, _):
        reply = await backend.ask(question())
        assert reply.finish == "refusal"
        assert "safety system" in (reply.refusal or "")


async def test_a_user_in_the_address_is_sent_and_never_told() -> None:
    async with Scripted([Turn(status=400, error="Not with secret-word!")], "vllm") as server:
        url = server.url.replace("//", "//me:secret-word@")
        backend = OpenAIBackend("test", ModelSettings(url=url, model="scripted"), profile=ALL)
        with pytest.raises(ModelRefused) as caught:
            await backend.ask(question())
        assert server.requests[0].headers["authorization"].startswith("Basic ")
        assert "secret-word" not in str(caught.value)
        await backend.close()
        with pytest.raises(NotConfigured, match="both a key and a user"):
            OpenAIBackend("test", ModelSettings(url=url, key="k"))


async def test_endless_white_space_is_cut_and_the_model_stopped() -> None:
    async with asked([Turn(answer=ANSWER, whitespace=True)]) as (backend, server):
        reply = await backend.ask(question(max_tokens=5_000))
        assert reply.finish == "length"
        assert json.loads(reply.text) == ANSWER
        await until(lambda: server.open == 0)


async def test_the_only_model_of_a_server_is_asked_and_of_several_one_must_be_named() -> None:
    profile = Profile(json_modes=("prompt",))
    async with asked(["yes"], profile=profile, model=None) as (backend, server):
        assert (await backend.ask(Ask(messages=[user(Text("?"))]))).text == "yes"
        assert server.bodies[0]["model"] == "scripted"
    async with asked(["yes"], profile=profile, model=None, abilities={"models": ["one", "two"]}) as (backend, _):
        with pytest.raises(NotConfigured, match=r"models\.test\.model.*one, two"):
            await backend.ask(Ask(messages=[user(Text("?"))]))


FAILURES = [
    (Turn(status=429, retry_after=7), ModelBusy, "no more requests"),
    (Turn(status=503), ModelUnavailable, "503"),
    (Turn(status=500), ModelUnavailable, "500"),
    (Turn(status=400, error="top_k must be positive"), ModelRefused, "top_k must be positive"),
    (Turn(status=403), ModelRefused, "rights of its key"),
    (Turn(status=404), ModelRefused, r"models\.test\.url"),
    (Turn(status=401), ModelRefused, r"models\.test\.key_env"),
    (Turn(status=302, headers={"Location": "http://127.0.0.1:1/"}), ModelRefused, r"models\.test\.url"),
    (Turn(answer=ANSWER, reset_after=0), ModelUnavailable, "broke off"),
    (Turn(answer=ANSWER, end_after=0), ModelUnavailable, "broke off"),
    (Turn(answer=ANSWER, error_after=0), ModelUnavailable, "had an error"),
    (Turn(answer=ANSWER, garbage_after=0), ModelUnavailable, "not JSON"),
]


@pytest.mark.parametrize(("turn", "error", "words"), FAILURES)
async def test_a_failure_says_what_an_operator_needs(turn: Turn, error: type[Exception], words: str) -> None:
    async with asked([turn]) as (backend, server):
        with pytest.raises(error, match=words) as caught:
            await backend.ask(question())
        assert "'test'" in str(caught.value)
        assert server.origin in str(caught.value)


async def test_how_long_to_wait_is_handed_on() -> None:
    async with asked([Turn(status=429, retry_after=7)]) as (backend, _):
        with pytest.raises(ModelBusy) as caught:
            await backend.ask(question())
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("dialect", ["openai", "vllm", "sglang", "llama.cpp", "gemini", "anthropic"])
async def test_a_request_beyond_the_context_is_a_limit_in_every_dialect(dialect: Dialect) -> None:
    async with asked(["x"], dialect, profile=Profile(model="scripted", dialect=dialect), abilities={"context": 300}) as (backend, _):
        with pytest.raises(ModelLimit):
            await backend.ask(Ask(messages=[user(Text("word " * 1000))], max_tokens=100))


async def test_an_answer_that_leaves_no_room_is_asked_for_shorter() -> None:
    async with asked(["fine"], "vllm", profile=Profile(model="scripted", dialect="vllm"), abilities={"context": 1_000}) as (
        backend,
        server,
    ):
        assert (await backend.ask(Ask(messages=[user(Text("word " * 300))], max_tokens=990))).text == "fine"
        assert server.bodies[-1]["max_tokens"] < 990


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("how", ["reset_after", "end_after", "error_after", "garbage_after"])
async def test_what_came_before_a_break_is_kept(how: str, after: int) -> None:
    async with asked([Turn(answer=ANSWER, **{how: after + 1}), Turn(answer=ANSWER, **{how: after + 1})]) as (backend, _):
        reply = await backend.ask(question())
        assert reply.finish == "broken"
        assert reply.text
        assert json.dumps(ANSWER, ensure_ascii=False).startswith(reply.text)
        with pytest.raises(ModelUnavailable, match="broke off"):
            [delta async for delta in backend.stream(question())]


async def test_silence_within_an_answer_is_noticed_and_before_it_is_borne() -> None:
    turns = [Turn(answer=ANSWER, delay=0.5), Turn(answer=ANSWER, pace=0.5)]
    async with asked(turns, idle_timeout=0.2, timeout=5) as (backend, server):
        assert (await backend.ask(question())).finish == "stop"
        started = time.monotonic()
        assert (await backend.ask(question())).finish == "broken"
        assert time.monotonic() - started < 2
        await until(lambda: server.open == 0)


async def test_an_answer_takes_no_longer_than_it_may() -> None:
    async with asked([Turn(answer=ANSWER, delay=5), Turn(answer=ANSWER, pace=0.1)], timeout=0.4) as (backend, server):
        with pytest.raises(ModelUnavailable, match=r"within 0\.4 seconds"):
            await backend.ask(question())
        started = time.monotonic()
        assert (await backend.ask(question())).finish == "broken"
        assert time.monotonic() - started < 1
        await until(lambda: server.open == 0)


@pytest.mark.parametrize("turn", [Turn(answer=ANSWER, delay=30), Turn(answer=ANSWER, pace=0.2)])
async def test_cancelling_reaches_the_server_within_a_second(turn: Turn) -> None:
    async with asked([turn]) as (backend, server):
        task = asyncio.create_task(backend.ask(question()))
        await until(lambda: server.open == 1)
        await asyncio.sleep(0.3)
        left = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.requests[0].disconnected is not None)
        assert (server.requests[0].disconnected or 0) - left < 1


async def test_leaving_a_stream_early_stops_the_model() -> None:
    async with asked([Turn(answer=ANSWER, pace=0.1)]) as (backend, server):
        stream = backend.stream(question())
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        await until(lambda: server.open == 0)
        assert server.requests[0].disconnected is not None


async def test_no_connection_is_unavailable_and_says_so(unused_url: str) -> None:
    backend = OpenAIBackend("test", ModelSettings(url=unused_url, model="m"), profile=ALL)
    with pytest.raises(ModelUnavailable, match=r"'test'.*cannot be reached: .*Is its server running\?"):
        await backend.ask(question())
    await backend.close()


async def test_connections_are_used_again() -> None:
    async with asked([Turn(fill=True, times=0)]) as (backend, server):
        for _ in range(5):
            await backend.ask(question())
        pool = backend._endpoint._open().connector
        assert pool is not None
        assert sum(map(len, pool._conns.values())) == 1
        assert len(server.requests) == 5


async def test_a_key_is_read_where_it_is_kept_and_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.setenv("TEST_MODEL_KEY", "from-the-environment")
    for setting, key in (
        ({"key": "from-settings"}, "from-settings"),
        ({"key_env": "TEST_MODEL_KEY"}, "from-the-environment"),
        ({"key_file": tmp_path / "key"}, "from-a-file"),
    ):
        echo = Turn(status=400, body={"error": {"message": f"Bad request for {key} or Bearer sk-abcdef123456."}})
        async with asked([echo], **setting) as (backend, server):
            with pytest.raises(ModelRefused) as caught:
                await backend.ask(question())
            assert server.requests[0].headers["authorization"] == f"Bearer {key}"
            assert key not in str(caught.value)
            assert "abcdef" not in str(caught.value)
    async with asked(["x"], key_env="TEST_NO_SUCH_KEY") as (backend, _):
        with pytest.raises(NotConfigured, match="TEST_NO_SUCH_KEY"):
            await backend.ask(question())


async def test_the_models_of_a_process_are_made_once(settings: Settings) -> None:
    async with Scripted([Turn(times=0, fill=True)], "vllm") as server:
        models = Models(settings.model_copy(update={"models": {"mine": ModelSettings(url=server.url)}}))
        assert models.backend("mine") is models.backend("mine")
        assert set(json.loads((await models.backend("mine").ask(question())).text)) == {"total", "company"}
        with pytest.raises(NotConfigured, match=r"\[models\.other\]"):
            models.backend("other")
        await models.close()


@pytest.fixture
def unused_url(unused_tcp_port: int) -> str:
    return f"http://127.0.0.1:{unused_tcp_port}/v1"


async def until(true: Callable[[], bool], within: float = 2.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)
