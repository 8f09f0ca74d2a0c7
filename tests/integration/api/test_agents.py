from __future__ import annotations

import base64
from typing import Any

import pytest

from .conftest import PDF, Answer, Api

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
SCHEMA = {"type": "object", "properties": {"total": {"type": ["number", "null"]}}}


async def create(api: Api, name: str | None = None, **config: Any) -> Any:
    answer = await api("POST", "/v1/agent/create", json={"name": name, "inputs": None, "config": {"prompt": "Read the total."} | config})
    assert answer.status == 201, answer.content
    return answer.json


def where(answer: Answer) -> str:
    """What a refusal blames, dotted, and its sentence."""
    detail = answer.json["detail"]
    told = [".".join(map(str, each["loc"][1:])) for each in detail] if isinstance(detail, list) else [PLACES[answer.status]]
    return f"{told} {answer.json['error']['message']}"


PLACES = {404: "name model inputs.f inputs.file_ids.0 config.skills", 400: "name"}
"""Of refusals whose body has no place for it."""


async def test_an_agent_is_stored_under_its_name_and_found_three_ways(api: Api) -> None:
    made = await create(api, "reader", json_schema=SCHEMA)
    assert made["name"] == "reader:1"
    assert made["status"] == "completed"
    for asked in ({"id": made["id"]}, {"name": "reader"}, {"name": "reader:1"}, {"name": "reader:latest"}, {"prompt": "Read the total."}):
        found = await api("POST", "/v1/agent/lookup", json=asked)
        assert found.status == 200, found.content
        assert found.json["id"] == made["id"]
        assert found.json["json_schema"] == SCHEMA
        assert found.json["prompt"] == found.json["description"] == "Read the total."
    assert (await api("GET", f"/v1/agents/{made['id']}")).json == found.json
    assert (await api("GET", "/v1/agent")).json == [found.json]


async def test_the_same_content_is_the_same_version_and_other_content_the_next(api: Api) -> None:
    first, same, other = await create(api, "a"), await create(api, "a"), await create(api, "a", prompt="Read the date.")
    assert first["id"] == same["id"]
    assert (first["name"], other["name"]) == ("a:1", "a:2")
    assert (await api("POST", "/v1/agent/lookup", json={"name": "a"})).json["name"] == "a:2"
    again = await create(api, "a")
    assert again["name"] == "a:1"
    assert (await api("POST", "/v1/agent/lookup", json={"name": "a"})).json["name"] == "a:1", "what was published last is the latest"


async def test_a_name_is_made_of_the_prompt_where_none_is_given(api: Api) -> None:
    made = await create(api, prompt="Extract the totals of the invoices.")
    assert made["name"].startswith("extract-totals-invoices-")
    assert made["name"].endswith(":1")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"id": "a", "name": "b"}, 422),
        ({"id": "nobody"}, 404),
        ({"name": "nobody"}, 404),
        ({"name": "reader:9"}, 404),
        ({"prompt": "never said"}, 404),
        ({"name": "a:b:c"}, 400),
        ({"name": "a:-1"}, 400),
        ({"name": "  "}, 400),
        ({"name": "no\nname"}, 400),
        ({"name": "x" * 201}, 400),
    ],
)
async def test_a_lookup_that_cannot_be_answered_says_why(api: Api, body: dict[str, str], status: int) -> None:
    await create(api, "reader")
    answer = await api("POST", "/v1/agent/lookup", json=body)
    assert answer.status == status, answer.content
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"config": {}}, "config.prompt"),
        ({"config": {"prompt": ""}}, "config.prompt"),
        ({"name": "a:7", "config": {"prompt": "x"}}, "name"),
        ({"config": {"prompt": "x", "json_schema": {"type": "nonsense"}}}, "config.json_schema"),
        ({"config": {"prompt": "x", "skills": [{"skill_id": "nobody-has-this"}]}}, "config.skills"),
        ({"config": {"prompt": "x", "skills": [{"type": "inline", "source": {"data": "UEs="}}]}}, "config.skills"),
        ({"config": {"prompt": "x"}, "callback_url": "ftp://example.com"}, "callback_url"),
    ],
)
async def test_an_agent_that_could_not_work_is_not_stored(api: Api, body: dict[str, Any], param: str) -> None:
    answer = await api("POST", "/v1/agent/create", json=body)
    assert answer.status in (404, 422), answer.content
    assert param in where(answer)
    assert (await api("GET", "/v1/agent")).json == []


