"""Sets up and runs the official clients: Python and its CLI from an environment of their own, Node from npm.

The Python SDK pins versions that the server cannot use, so it never shares the server's environment.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.conformance import recordings

if TYPE_CHECKING:
    from tests.live import Server

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


class Result(NamedTuple):
    """What one check found; `outcome` is `passed`, `later`, `client` or `failed`."""

    client: str
    name: str
    outcome: str
    detail: str
    seconds: float


def environment(server: Server, scratch: Path) -> dict[str, str]:
    """What a driver reads: where the server is, and what there is to send to it."""
    samples = Path(str(files("heliograph.samples")))
    photo, faces = people()
    return {
        "VLMRUN_BASE_URL": f"{server.url}/v1",
        "VLMRUN_API_KEY": server.key,
        "RECEIPT": str(samples / "receipt.png"),
        "INVOICE": str(samples / "invoice.pdf"),
        "PHOTO": str(photo or samples / "receipt.png"),
        "FACES": str(faces),
        "CALL": str(recordings.call(scratch)),
        "TALK": str(recordings.talk(scratch)),
        "SCRATCH": str(scratch),
        "HOME": str(scratch),
    }


def people() -> tuple[Path | None, int]:
    """A picture of the optional test data and how many faces are on it; without the data no picture and 0."""
    folder = Path(os.environ.get("HELIOGRAPH_TEST_DATA") or ROOT.parent / "shared" / "data") / "faces_count"
    for truth in sorted(folder.glob("truth/*.json")):
        return folder / "items" / truth.stem, int(json.loads(truth.read_text())["faces"])
    return None, 0


def python_environment(name: Literal["conformance", "openai"] = "conformance") -> Path:
    """The interpreter of the clients' environment, made from the lock of its name when it is not there yet.

    `conformance` has the official SDK and the OpenAI client that it pins, `openai` the newest one.
    """
    environment, lock = ROOT / f".venv-{name}", ROOT / "requirements" / f"{name}.lock"
    python, stamp = environment / "bin" / "python", environment / ".ready"
    with alone():
        if not stamp.exists() or stamp.read_text() != lock.read_text():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
            subprocess.run([*pip, "-r", lock], check=True)
            stamp.write_text(lock.read_text())
    return python


def node_environment(name: Literal["node", "node-openai"] = "node") -> Path | None:
    """The folder with the npm packages installed, or None where there is no Node. `node-openai` has OpenAI's newest client."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    folder = HERE / name
    with alone():
        if not (folder / "node_modules" / ".package-lock.json").exists():  # what npm writes last
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)
    return folder


@contextmanager
def alone() -> Iterator[None]:
    """Of the processes that run tests, one at a time makes what they share."""
    with (ROOT / "requirements" / "conformance.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def drive(client: str, command: Sequence[str | Path], environment: dict[str, str], *, cwd: Path) -> Iterator[Result]:
    """The results that a driver prints, one a line; a driver that dies is a failure of its own."""
    done = subprocess.run(command, env=os.environ | environment, cwd=cwd, capture_output=True, text=True, timeout=900, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            yield Result(client=client, **json.loads(line))
    if done.returncode != 0:
        yield Result(client, "the driver itself", "failed", done.stderr[-1500:], 0.0)
