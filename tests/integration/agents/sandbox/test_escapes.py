"""Programs that want out stay in; and they would get out, were it not for the sandbox."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agents.sandbox.conftest import Run
from tests.integration.agents.sandbox.escapes import EVERY, Escape


@pytest.fixture(scope="module")
def lures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Things of this machine that a program might reach for: a file, a port, sockets in the file system and beside it, a process."""
    folder = tmp_path_factory.mktemp("lures")
    secret = folder / "secret.txt"
    secret.write_text("the secret")
    abstract = f"\0heliograph-test-{os.getpid()}"
    listeners = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    listeners[0].bind(("127.0.0.1", 0))
    listeners[1].bind(str(folder / "s"))
    listeners[2].bind(abstract)
    for listener in listeners:
        listener.listen()
        threading.Thread(target=_greet, args=(listener,), daemon=True).start()
    yield {
        "secret": str(secret),
        "port": listeners[0].getsockname()[1],
        "unix": str(folder / "s"),
        "abstract": abstract,
        "worker": os.getpid(),
    }
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _greet(listener: socket.socket) -> None:
    while True:
        try:
            with listener.accept()[0] as connection:
                connection.sendall(b"come in")
        except OSError:
            return


@pytest.mark.parametrize("escape", EVERY, ids=str)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_escape_fails(run: Run, lures: dict[str, Any], escape: Escape) -> None:
    ran = await run(escape.code, arguments=lures, limits=escape.limits)
    assert not ran.value
    assert re.search(escape.fails, f"{ran.killed}\n{ran.error}" if ran.error else "None"), ran


@pytest.mark.parametrize("escape", [escape for escape in EVERY if escape.outside], ids=str)
def test_the_same_program_succeeds_outside(lures: dict[str, Any], escape: Escape, tmp_path: Path) -> None:
    """So that an escape which fails, fails for the sandbox's sake and not for its own mistakes."""
    code = f"import json, sys\ninputs = json.loads(sys.argv[1])\n{escape.code}\nassert result, result\n"
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lures)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
