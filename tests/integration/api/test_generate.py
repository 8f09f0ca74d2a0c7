from __future__ import annotations

import asyncio
import base64
import io
import json
import time
import zipfile
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from heliograph.config import Settings
from heliograph.jobs.bodies import asked
from heliograph.store import predictions
from heliograph.store.blobs import Blobs

from .conftest import PDF, PNG, Api, serving

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()
INVOICE: dict[str, Any] = {"domain": "document.invoice", "batch": True}


async def jobs(api: Api) -> int:
    return await api.count("procrastinate_jobs")


async def test_a_batch_request_answers_pending_at_once_and_is_polled(api: Api) -> None:
    file = await api.upload()
    made = await api("POST", "/v1/document/generate", json=INVOICE | {"file_id": file["id"]})
    assert made.status == 201
    body = made.json
    assert (body["status"], body["response"], body["completed_at"]) == ("pending", None, None)
    assert body["domain"] == "document.invoice"
    assert body["usage"] == {
        "elements_processed": None, "element_type": None, "credits_used": None, "steps": None, "message": None, "duration_seconds": 0,
    }  # fmt: skip
    assert await jobs(api) == 1

    await api.finish(body["id"], '{"zebra":1.50,"apple":null,"b":{"y":1,"x":2}}')
    done = await api("GET", f"/v1/predictions/{body['id']}")
    assert done.json["status"] == "completed"
    assert '{"zebra":1.50,"apple":null,"b":{"y":1,"x":2}}' in done.content.decode(), "key order and digits are part of the answer"
    assert done.json["usage"]["credits_used"] == 2


async def test_a_waiting_request_answers_the_result_as_soon_as_it_is_there(api: Api) -> None:
    call = asyncio.create_task(api("POST", "/v1/document/generate", json=INVOICE | {"url": URI, "batch": False}))
    [prediction] = await api.waiting()
    began = time.monotonic()
    await api.finish(prediction)
    answer = await call
    assert time.monotonic() - began < 1
    assert answer.status == 201
    assert answer.json["status"] == "completed"
    assert answer.json["response"] == {"total": 1.5, "a": None}


async def test_a_failure_is_answered_with_its_reason_in_every_place_clients_read(api: Api) -> None:
    call = asyncio.create_task(api("POST", "/v1/document/generate", json=INVOICE | {"url": URI, "batch": False}))
    [prediction] = await api.waiting()
    error = json.dumps({"type": "encrypted_media", "message": "It is locked.", "pages_read": 0})
    await api.finish(prediction, status="failed", response=None, error=error)
    body = (await call).json
    assert body["status"] == "failed"
    assert body["message"] == body["error"]["message"] == "It is locked."


async def test_a_waiting_request_answers_the_status_when_its_time_is_over(settings: Settings, database_url: str) -> None:
    settings.wait_timeout = 0.2
    async with serving(settings, database_url) as api:
        answer = await api("POST", "/v1/document/generate", json=INVOICE | {"url": URI, "batch": False})
        assert answer.status == 201
        assert answer.json["status"] == "pending"


async def test_an_answered_waiting_call_counts_as_delivered_where_nothing_may_be_kept(api: Api) -> None:
    body = INVOICE | {"url": URI, "batch": False, "metadata": {"allow_retention": False}}
    call = asyncio.create_task(api("POST", "/v1/document/generate", json=body))
    [prediction] = await api.waiting()
    await api.finish(prediction)
    assert (await call).json["status"] == "completed"
    async with asyncio.timeout(2):
        while not await delivered(api, prediction):
            await asyncio.sleep(0.01)


async def test_a_call_that_was_left_or_not_finished_is_not_delivered(settings: Settings, database_url: str) -> None:
    settings.wait_timeout = 0.4
    async with serving(settings, database_url) as api:
        body = INVOICE | {"url": URI, "batch": False, "metadata": {"allow_retention": False}}
        with pytest.raises(TimeoutError):
            await api("POST", "/v1/document/generate", json=body, timeout=aiohttp.ClientTimeout(total=0.2))
        [prediction] = await api.waiting()
        assert (await api("POST", "/v1/document/generate", json=body)).json["status"] == "pending"
        await api.finish(prediction)
        await asyncio.sleep(0.3)
        assert not await delivered(api, prediction)