async def test_agents_and_executions_of_another_tenant_are_not_there(api: Api) -> None:
    made = await create(api, "reader")
    run = await execute(api, name="reader", inputs={"file": URI})
    key = await api.new_key("somebody else")
    for method, path, body in (
        ("GET", f"/v1/agents/{made['id']}", None),
        ("POST", "/v1/agent/lookup", {"name": "reader"}),
        ("POST", "/v1/agent/lookup", {"prompt": "Read the total."}),
        ("POST", "/v1/agent/execute", {"name": "reader", "inputs": {}}),
        ("GET", f"/v1/agent/executions/{run['id']}", None),
        ("DELETE", f"/v1/agent/executions/{run['id']}", None),
        ("GET", f"/v1/agent/executions/{run['id']}/deliveries", None),
    ):
        assert (await api(method, path, key=key, json=body)).status == 404, path
    assert (await api("GET", "/v1/agent", key=key)).json == []
    assert (await api("GET", "/v1/agent/executions", key=key)).json == []
    assert (await api("GET", f"/v1/agent/executions/{run['id']}")).status == 200


# -- executions ----------------------------------------------------------------------------------------------------------


async def execute(api: Api, **body: Any) -> Any:
    answer = await api("POST", "/v1/agent/execute", json=body)
    assert answer.status == 201, answer.content
    return answer.json


async def test_an_execution_answers_at_once_and_is_found_deleted_and_no_prediction(api: Api) -> None:
    made = await execute(api, config={"prompt": "Read the total."}, inputs={"file": URI}, metadata={"environment": "prod"})
    assert made["status"] == "pending"
    assert made["response"] is made["completed_at"] is None
    assert made["name"].startswith("read-total-")
    assert made["execution_mode"] == "agent"
    assert made["model"] == "vlmrun-orion-1:auto"
    assert made["usage"]["duration_seconds"] == 0
    assert (await api("GET", f"/v1/agent/executions/{made['id']}")).json == made
    assert [row["id"] for row in (await api("GET", "/v1/agent/executions")).json] == [made["id"]]
    assert (await api("GET", f"/v1/predictions/{made['id']}")).status == 404
    assert (await api("GET", "/v1/predictions")).json == []
    assert len(await api.stored()) == 1
    gone = await api("DELETE", f"/v1/agent/executions/{made['id']}")
    assert (gone.status, gone.json["id"]) == (200, made["id"])
    assert await api.stored() == []
    for table in ("procrastinate_jobs", "inputs", "predictions"):
        assert await api.count(table) == 0


async def test_the_list_of_executions_takes_skip_limit_status_metadata_and_agent(api: Api) -> None:
    ids = [
        (await execute(api, name="a", config={"prompt": "x"}, inputs={}, metadata={"session_id": "s", "extra": {"n": n}}))["id"]
        for n in range(3)
    ]
    await api.finish(ids[0])

    async def listed(**params: str) -> list[str]:
        answer = await api("GET", "/v1/agent/executions", params=params)
        assert answer.status == 200, answer.content
        return [row["id"] for row in answer.json]

    assert await listed() == list(reversed(ids))
    assert await listed(skip="1", limit="1") == [ids[1]]
    assert await listed(status="completed") == [ids[0]]
    assert await listed(metadata='{"extra":{"n":2}}') == [ids[2]]
    assert await listed(session_id="s", agent="a:1") == list(reversed(ids))
    assert await listed(agent="b:1") == []
    for params in ({"metadata": "[1]"}, {"status": "lost"}, {"limit": "1001"}):
        assert (await api("GET", "/v1/agent/executions", params=params)).status == 422, params


async def test_the_response_of_an_execution_is_always_an_object(api: Api) -> None:
    for response, shown in (
        ('{"b": 1, "a": 2.50}', b'"response":{"b": 1, "a": 2.50}'),
        ("[1]", b'"response":{"results":[1]}'),
        ('"yes"', b'"response":{"answer":"yes"}'),
        ("null", b'"response":null'),
    ):
        made = await execute(api, config={"prompt": "x"}, inputs={"n": response})
        await api.finish(made["id"], response)
        assert shown in (await api("GET", f"/v1/agent/executions/{made['id']}")).content


async def test_an_agent_is_known_by_its_name_or_by_its_prompt_and_made_where_it_is_new(api: Api) -> None:
    stored = await create(api, "reader", json_schema=SCHEMA)
    assert (await execute(api, name="reader", inputs={}))["name"] == stored["name"]
    assert (await execute(api, name="reader:1", inputs={}))["name"] == stored["name"]
    assert (await execute(api, name="reader", version="1", inputs={}))["name"] == stored["name"]
    assert (await execute(api, config={"prompt": "Read the total."}, inputs={}))["name"] == stored["name"]
    new = await execute(api, name="dates", config={"prompt": "Read the date."}, inputs={})
    assert new["name"] == "dates:1"
    assert (await execute(api, config={"prompt": "Read the date."}, inputs={}))["name"] == "dates:1"
    other = await execute(api, config={"prompt": "Read the date.", "json_schema": SCHEMA}, inputs={})
    assert other["name"] not in ("dates:1", stored["name"])
    assert {agent["name"] for agent in (await api("GET", "/v1/agent")).json} == {"reader:1", "dates:1", other["name"]}


