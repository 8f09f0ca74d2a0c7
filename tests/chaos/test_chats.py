"""A client that streams a chat while the API it listens to and the worker that answers are killed, and comes back to another API."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from heliograph.store.postgres import EmbeddedPostgres
from tests.live import Server, running_server

from .conftest import REPOSITORY
from .speaking import WORDS

CHAT = "/v1/openai/chat/completions"


def listen(server: Server, method: str, path: str, body: Any = None, last: str | None = None) -> Iterator[tuple[str | None, str]]:
    """The id and data of each event of a stream."""
    with closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as connection:
        headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers | ({"Last-Event-ID": last} if last else {}))
        with connection.getresponse() as answer:
            assert answer.status in (200, 201), answer.read()
            id: str | None = None
            for raw in answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    id = line[4:]
                elif line.startswith("data: "):
                    yield id, line[6:]
                    id = None


def said(told: list[tuple[str | None, str]]) -> str:
    chunks = [json.loads(data) for _, data in told if data != "[DONE]"]
    return "".join(each["delta"].get("content") or "" for chunk in chunks for each in chunk.get("choices", []))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["API killed", "API stopped"])
def test_a_stream_survives_its_api_and_its_worker(own_postgres: EmbeddedPostgres, tmp_path: Path, how: signal.Signals) -> None:
    url = own_postgres.url()

    def start_worker() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.chaos.speaking", url, str(tmp_path / "data")]
        return subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | {"HELIOGRAPH_STALLED_AFTER": "4"})

    with ExitStack() as stack:
        one = stack.enter_context(running_server(tmp_path / "one", "--workers", "0", HELIOGRAPH_DATABASE_URL=url))
        other = stack.enter_context(running_server(tmp_path / "other", "--workers", "0", HELIOGRAPH_DATABASE_URL=url))
        workers = [start_worker()]
        stack.callback(lambda: [(worker.kill(), worker.wait()) for worker in workers])
        body = {"messages": [{"role": "user", "content": "speak"}], "stream": True}
        told: list[tuple[str | None, str]] = []
        try:
            for event in listen(one, "POST", CHAT, body):
                told.append(event)
                if len(told) == 10:
                    one.process.send_signal(how)
        except (ConnectionError, http.client.HTTPException):
            assert how == signal.SIGKILL
        if how == signal.SIGTERM:
            assert json.loads(told.pop()[1])["error"]["type"] == "unavailable"
        assert 10 <= len(told) < len(WORDS)
        id = json.loads(told[0][1])["id"]
        workers[0].kill()
        workers.append(start_worker())
        last = [seq for seq, _ in told if seq][-1]
        rest = list(listen(other, "GET", f"{CHAT}/{id}/events", last=last))
        assert rest[-1][1] == "[DONE]"
        assert said(told) + said(rest) == "".join(WORDS), "nothing lost, nothing twice"
        numbers = [int(seq) for seq, _ in told + rest if seq]
        assert sorted(set(numbers)) == list(range(len(WORDS) + 2))
        status, answer = other.call("POST", CHAT, {"messages": [{"role": "user", "content": "and?"}], "session_id": session_of(told)})
        assert (status, answer["choices"][0]["message"]["content"]) == (201, "".join(WORDS)), "the session is free again"


def session_of(told: list[tuple[str | None, str]]) -> str:
    return str(json.loads(told[0][1])["session_id"])
