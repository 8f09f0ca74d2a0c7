"""Several API processes and workers on one database and one S3: any of them answers any call, and nothing accepted is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from heliograph.skills.archive import pack
from tests.live import Server, data_uri, free_port, running_server, stop

SCHEMA = {"type": "object", "properties": {"number": {"type": ["string", "null"], "description": "Number"}}}


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """An S3 of its own on loopback, with one bucket."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/pages", method="PUT"), timeout=10).close()
        yield {
            "HELIOGRAPH_STORE_URL": "s3://pages/heliograph",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }
    finally:
        process.kill()
        process.wait()


def note(text: str) -> str:
    return data_uri(text.encode(), "text/plain")


def test_two_apis_and_two_workers_on_one_database_and_s3_never_miss(database_url: str, s3: dict[str, str], tmp_path: Path) -> None:
    environment = s3 | {"HELIOGRAPH_DATABASE_URL": database_url}
    with (
        running_server(tmp_path / "one", "--workers", "1", **environment) as one,
        running_server(tmp_path / "two", "--workers", "1", **environment) as two,
    ):

        def pair(number: int) -> tuple[int, int, dict[str, Any]]:
            here, there = (one, two) if number % 2 else (two, one)
            body = {"url": note(f"Number: {number}"), "batch": True, "config": {"json_schema": SCHEMA}}
            status, accepted = here.call("POST", "/v1/document/generate", body)
            assert status == 201, accepted
            seen, found = there.call("GET", f"/v1/predictions/{accepted['id']}")
            return number, seen, found

        with ThreadPoolExecutor(max_workers=16) as pool:
            pairs = list(pool.map(pair, range(500)))
        assert [number for number, seen, _ in pairs if seen != 200] == []
        with ThreadPoolExecutor(max_workers=8) as pool:
            finals = list(pool.map(lambda p: (p[0], two.settled(p[2]["id"], 300)), pairs))
        assert {body["status"] for _, body in finals} == {"completed"}
        assert all(body["response"] == {"number": str(number)} for number, body in finals)


def test_a_skill_published_at_one_replica_is_used_at_the_other_at_once(database_url: str, s3: dict[str, str], tmp_path: Path) -> None:
    environment = s3 | {"HELIOGRAPH_DATABASE_URL": database_url}
    with (
        running_server(tmp_path / "one", "--workers", "1", **environment) as one,
        running_server(tmp_path / "two", "--workers", "0", **environment) as two,
    ):

        def listed(server: Server) -> list[dict[str, Any]]:
            status, skills = server.call("GET", "/v1/skills?limit=1000")
            assert status == 200, skills
            return skills

        with ThreadPoolExecutor(max_workers=2) as pool:  # the first to ask brings the preinstalled ones
            here, there = pool.map(listed, (one, two))
        assert here == there
        names = [skill["name"] for skill in here]
        assert len(set(names)) == len(names) > 0
        for number in range(1, 6):
            field = f"field_{number}"
            schema = {"type": "object", "properties": {field: {"type": ["string", "null"]}}}
            files = {"SKILL.md": b"---\nname: grows\ndescription: d\n---\nRead.", "schema.json": json.dumps(schema).encode()}
            body = {"file_id": one.upload(pack(files), "grows.zip"), "name": "grows", "description": "Reads a field"}
            status, info = one.call("POST", "/v1/skills/create", body)
            assert (status, info["number"]) == (201, number)
            asked = {"url": note("Number: 7"), "batch": False, "config": {"skills": [{"skill_id": "grows"}]}}
            status, answer = two.call("POST", "/v1/document/generate", asked)
            assert (status, list(answer["response"])) == (201, [field]), answer
            assert answer["skills"][0]["id"] == info["id"]


def test_what_was_accepted_is_there_after_the_api_is_killed(database_url: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ids: list[str] = []
    stopped = threading.Event()

    def submit(server: Server) -> None:
        while not stopped.is_set():
            chosen = str(uuid.uuid4())
            body = {"id": chosen, "url": note("Number: 7"), "batch": True, "config": {"json_schema": SCHEMA}}
            try:
                status, _ = server.call("POST", "/v1/document/generate", body, timeout=10)
            except (urllib.error.URLError, ConnectionError, TimeoutError, OSError):
                return
            if status == 201:
                ids.append(chosen)

    environment = {"HELIOGRAPH_DATABASE_URL": database_url}
    with running_server(data, "--workers", "0", **environment) as server:
        threads = [threading.Thread(target=submit, args=(server,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(3)
        os.killpg(server.process.pid, signal.SIGKILL)
        stopped.set()
        for thread in threads:
            thread.join()
        stop(server.process)
    assert len(ids) > 20, "hardly anything was accepted before the kill"
    with running_server(data, "--workers", "1", **environment) as server:
        finals = [server.settled(prediction, 180) for prediction in ids]
    assert [body["id"] for body in finals if body["status"] != "completed"] == []