async def test_an_agent_that_nothing_may_be_kept_of_is_not_stored(api: Api) -> None:
    made = await execute(api, config={"prompt": "A secret."}, inputs={}, metadata={"allow_retention": False})
    assert made["name"].startswith("secret-")
    assert (await api("GET", "/v1/agent")).json == []


async def test_inputs_bring_files_in_every_way_that_clients_send_them(api: Api) -> None:
    file = await api.upload()
    given = {
        "typed": {"type": "input_file", "file_id": file["id"]},
        "files": [{"type": "input_file", "file_id": file["id"]}],
        "document": "https://example.com/a.pdf",
        "url": "https://example.com/b.pdf",
        "urls": ["https://example.com/c.pdf", {"url": "https://example.com/d.pdf"}],
        "image": {"type": "image_url", "image_url": {"url": "https://example.com/e.png"}},
        "bare": {"type": "image_url", "image_url": "https://example.com/f.png"},
        "sheet": {"type": "file_url", "file_url": {"url": URI}, "filename": "sheet.pdf"},
        "file_id": file["id"],
        "nested": {"deep": {"data": URI}},
        "words": {"type": "text", "text": "Hello"},
        "facts": {"id": 7, "homepage": "https://example.com/", "type": "file", "tags": ["a"]},
        "email_body": "<p>See https://example.com/g.pdf</p>",
    }
    made = await execute(api, config={"prompt": "x"}, inputs=given)
    from heliograph.jobs import tasks
    from heliograph.store import predictions

    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, made["id"])
        reads = await predictions.reads(conn, api.tenant, made["id"])
    assert row
    task = tasks.asked(row).task
    assert task.inputs == {
        "typed": {"$media": 0},
        "files": [{"$media": 1}],
        "document": {"$media": 2},
        "url": {"$media": 3},
        "urls": [{"$media": 4}, {"$media": 5}],
        "image": {"$media": 6},
        "bare": {"$media": 7},
        "sheet": {"$media": 8},
        "file_id": {"$media": 9},
        "nested": {"deep": {"data": {"$media": 10}}},
        "words": "Hello",
        "facts": {"id": 7, "homepage": "https://example.com/", "type": "file", "tags": ["a"]},
        "email_body": "<p>See https://example.com/g.pdf</p>",
    }
    assert [read.source for read in reads] == ["file", "file", *["url"] * 6, "data", "file", "data"]
    assert task.names == {0: "a.pdf", 1: "a.pdf", 8: "sheet.pdf", 9: "a.pdf"}
    assert task.toolsets == ["core"]


