from __future__ import annotations

import base64
from typing import Any

import pytest

from heliograph.api import checking
from heliograph.store import deliveries

from .conftest import PDF, PNG, Api

URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()


async def make(api: Api, **body: Any) -> str:
    answer = await api("POST", "/v1/document/generate", json={"url": URI, "domain": "document.invoice"} | body)
    assert answer.status == 201, answer.content
    return answer.json["id"]


async def test_the_list_is_newest_first_and_takes_skip_limit_status_and_metadata(api: Api) -> None:
    ids = [
        await make(api, metadata={"environment": "prod", "session_id": "s1", "extra": {"dataset_id": "7", "n": index}})
        for index in range(3)
    ]
    other = await make(api)
    await api.finish(ids[0])

    async def listed(**params: str) -> list[str]:
        answer = await api("GET", "/v1/predictions", params=params)
        assert answer.status == 200, answer.content
        return [row["id"] for row in answer.json]

    assert await listed() == [other, *reversed(ids)]
    assert await listed(skip="1", limit="2") == [ids[2], ids[1]]
    assert await listed(status="completed") == [ids[0]]
    assert await listed(environment="prod", status="pending") == [ids[2], ids[1]]
    assert await listed(session_id="s1") == list(reversed(ids))
    assert await listed(metadata='{"extra":{"dataset_id":"7","n":1}}') == [ids[1]]
    assert await listed(metadata='{"extra":{"dataset_id":"8"}}') == []
    for params in (
        {"metadata": "[1]"},
        {"metadata": "nonsense"},
        {"metadata": '"\\u0000"'},
        {"session_id": "a\0"},
        {"status": "lost"},
        {"limit": "1001"},
    ):
        assert (await api("GET", "/v1/predictions", params=params)).status == 422, params


async def test_a_prediction_that_is_not_there_is_404_everywhere(api: Api) -> None:
    for method, path in (
        ("GET", "/v1/predictions/none"),
        ("DELETE", "/v1/predictions/none"),
        ("GET", "/v1/predictions/none/deliveries"),
        ("GET", "/v1/predictions/none/pages/0"),
    ):
        answer = await api(method, path)
        assert answer.status == 404
        assert answer.json["error"]["type"] == "not_found"


async def test_delete_cancels_a_waiting_one_and_removes_its_data(api: Api) -> None:
    prediction = await make(api)
    assert len(await api.stored()) == 1
    gone = await api("DELETE", f"/v1/predictions/{prediction}")
    assert gone.status == 200
    assert gone.json["id"] == prediction
    assert await api.stored() == []
    assert (await api("GET", f"/v1/predictions/{prediction}")).status == 404
    for table in ("procrastinate_jobs", "inputs", "predictions"):
        assert await api.count(table) == 0


async def test_delete_takes_the_uploaded_file_along_where_nothing_may_be_kept_and_only_it_read_it(api: Api) -> None:
    secret = {"url": None, "metadata": {"allow_retention": False}}
    file = await api.upload()
    first, second = [await make(api, file_id=file["id"], **secret) for _ in range(2)]
    await api("DELETE", f"/v1/predictions/{first}")
    assert (await api("GET", f"/v1/files/{file['id']}")).status == 200, "the other still reads it"
    await api("DELETE", f"/v1/predictions/{second}")
    assert (await api("GET", f"/v1/files/{file['id']}")).status == 404
    assert await api.stored() == []
    kept = await api.upload()
    await api("DELETE", f"/v1/predictions/{await make(api, url=None, file_id=kept['id'])}")
    assert (await api("GET", f"/v1/files/{kept['id']}")).status == 200


async def test_deliveries_show_each_attempt(api: Api) -> None:
    prediction = await make(api)
    assert (await api("GET", f"/v1/predictions/{prediction}/deliveries")).json == []
    async with api.database.begin() as conn:
        attempt = await deliveries.start(conn, api.tenant, prediction, webhook_id="w", url="https://example.com/hook")
        await deliveries.finish(conn, api.tenant, attempt.id, status_code=503)
        await deliveries.start(conn, api.tenant, prediction, webhook_id="w", url="https://example.com/hook")
    shown = (await api("GET", f"/v1/predictions/{prediction}/deliveries")).json
    assert [(row["attempt"], row["status_code"], row["finished_at"] is None) for row in shown] == [(1, 503, False), (2, None, True)]


async def test_pages_are_drawn_upright_over_all_files(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await api("POST", "/v1/image/generate", json={"images": [PICTURE, PICTURE], "domain": "document.receipt"})
    for index in (0, 1):
        page = await api("GET", f"/v1/predictions/{made.json['id']}/pages/{index}")
        assert page.status == 200, page.content
        assert page.headers["content-type"] == "image/jpeg"
        assert page.content.startswith(b"\xff\xd8\xff")
    assert (await api("GET", f"/v1/predictions/{made.json['id']}/pages/2")).status == 404
    for index in ("-1", "99999999999999999999", "x"):
        assert (await api("GET", f"/v1/predictions/{made.json['id']}/pages/{index}")).status in (404, 422)
    document = await make(api)
    assert (await api("GET", f"/v1/predictions/{document}/pages/0")).content.startswith(b"\xff\xd8\xff")
    monkeypatch.setattr(checking, "LARGEST", 10)  # else it would have been refused
    broken = await make(api, url="data:application/pdf;base64," + base64.b64encode(b"%PDF-1.4 broken").decode())
    answer = await api("GET", f"/v1/predictions/{broken}/pages/0")
    assert answer.status == 422
    assert answer.json["error"]["type"] == "corrupt_media"
