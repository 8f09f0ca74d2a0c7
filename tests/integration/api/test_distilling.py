"""Skills made from chat sessions."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgspec
import pytest

from heliograph.agents.task import Format, Message, Task, Text
from heliograph.config import ModelSettings
from heliograph.ids import new_id
from heliograph.jobs.tasks import request_text
from heliograph.models.scripted import Scripted
from heliograph.store import predictions, sessions

from .conftest import Api, serving

SCHEMA = {"type": "object", "properties": {"invoice_number": {"type": ["string", "null"]}}}


async def talked(api: Api, *said: tuple[str, str], schema: dict[str, Any] | None = None) -> str:
    """A session in which this was said, as `(role, words)`, in one completion that was to answer in `schema`."""
    session, completion = new_id(), new_id()
    messages = [Message(role=role, parts=[Text(words)]) for role, words in said]  # pyright: ignore[reportArgumentType]
    async with api.database.begin() as conn:
        assert await sessions.hold(conn, api.tenant, session, completion)
        task = Task(kind="completion", model="vlmrun-orion-1:auto", format=None if schema is None else Format(schema=schema))
        await predictions.create(
            conn, api.tenant, id=completion, kind="completion", operation="chat", domain=None, model=task.model,
            request=request_text(task), digest="0", session=session,
        )  # fmt: skip
        texts = [msgspec.json.encode(message).decode() for message in messages]
        assert await sessions.append(conn, api.tenant, session, completion, texts, at=0)
    return session


async def made(api: Api, session: str, **body: Any) -> tuple[Any, dict[str, str]]:
    """The skill of a session, and its files."""
    answer = await api("POST", "/v1/skills/create", json={"session_id": session, **body})
    assert answer.status == 201, answer.content
    link = (await api("GET", f"/v1/skills/{answer.json['id']}/download")).json["download_url"]
    with zipfile.ZipFile(io.BytesIO((await api("GET", link, key="")).content)) as archive:
        return answer.json, {name: archive.read(name).decode() for name in archive.namelist()}


async def test_without_a_model_a_session_becomes_its_requests_and_the_schema_that_was_used(api: Api) -> None:
    session = await talked(
        api,
        ("user", "Hello!"),
        ("assistant", "Hello."),
        ("user", "Read the invoice number of doc_a1b2c3, without the leading INV-."),
        ("assistant", '{"invoice_number": "4711"}'),
        ("user", "thanks"),
        schema=SCHEMA,
    )
    skill, files = await made(api, session, name="numbers")
    assert skill["name"] == "numbers"
    assert skill["status"] == "completed"
    assert "no model is configured" in skill["description"]
    assert "conversation" in skill["description"]
    assert msgspec.json.decode(files["schema.json"]) == SCHEMA
    assert "Read the invoice number of the file, without the leading INV-." in files["SKILL.md"]
    assert "4711" not in files["SKILL.md"]
    assert "Hello" not in files["SKILL.md"]
    again, _ = await made(api, session, name="numbers")
    assert again["id"] == skill["id"]


async def test_the_words_make_the_schema_where_none_was_used_and_the_request_may_give_one(api: Api) -> None:
    session = await talked(api, ("user", "Extract invoice_number and due_date"), ("assistant", "Here."))
    skill, files = await made(api, session)
    assert list(msgspec.json.decode(files["schema.json"])["properties"]) == ["invoice_number", "due_date"]
    assert skill["name"].startswith("extract-invoice-number")
    _, given = await made(api, session, name="given", json_schema=SCHEMA)
    assert msgspec.json.decode(given["schema.json"]) == SCHEMA


async def test_a_model_is_shown_the_conversation_and_writes_the_skill(api: Api) -> None:
    proposal = {"description": "Reads numbers.", "instructions": "The number stands at the head of the page, behind INV-. Leave INV- out."}
    async with Scripted([proposal]) as model:
        routes = {"default": ModelSettings(url=model.url, model="scripted")}
        async with serving(api.settings.model_copy(update={"models": routes}), api.database.libpq_url) as other:
            session = await talked(
                other, ("user", "Read the invoice number."), ("assistant", "INV-4711"), ("user", "Leave INV- out."), schema=SCHEMA
            )
            skill, files = await made(other, session)
        heard = str([request.heard for request in model.requests if request.heard])
    assert "from a conversation" in skill["description"]
    assert "Leave INV- out" in files["SKILL.md"]
    assert msgspec.json.decode(files["schema.json"]) == SCHEMA
    assert "INV-4711" in heard
    assert "4711" not in files["SKILL.md"]


@pytest.mark.parametrize("said", [(), (("user", "Hi there"[:2]), ("assistant", "Hello"))])
async def test_a_session_in_which_nothing_was_asked_for_makes_no_skill(api: Api, said: tuple[tuple[str, str], ...]) -> None:
    answer = await api("POST", "/v1/skills/create", json={"session_id": await talked(api, *said)})
    assert answer.status == 422
    assert "Nothing was asked for" in answer.json["error"]["message"]


async def test_the_session_of_somebody_else_is_not_there(api: Api) -> None:
    session = await talked(api, ("user", "Extract the total"))
    for asked, key in ((new_id(), None), (session, await api.new_key("a stranger"))):
        answer = await api("POST", "/v1/skills/create", json={"session_id": asked}, key=key)
        assert answer.status == 404, answer.content