async def delivered(api: Api, prediction: str) -> bool:
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, prediction)
    assert row is not None
    return row.delivered_at is not None


async def test_an_equal_waiting_request_joins_the_unfinished_one(api: Api) -> None:
    body = INVOICE | {"url": URI, "batch": False}
    calls = [asyncio.create_task(api("POST", "/v1/document/generate", json=body)) for _ in range(5)]
    [prediction] = await api.waiting()
    await asyncio.sleep(0.3)
    assert await jobs(api) == 1
    other = asyncio.create_task(api("POST", "/v1/document/generate", json=body | {"domain": "document.receipt"}))
    assert len(await api.waiting(2)) == 2
    await api.finish(prediction)
    assert {(await call).json["id"] for call in calls} == {prediction}
    assert len(await api.stored()) == 2, "what the joined requests brought is not kept"
    again = asyncio.create_task(api("POST", "/v1/document/generate", json=body))
    assert len(await api.waiting(2)) == 2, "a finished one is not joined"
    for call in (other, again):
        call.cancel()


async def test_leaving_does_not_cancel(api: Api) -> None:
    with pytest.raises(TimeoutError):
        await api("POST", "/v1/document/generate", json=INVOICE | {"url": URI, "batch": False}, timeout=aiohttp.ClientTimeout(total=0.5))
    [prediction] = await api.waiting()
    await api.finish(prediction)
    assert (await api("GET", f"/v1/predictions/{prediction}")).json["status"] == "completed"


async def test_the_same_id_and_body_is_the_same_request_and_another_body_409(api: Api) -> None:
    body = INVOICE | {"id": "order 7/ä", "url": URI}
    answers = await asyncio.gather(*(api("POST", "/v1/document/generate", json=body) for _ in range(6)))
    assert {answer.status for answer in answers} == {201}
    assert {answer.json["id"] for answer in answers} == {"order 7/ä"}
    assert await jobs(api) == 1
    async with api.database.begin() as conn:
        [read] = await predictions.reads(conn, api.tenant, "order 7/ä")
    assert await api.stored() == [read.blob], "the others took back only what was theirs"
    other = await api("POST", "/v1/document/generate", json=body | {"domain": "document.receipt"})
    assert other.status == 409
    assert other.json["error"]["type"] == "conflict"
    assert (
        await api("POST", "/v1/image/generate", json={"id": "order 7/ä", "images": [PICTURE], "domain": "document.invoice"})
    ).status == 409
    elsewhere = await api("POST", "/v1/document/generate", json=body, key=await api.new_key("elsewhere"))
    assert elsewhere.status == 201, "another tenant has its own ids"
    assert (await api("GET", "/v1/predictions/order%207%2F%C3%A4")).json["id"] == "order 7/ä"


async def test_an_idempotency_key_answers_the_same_once_and_409_for_another_body(api: Api) -> None:
    body = INVOICE | {"url": URI}
    headers = {"Idempotency-Key": "k1"}
    answers = await asyncio.gather(*(api("POST", "/v1/document/generate", json=body, headers=headers) for _ in range(6)))
    assert len({answer.json["id"] for answer in answers}) == 1
    assert await jobs(api) == 1
    assert (await api("POST", "/v1/document/generate", json=body | {"domain": "document.resume"}, headers=headers)).status == 409
    assert (await api("POST", "/v1/document/generate", json=body, headers={"Idempotency-Key": "k2"})).json["id"] != answers[0].json["id"]
    await api("DELETE", f"/v1/predictions/{answers[0].json['id']}")
    afresh = await api("POST", "/v1/document/generate", json=body, headers=headers)
    assert afresh.status == 201
    assert afresh.json["id"] != answers[0].json["id"]