async def test_older_clients_send_urls_and_file_ids_beside_the_name(api: Api) -> None:
    await create(api, "reader")
    file = await api.upload()
    made = await execute(
        api, name="reader", version="latest", file_ids=[file["id"]], config={"detail": "auto", "grounding": False, "gql_stmt": None},
        metadata={"environment": "dev"}, callback_url=None,
    )  # fmt: skip
    assert made["name"] == "reader:1"
    assert await api.count("inputs") == 1
    refused = await api("POST", "/v1/agent/execute", json={"name": "reader", "urls": ["https://a.example/x"], "inputs": {"urls": []}})
    assert refused.status == 422


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 422, "config.prompt"),
        ({"name": "nobody", "inputs": {}}, 404, "name"),
        ({"name": "a:b", "config": {"prompt": "x"}}, 400, "name"),
        ({"inputs": [], "config": {"prompt": "x"}}, 422, "inputs"),
        ({"inputs": "text", "config": {"prompt": "x"}}, 422, "inputs"),
        ({"inputs": {"f": {"type": "input_file"}}, "config": {"prompt": "x"}}, 422, "inputs.f"),
        ({"inputs": {"f": {"type": "input_file", "file_id": "none"}}, "config": {"prompt": "x"}}, 404, "inputs.f"),
        ({"inputs": {"f": {"type": "text"}}, "config": {"prompt": "x"}}, 422, "inputs.f.text"),
        ({"inputs": {"f": {"type": "image_url", "image_url": {"url": 7}}}, "config": {"prompt": "x"}}, 422, "inputs.f"),
        ({"inputs": {"f": {"type": "image_url", "image_url": "img_a1b2c3"}}, "config": {"prompt": "x"}}, 422, "inputs.f"),
        ({"inputs": {"f": {"$media": 0}}, "config": {"prompt": "x"}}, 422, "inputs.f"),
        ({"inputs": {"file_ids": ["none"]}, "config": {"prompt": "x"}}, 404, "inputs.file_ids.0"),
        ({"inputs": {"u": "http://127.0.0.1/x.pdf"}, "config": {"prompt": "x"}}, 422, "inputs.u"),
        ({"inputs": {"u": "data:application/pdf;base64,%%"}, "config": {"prompt": "x"}}, 422, "inputs.u"),
        ({"inputs": {}, "config": {"prompt": "x"}, "model": "gpt-9"}, 404, "model"),
        ({"inputs": {}, "config": {"prompt": "x"}, "toolsets": ["kitchen"]}, 422, "toolsets"),
        ({"inputs": {}, "config": {"prompt": "x"}, "models": ["kitchen"]}, 422, "models"),
        ({"inputs": {}, "config": {"prompt": "x"}, "models": ["meta-sam3"]}, 422, "[providers.meta-sam3]"),
        ({"inputs": {}, "config": {"prompt": "x", "json_schema": {"type": 3}}}, 422, "config.json_schema"),
        ({"inputs": {}, "config": {"prompt": "x", "mode": "dream"}}, 422, "config.mode"),
        ({"inputs": {}, "config": {"prompt": "x", "service_tier": "gold"}}, 422, "config.service_tier"),
        ({"inputs": {}, "config": {"skills": [{"skill_id": "nobody-has-this"}]}}, 404, "config.skills"),
        ({"inputs": {}, "config": {"skills": [{"type": "inline", "source": {"data": "UEs="}}]}}, 422, "config.skills"),
        ({"inputs": {}, "config": {"prompt": "x"}, "callback_url": "http://127.0.0.1:1/"}, 422, "callback_url"),
        ({"inputs": {}, "config": {"prompt": "x"}, "created_at": "2999-01-01T00:00:00Z"}, 422, "created_at"),
        ({"inputs": {}, "config": {"prompt": "x" * 200_001}}, 422, "config.prompt"),
    ],
)
async def test_what_cannot_be_executed_is_refused_and_leaves_nothing_behind(
    api: Api, body: dict[str, Any], status: int, param: str
) -> None:
    answer = await api("POST", "/v1/agent/execute", json=body)
    assert answer.status == status, answer.content
    assert param in where(answer)
    assert answer.json["error"]["message"]
    assert await api.stored() == []
    for table in ("predictions", "inputs", "procrastinate_jobs", "agents"):
        assert await api.count(table) == 0


async def test_the_same_id_and_body_are_the_same_execution_and_another_body_is_a_conflict(api: Api) -> None:
    body = {"id": "mine/1", "config": {"prompt": "x"}, "inputs": {"a": URI}, "created_at": "2026-01-02T03:04:05Z"}
    first, same = await execute(api, **body), await execute(api, **body)
    assert first == same
    assert first["created_at"] == "2026-01-02T03:04:05Z"
    assert (await api("GET", "/v1/agent/executions/mine/1")).json == first
    assert (await api("POST", "/v1/agent/execute", json=body | {"inputs": {}})).status == 409
    keyed = {"config": {"prompt": "x"}, "inputs": {"a": 1}}
    once, twice = [await api("POST", "/v1/agent/execute", json=keyed, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert once.json["id"] == twice.json["id"]
    other = await api("POST", "/v1/agent/execute", json=keyed | {"inputs": {}}, headers={"Idempotency-Key": "k"})
    assert other.status == 409
    predicted = await api("POST", "/v1/document/generate", json={"id": "mine/1", "url": URI, "domain": "document.invoice"})
    assert predicted.status == 409, "an id is one thing's, whatever kind it is"


async def test_null_is_as_good_as_nothing_said(api: Api) -> None:
    body = {"name": None, "model": None, "toolsets": None, "models": None, "metadata": None, "callback_url": None, "id": None}
    made = await execute(api, **body, inputs={"a": None}, config={"prompt": "x", "json_schema": None, "skills": None, "mode": None})
    assert made["status"] == "pending"


async def test_an_execution_needs_a_key(api: Api) -> None:
    for method, path in (("GET", "/v1/agent"), ("POST", "/v1/agent/execute"), ("GET", "/v1/agent/executions")):
        assert (await api(method, path, key="", json={})).status == 401
