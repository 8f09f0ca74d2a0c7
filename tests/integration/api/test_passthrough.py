"""Chats that are passed straight on to a model: what the model is asked, what the client gets, what is kept, and every way to fail."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from heliograph.api.passthrough import preparing
from heliograph.config import ModelSettings, Settings
from heliograph.models.scripted import Call, Heard, Scripted, Turn, When
from heliograph.store import completions, sessions
from heliograph.store.completions import Completion
from tests.integration.api.conftest import PNG, Answer, Api, serving

PATH = "/v1/openai/chat/completions"
_END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@asynccontextmanager
async def passing(
    settings: Settings,
    database_url: str,
    script: Any = (),
    *,
    dialect: Any = "vllm",
    more: dict[str, ModelSettings] | None = None,
    **route: Any,
) -> AsyncIterator[tuple[Api, Scripted]]:
    """A server with a route `house` that leads to a scripted model."""
    async with Scripted(script, dialect) as model:
        models = {"house": ModelSettings(**({"url": model.url, "model": "scripted"} | route))} | (more or {})
        async with serving(settings.model_copy(update={"models": models, "min_free_disk": 0}), database_url) as api:
            yield api, model


async def chat(api: Api, words: str | list[Any] = "Hello", **options: Any) -> Answer:
    key, headers = options.pop("key", None), options.pop("headers", None)
    messages = words if isinstance(words, list) and words and "role" in words[0] else [{"role": "user", "content": words}]
    return await api("POST", PATH, key=key, headers=headers, json={"model": "house", "messages": messages} | options)


def events(answer: Answer) -> list[Any]:
    """The events of a stream; `[DONE]` as None."""
    lines = [line[6:] for line in answer.content.decode().split("\n") if line.startswith("data: ")]
    return [None if line == "[DONE]" else json.loads(line) for line in lines]


def said(answer: Answer) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events(answer) if event and event.get("choices"))


async def logged(api: Api, id: str) -> Completion:
    for _ in range(100):
        async with api.database.begin() as conn:
            row = await completions.get(conn, api.tenant, id)
        if row is not None and row.status != "running":
            return row
        await asyncio.sleep(0.03)
    raise AssertionError("nothing was logged")


async def turns(api: Api, session: str) -> list[tuple[str, str]]:
    async with api.database.begin() as conn:
        rows = [json.loads(turn.message) for turn in await sessions.history(conn, session)]
    return [(row["role"], "".join(part.get("text", "") for part in row.get("parts", []))) for row in rows]


async def test_an_answer_comes_whole_with_our_id_session_and_the_name_that_was_asked_for(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, ["Good day."]) as (api, model):
        answer = await chat(api, temperature=0.5, seed=None, metadata={"job": "7"}, toolsets=[], user="u1")
        assert answer.status == 201
        body = answer.json
        assert body["id"].startswith("chatcmpl-")
        assert body["model"] == "house"
        assert body["choices"][0]["message"]["content"] == "Good day."
        assert body["usage"]["total_tokens"] > 0
        # what the model was asked: its own name, what was sent, and nothing that is ours
        assert model.bodies[0] == {
            "model": "scripted", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0.5, "user": "u1"
        }  # fmt: skip
        assert await turns(api, body["session_id"]) == [("user", "Hello"), ("assistant", "Good day.")]
        row = await logged(api, body["id"])
        assert (row.status, row.response, row.model, row.answered_by, row.session) == (
            "completed", "Good day.", "house", "house", body["session_id"],
        )  # fmt: skip
        assert json.loads(row.request)["messages"] == [{"role": "user", "content": "Hello"}]
        assert json.loads(row.metadata or "") == {"job": "7"}


async def test_a_stream_comes_as_the_model_sends_it_and_its_turn_is_kept_before_it_ends(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, [Turn(answer='Zoë said: "id":"chatcmpl-1" 😀', times=0)]) as (api, model):
        answer = await chat(api, stream=True)
        assert answer.status == 201
        assert answer.headers["content-type"].startswith("text/event-stream")
        chunks = events(answer)
        assert chunks[-1] is None
        ids = {(chunk["id"], chunk["session_id"], chunk["model"]) for chunk in chunks[:-1]}
        assert len(ids) == 1
        id, session, name = ids.pop()
        assert name == "house"
        assert said(answer) == 'Zoë said: "id":"chatcmpl-1" 😀'
        assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1] if chunk["choices"]].count("stop") == 1
        assert chunks[-2]["usage"]["total_tokens"] > 0
        assert model.bodies[0]["stream_options"] == {"include_usage": True}
        assert await turns(api, session) == [("user", "Hello"), ("assistant", 'Zoë said: "id":"chatcmpl-1" 😀')]
        assert (await logged(api, id)).finish_reason == "stop"


async def test_a_session_goes_on_with_the_new_message_alone_or_with_the_whole_chat_sent_again(
    settings: Settings, database_url: str
) -> None:
    async with passing(settings, database_url, ["one", "two", "three", "four"]) as (api, model):
        session = (await chat(api, "first")).json["session_id"]
        assert (await chat(api, "second", session_id=session)).json["choices"][0]["message"]["content"] == "two"
        assert [message["content"] for message in model.bodies[1]["messages"]] == ["first", "one", "second"]
        whole = [
            {"role": role, "content": words}
            for role, words in [("user", "first"), ("assistant", "one"), ("user", "second"), ("assistant", "two"), ("user", "third")]
        ]
        await chat(api, whole, session_id=session)
        assert [message["content"] for message in model.bodies[2]["messages"]] == ["first", "one", "second", "two", "third"]
        assert [words for _, words in await turns(api, session)] == ["first", "one", "second", "two", "third", "three"]
        # going back on the second question: what came after it is gone
        await chat(api, [*whole[:2], {"role": "user", "content": "other"}], session_id=session)
        assert [words for _, words in await turns(api, session)] == ["first", "one", "other", "four"]


async def test_a_client_may_choose_the_session_and_another_tenant_does_not_find_it(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, [Turn(answer="yes", times=0)]) as (api, model):
        mine = "7d1c0f5e-0000-4000-8000-000000000001"
        assert (await chat(api, session_id=mine, stream=True)).status == 201
        other = await api.new_key("another tenant")
        for stream in (False, True):
            answer = await chat(api, session_id=mine, key=other, stream=stream)
            assert answer.status == 404
            assert answer.json["error"]["code"] == "not_found"
        assert len(model.requests) == 1
        assert len(await turns(api, mine)) == 2


async def test_pictures_are_inlined_and_come_back_from_the_session_by_reference(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, ["a dot", "black", "x"]) as (api, model):
        file = await api.upload(PNG, "dot.png")
        uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
        link = (await api("GET", f"/v1/files/{file['id']}", params={"generate_public_url": "true"})).json["public_url"]
        for part in ({"type": "input_file", "file_id": file["id"]}, {"type": "image_url", "image_url": link}):
            answer = await chat(api, [{"role": "user", "content": [{"type": "text", "text": "What?"}, part]}])
            assert answer.status == 201, answer.content
            assert model.bodies[-1]["messages"][0]["content"] == [
                {"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": uri}},
            ]  # fmt: skip
        session = answer.json["session_id"]
        await chat(api, "And its colour?", session_id=session)
        assert model.bodies[-1]["messages"][0]["content"][1] == {"type": "image_url", "image_url": {"url": uri}}
        assert model.bodies[-1]["messages"][2]["content"] == "And its colour?"
        async with api.database.begin() as conn:
            kept = (await conn.execute(text("SELECT ref, source, media_type FROM artifacts WHERE namespace = :id"), {"id": session})).all()
        assert [(ref[:4], source, kind) for ref, source, kind in kept] == [("img_", "manifest", "image/png")]


async def test_an_address_of_the_clients_is_fetched_by_us_or_refused_and_never_passed_on(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url) as (api, model):
        picture = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/secret.png"}}
        answer = await chat(api, [{"role": "user", "content": [picture]}])
        assert answer.status == 422
        assert answer.json["error"]["code"] == "fetch_failed"
        assert model.requests == []


async def test_calls_of_the_clients_tools_are_passed_on_and_kept_with_the_turn(settings: Settings, database_url: str) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    async with passing(settings, database_url, [Turn(calls=[Call("weather", {"city": "Bern"})], times=0)]) as (api, model):
        answer = await chat(api, stream=True, tools=[tool], tool_choice="auto")
        assert events(answer)[-1] is None
        assert model.bodies[0]["tools"][0]["function"]["name"] == "weather"
        async with api.database.begin() as conn:
            rows = await sessions.history(conn, events(answer)[0]["session_id"])
        calls = json.loads(rows[1].message)["calls"]
        assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [("weather", {"city": "Bern"})]


@pytest.mark.parametrize(
    ("format", "passed"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        ({"type": "json_schema", "schema": {"type": "object"}}, "answer"),
        ({"type": "json_schema", "json_schema": {"type": "object"}, "name": "X", "strict": False}, "X"),
        ({"type": "json_schema", "json_schema": {"name": "Y", "schema": {"type": "object"}, "strict": True}}, "Y"),
    ],
)
async def test_every_shape_of_a_format_reaches_the_model_in_openais(
    settings: Settings, database_url: str, format: Any, passed: Any
) -> None:
    async with passing(settings, database_url) as (api, model):
        await chat(api, response_format=format)
        sent = model.bodies[0]["response_format"]
        assert sent == passed if isinstance(passed, dict) else (sent["json_schema"]["name"], sent["json_schema"]["schema"]) == (
            passed, {"type": "object"},
        )  # fmt: skip


async def test_limits_are_clamped_and_what_is_ours_or_null_stays_here(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, max_output=100) as (api, model):
        answer = await chat(
            api, [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi", "name": None}], max_tokens=10**9, n=None,
            service_tier="flex", preview=False, store=True, session_token="t", logprobs=2, options={"a": 1},
        )  # fmt: skip
        assert answer.status == 201, answer.content
        assert model.bodies[0] == {
            "model": "scripted", "max_tokens": 100, "logprobs": True, "top_logprobs": 2, "options": {"a": 1},
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        }  # fmt: skip


async def test_nothing_is_kept_where_retention_is_not_allowed(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, [Turn(answer="secret", times=0)]) as (api, _):
        answer = await chat(api, metadata={"allow_retention": False})
        await chat(api, metadata={"allow_logging": False})
        marker = (await chat(api)).json["id"]
        await logged(api, marker)
        assert await api.count("completions") == 1
        assert await turns(api, answer.json["session_id"]) == []


async def test_the_same_id_and_body_is_the_same_answer_made_once(settings: Settings, database_url: str) -> None:
    script = [Turn(answer="once", delay=0.5), "twice", Turn(status=500), "at last"]
    async with passing(settings, database_url, script) as (api, model):
        first, second, streamed = await asyncio.gather(
            chat(api, id="my/own"), chat(api, id="my/own"), chat(api, id="my/own", stream=True)
        )  # fmt: skip
        assert first.json["id"] == second.json["id"] == "my/own"
        assert first.json["choices"][0]["message"]["content"] == second.json["choices"][0]["message"]["content"] == "once"
        assert first.json["session_id"] == second.json["session_id"] == events(streamed)[0]["session_id"]
        assert said(streamed) == "once"
        assert events(streamed)[-1] is None
        assert len(model.requests) == 1
        other = await chat(api, "something else", id="my/own")
        assert (other.status, other.json["error"]["code"]) == (409, "conflict")
        # a key for many tries is as good as an id
        keyed = [await chat(api, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        assert [answer.json["choices"][0]["message"]["content"] for answer in keyed] == ["twice", "twice"]
        assert (await chat(api, "other", headers={"Idempotency-Key": "k1"})).status == 409
        # what failed is tried again
        assert (await chat(api, id="again")).status == 503
        assert (await chat(api, id="again")).json["choices"][0]["message"]["content"] == "at last"
        assert len(model.requests) == 4


async def test_a_refused_chat_leaves_its_id_free(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, ["fine"]) as (api, _):
        missing = [{"role": "user", "content": [{"type": "input_file", "file_id": "nothing"}]}]
        assert (await chat(api, missing, id="mine")).status == 404
        assert (await chat(api, id="mine")).status == 201


@pytest.mark.parametrize("known", [False, True])
async def test_history_that_is_too_long_for_the_model_is_cut_by_whole_turns_and_that_is_noted(
    settings: Settings, database_url: str, known: bool
) -> None:
    words = "word " * 200

    def too_long(heard: Heard) -> bool:
        return len(heard.text) > 3000

    refusal = "This model's maximum context length is 999 tokens. However, your messages resulted in 1999 tokens."
    script = [Turn(when=When(that=too_long), status=400, error=refusal), Turn(answer="fine", times=0)]
    async with passing(settings, database_url, script, **({"context": 900} if known else {})) as (api, model):
        session = (await chat(api, [{"role": "system", "content": "Be kind."}, {"role": "user", "content": f"0 {words}"}])).json[
            "session_id"
        ]
        for number in range(1, 6):
            answer = await chat(api, f"{number} {words}", session_id=session)
            assert answer.status == 201, answer.content
        sent = [(message["role"], message["content"][:40]) for message in model.bodies[-1]["messages"]]
        assert sent[0] == ("system", "Be kind.")
        assert "earlier messages of this chat are left out" in model.bodies[-1]["messages"][1]["content"]
        assert sent[2][0] == "user"
        assert sent[-1][1].startswith("5 word")
        assert any(recorded.status == 400 for recorded in model.requests) is not known
        assert len(await turns(api, session)) == 13  # what was left out for the model is still the session's
        request = json.loads((await logged(api, answer.json["id"])).request)
        assert f"[{request['left_out']} earlier" in model.bodies[-1]["messages"][1]["content"]
        # one message that is too long by itself is refused
        alone = await chat(api, "long " * 2000)
        if not known:
            assert (alone.status, alone.json["error"]["code"]) == (400, "context_length_exceeded")


async def test_an_offline_server_asks_no_model_elsewhere(settings: Settings, database_url: str) -> None:
    models = {"house": ModelSettings(url="http://192.0.2.7:9/v1", model="m")}
    async with serving(settings.model_copy(update={"models": models, "offline": True}), database_url) as api:
        answer = await chat(api)
        assert (answer.status, answer.json["error"]["code"]) == (422, "not_configured")
        assert "HELIOGRAPH_OFFLINE" in answer.json["error"]["message"]


async def test_a_session_is_held_for_as_long_as_its_answer_takes_and_one_that_is_deleted_meanwhile_stays_so(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "LEASE", timedelta(seconds=0.6))
    script = ["first", Turn(answer="slow", delay=2.0), "next", Turn(answer="too late", delay=5.0)]
    async with passing(settings, database_url, script) as (api, model):
        session = (await chat(api, "1")).json["session_id"]
        slow = asyncio.create_task(chat(api, "2", session_id=session))
        while len(model.requests) < 2:
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)  # its first lease is over
        await chat(api, "3", session_id=session)
        assert (await slow).status == 201
        assert [words for _, words in await turns(api, session)] == ["1", "first", "2", "slow", "3", "next"]
        late = asyncio.create_task(chat(api, "4", session_id=session))
        while len(model.requests) < 4:
            await asyncio.sleep(0.02)
        assert (await api("DELETE", f"/v1/sessions/{session}")).status == 200
        assert (await late).status == 503
        assert (await api("GET", f"/v1/sessions/{session}")).status == 404


async def test_a_published_name_without_tools_is_passed_to_the_default_model_and_named_as_asked(
    settings: Settings, database_url: str
) -> None:
    async with Scripted(["straight"]) as model:
        models = {"default": ModelSettings(url=model.url, model="scripted")}
        async with serving(settings.model_copy(update={"models": models, "min_free_disk": 0}), database_url) as api:
            answer = await chat(api, model="vlmrun-orion-1:auto", toolsets=[])
            assert answer.json["choices"][0]["message"]["content"] == "straight"
            assert answer.json["model"] == "vlmrun-orion-1:auto"
            assert (await logged(api, answer.json["id"])).answered_by == "default"
            assert await api.count("predictions") == 0


# -- failing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("turn", "status", "code"),
    [
        (Turn(status=429, retry_after=7), 429, "rate_limit_exceeded"),
        (Turn(status=500), 503, "unavailable"),
        (Turn(status=401), 422, "model_refused"),
        (Turn(status=404), 422, "model_refused"),
        (Turn(status=400), 400, "invalid_request"),
        (Turn(status=302, headers={"Location": "http://127.0.0.1:1/"}), 422, "model_refused"),
    ],
)
async def test_what_the_model_refuses_is_told_in_the_callers_dialect(
    settings: Settings, database_url: str, turn: Turn, status: int, code: str, stream: bool
) -> None:
    async with passing(settings, database_url, [turn]) as (api, _):
        answer = await chat(api, stream=stream)
        assert (answer.status, answer.json["error"]["code"]) == (status, code), answer.content
        assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
        async with api.database.begin() as conn:
            assert (await conn.execute(text("SELECT count(*) FROM sessions"))).scalar_one() == 0
            for _ in range(50):
                found = await completions.list_(conn, api.tenant, limit=5)
                if found:
                    break
                await asyncio.sleep(0.05)
        assert [row.status for row in found] == ["failed"]
        assert json.loads(found[0].error or "")["type"] == code


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_is_not_there_is_said_at_once(settings: Settings, database_url: str, stream: bool) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        models = {"house": ModelSettings(url=f"http://127.0.0.1:{closed.getsockname()[1]}/v1", model="m")}
        async with serving(settings.model_copy(update={"models": models}), database_url) as api:
            began = time.monotonic()
            answer = await chat(api, stream=stream)
            assert (answer.status, answer.json["error"]["type"]) == (503, "unavailable")
            assert time.monotonic() - began < 5
            for _ in range(6):
                answer = await chat(api, stream=stream)
            # its circuit is open by now, and says when to come again
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) >= 1


async def test_the_route_behind_it_answers_while_a_model_is_out_of_service(settings: Settings, database_url: str) -> None:
    async with Scripted(["from the second"]) as second:
        behind = {"second": ModelSettings(url=second.url, model="scripted")}
        async with passing(settings, database_url, [Turn(status=503, times=0)], more=behind, fallback="second") as (api, _):
            answer = await chat(api)
            assert answer.json["choices"][0]["message"]["content"] == "from the second"
            assert answer.json["model"] == "house"
            assert len(second.requests) == 1
            assert (await logged(api, answer.json["id"])).answered_by == "second"


async def test_a_stream_that_breaks_ends_with_an_error_and_leaves_the_session_as_it_was(settings: Settings, database_url: str) -> None:
    words = "one two three four five six seven eight nine ten"
    broken = [Turn(answer=words, reset_after=3), Turn(answer=words, end_after=3), Turn(answer=words, garbage_after=3)]
    async with passing(settings, database_url, ["before", *broken]) as (api, _):
        session = (await chat(api, "start")).json["session_id"]
        for _ in broken:
            answer = await chat(api, "more", stream=True, session_id=session)
            chunks = events(answer)
            assert answer.status == 201
            assert chunks[-1] is not None
            assert chunks[-1]["error"]["type"] == "unavailable"
            assert said(Answer(201, {}, answer.content.rpartition(b"data: ")[0]))
        assert [words for _, words in await turns(api, session)] == ["start", "before"]
        began = time.monotonic()
        await chat(api, "again", session_id=session)  # nobody is left writing
        assert time.monotonic() - began < 5


async def test_a_model_that_falls_silent_is_given_up(settings: Settings, database_url: str) -> None:
    slow = Turn(answer="one two three four", pace=3.0)
    async with passing(settings, database_url, [slow], idle_timeout=0.3) as (api, model):
        began = time.monotonic()
        answer = await chat(api, stream=True)
        assert time.monotonic() - began < 3
        assert "did not answer within" in json.dumps(answer.json if answer.status != 201 else events(answer)[-1])
        await asyncio.sleep(0.5)
        assert model.requests[0].disconnected is not None


async def test_an_answer_that_goes_on_for_longer_than_the_route_allows_is_ended(settings: Settings, database_url: str) -> None:
    endless = Turn(answer="word " * 400, pace=0.1)
    async with passing(settings, database_url, [endless], timeout=1.0) as (api, _):
        began = time.monotonic()
        answer = await chat(api, stream=True)
        assert time.monotonic() - began < 10
        assert "did not answer within 1 seconds" in events(answer)[-1]["error"]["message"]
        assert said(Answer(201, {}, answer.content.rpartition(b"data: ")[0])).startswith("word")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_model_is_stopped_within_a_second_when_its_client_leaves(settings: Settings, database_url: str, stream: bool) -> None:
    turn = Turn(answer="one two three", pace=2.0) if stream else Turn(answer="late", delay=20.0)
    async with passing(settings, database_url, [turn]) as (api, model):
        id = "chosen-by-the-client"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(chat(api, stream=stream, id=id), 0.7)
        left = time.monotonic()
        while model.requests[0].disconnected is None:
            assert time.monotonic() - left < 1.0
            await asyncio.sleep(0.02)
        row = await logged(api, id)
        assert row.status == "cancelled"
        async with api.database.begin() as conn:
            assert (await conn.execute(text("SELECT count(*) FROM turns"))).scalar_one() == 0


async def test_a_wrong_key_or_body_is_refused_as_on_every_route(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url) as (api, model):
        assert (await chat(api, key="hg_wrong")).status == 401
        answer = await api("POST", PATH, json={"model": "house", "messages": []})
        assert answer.status == 422
        assert answer.json["error"]["param"] == "messages"
        assert answer.headers["x-request-id"]
        answer = await chat(api, preview=["preview.nothing"])
        assert "preview.image" in answer.json["error"]["message"]
        assert model.requests == []


async def test_the_database_going_away_is_said_and_nothing_hangs(settings: Settings, database_url: str) -> None:
    script = [Turn(answer="one two", delay=0.5, times=0)]
    async with passing(settings, database_url, script) as (api, _):
        await chat(api)
        name = database_url.rpartition("/")[2].partition("?")[0]

        async def away() -> None:
            async with api.database.begin() as conn:
                await conn.execute(text("LOCK TABLE turns IN ACCESS EXCLUSIVE MODE"))
                await asyncio.sleep(12)

        assert name
        held = asyncio.create_task(away())
        await asyncio.sleep(0.2)
        began = time.monotonic()
        whole, stream = await asyncio.gather(chat(api), chat(api, stream=True))
        assert time.monotonic() - began < 11.5
        assert (whole.status, whole.json["error"]["type"]) == (503, "unavailable")
        assert events(stream)[-1]["error"]["type"] == "unavailable"
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        again = await chat(api)
        assert again.status == 201
        assert len(await turns(api, again.json["session_id"])) == 2


async def test_a_database_that_was_started_anew_costs_no_chat(settings: Settings, database_url: str) -> None:
    async with passing(settings, database_url, [Turn(answer="yes", times=0)]) as (api, _):
        await chat(api)
        for stream in (False, True):
            async with api.database.begin() as conn:
                await conn.execute(text(_END_ALL))
            answer = await chat(api, stream=stream)
            assert answer.status == 201
            session = events(answer)[0]["session_id"] if stream else answer.json["session_id"]
            assert len(await turns(api, session)) == 2