async def test_what_is_asked_stands_in_the_row_with_its_plan_and_without_the_media(api: Api) -> None:
    config = {"grounding": True, "page_indices": [0, 0], "detail": "hi", "service_tier": "flex", "gql_stmt": None, "temperature": 0.0}
    metadata = {"environment": "prod", "allow_retention": False, "allow_logging": False, "extra": {"b": 1, "a": 2}}
    made = await api(
        "POST", "/v1/document/generate",
        json={"url": URI, "domain": "document.invoice", "config": config, "metadata": metadata, "created_at": "2026-01-02T03:04:05"},
    )  # fmt: skip
    assert made.json["created_at"].startswith("2026-01-02T03:04:05")
    assert made.json["metadata"]["extra"] == {"b": 1, "a": 2}
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, made.json["id"])
        reads = await predictions.reads(conn, api.tenant, made.json["id"])
    assert row is not None
    assert (row.tier, row.retain, row.log, row.kind, row.operation) == ("flex", False, False, "document", "generate")
    assert URI not in row.request
    plan = asked(row).plan
    assert (plan.grounding, plan.page_indices, plan.detail) == (True, [0], "hi")
    [read] = reads
    assert (read.source, read.bytes) == ("data", len(PDF))
    assert await Blobs(api.settings).get(str(read.blob)) == PDF


async def test_nulls_are_as_good_as_nothing(api: Api) -> None:
    body = {
        "url": URI, "file_id": None, "domain": "document.invoice", "callback_url": None, "metadata": None, "model": None, "batch": None,
        "config": dict.fromkeys(("prompt", "detail", "json_schema", "skills", "gql_stmt", "max_retries", "grounding", "page_indices")),
    }  # fmt: skip
    assert (await api("POST", "/v1/document/generate", json=body)).status == 201
    assert (await api("POST", "/v1/document/generate", json=body | {"config": None})).status == 201


async def test_what_official_clients_send_is_accepted(api: Api) -> None:
    file = await api.upload()
    config = {"max_retries": 3, "max_tokens": 65535, "temperature": 0.0, "detail": "auto", "confidence": False, "grounding": False}
    metadata = {"environment": "dev", "session_id": None, "allow_training": True}
    python = {"model": "vlm-1", "file_id": file["id"], "batch": True, "config": config, "metadata": metadata, "domain": "document.invoice"}
    node = {
        "file_id": file["id"], "domain": "document.invoice", "batch": True, "metadata": metadata, "callback_url": None,
        "config": {"detail": "auto", "json_schema": None, "skills": None, "confidence": False, "grounding": False, "gql_stmt": None},
    }  # fmt: skip
    image = {"model": "vlm-1", "images": [PICTURE, PICTURE], "domain": "document.receipt", "batch": True}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    execute = {"name": "document/invoice", "version": "latest", "images": [PICTURE], "batch": True, "callback_url": None}
    for path, body in (
        ("/v1/document/generate", python),
        ("/v1/document/generate", node),
        ("/v1/image/generate", image),
        ("/v1/image/execute", execute),
        ("/v1/document/execute", {"name": "document.invoice", "version": "latest", "file_id": file["id"], "batch": True}),
        ("/v1/document/schema", {"file_id": file["id"], "batch": True}),
        ("/v1/image/schema", {"images": [PICTURE], "batch": True}),
        ("/v1/document/generate", {"url": "https://example.com/a.pdf", "config": {"json_schema": schema}}),
    ):  # fmt: skip
        answer = await api("POST", path, json=body)
        assert answer.status == 201, (path, answer.content)
        assert answer.json["status"] == "pending"


