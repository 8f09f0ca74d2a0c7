"""Sessions and the log of chats: who sees them, what they hold, links to them, and what goes when they go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from heliograph.agents.task import Media, Message, Text, ToolCall
from heliograph.store import artifacts, completions, sessions
from heliograph.store.blobs import Blobs, key
from heliograph.store.completions import Completion
from tests.integration.api.conftest import PNG, Api


async def session(api: Api, id: str, *messages: Message, guest: str | None = None) -> str:
    """A session in which this was said."""
    import msgspec

    async with api.database.begin() as conn:
        assert await sessions.hold(conn, api.tenant, id, "c1", guest=guest, lease=timedelta(seconds=5))
        texts = [msgspec.json.encode(message).decode() for message in messages]
        assert await sessions.append(conn, api.tenant, id, "c1", texts, at=0, title=f"about {id[:1]}" if id[:2] != "50" else "about 50%")
    return id


async def picture(api: Api, id: str) -> str:
    """A picture in the session; its blob."""
    blob = key(api.tenant, "artifacts", id, "one")
    await Blobs(api.settings).put(blob, PNG)
    async with api.database.begin() as conn:
        await artifacts.put(
            conn, api.tenant, id, seed="s", refs=["img_a1b2c3"], prediction="c1", filename="dot.png", source="store",
            media_type="image/png", bytes=len(PNG), sha256="0" * 64, blob=blob,
        )  # fmt: skip
    return blob


def row(api: Api, id: str, **values: Any) -> Completion:
    """A row of the log."""
    given: dict[str, Any] = {
        "tenant": api.tenant, "id": id, "session": "s", "key_id": None, "model": "house", "answered_by": "house", "status": "completed",
        "finish_reason": "stop", "stream": False, "request": '{"messages":[]}', "response": "Hi\0.", "error": None,
        "usage": '{"total_tokens":3}', "metadata": None, "user_agent": "tests", "milliseconds": 5,
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
    }  # fmt: skip
    return Completion(**given | values)


def user(words: str) -> Message:
    return Message(role="user", parts=[Text(words)])


def assistant(words: str) -> Message:
    return Message(role="assistant", parts=[Text(words)])


async def test_a_session_tells_what_was_said_in_it_and_only_to_whose_it_is(api: Api) -> None:
    id = await session(
        api, f"a/{api.tenant}", Message(role="system", parts=[Text("Be kind.")]),
        Message(role="user", parts=[Text("Look:"), Media(ref="img_a1b2c3", kind="image")]),
        Message(role="assistant", calls=[ToolCall("t1", "weather", "{}")]), Message(role="tool", parts=[Text("sunny")], call_id="t1"),
        assistant("Nice."),
    )  # fmt: skip
    await picture(api, id)
    body = (await api("GET", f"/v1/sessions/{id}")).json
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert body["messages"][1]["content"][1] == {"type": "image", "ref": "img_a1b2c3"}
    assert body["messages"][2]["tool_calls"][0]["function"]["name"] == "weather"
    assert body["messages"][4] | {"created_at": ""} == {
        "role": "assistant", "content": "Nice.", "completion_id": "c1", "created_at": "",
    }  # fmt: skip
    assert body["artifacts"] == [{"object_id": "img_a1b2c3", "filename": "dot.png", "source": "store"}]
    other = await api.new_key(f"not {api.tenant}")
    for method, path, options in (
        ("GET", f"/v1/sessions/{id}", {}),
        ("PATCH", f"/v1/sessions/{id}", {"json": {"title": "mine now"}}),
        ("POST", f"/v1/sessions/{id}/share", {}),
        ("DELETE", f"/v1/sessions/{id}/share", {}),
        ("DELETE", f"/v1/sessions/{id}", {}),
    ):
        assert (await api(method, path, key=other, **options)).status == 404
        assert (await api(method, path, key="", **options)).status == 401
    assert (await api("GET", "/v1/sessions", key=other)).json == []
    assert len((await api("GET", f"/v1/sessions/{id}")).json["messages"]) == 5


async def test_lists_have_the_last_session_first_by_page_and_by_words_and_none_in_which_nothing_was_said(api: Api) -> None:
    ids = [await session(api, f"{name}-{api.tenant}", user("hi"), assistant("ho")) for name in ("one", "two", "50%")]
    await session(api, f"empty-{api.tenant}")
    listed = (await api("GET", "/v1/sessions")).json
    assert [each["id"] for each in listed] == ids[::-1]
    assert [each["messages"] for each in listed] == [2, 2, 2]
    assert [each["id"] for each in (await api("GET", "/v1/sessions", params={"skip": 1, "limit": 1})).json] == [ids[1]]
    assert [each["id"] for each in (await api("GET", "/v1/sessions", params={"search": "50%"})).json] == [ids[2]]
    # a session of a guest's is none of a tenant's, though it has the same tenant
    await session(api, f"guest-{api.tenant}", user("hi"), guest="browser")
    assert len((await api("GET", "/v1/sessions")).json) == 3


async def test_a_title_can_be_changed_and_taken_away(api: Api) -> None:
    id = await session(api, f"t-{api.tenant}", user("hi"))
    assert (await api("PATCH", f"/v1/sessions/{id}", json={"title": " Receipts "})).json["title"] == "Receipts"
    assert (await api("PATCH", f"/v1/sessions/{id}", json={"title": ""})).json["title"] is None
    assert (await api("PATCH", f"/v1/sessions/{id}", json={})).status == 422


async def test_a_link_lets_anybody_read_until_it_is_taken_back(api: Api) -> None:
    id = await session(api, f"l-{api.tenant}", Message(role="system", parts=[Text("secret")]), user("hi"), assistant("ho"))
    await picture(api, id)
    made = await api("POST", f"/v1/sessions/{id}/share")
    assert made.status == 201
    link = made.json["share_url"]
    assert (await api("POST", f"/v1/sessions/{id}/share")).json["share_url"] == link
    read = await api("GET", link, key="")
    assert read.status == 200
    assert [message["content"] for message in read.json["messages"]] == ["hi", "ho"]
    assert id not in read.content.decode()
    assert api.tenant not in read.content.decode()
    shown = await api("GET", f"{link}/artifacts/img_a1b2c3", key="")
    assert (shown.status, shown.content) == (200, PNG)
    assert (await api("GET", f"{link}/artifacts/dot.png", key="")).status == 404
    for method in ("PATCH", "DELETE", "POST"):
        assert (await api(method, link, key="")).status == 405
    assert (await api("DELETE", f"/v1/sessions/{id}/share")).json["share_url"] is None
    assert (await api("GET", link, key="")).status == 404
    assert (await api("GET", f"{link}/artifacts/img_a1b2c3", key="")).status == 404
    assert (await api("POST", f"/v1/sessions/{id}/share")).json["share_url"] != link


async def test_what_a_session_held_goes_with_it(api: Api) -> None:
    id = await session(api, f"d-{api.tenant}", user("hi"), assistant("ho"))
    blob = await picture(api, id)
    async with api.database.begin() as conn:
        await completions.record(conn, [row(api, "c1", session=id), row(api, "c2", session="another")])
    assert (await api("DELETE", f"/v1/sessions/{id}")).json["messages"] == 2
    assert (await api("GET", f"/v1/sessions/{id}")).status == 404
    assert (await api("DELETE", f"/v1/sessions/{id}")).status == 404
    assert await api.count("artifacts") == 0
    assert not await Blobs(api.settings).exists(blob)
    async with api.database.begin() as conn:
        assert [each.id for each in await completions.list_(conn, api.tenant, limit=9)] == ["c2"]


async def test_the_log_is_listed_in_the_openai_dialect_page_by_page(api: Api) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [row(api, f"c{n}/x", created_at=start + timedelta(seconds=n // 2), metadata=json.dumps({"n": n})) for n in range(5)]
    rows.append(row(api, "failed", status="failed", response=None, error='{"type":"unavailable","message":"x"}', model="other"))
    async with api.database.begin() as conn:
        await completions.record(conn, rows)
        await completions.record(conn, rows[:2])  # the same again adds nothing
    for path in ("/v1/openai/chat/completions", "/v1/chat/completions"):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = (await api("GET", path, params={"limit": 2, "order": "desc"} | after)).json
            seen += [each["id"] for each in page["data"]]
            assert page["last_id"] == seen[-1]
            after = {"after": seen[-1]}
            if not page["has_more"]:
                break
        assert sorted(seen) == sorted(each.id for each in rows)
        assert [each["id"] for each in (await api("GET", path, params={"metadata": '{"n":3}'})).json["data"]] == ["c3/x"]
        assert [each["id"] for each in (await api("GET", path, params={"model": "other"})).json["data"]] == ["failed"]
        assert (await api("GET", path, params={"after": "nobody"})).status == 404
        detail = (await api("GET", f"{path}/c3/x")).json
        assert detail["choices"] == [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]
        assert detail["usage"] == {"total_tokens": 3}
        assert detail["request"] == {"messages": []}
        other = await api.new_key(f"not {api.tenant}")
        assert (await api("GET", f"{path}/c3/x", key=other)).status == 404
        assert (await api("GET", path, key=other)).json["data"] == []
    failed = (await api("GET", "/v1/openai/chat/completions/failed")).json
    assert (failed["choices"], failed["error"]["type"]) == ([], "unavailable")
    assert (await api("DELETE", "/v1/openai/chat/completions/failed")).json["deleted"] is True
    assert (await api("DELETE", "/v1/openai/chat/completions/failed")).json["error"]["type"] == "not_found"
