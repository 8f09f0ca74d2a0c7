"""A chat of five steps, in each of which the API that streams it and the worker that answers it are killed."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from heliograph.agents.artifacts import REF
from tests.integration.jobs.fivesteps import STEPS, Falls
from tests.live import Server, running_server

from .conftest import Start
from .test_chats import CHAT, listen, said, session_of
from .test_runs import QUICK


def _choices(told: list[tuple[str | None, str]]) -> list[dict[str, Any]]:
    return [choice for _, data in told if data != "[DONE]" for choice in json.loads(data).get("choices", [])]


def test_each_artifact_and_each_word_comes_once_though_api_and_worker_die_in_each_step(
    url: str, start_worker: Start, tmp_path: Path
) -> None:
    Falls(tmp_path / "falls").plan(("made",))
    shared = {"HELIOGRAPH_DATABASE_URL": url, "HELIOGRAPH_STORE_URL": f"file://{tmp_path / 'data' / 'blobs'}"}
    (tmp_path / "data" / "blobs").mkdir(parents=True)

    def worker() -> subprocess.Popen[bytes]:
        return start_worker(url, STEP_PAUSE="0.3", **QUICK)

    workers = [worker(), worker()]
    done = threading.Event()

    def supervise() -> None:
        while not done.wait(0.1):
            for place, each in enumerate(workers):
                if each.poll() is not None:
                    workers[place] = worker()

    with ExitStack() as stack:

        def api(number: int) -> Server:
            return stack.enter_context(running_server(tmp_path / f"api{number}", "--workers", "0", **shared))

        apis = [api(number) for number in range(STEPS + 1)]
        supervisor = threading.Thread(target=supervise)
        supervisor.start()
        stack.callback(lambda: (done.set(), supervisor.join()))
        told: list[tuple[str | None, str]] = []
        last: str | None = None
        for number, server in enumerate(apis):
            body = {"messages": [{"role": "user", "content": "Make five"}], "stream": True} if not number else None
            path = CHAT if body else f"{CHAT}/{json.loads(told[0][1])['id']}/events"
            try:
                for event in listen(server, "POST" if body else "GET", path, body, last):
                    told.append(event)
                    last = event[0] or last
                    if number < STEPS and len(said(told).split()) > number:
                        server.process.send_signal(signal.SIGKILL)
                        server.process.wait()
            except (ConnectionError, http.client.HTTPException):
                assert number < STEPS
        assert told[-1][1] == "[DONE]"
        text, session = said(told), session_of(told)
        refs = REF.findall(text)
        assert re.fullmatch(r"(?:\d:arr_[0-9a-f]{6} ){5}", text), text
        assert len(set(refs)) == STEPS
        status, listed = apis[-1].call("GET", f"/v1/artifacts/list?session_id={session}")
        assert (status, [item["object_id"] for item in listed["items"]]) == (200, refs)
        numbers = [int(seq) for seq, _ in told if seq]
        assert list(dict.fromkeys(numbers)) == list(range(2 * STEPS + 2)), "the first chunk, a thought and a word in each step, and the end"
        thoughts = [each["delta"].get("reasoning_content") for each in _choices(told)]
        assert [thought for thought in thoughts if thought] == [f"Makes {step}.\n" for step in range(STEPS)]