REFUSED: list[tuple[dict[str, Any], int, str | None]] = [
    ({"domain": "document.invoice"}, 422, "file_id"),
    ({"domain": "document.invoice", "url": URI, "file_id": "x"}, 422, "file_id"),
    ({"domain": "document.invoice", "file_id": "no-such"}, 404, "file_id"),
    ({"domain": "document.invoice", "url": "ftp://example.com/a"}, 422, "url"),
    ({"domain": "document.invoice", "url": "nonsense"}, 422, "url"),
    ({"domain": "document.invoice", "url": "http://[::1"}, 422, "url"),
    ({"domain": "document.invoice", "url": "data:application/pdf;base64"}, 422, "url"),
    ({"domain": "document.invoice", "url": "data:application/pdf;base64,*"}, 422, "url"),
    ({"domain": "document.invoice", "url": "data:application/pdf;base64,"}, 422, "url"),
    ({"domain": "document.invoice", "url": "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEA"}, 422, "url"),
    ({"domain": "document.invioce", "url": URI}, 422, "domain"),
    ({"url": URI}, 422, "domain"),
    ({"domain": "document.invoice", "url": URI, "config": {"page_indices": [-1]}}, 422, "config.page_indices"),
    ({"domain": "document.invoice", "url": URI, "config": {"gql_stmt": "{ invoice_idd }"}}, 422, None),
    ({"domain": "document.invoice", "url": URI, "config": {"json_schema": {"$ref": "https://example.com/s"}}}, 422, None),
    ({"domain": "document.invoice", "url": URI, "config": {"detail": "medium"}}, 422, "config.detail"),
    ({"domain": "document.invoice", "url": URI, "config": {"skills": [{"skill_name": "x"}]}}, 404, None),
    ({"domain": "document.invoice", "url": URI, "callback_url": ""}, 422, "callback_url"),
    ({"domain": "document.invoice", "url": URI, "id": ""}, 422, "id"),
    ({"domain": "document.invoice", "url": URI, "id": "x" * 256}, 422, "id"),
    ({"domain": "document.invoice", "url": URI, "created_at": "2999-01-01T00:00:00Z"}, 422, "created_at"),
    ({"domain": "audio.transcription", "url": URI}, 422, "domain"),
]


async def test_bad_requests_are_refused_at_submit_naming_the_parameter(api: Api) -> None:
    for body, status, param in REFUSED:
        answer = await api("POST", "/v1/document/generate", json=body)
        assert answer.status == status, (body, answer.content)
        assert answer.json["error"]["message"]
        if status == 422:
            assert isinstance(answer.json["detail"], list)
            if param is not None:
                assert ".".join(map(str, answer.json["detail"][0]["loc"][1:])).startswith(param), (body, answer.content)
    assert await jobs(api) == 0
    assert await api.stored() == []


async def test_images_must_be_given(api: Api) -> None:
    for images in ([], None, ["nonsense"], [7], "x"):
        answer = await api("POST", "/v1/image/generate", json={"images": images, "domain": "document.receipt"})
        assert answer.status == 422


async def test_our_own_links_are_read_without_a_fetch_also_by_another_tenant(api: Api) -> None:
    file = await api.upload()
    for key, source in ((api.key, "file"), (await api.new_key("elsewhere"), "data")):
        made = await api("POST", "/v1/document/generate", json=INVOICE | {"url": file["public_url"]}, key=key)
        assert made.status == 201
        async with api.database.begin() as conn:
            row = (
                await conn.execute(text("SELECT source, bytes, sha256 FROM inputs WHERE prediction = :id"), {"id": made.json["id"]})
            ).one()
        assert (row.source, row.bytes) == (source, len(PDF))
    forged = await api("POST", "/v1/document/generate", json=INVOICE | {"url": file["public_url"][:-4] + "beef"})
    assert forged.status == 422, "a forged link is a URL like any other, here one to a private address"
    assert forged.json["error"]["type"] == "fetch_failed"


