"""A redacted copy over the API, from the request to the last of it: made by a real worker, fetched by a link, forgotten when due."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from heliograph.extraction.answer import answer
from heliograph.jobs.copies import MADE
from heliograph.jobs.loop import Loop
from heliograph.jobs.predictions import Predictions
from heliograph.jobs.queue import PREDICTIONS
from heliograph.jobs.retention import collect
from heliograph.perception.reader import Reader
from heliograph.store.blobs import Blobs
from tests.unit.media.paper import Pdf, say

from .conftest import Api

DOMAIN = "healthcare.phi-redaction"


@asynccontextmanager
async def working(api: Api) -> AsyncIterator[None]:
    """A worker, while the block is open."""
    stop = asyncio.Event()
    async with Reader(api.settings) as reader:
        run = Predictions(api.settings, api.database, Blobs(api.settings), reader, answer).run
        loop = Loop(api.database, {PREDICTIONS: run}, {PREDICTIONS: 2}, heartbeat=5, stalled_after=60, drain_timeout=5)
        task = asyncio.create_task(loop.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)


def paper(name: str = "Zelmira Quoth") -> bytes:
    pdf = Pdf()
    pdf.page(say(f"Patient: {name}", 72, 700) + say("The knee is better", 72, 680))
    return pdf.bytes()


async def asked(api: Api, **body: Any) -> Any:
    uri = "data:application/pdf;base64," + base64.b64encode(body.pop("content", paper())).decode()
    got = await api("POST", "/v1/document/generate", json={"url": uri, "domain": DOMAIN, "batch": False, **body})
    assert got.status == 201, got.content
    assert got.json["status"] == "completed", got.json
    return got.json


async def test_the_copy_is_a_file_of_the_tenant_that_a_link_opens_and_no_other_key_does(api: Api) -> None:
    async with working(api):
        made = await asked(api)
    link = made["response"]["redacted_uri"]
    assert link.startswith(f"{api.url}/v1/files/")
    got = await api("GET", link, key="")
    assert got.status == 200
    assert got.headers["content-type"] == "application/pdf"
    assert got.content.startswith(b"%PDF")
    assert b"Quoth" not in got.content
    assert "redacted.pdf" in got.headers["content-disposition"]
    file_id = link.split("/files/")[1].split("/")[0]
    row = (await api("GET", f"/v1/files/{file_id}")).json
    assert (row["purpose"], row["bytes"]) == ("assistants_output", len(got.content))
    stranger = await api.new_key("stranger to copies")
    assert (await api("GET", f"/v1/files/{file_id}", key=stranger)).status == 404
    assert (await api("GET", f"/v1/predictions/{made['id']}", key=stranger)).status == 404
    later = (await api("GET", f"/v1/predictions/{made['id']}")).json["response"]
    assert (await api("GET", later["redacted_uri"], key="")).content == got.content
    assert later["counts"] == {"name": 1}
    assert "Quoth" not in str(later)
    listed = (await api("GET", "/v1/predictions")).json
    assert [one["response"]["redacted_uri"].split("?")[0] for one in listed] == [link.split("?")[0]]


async def test_a_copy_goes_with_its_prediction(api: Api) -> None:
    async with working(api):
        made = await asked(api)
    file_id = made["response"]["redacted_uri"].split("/files/")[1].split("/")[0]
    assert (await api("DELETE", f"/v1/predictions/{made['id']}")).status == 200
    assert (await api("GET", f"/v1/files/{file_id}")).status == 404
    assert (await api("GET", made["response"]["redacted_uri"], key="")).status == 404
    assert not [key for key in await api.stored() if "/files/" in key]


async def test_what_is_not_to_be_retained_takes_its_copy_with_it(api: Api) -> None:
    async with working(api):
        made = await asked(api, metadata={"allow_retention": False})
    file_id = made["response"]["redacted_uri"].split("/files/")[1].split("/")[0]
    assert (await api("GET", f"/v1/files/{file_id}")).status == 200
    done = await collect(api.settings, api.database, Blobs(api.settings), now=datetime.now(UTC) + timedelta(hours=2), sweep=True)
    assert done is not None
    assert (await api("GET", f"/v1/files/{file_id}")).status == 404
    assert await api.stored() == []


async def test_an_older_clients_name_for_it_works_too(api: Api) -> None:
    async with working(api):
        uri = "data:application/pdf;base64," + base64.b64encode(paper()).decode()
        got = await api("POST", "/v1/document/execute", json={"name": "healthcare/phi-redaction", "url": uri, "batch": False})
    assert got.status == 201, got.content
    assert got.json["response"]["redacted_uri"].startswith(api.url)


@pytest.mark.parametrize("said", [MADE, "heliograph:made"])
async def test_what_a_document_says_makes_no_link_to_a_file_of_others(api: Api, said: str) -> None:
    made = await api("POST", "/v1/document/generate", json={"url": _uri(), "domain": "document.invoice"})
    await api.finish(made.json["id"], f'{{"redacted_uri":"{said}","total":1}}')
    link = (await api("GET", f"/v1/predictions/{made.json['id']}")).json["response"]["redacted_uri"]
    assert (await api("GET", link, key="")).status == 404


def _uri() -> str:
    return "data:application/pdf;base64," + base64.b64encode(paper("Somebody Else")).decode()
