from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from heliograph.agents.events import Asked, Shown, Thought
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import Media, Message, Task, ToolCall
from heliograph.agents.workspace import Workspace
from heliograph.config import ModelSettings, ProviderSettings, Settings
from heliograph.errors import CorruptMedia
from heliograph.jobs import tasks
from heliograph.store import predictions, sessions
from heliograph.store.predictions import Prediction

from .chatting import CHAT, SPENT, asks, heard, said, worker
from .conftest import PDF, PNG, Answer, Api, serving
from .publishing import package

PNG_TEXT, PDF_TEXT = base64.b64encode(PNG).decode(), base64.b64encode(PDF).decode()


async def row_of(api: Api, id: str) -> Prediction:
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, id)
    assert row is not None
    return row


async def task_of(api: Api, id: str) -> Task:
    return tasks.asked(await row_of(api, id)).task


async def test_a_chat_is_answered_in_the_openai_dialect_with_its_session(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path):
        answer = await api("POST", CHAT, json=asks("hello", model="vlmrun-orion-1:fast"))
    assert answer.status == 201, answer.content
    body = answer.json
    assert (body["object"], body["model"]) == ("chat.completion", "vlmrun-orion-1:fast")
    assert body["choices"] == [
        {
            "index": 0, "message": {"role": "assistant", "content": "You said: hello (1 messages, 0 seen)", "refusal": None},
            "logprobs": None, "finish_reason": "stop",
        }
    ]  # fmt: skip
    assert body["usage"] | {"prompt_tokens_details": None} == {
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": None, "credits_used": 0, "steps": 1,
    }  # fmt: skip
    assert body["session_id"]
    assert body["id"]


async def test_a_stream_begins_with_the_session_and_ends_once(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path):
        told = await heard(api, asks("hello"))
    assert said(told) == "You said: hello (1 messages, 0 seen)"
    assert told[-1].data == "[DONE]"
    chunks = [event.json for event in told[:-1]]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {chunk["session_id"] for chunk in chunks} == {chunks[0]["session_id"]}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["usage"]["total_tokens"] == 15, "who did not ask for a usage chunk of its own has it with the end"


async def test_usage_has_a_chunk_of_its_own_for_who_asks(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path):
        told = await heard(api, asks("hello", stream_options={"include_usage": True}))
    *_, last, usage, done = told
    assert done.data == "[DONE]"
    assert (usage.json["choices"], usage.json["usage"]["total_tokens"]) == ([], 15)
    assert "usage" not in last.json


async def test_a_session_remembers_and_nothing_stands_in_it_twice(api: Api, tmp_path: Path) -> None:
    async with worker(api, tmp_path):
        first = (await api("POST", CHAT, json=asks("one"))).json
        session, answer = first["session_id"], first["choices"][0]["message"]
        second = (await api("POST", CHAT, json=asks("two", session_id=session))).json
        assert second["choices"][0]["message"]["content"] == "You said: two (3 messages, 0 seen)"
        resent = [{"role": "user", "content": "one"}, answer, {"role": "user", "content": "two"}, second["choices"][0]["message"]]
        whole = {"session_id": session, "messages": [*resent, {"role": "user", "content": "three"}]}
        third = (await api("POST", CHAT, json=whole)).json
    assert third["choices"][0]["message"]["content"] == "You said: three (5 messages, 0 seen)"
    async with api.database.begin() as conn:
        turns = await sessions.history(conn, session)
        kept = await sessions.get(conn, api.tenant, session)
    texts = [msgspec.json.decode(turn.message, type=Message).text for turn in turns]
    assert texts == ["one", answer["content"], "two", second["choices"][0]["message"]["content"], "three",
                     third["choices"][0]["message"]["content"]]  # fmt: skip
    assert kept is not None
    assert (kept.title, kept.writer) == ("one", None)


async def test_another_way_from_an_earlier_turn_replaces_what_came_after(api: Api, tmp_path: Path) -> None:
    session = str(uuid4())
    async with worker(api, tmp_path):
        first = (await api("POST", CHAT, json=asks("one", session_id=session))).json["choices"][0]["message"]
        await api("POST", CHAT, json=asks("two", session_id=session))
        edited = [{"role": "user", "content": "one"}, first, {"role": "user", "content": "two, but better"}]
        await api("POST", CHAT, json={"session_id": session, "messages": edited})
    async with api.database.begin() as conn:
        turns = [msgspec.json.decode(turn.message, type=Message).text for turn in await sessions.history(conn, session)]
    assert turns == ["one", first["content"], "two, but better", "You said: two, but better (3 messages, 0 seen)"]


