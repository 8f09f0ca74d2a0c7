from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from heliograph.api.routes import feedback as routes
from heliograph.config import Settings
from heliograph.store import feedback, predictions

from .conftest import PDF, Answer, Api, serving

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()


async def make(api: Api, **body: Any) -> str:
    answer = await api("POST", "/v1/document/generate", json={"url": URI, "domain": "document.invoice"} | body)
    assert answer.status == 201, answer.content
    return answer.json["id"]


async def submit(api: Api, **body: Any) -> Answer:
    return await api("POST", "/v1/feedback/submit", json=body)


async def items(api: Api, prediction: str, **params: str) -> list[dict[str, Any]]:
    answer = await api("GET", f"/v1/feedback/{prediction}", params=params)
    assert answer.status == 200, answer.content
    assert answer.json["request_id"] == prediction
    return answer.json["items"]


async def test_what_was_said_is_listed_newest_first_as_it_was_said(api: Api) -> None:
    prediction = await make(api, id="an id/with: anything")
    assert await items(api, prediction) == []
    # one official client sends the other ids as nulls
    first = await submit(api, request_id=prediction, agent_execution_id=None, chat_id=None, response={"total": 1, "a": None}, notes=None)
    assert first.status == 201, first.content
    assert first.json.keys() == {"id", "request_id", "created_at"}
    second = (await submit(api, request_id=prediction, notes=" the date too \n")).json
    assert await items(api, prediction) == [
        {**second, "response": None, "notes": "the date too"},
        {**first.json, "response": {"total": 1, "a": None}, "notes": None},
    ]
    assert [item["id"] for item in await items(api, prediction, type="request", offset="1", limit="5")] == [first.json["id"]]
    assert [item["id"] for item in await items(api, prediction, limit="1")] == [second["id"]]


async def test_saying_the_same_again_keeps_it_once_and_changing_ones_mind_back_counts(api: Api) -> None:
    prediction = await make(api)
    ten, eleven = {"total": 10}, {"total": 11}
    made = await asyncio.gather(*(submit(api, request_id=prediction, response=ten) for _ in range(5)))
    assert len({answer.json["id"] for answer in made}) == 1
    await submit(api, request_id=prediction, response=eleven)
    again = await submit(api, request_id=prediction, response=ten)
    assert again.json["id"] != made[0].json["id"]
    assert [item["response"] for item in await items(api, prediction)] == [ten, eleven, ten]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"notes": "about nothing"}, "request_id"),
        ({"request_id": "{id}", "chat_id": "c", "notes": "about two"}, "request_id"),
        ({"request_id": "{id}"}, "response"),
        ({"request_id": "{id}", "response": None, "notes": "  "}, "response"),
        ({"request_id": "{id}", "response": [1]}, "response"),
        ({"request_id": "{id}", "notes": "n" * 20_001}, "notes"),
        ({"request_id": "", "notes": "a"}, "request_id"),
    ],
)
async def test_what_says_nothing_or_is_about_no_one_thing_is_refused(api: Api, body: dict[str, Any], param: str) -> None:
    prediction = await make(api)
    answer = await submit(api, **{name: prediction if value == "{id}" else value for name, value in body.items()})
    assert answer.status == 422, answer.content
    assert answer.json["detail"][0]["loc"] == ["body", param]
    assert await items(api, prediction) == []


async def test_feedback_about_what_is_not_there_is_404(api: Api) -> None:
    prediction = await make(api)
    for about in ("request_id", "agent_execution_id", "chat_id"):
        answer = await submit(api, **{about: "none", "notes": "a"})
        assert answer.status == 404, about
        assert answer.json["error"]["type"] == "not_found"
    for kind in ("request", "agent_execution", "chat"):
        assert (await api("GET", "/v1/feedback/none", params={"type": kind})).status == 404
    # an id is of one kind
    assert (await api("GET", f"/v1/feedback/{prediction}", params={"type": "chat"})).status == 404
    assert (await api("GET", f"/v1/feedback/{prediction}", params={"type": "image"})).status == 422
    assert (await api("GET", f"/v1/feedback/{prediction}", params={"limit": "1001"})).status == 422


async def test_a_chat_has_feedback_of_its_own_which_goes_with_it(api: Api) -> None:
    body = {"messages": [{"content": "hello"}], "batch": True}
    chat = (await api("POST", "/v1/openai/chat/completions", json=body)).json["id"]
    assert (await submit(api, chat_id=chat, notes="rude")).status == 201
    told = (await api("GET", f"/v1/feedback/{chat}", params={"type": "chat"})).json
    assert (told["chat_id"], [item["notes"] for item in told["items"]]) == (chat, ["rude"])
    assert (await submit(api, request_id=chat, notes="a chat is no request")).status == 404
    async with api.database.begin() as conn:
        assert await feedback.forget(conn) == 0
        await predictions.delete(conn, api.tenant, chat)
        assert await feedback.forget(conn) == 1
    assert await api.count("feedback") == 0


async def test_another_tenant_can_neither_read_nor_add(api: Api) -> None:
    prediction = await make(api)
    await submit(api, request_id=prediction, notes="ours")
    stranger = await api.new_key("feedback stranger")
    assert (await api("GET", f"/v1/feedback/{prediction}", key=stranger)).status == 404
    added = await api("POST", "/v1/feedback/submit", json={"request_id": prediction, "notes": "theirs"}, key=stranger)
    assert added.status == 404
    # an equal id of theirs is another request
    named = {"url": URI, "domain": "document.invoice", "id": prediction}
    assert (await api("POST", "/v1/document/generate", json=named, key=stranger)).status == 201
    assert (await api("POST", "/v1/feedback/submit", json={"request_id": prediction, "notes": "theirs"}, key=stranger)).status == 201
    assert [item["notes"] for item in await items(api, prediction)] == ["ours"]


async def test_feedback_goes_with_its_prediction(api: Api) -> None:
    prediction, other = await make(api), await make(api)
    for one in (prediction, other):
        await submit(api, request_id=one, response={"total": 1})
    assert (await api("DELETE", f"/v1/predictions/{prediction}")).status == 200
    assert await api.count("feedback") == 1
    assert (await api("GET", f"/v1/feedback/{prediction}")).status == 404
    assert len(await items(api, other)) == 1


async def test_there_is_an_end_to_how_much_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = await make(api)
    monkeypatch.setattr(routes, "LARGEST", 100)
    large = await submit(api, request_id=prediction, response={"text": "ü" * 60})
    assert large.status == 413, large.content
    monkeypatch.setattr(feedback, "MOST", 2)
    for number in range(2):
        assert (await submit(api, request_id=prediction, notes=str(number))).status == 201
    assert (await submit(api, request_id=prediction, notes="2")).status == 409
    assert (await submit(api, request_id=prediction, notes="1")).status == 201, "the newest, said again, is no new one"
    assert len(await items(api, prediction)) == 2


async def test_submitting_counts_against_the_rate_and_reading_does_not(settings: Settings, database_url: str) -> None:
    async with serving(settings.model_copy(update={"rate_limit": 2}), database_url) as api:
        prediction = await make(api)
        assert (await submit(api, request_id=prediction, notes="a")).status == 201
        assert (await submit(api, request_id=prediction, notes="b")).status == 429
        assert len(await items(api, prediction)) == 1
