"""A real `heliograph serve` for tests that look at it from outside."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

KEY = "hg_conformance-key-for-tests-only"


class Server(NamedTuple):
    """A server that answers: its address without a path, a key that works, its process and its log."""

    url: str
    key: str
    process: subprocess.Popen[bytes]
    log: Path

    def call(self, method: str, path: str, body: object = None, *, timeout: float = 180.0) -> tuple[int, Any]:
        """Status and JSON body of one call, whatever the status."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def upload(self, content: bytes, name: str) -> str:
        """The id of a file with this content."""
        edge = "----edge-of-a-part"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        request = urllib.request.Request(
            f"{self.url}/v1/files",
            method="POST",
            data=head.encode() + content + f"\r\n--{edge}--\r\n".encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": f"multipart/form-data; boundary={edge}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["id"])

    def settled(self, prediction: str, within: float) -> dict[str, Any]:
        """The prediction once it is `completed` or `failed`; raises after `within` seconds."""
        deadline = time.monotonic() + within
        while True:
            status, body = self.call("GET", f"/v1/predictions/{prediction}")
            assert status == 200, body
            if body["status"] in {"completed", "failed"}:
                return body
            assert time.monotonic() < deadline, f"still {body['status']} after {within} s"
            time.sleep(0.2)


def data_uri(content: bytes, media_type: str = "application/octet-stream") -> str:
    """The bytes as a base64 `data:` URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def free_port() -> int:
    """A TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    data_dir: Path, *options: str, wait: float = 60.0, python: Path = Path(sys.executable), **environment: str
) -> Iterator[Server]:
    """`heliograph serve` on a free port with a fresh data folder; stopped as Ctrl-C would when the block ends."""
    port = free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir.parent / f"{data_dir.name}.log"
    command = [str(python), "-m", "heliograph.cli.app", "serve", "--port", str(port), "--data-dir", str(data_dir), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"HELIOGRAPH_API_KEY": KEY} | environment,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, log, wait)
        yield Server(url, KEY, process, log)
    finally:
        stop(process)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, wait: float) -> None:
    """Returns once `/readyz` says 200; raises with the log when the server died or took longer than `wait` seconds."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server stopped with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    text = re.sub(r"hg_\S+", "hg_…", log.read_text(errors="replace"))
    raise AssertionError(f"the server was not ready after {wait} s:\n{text[-3000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGINT, then after 30 s SIGKILL to the whole session."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