async def test_what_was_brought_is_seen_again_in_later_turns(api: Api, tmp_path: Path) -> None:
    file = await api.upload(PDF, "invoice.pdf")
    content = [
        {"type": "text", "text": "look"},
        {"type": "input_file", "file_id": file["id"]},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG_TEXT}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64," + PDF_TEXT, "filename": "b.pdf"}},
    ]
    async with worker(api, tmp_path):
        first = (await api("POST", CHAT, json={"messages": [{"role": "user", "content": content}]})).json
        second = (await api("POST", CHAT, json=asks("again", session_id=first["session_id"]))).json
    assert "3 seen" in first["choices"][0]["message"]["content"]
    assert "(3 messages, 3 seen)" in second["choices"][0]["message"]["content"]
    assert (await task_of(api, first["id"])).names == {0: "invoice.pdf", 2: "b.pdf"}
    refs = [part.ref for part in (await task_of(api, second["id"])).messages[0].parts if isinstance(part, Media)]
    assert [ref and ref.partition("_")[0] for ref in refs] == ["doc", "img", "doc"]


async def test_several_choices_are_runs_of_their_own_and_the_first_is_the_sessions_turn(api: Api, tmp_path: Path) -> None:
    async def different(task: Task, workspace: Workspace) -> Outcome:
        return Outcome(text=f"choice {task.choice}", spent=SPENT)

    async with worker(api, tmp_path, different):
        body = (await api("POST", CHAT, json=asks("hello", n=3))).json
        told = await heard(api, asks("hello", n=2))
    assert [choice["message"]["content"] for choice in body["choices"]] == ["choice 0", "choice 1", "choice 2"]
    assert body["usage"]["total_tokens"] == 45
    assert (said(told, 0), said(told, 1)) == ("choice 0", "choice 1")
    assert [event.data for event in told].count("[DONE]") == 1
    finishes = [each["finish_reason"] for event in told[:-1] for each in event.json["choices"]]
    assert finishes.count("stop") == 2
    async with api.database.begin() as conn:
        turns = [msgspec.json.decode(turn.message, type=Message).text for turn in await sessions.history(conn, body["session_id"])]
    assert turns == ["hello", "choice 0"]


async def test_cards_thoughts_and_calls_are_told_where_clients_look_for_them(api: Api, tmp_path: Path) -> None:
    async def showing(task: Task, workspace: Workspace) -> Outcome:
        await workspace.emit(Thought("Looking.\n"), key="t")
        if task.cards:
            await workspace.emit(Shown("preview.table", {"rows": [["it's <b> & so"]]}), key="c")
        calls = [ToolCall("call_1", "weather", '{"city":"Ulm"}')] if task.tools else []
        if calls:
            await workspace.emit(Asked(calls), key="a")
        return Outcome(text="" if calls else "Done.", calls=calls, finish="tool_calls" if calls else "stop", spent=SPENT)

    card = """<preview data='{"type":"preview.table","rows":[["it&#39;s &lt;b&gt; &amp; so"]]}'/>\n"""
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    async with worker(api, tmp_path, showing):
        streamed = await heard(api, asks("hello", preview=["preview.table"]))
        whole = (await api("POST", CHAT, json=asks("hello", preview=True))).json
        asked = (await api("POST", CHAT, json=asks("hello", tools=[tool]))).json
        told = await heard(api, asks("hello", tools=[tool]))
    assert said(streamed, field="reasoning_content") == "Looking.\n"
    assert said(streamed) == whole["choices"][0]["message"]["content"] == card + "Done."
    message = asked["choices"][0]["message"]
    assert (message["content"], asked["choices"][0]["finish_reason"]) == (None, "tool_calls")
    assert message["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Ulm"}'}
    deltas = [event.json["choices"][0]["delta"] for event in told[:-1]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "weather")]


async def test_results_of_the_clients_tools_resume_the_run_without_a_session_id(api: Api, tmp_path: Path) -> None:
    async def asking(task: Task, workspace: Workspace) -> Outcome:
        if task.messages[-1].role == "tool":
            return Outcome(text=f"It is {task.messages[-1].text} after {task.resumes is not None}.", spent=SPENT)
        calls = [ToolCall("call_1", "weather", "{}")]
        return Outcome(text="", calls=calls, finish="tool_calls", spent=SPENT)

    tools = [{"type": "function", "function": {"name": "weather"}}]
    async with worker(api, tmp_path, asking):
        first = (await api("POST", CHAT, json=asks("how is it?", tools=tools))).json
        message = first["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"}
        sent = [{"role": "user", "content": "how is it?"}, message, result]
        second = (await api("POST", CHAT, json={"messages": sent, "tools": tools})).json
    assert second["choices"][0]["message"]["content"] == "It is sunny after True."
    assert second["session_id"] == first["session_id"]
    task = await task_of(api, second["id"])
    assert (task.resumes, task.earlier, len(task.messages)) == (first["id"], 2, 3)
    assert task.messages[-1].call_id == "call_1"


