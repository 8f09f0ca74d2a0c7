"""A real server on a real port. No worker runs: tests play it.

Tests of a module share one server and its database, each under a tenant of its own; a test that needs other settings starts a server.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import uvicorn
from sqlalchemy import text

from heliograph.api.app import create_app
from heliograph.config import Settings
from heliograph.ids import new_id
from heliograph.store import predictions, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from tests.conftest import private_settings

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
    tenant: str = tenants.DEFAULT
    key: str = ""

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

    async def new_key(self, tenant: str | None = None) -> str:
        """A key of the tenant of this name, or a second one of the test's own."""
        async with self.database.begin() as conn:
            owner = self.tenant if tenant is None else (await tenants.create(conn, tenant)).id
            _, secret = await tenants.create_key(conn, owner, "test")
        return secret

    async def finish(self, prediction: str, response: str = '{"total": 1.50, "a": null}', **result: Any) -> None:
        """Play the worker: claim and finish."""
        run = new_id()
        usage = '{"elements_processed":1,"element_type":"page","credits_used":2,"steps":null,"message":null,"duration_seconds":1}'
        values: dict[str, Any] = {"status": "completed", "response": response, "usage": usage, "credits": 2} | result
        async with self.database.begin() as conn:
            assert await predictions.claim(conn, self.tenant, prediction, run)
            assert await predictions.finish(conn, self.tenant, prediction, run, **values)

    async def stored(self) -> list[str]:
        """The keys of the tenant's blobs."""
        return [key async for key in Blobs(self.settings).walk() if key.startswith(f"{self.tenant}/")]

    async def count(self, table: str) -> int:
        """How many rows of the tenant there are; in `procrastinate_jobs` too."""
        mine = "args->>'tenant'" if table == "procrastinate_jobs" else "tenant"
        async with self.database.begin() as conn:
            return await conn.scalar(text(f"SELECT count(*) FROM {table} WHERE {mine} = :tenant"), {"tenant": self.tenant}) or 0

    async def waiting(self, count: int = 1) -> list[str]:
        """The ids of unfinished predictions, as soon as there are `count`."""
        for _ in range(500):
            async with self.database.begin() as conn:
                rows = await predictions.list_(conn, self.tenant, limit=100, statuses=("pending",))
            if len(rows) >= count:
                return [row.id for row in rows]
            await asyncio.sleep(0.02)
        raise AssertionError("nothing waits")


class _Served:
    """A server with these settings, in a thread, until it is stopped."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        # with the protocol named, so that asyncio turns Nagle's algorithm off, as for a listener of `heliograph serve`
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self.settings, self.database_url = settings, database_url
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        app = create_app(settings, database_url)
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none", proxy_headers=False))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@asynccontextmanager
async def _client(served: _Served, tenant: str | None = None) -> AsyncIterator[Api]:
    database = Database(served.database_url, size=2)
    async with aiohttp.ClientSession() as http:
        api = Api(served.url, http, database, served.settings)
        if tenant is not None:
            async with database.begin() as conn:
                api.tenant = (await tenants.create(conn, tenant)).id
        api.key = await api.new_key()
        try:
            yield api
        finally:
            await database.close()


@asynccontextmanager
async def serving(settings: Settings, database_url: str) -> AsyncIterator[Api]:
    """A server of the test's own with these settings, and a client of it with a key of the tenant `default`."""
    served = await asyncio.to_thread(_Served, settings, database_url)
    try:
        async with _client(served) as api:
            yield api
    finally:
        await asyncio.to_thread(served.stop)


@pytest.fixture(scope="module")
def served(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Served]:
    """The module's server."""
    with pytest.MonkeyPatch.context() as environment:
        settings = private_settings(environment, tmp_path_factory.mktemp("served"))
    running = _Served(settings, module_database_url)
    yield running
    running.stop()


_numbers = itertools.count(1)


@pytest.fixture
async def api(served: _Served) -> AsyncIterator[Api]:
    """A client of the module's server, with a tenant that nobody has used."""
    async with _client(served, f"tenant {next(_numbers)}") as client:
        yield client
