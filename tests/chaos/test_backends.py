"""Model servers that are killed while they answer, and come back."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heliograph.config import ModelSettings, Settings
from heliograph.models.contract import Ask, Text, user
from heliograph.models.errors import ModelUnavailable
from heliograph.models.serving import Models
from tests.conftest import free_port

ANSWER = " ".join(f"word{number}" for number in range(60))
QUESTION = Ask(messages=[user(Text("Say it."))])
StartModel = Callable[[int], subprocess.Popen[bytes]]


@pytest.fixture
def start_model(tmp_path: Path) -> Iterator[StartModel]:
    """Starts a scripted model server, which takes its time to answer, on a port; all are killed at the end."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turn": [{"answer": ANSWER, "pace": 0.02, "times": 0}]}))
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "heliograph.models.scripted", str(script), "--dialect", "vllm", "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_answers_of_a_killed_model_are_kept_as_far_as_they_came_and_it_is_asked_again_when_it_is_back(
    settings: Settings, start_model: StartModel
) -> None:
    port = free_port()
    first = start_model(port)
    await listening(port)
    table = ModelSettings(url=f"http://127.0.0.1:{port}/v1", model="scripted", attempts=10)
    models = Models(settings.model_copy(update={"models": {"m": table}}))
    backend = models.backend("m")
    await backend.profile()
    asked = [asyncio.create_task(backend.ask(QUESTION)) for _ in range(8)]
    pieces = ""
    with pytest.raises(ModelUnavailable, match="broke off"):
        async for delta in backend.stream(QUESTION):
            pieces += delta.text
            if first.poll() is None and len(pieces) > 50:
                first.send_signal(signal.SIGKILL)
                first.wait()
    assert pieces
    assert ANSWER.startswith(pieces)
    again = asyncio.create_task(backend.ask(QUESTION))
    await asyncio.sleep(1)
    assert not again.done()  # tries, while nobody is there
    start_model(port)
    async with asyncio.timeout(60):
        assert (await again).text == ANSWER
        replies = await asyncio.gather(*asked)
    assert "broken" in {reply.finish for reply in replies}
    assert all(reply.text == ANSWER if reply.finish == "stop" else ANSWER.startswith(reply.text) for reply in replies)
    await models.close()


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return