async def test_a_run_that_fails_is_an_error_of_its_kind_and_in_a_stream_an_event(api: Api, tmp_path: Path) -> None:
    async def failing(task: Task, workspace: Workspace) -> Outcome:
        raise CorruptMedia("The invoice is torn.")

    async with worker(api, tmp_path, failing):
        answer = await api("POST", CHAT, json=asks("hello"))
        told = await heard(api, asks("hello"))
        again = await api("POST", CHAT, json=asks("hello", session_id=str(uuid4())))
    assert answer.status == again.status == 422
    assert answer.json["error"] == {"message": "The invoice is torn.", "type": "corrupt_media", "param": None, "code": "corrupt_media"}
    assert told[-1].json == {"error": answer.json["error"]}
    assert "[DONE]" not in [event.data for event in told]


async def test_the_same_id_and_body_are_the_same_completion_and_another_body_is_refused(api: Api, tmp_path: Path) -> None:
    id = str(uuid4())
    async with worker(api, tmp_path):
        first = await api("POST", CHAT, json=asks("hello", id=id))
        second = await api("POST", CHAT, json=asks("hello", id=id))
        streamed = await heard(api, asks("hello", id=id))
        other = await api("POST", CHAT, json=asks("good bye", id=id))
        keyed = [await api("POST", CHAT, json=asks("hello"), headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.json == second.json
    assert first.json["id"] == id
    assert said(streamed) == first.json["choices"][0]["message"]["content"]
    assert (other.status, other.json["error"]["type"]) == (409, "conflict")
    assert keyed[0].json == keyed[1].json
    assert keyed[0].json["id"] != id


async def test_a_retry_joins_the_run_that_is_still_going_on(api: Api, tmp_path: Path) -> None:
    first = asyncio.create_task(api("POST", CHAT, json=asks("hello")))
    while not await api.count("predictions"):
        await asyncio.sleep(0.02)
    retry = asyncio.create_task(api("POST", CHAT, json=asks("hello"), headers={"x-stainless-retry-count": "1"}))
    other = asyncio.create_task(api("POST", CHAT, json=asks("hello")))
    await asyncio.sleep(0.3)
    async with worker(api, tmp_path):
        answers = [await task for task in (first, retry, other)]
    assert answers[0].json == answers[1].json
    assert answers[2].json["id"] != answers[0].json["id"], "who asks the same without retrying wants an answer of its own"


async def test_warnings_are_told_with_the_usage(api: Api, tmp_path: Path) -> None:
    async def warning(task: Task, workspace: Workspace) -> Outcome:
        return Outcome(text="Half.", spent=SPENT, warnings=["The budget of steps was used up."])

    async with worker(api, tmp_path, warning):
        whole = (await api("POST", CHAT, json=asks("hello", logprobs=2))).json
        streamed = await heard(api, asks("hello"))
    assert whole["warnings"][0] == "The budget of steps was used up."
    assert "logprobs" in whole["warnings"][1]
    assert streamed[-2].json["warnings"] == ["The budget of steps was used up."]


async def test_what_is_not_to_be_retained_is_noted_as_delivered_once_it_was_answered(api: Api, tmp_path: Path) -> None:
    brief = asks("hello", metadata={"allow_retention": False, "allow_logging": False, "project": "x"})
    async with worker(api, tmp_path):
        ids = [(await api("POST", CHAT, json=brief)).json["id"], (await heard(api, brief))[0].json["id"]]
        ids.append((await heard(api, asks("hello")))[0].json["id"])
        await asyncio.sleep(0.2)
    async with api.database.begin() as conn:
        rows = [await predictions.get(conn, api.tenant, id) for id in ids]
    assert [(row.retain, row.log, row.delivered_at is not None) for row in rows if row] == [
        (False, False, True), (False, False, True), (True, True, False),
    ]  # fmt: skip


async def test_a_batch_answers_at_once_and_its_events_tell_the_rest(api: Api, tmp_path: Path) -> None:
    body = (await api("POST", CHAT, json=asks("hello", batch=True))).json
    assert (body["status"], body["choices"]) == ("pending", [])
    row = await row_of(api, body["id"])
    assert row.listened_at is None, "nobody listens, and it goes on"
    assert (await api("GET", f"{CHAT}/{body['id']}")).json == body
    async with worker(api, tmp_path):
        told = await heard(api, path=f"{CHAT}/{body['id']}/events")
    assert said(told) == "You said: hello (1 messages, 0 seen)"
    logged = (await api("GET", f"{CHAT}/{body['id']}")).json
    assert (logged["status"], logged["choices"][0]["message"]["content"]) == ("completed", said(told))


async def test_a_skill_that_comes_with_the_chat_says_which_model_and_tools_and_is_there_for_the_run(api: Api, tmp_path: Path) -> None:
    async def skilled(task: Task, workspace: Workspace) -> Outcome:
        read = await workspace.package(task.skills[0])
        script = (await workspace.folder(task.skills[0]) / "resources" / "hint.txt").read_text()
        return Outcome(text=f"{read.text.strip()} {script}", spent=SPENT)

    manifest = "apiVersion: vlm.run/v1alpha\nmodel: vlmrun-orion-2:pro\ntoolsets: [image, world_gen]\n"
    packed = package(more={"vlmrun.yaml": manifest, "resources/hint.txt": "gently"})
    inline = {"type": "inline", "name": "totals", "source": {"data": base64.b64encode(packed).decode()}}
    async with worker(api, tmp_path, skilled):
        body = (await api("POST", CHAT, json=asks("go", skills=[inline]))).json
        named = (await api("POST", CHAT, json=asks("go", skills=[inline], model="vlmrun-orion-1:lite", toolsets=["core"]))).json
    assert body["choices"][0]["message"]["content"] == "Read the total. gently"
    task = await task_of(api, body["id"])
    assert (task.model, task.generation, task.tier, task.toolsets) == ("vlmrun-orion-2:pro", "orion-2", "pro", ["image", "world-gen"])
    chosen = await task_of(api, named["id"])
    assert (chosen.model, chosen.toolsets) == ("vlmrun-orion-1:lite", ["core"])
    assert "source" not in (await row_of(api, body["id"])).request, "what came along is kept as a file, as long as the run"


async def test_guests_hear_only_their_own(settings: Settings, database_url: str, tmp_path: Path) -> None:
    async with serving(settings.model_copy(update={"guests": True, "guest_chats": 3}), database_url) as api, worker(api, tmp_path):

        async def guest(browser: str, body: dict[str, Any] | None = None, path: str = CHAT) -> Answer:
            method = "GET" if body is None else "POST"
            headers = {"X-Browser-Fingerprint": f"fingerprint-of-{browser}"}
            return await api(method, path, key="", headers=headers, **({} if body is None else {"json": body}))

        first = await guest("one-browser", asks("hello"))
        assert first.status == 201, first.content
        id, session = first.json["id"], first.json["session_id"]
        assert (await guest("one-browser", path=f"{CHAT}/{id}/events")).status == 200
        assert (await guest("another-browser", path=f"{CHAT}/{id}/events")).status == 404
        assert (await api("GET", f"{CHAT}/{id}/events")).status == 404
        assert (await guest("another-browser", asks("and?", session_id=session))).status == 404
        assert (await guest("another-browser", asks("hello", id=id))).status == 409
        again = await guest("one-browser", asks("and?", session_id=session))
        assert again.json["choices"][0]["message"]["content"] == "You said: and? (3 messages, 0 seen)"
        assert (await guest("one-browser", {"messages": []})).status == 422, "what is refused is not counted"
        assert (await guest("one-browser", asks("three"))).status == 201
        assert (await guest("one-browser", asks("four"))).status == 429


async def test_deleting_a_chat_that_goes_on_cancels_it_and_frees_its_session(api: Api, tmp_path: Path) -> None:
    body = (await api("POST", CHAT, json=asks("hello", batch=True, n=2))).json
    assert (await api("DELETE", f"{CHAT}/{body['id']}")).json["deleted"] is True
    assert await api.count("predictions") == await api.count("procrastinate_jobs") == 0
    assert (await api("DELETE", f"{CHAT}/{body['id']}")).status == 404
    async with worker(api, tmp_path):
        after = await api("POST", CHAT, json=asks("again", session_id=body["session_id"]))
    assert after.json["choices"][0]["message"]["content"] == "You said: again (1 messages, 0 seen)"


async def test_a_model_that_only_a_worker_can_ask_is_asked_without_tools(settings: Settings, database_url: str) -> None:
    models = {"local": ModelSettings(kind="gguf", model="/nowhere.gguf"), "other": ModelSettings(kind="gguf", model="/nowhere.gguf")}
    async with serving(settings.model_copy(update={"models": models}), database_url) as api:
        for fields, tools in (({}, []), ({"stream": True}, []), ({"toolsets": ["viz"]}, ["viz"])):
            answer = await api("POST", CHAT, json=asks("hello", batch=True, model="local", **fields))
            assert answer.status == 201, answer.content
            task = await task_of(api, answer.json["id"])
            assert (task.model, task.route, task.toolsets, task.generation) == ("local", "local", tools, "orion-1")


async def test_another_key_finds_neither_the_session_nor_the_completion(api: Api, tmp_path: Path) -> None:
    stranger = await api.new_key(f"stranger {uuid4()}")
    async with worker(api, tmp_path):
        mine = (await api("POST", CHAT, json=asks("hello"))).json
        theirs = await api("POST", CHAT, key=stranger, json=asks("what did they say?", session_id=mine["session_id"]))
        events = await api("GET", f"{CHAT}/{mine['id']}/events", key=stranger)
        same = await api("POST", CHAT, key=stranger, json=asks("hello", id=mine["id"]))
    assert (theirs.status, theirs.json["error"]["code"], theirs.json["error"]["param"]) == (404, "not_found", "session_id")
    assert events.status == 404
    assert same.status == 201
    assert same.json["session_id"] != mine["session_id"], "ids are a tenant's own"
    assert (await api("GET", f"/v1/predictions/{mine['id']}")).status == 404, "a chat is no request"


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "messages"),
    ({"messages": []}, 422, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, 422, "messages.0.role"),
    ({"messages": [{"content": [{"type": "image_url"}]}]}, 422, "messages.0.content.0.image_url"),
    ({"messages": [{"content": [{"type": "input_file"}]}]}, 422, "messages.0.content.0.file_id"),
    ({"messages": [{"content": [{"type": "input_file", "file_id": "none"}]}]}, 404, "messages.0.content.0.file_id"),
    ({"messages": [{"content": [{"type": "file"}]}]}, 422, "messages.0.content.0.file"),
    ({"messages": [{"content": [{"type": "text"}]}]}, 422, "messages.0.content.0.text"),
    ({"messages": [{"content": [{"type": "image_url", "image_url": "data:image/png;base64,"}]}]}, 422, "messages.0.content.0.image_url"),
    ({"messages": [{"content": [{"type": "image_url", "image_url": "data:image/png;base64,%%%"}]}]}, 422, "messages.0.content.0.image_url"),
    ({"messages": [{"content": [{"type": "image_url", "image_url": "file:///etc/passwd"}]}]}, 422, "messages.0.content.0.image_url"),
    ({"messages": [{"content": [{"type": "file_url", "file_url": {"url": "http://127.0.0.1/x"}}]}]}, 422, "messages.0.content.0.file_url"),
    ({"messages": [{"content": [{"type": "file_url", "file_url": {"url": "data:application/zip;base64,AAAA"}}, {"type": "audio_url"}]}]},
     422, "messages.0.content.1.audio_url"),
    ({"messages": [{"role": "tool", "content": "x"}]}, 422, "messages.0.tool_call_id"),
    ({"model": "gpt-9"}, 404, "model"),
    ({"n": 9}, 422, "n"),
    ({"preview": ["preview.hologram"]}, 422, "preview"),
    ({"toolsets": ["telepathy"]}, 422, "toolsets.0"),
    ({"models": ["meta-sam9"]}, 422, "models.0"),
    ({"models": ["meta-sam3"]}, 422, "models"),
    ({"response_format": {"type": "xml"}}, 422, "response_format"),
    ({"response_format": {"type": "json_schema", "schema": {"type": "nonsense"}}}, 422, "response_format.json_schema"),
    ({"response_format": {"type": "json_schema", "schema": {"$ref": "http://example.com/s.json"}}}, 422, "response_format.json_schema"),
    ({"tools": [{"function": {"name": "a"}}, {"function": {"name": "a"}}]}, 422, "tools"),
    ({"tools": [{"function": {"name": "a", "parameters": {"type": 7}}}]}, 422, "tools.0.function.parameters"),
    ({"tools": [{"function": {"name": "a"}}], "tool_choice": {"function": {"name": "b"}}}, 422, "tool_choice"),
    ({"functions": [{"name": "a"}]}, 422, "functions"),
    ({"skills": [{"skill_id": "no-such-skill"}]}, 404, "skills"),
    ({"skills": [{"type": "inline", "source": {"data": "AAAA"}}]}, 422, "skills"),
    ({"skills": [{}]}, 422, "skills"),
    ({"service_tier": "first"}, 422, "service_tier"),
    ({"created_at": "2999-01-01T00:00:00Z"}, 422, "created_at"),
    ({"session_id": "a\u0000b"}, 422, "session_id"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "param"), REFUSED, ids=[f"{index}-{param}" for index, (_, _, param) in enumerate(REFUSED)])