async def test_nothing_of_a_request_stays_when_its_job_cannot_be_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from heliograph.api import submit
    from heliograph.errors import Conflict, HeliographError, Unavailable

    async def fail(error: HeliographError) -> None:
        async def enqueue(*_: object) -> None:
            raise error

        monkeypatch.setattr(submit.queue, "enqueue", enqueue)
        answer = await api("POST", "/v1/document/generate", json=INVOICE | {"url": URI, "id": "a"})
        assert answer.status == error.status
        assert (await api("GET", "/v1/predictions/a")).status == 404

    await fail(Conflict())
    assert await api.stored() == []
    await fail(Unavailable(retry_after=2))
    assert len(await api.stored()) == 1, "the database may have committed; the collector knows later"


async def test_the_rate_limit_counts_requests_and_uploads_of_a_key_but_not_polling(settings: Settings, database_url: str) -> None:
    settings.rate_limit = 3
    async with serving(settings, database_url) as api, serving(settings, database_url) as replica:
        body = INVOICE | {"url": URI}
        statuses = []
        for number in range(5):
            where = api if number % 2 else replica
            answer = await where("POST", "/v1/document/generate", json=body, key=api.key)
            statuses.append(answer.status)
        assert statuses in ([201] * 3 + [429] * 2, [201] * 4 + [429], [201] * 5), "a minute may have ended in between"
        while answer.status != 429:
            answer = await api("POST", "/v1/document/generate", json=body)
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.json["error"]["type"] == "rate_limit_exceeded"
        for path in ("/v1/health", "/v1/predictions", "/v1/files", "/v1/domains"):
            assert (await api("GET", path)).status == 200
        assert (await api("POST", "/v1/document/generate", json=body, key=await api.new_key())).status == 201, "each key counts for itself"


async def test_a_used_up_budget_is_402_but_what_is_known_is_still_answered(settings: Settings, database_url: str) -> None:
    settings.credit_budget = 2
    async with serving(settings, database_url) as api:
        body = INVOICE | {"url": URI, "id": "first"}
        assert (await api("POST", "/v1/document/generate", json=body)).status == 201
        await api.finish("first")
        assert (await api("POST", "/v1/document/generate", json=body)).json["status"] == "completed"
        await api("DELETE", "/v1/predictions/first")
        refused = await api("POST", "/v1/document/generate", json=body | {"id": "second"})
        assert refused.status == 402
        assert refused.json["error"]["type"] == "insufficient_credits"
        assert refused.json["error"]["message"].startswith("2 of 2 credits"), "deleting a prediction gives nothing back"
        assert (await api("POST", "/v1/document/generate", json=body | {"id": "x"}, key=await api.new_key("rich"))).status == 201


async def test_a_skill_that_comes_with_the_request_is_opened_in_a_child(api: Api) -> None:
    def skill(**files: str) -> dict[str, Any]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in files.items():
                archive.writestr(name.replace("_", "."), content)
        return {"type": "inline", "name": "s", "description": "d", "source": {"data": base64.b64encode(out.getvalue()).decode()}}

    schema = '{"type": "object", "properties": {"zebra": {"type": "string"}, "apple": {"type": "number"}}}'
    body = {"url": URI, "config": {"skills": [skill(SKILL_md="---\nname: s\ndescription: d\n---\nRead it.", schema_json=schema)]}}
    made = await api("POST", "/v1/document/generate", json=body)
    assert made.status == 201, made.content
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, made.json["id"])
    assert row is not None
    plan = asked(row).plan
    assert plan.schema_from == "skill"
    assert list((plan.schema or {})["properties"]) == ["zebra", "apple"]
    shown = await api("POST", "/v1/schema", json={"config": body["config"]})
    assert list(shown.json["json_schema"]["properties"]) == ["zebra", "apple"]
    for broken in (skill(README_md="x"), {"type": "inline", "source": {"data": "bm8="}}, {"type": "inline", "source": {"data": "*"}}):
        answer = await api("POST", "/v1/document/generate", json={"url": URI, "config": {"skills": [broken]}})
        assert answer.status == 422, answer.content
        assert answer.json["error"]["type"] == "invalid_request"
