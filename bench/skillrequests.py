"""What a kept skill adds to a request: over HTTP beside the same schema in the request, and what the shelf costs in a worker."""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from tests.live import Server, running_server

from bench import Row
from heliograph.config import Settings
from heliograph.skills import archive, preinstalled
from heliograph.skills.archive import Files
from heliograph.skills.shelf import Shelf
from heliograph.store.blobs import Blobs

CALLS = 300
NAME = "invoice-extraction"
TEXT = b"Invoice number: A-1\nTotal: 12.50\n"


def measure() -> Iterator[Row]:
    """Requests that are only queued, in turn with and without a skill; then packages and folders on a shelf."""
    with tempfile.TemporaryDirectory() as folder:
        with running_server(Path(folder) / "data", "--workers", "0") as server:
            yield from _requests(server)
        yield from asyncio.run(_shelf(Path(folder)))


def _requests(server: Server) -> Iterator[Row]:
    schema = json.loads(preinstalled.files(NAME)["schema.json"])
    file = server.upload(TEXT, "note.txt")
    asked: dict[str, dict[str, Any]] = {
        "the schema in the request": {"json_schema": schema},
        "a kept skill": {"skills": [{"skill_name": NAME}]},
    }
    first = _call(server, file, asked["a kept skill"])
    taken: dict[str, list[float]] = {what: [] for what in asked}
    for _ in range(CALLS):
        for what, config in asked.items():
            taken[what].append(_call(server, file, config))
    for what, times in taken.items():
        yield Row(f"a request with {what}, accepted", median(times), "ms", "", f"median of {CALLS}, p95 {quantiles(times, n=20)[-1]:.1f}")
    plain, skilled = taken.values()
    yield Row("a cached skill adds to a request", median(skilled) - median(plain), "ms", "< 5", "difference of the medians")
    yield Row("the first request with a skill", first, "ms", "", "its zip is fetched and read in a child that starts for it")


def _call(server: Server, file: str, config: dict[str, Any]) -> float:
    """Milliseconds of one request that nobody waits for the answer of."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    body = json.dumps({"file_id": file, "batch": True, "config": config})
    connection.connect()
    started = time.perf_counter()
    connection.request("POST", "/v1/document/generate", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    taken = (time.perf_counter() - started) * 1000
    connection.close()
    assert answer.status == 201, content
    return taken


async def _shelf(folder: Path) -> list[Row]:
    blobs = Blobs(Settings(data_dir=folder / "blobs"))
    rows: list[Row] = []
    largest: Files = {"SKILL.md": b"Read it.", **{f"resources/{n:03}.bin": n.to_bytes(4) * 26_000 for n in range(499)}}
    for what, files in (("a preinstalled skill", preinstalled.files(NAME)), ("500 files, 50 MiB", largest)):
        hash, blob = archive.content_hash(files), f"t/skills/{len(rows)}"
        await blobs.put(blob, archive.pack(files))
        shelf = Shelf(blobs, folder / "shelf")
        for kind, ask in (("package", shelf.package), ("folder", shelf.folder)):
            cold, warm = await _timed(ask, hash, blob, 1), await _timed(ask, hash, blob, 200)
            rows.append(Row(f"{kind} of {what} from the shelf", warm, "ms", "< 5", f"p95 of 200; {cold:.0f} ms the first time"))
    return rows


async def _timed(ask: Callable[[str, str], Awaitable[object]], hash: str, blob: str, times: int) -> float:
    """Milliseconds, the 95th percentile."""
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        await ask(hash, blob)
        taken.append((time.perf_counter() - started) * 1000)
    return taken[0] if times == 1 else quantiles(taken, n=20)[-1]