async def test_a_bad_body_is_refused_in_the_openai_dialect_and_leaves_nothing(
    api: Api, fields: dict[str, Any], status: int, param: str
) -> None:
    body = fields if "messages" in fields or not fields else asks("hello") | fields
    answer = await api("POST", CHAT, json=body)
    assert answer.status == status, answer.content
    error = answer.json["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] == param or "NUL" in error["message"], error
    assert error["message"]
    assert await api.count("predictions") == await api.count("sessions") == await api.count("procrastinate_jobs") == 0
    assert await api.stored() == []


async def test_limits_are_brought_to_what_models_can_do(api: Api) -> None:
    wild = asks("hello", batch=True, max_tokens=-3, temperature=9, top_p=7, top_k=-1, logprobs=True, stop="x", seed=4)
    task = await task_of(api, (await api("POST", CHAT, json=wild)).json["id"])
    sampling = task.sampling
    assert (sampling.max_tokens, sampling.temperature, sampling.top_p, sampling.top_k) == (None, 2.0, 1.0, None)
    assert (sampling.logprobs, sampling.stop, sampling.seed) == (1, ["x"], 4)
    bare = await task_of(api, (await api("POST", CHAT, json=asks("hello", batch=True))).json["id"])
    assert msgspec.to_builtins(bare.sampling) == {
        "max_tokens": None, "temperature": None, "top_p": None, "top_k": None, "logprobs": None, "seed": None, "stop": [],
    }  # fmt: skip


async def test_a_body_says_what_the_run_may_use(api: Api) -> None:
    async def asked(**fields: Any) -> Task:
        answer = await api("POST", CHAT, json=asks("hello", batch=True, **fields))
        assert answer.status == 201, answer.content
        return await task_of(api, answer.json["id"])

    assert (await asked()).toolsets == ["core"]
    assert (await asked(stream=True)).toolsets is None
    assert (await asked(toolsets=["viz", "core", "viz"])).toolsets == ["viz", "core"]
    assert (await asked(toolsets=[])).toolsets == []
    pro = await asked(model="vlmrun-orion-2:pro", preview=True, service_tier="flex")
    assert (pro.generation, pro.tier, pro.providers, pro.model) == ("orion-2", "pro", [], "vlmrun-orion-2:pro")
    assert len(pro.cards) == 8
    assert (await asked(model="vlmrun-orion-2:gpt-5.5")).tier == "auto"
    assert (await asked(preview=True, response_format={"type": "json_object"})).cards == []
    skilled = await asked(skills=[{"skill_id": "invoice-extraction"}])
    assert [skill.name for skill in skilled.skills] == ["invoice-extraction"]
    assert skilled.model == "vlmrun-orion-1:auto"
    assert skilled.toolsets
    assert "document" in skilled.toolsets
    assert (await asked()).model == "vlmrun-orion-1:auto"
    assert (await asked(model=None, session_id=None, n=None)).model == "vlmrun-orion-1:auto"


async def test_a_provider_is_kept_with_the_run_where_it_is_configured_and_else_refused(settings: Settings, database_url: str) -> None:
    given = {"meta-sam3": ProviderSettings(url="http://127.0.0.1:9")}
    async with serving(settings.model_copy(update={"providers": given}), database_url) as api:
        answer = await api("POST", CHAT, json=asks("hello", batch=True, models=["meta-sam3", "meta-sam3"]))
        assert (await task_of(api, answer.json["id"])).providers == ["meta-sam3"]
        refused = await api("POST", CHAT, json=asks("hello", models=["meta-sam3", "meta-sam2"]))
        assert (refused.status, refused.json["error"]["type"], refused.json["error"]["param"]) == (422, "not_configured", "models")
        assert "[providers.meta-sam2]" in refused.json["error"]["message"]
