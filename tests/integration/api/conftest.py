"""A real server on a real port for every test, in the test's own loop, over a database of its own. No worker runs: tests play it."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import uvicorn

from heliograph.api.app import create_app
from heliograph.config import Settings
from heliograph.ids import new_id
from heliograph.store import predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass
class Answer:
    """A response, read."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.content)


@dataclass
class Api:
    """A client of a running server, and the database beneath it."""

    url: str
    http: aiohttp.ClientSession
    database: Database
    settings: Settings
    key: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    async def __call__(
        self, method: str, path: str, *, key: str | None = None, headers: dict[str, str] | None = None, **options: Any
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.key if key is None else key}"} if key != "" else {}
        if isinstance(options.get("data"), bytes):
            options["data"] = io.BytesIO(options["data"])
        address = path if path.startswith("http") else self.url + path
        async with self.http.request(method, address, headers=sent | (headers or {}), allow_redirects=False, **options) as response:
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read())

    async def upload(self, content: bytes = PDF, name: str = "a.pdf", *, key: str | None = None, **query: str) -> Any:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", content, filename=name)
        answer = await self("POST", "/v1/files", key=key, data=form, params=query)
        assert answer.status == 201, answer.content
        return answer.json

    async def new_key(self, tenant: str = "default") -> str:
        async with self.database.begin() as conn:
            owner = await tenants.create(conn, tenant)
            _, secret = await tenants.create_key(conn, owner.id, "test")
        return secret

    async def finish(
        self, prediction: str, response: str = '{"total": 1.50, "a": null}', *, tenant: str = "default", **result: Any
    ) -> None:
        """Play the worker: claim and finish."""
        run = new_id()
        usage = '{"elements_processed":1,"element_type":"page","credits_used":2,"steps":null,"message":null,"duration_seconds":1}'
        values: dict[str, Any] = {"status": "completed", "response": response, "usage": usage, "credits": 2} | result
        async with self.database.begin() as conn:
            assert await predictions.claim(conn, tenant, prediction, run)
            assert await predictions.finish(conn, tenant, prediction, run, **values)

    async def stored(self) -> list[str]:
        """The keys of all blobs."""
        return [key async for key in Blobs(self.settings).walk()]

    async def waiting(self, count: int = 1) -> list[str]:
        """The ids of unfinished predictions, as soon as there are `count`."""
        for _ in range(200):
            async with self.database.begin() as conn:
                rows = await predictions.list_(conn, "default", limit=100, statuses=("pending",))
            if len(rows) >= count:
                return [row.id for row in rows]
            await asyncio.sleep(0.02)
        raise AssertionError("nothing waits")


@asynccontextmanager
async def serving(settings: Settings, database_url: str) -> AsyncIterator[Api]:
    """A server with these settings, a tenant `default` and a key for it."""
    app = create_app(settings, database_url)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none", proxy_headers=False))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.005)
    database = Database(database_url)
    async with aiohttp.ClientSession() as http:
        api = Api(f"http://127.0.0.1:{sock.getsockname()[1]}", http, database, settings)
        api.key = await api.new_key()
        try:
            yield api
        finally:
            await http.close()
            server.should_exit = True
            await task
            await database.close()
            sock.close()


@pytest.fixture
async def api(settings: Settings, database_url: str) -> AsyncIterator[Api]:
    async with serving(settings, database_url) as running:
        yield running
