"""Skills while processes die: what a request was accepted with is what it ends with, and a version is published whole or not at all."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from heliograph.skills.archive import Files, content_hash, pack, unpack
from heliograph.store import steps, tenants
from heliograph.store.database import Database
from tests.integration.jobs.asking import look
from tests.live import Server, data_uri, running_server, stop

from .conftest import Start, scan

TOTAL = {"total": {"type": ["number", "null"], "description": "Total"}}
NUMBER = {"delivery_note": {"type": ["string", "null"], "description": "Delivery note"}}


def skill(name: str, fields: dict[str, Any], text: str = "Read the fields.") -> Files:
    schema = json.dumps({"type": "object", "properties": fields}).encode()
    return {"SKILL.md": f"---\nname: {name}\ndescription: Reads fields\n---\n{text}\n".encode(), "schema.json": schema}


def publish(server: Server, name: str, files: Files) -> dict[str, Any]:
    body = {"file_id": server.upload(pack(files), f"{name}.zip"), "name": name, "description": "Reads fields"}
    status, info = server.call("POST", "/v1/skills/create", body, timeout=30)
    assert status in {200, 201}, info
    return info


def files_of(server: Server, id: str) -> Files:
    status, link = server.call("GET", f"/v1/skills/{id}/download")
    assert status == 200, link
    with urllib.request.urlopen(link["download_url"], timeout=30) as answer:
        return unpack(answer.read())


async def test_a_killed_workers_request_ends_with_the_version_that_it_was_accepted_with(
    database: Database, database_url: str, start_worker: Start, tmp_path: Path
) -> None:
    with running_server(tmp_path / "data", "--workers", "0", HELIOGRAPH_DATABASE_URL=database_url) as server:
        files = skill("notes", TOTAL)
        first = publish(server, "notes", files)
        body = {"id": "p", "url": data_uri(scan(12), "image/tiff"), "batch": True, "config": {"skills": [{"skill_name": "notes"}]}}
        assert server.call("POST", "/v1/document/generate", body)[0] == 201
        worker = start_worker(database_url, real=True)
        second = publish(server, "notes", skill("notes", NUMBER))
        assert second["id"] != first["id"]
        async with asyncio.timeout(60):
            while await _pages_read(database, "p") < 3:
                await asyncio.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        status, refused = server.call("DELETE", f"/v1/skills/{first['id']}")
        assert (status, refused["error"]["type"]) == (409, "conflict"), "an unfinished prediction uses it, though nobody works on it"
        start_worker(database_url, real=True)
        ended = await asyncio.to_thread(server.settled, "p", 120)
        assert ended["status"] == "completed", ended
        assert (await look(database, "p")).attempts == 2
        assert list(ended["response"]) == ["total"]
        used = {"name": "notes", "version": first["skill_version"], "hash": content_hash(files), "id": first["id"]}
        assert ended["skills"] == [used]
        assert server.call("DELETE", f"/v1/skills/{first['id']}")[0] == 200
        assert server.call("GET", "/v1/predictions/p")[1]["skills"] == [used], "what it used is told as long as it is kept"
        newer = body | {"id": "q", "batch": False, "url": data_uri(b"Delivery note: 7", "text/plain")}
        status, answer = server.call("POST", "/v1/document/generate", newer)
        assert (status, answer["response"]) == (201, {"delivery_note": "7"})


async def _pages_read(database: Database, prediction: str) -> int:
    async with database.begin() as conn:
        return len(await steps.list_(conn, tenants.DEFAULT, prediction, prefix="page:"))


def test_a_version_whose_publishing_the_apis_death_cut_off_is_there_whole_or_not_at_all(database_url: str, tmp_path: Path) -> None:
    acknowledged: dict[str, tuple[str, Files]] = {}
    tried: dict[str, Files] = {}
    numbers = itertools.count()
    stopped = threading.Event()
    dying = (urllib.error.URLError, ConnectionError, TimeoutError, OSError)

    def publishing(server: Server, name: str) -> None:
        while not stopped.is_set():
            files = skill(name, TOTAL, f"Read number {next(numbers)}.") | {"resources/filler.bin": os.urandom(200_000)}
            tried[content_hash(files)] = files
            try:
                info = publish(server, name, files)
            except dying:
                return
            acknowledged[info["id"]] = (info["skill_version"], files)

    with running_server(tmp_path / "data", "--workers", "0", HELIOGRAPH_DATABASE_URL=database_url) as server:
        threads = [threading.Thread(target=publishing, args=(server, name)) for name in ("one", "one", "two", "two")]
        for thread in threads:
            thread.start()
        stopped.wait(4)
        os.killpg(server.process.pid, signal.SIGKILL)
        stopped.set()
        for thread in threads:
            thread.join()
        stop(server.process)
    assert len(acknowledged) > 8, "hardly anything was published before the kill"

    with running_server(tmp_path / "data", "--workers", "0", HELIOGRAPH_DATABASE_URL=database_url) as server:
        for id, (version, files) in acknowledged.items():
            assert server.call("GET", f"/v1/skills/{id}")[1]["skill_version"] == version
            assert files_of(server, id) == files
        status, listed = server.call("GET", "/v1/skills?limit=1000")
        assert status == 200
        mine = {info["id"]: info for info in listed if info["name"] in {"one", "two"}}
        assert acknowledged.keys() <= mine.keys()
        assert len({info["skill_version"] for info in mine.values()}) == len(mine)
        for id in mine:
            assert content_hash(files_of(server, id)) in tried, "a version is there, and not whole"
        for files in tried.values():  # as a client does that got no answer
            name = name_in(files)
            publish(server, name, files)
        status, listed = server.call("GET", "/v1/skills?limit=1000")
        again = [info for info in listed if info["name"] in {"one", "two"}]
        assert len(again) == len(tried), "what had been there was made twice, or something is missing"
        assert mine.keys() <= {info["id"] for info in again}


def name_in(files: Files) -> str:
    return files["SKILL.md"].split(b"\n")[1].removeprefix(b"name: ").decode()
