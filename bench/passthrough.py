"""Chats passed straight on to a model, from outside: what is added to the model's time, and how many a second one API process takes.

The load generator, the model's stub, the API and its PostgreSQL share the machine's cores, so a busy machine counts against all: the
rows beside ours, taken in turns with them, tell how much. `relay` is the least that can be: raw ASGI and aiohttp, no key, no check, nothing
kept. LiteLLM's proxy, which keeps nothing either, runs where HELIOGRAPH_BENCH_LITELLM names its `litellm` command, or it is on the path.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.live import free_port

from bench import Row

ROUNDS = 3
SECONDS = 4.0
KEY = "hg_bench"
CHUNKS = 100


class Place(NamedTuple):
    """Where chats are sent. `pid`: whose CPU time counts. `seconds`: of a round."""

    name: str
    url: str
    pid: int
    seconds: float = SECONDS


class Figures(NamedTuple):
    """Medians of the rounds: milliseconds added in the middle and at the 99th percentile, a second's requests, CPU milliseconds of each."""

    p50: float
    p99: float
    first: float
    rate: float
    cpu: float


def measure() -> Iterator[Row]:
    """Latency at 32 chats at a time, then as many as go through, whole and streamed; ours, the relay and LiteLLM in turns.

    32 streams at a time are about as many as go through on two cores, so what they wait for is mostly each other. 16 at a time are about
    the 400 a second that one process is to take.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="heliograph-bench-")))
        folder.chmod(0o711)
        slow, fast = free_port(), free_port()
        stack.enter_context(running([sys.executable, "-m", "bench._stub", str(slow), "20", "50", str(CHUNKS)], folder / "slow.log"))
        stack.enter_context(running([sys.executable, "-m", "bench._stub", str(fast), "0", "0", str(CHUNKS)], folder / "fast.log"))
        stubs = {"slow": f"http://127.0.0.1:{slow}/v1", "fast": f"http://127.0.0.1:{fast}/v1"}
        places = [stack.enter_context(ours(folder, stubs)), stack.enter_context(relay(folder, stubs))]
        command = os.environ.get("HELIOGRAPH_BENCH_LITELLM") or shutil.which("litellm")
        if command:
            places.append(stack.enter_context(litellm(command, folder, stubs)))
        for what, goals, concurrency, model, stream in (
            ("whole answers, 32 at a time", ("<= 3", "<= 15", ""), 32, "slow", False),
            ("streams of 100 chunks, 16 at a time", ("", "", ""), 16, "slow", True),
            ("streams of 100 chunks, 32 at a time", ("", "", ""), 32, "slow", True),
            ("whole answers, as many as go", ("", "", ">= 1,500"), 64, "fast", False),
            ("streams of 100 chunks, as many as go", ("", "", ">= 400"), 32, "fast", True),
        ):
            rounds: dict[str, list[Figures]] = {place.name: [] for place in places}
            for _ in range(ROUNDS):
                for place in places:
                    rounds[place.name].append(load(place, concurrency, model, stream=stream))
            figures = {name: Figures(*map(statistics.median, zip(*taken, strict=True))) for name, taken in rounds.items()}
            yield from rows(what, goals, figures, latency=model == "slow", stream=stream)


def rows(what: str, goals: tuple[str, str, str], figures: dict[str, Figures], *, latency: bool, stream: bool) -> Iterator[Row]:
    """The rows of one load, ours with the others beside."""
    mine = figures["ours"]
    went = f"{mine.rate:,.0f} a second"

    def beside(pick: str, digits: int) -> str:
        others = [f"{name} {getattr(each, pick):,.{digits}f}" for name, each in figures.items() if name != "ours"]
        return f"{', '.join(others)}; load, stub, PostgreSQL and API on the same {os.cpu_count()} shared cores"

    if latency and stream:
        yield Row(f"{what}: added before the first event, median", mine.first, "ms", "<= 3", f"{went}; {beside('first', 1)}")
    elif latency:
        yield Row(f"{what}: added, median", mine.p50, "ms", goals[0], f"{went}; {beside('p50', 1)}")
        yield Row(f"{what}: added, 99th percentile", mine.p99, "ms", goals[1], f"{went}; {beside('p99', 1)}")
    else:
        yield Row(f"{what}: a second", mine.rate, "", goals[2], beside("rate", 0))
    yield Row(f"{what}: CPU of the API process", mine.cpu, "ms each", "", beside("cpu", 2))
    if (theirs := figures.get("LiteLLM")) is not None:
        if latency:
            pick = "first" if stream else "p50"
            yield Row(f"{what}: ours of what LiteLLM adds", getattr(mine, pick) / getattr(theirs, pick), "times", "<= 0.1", "medians")
        else:
            yield Row(f"{what}: times LiteLLM's", mine.rate / theirs.rate, "times", ">= 20", "")


def load(place: Place, concurrency: int, model: str, *, stream: bool) -> Figures:
    """One round. Raises when an answer was wrong or came without its chunks."""
    before = cpu(place.pid)
    told = subprocess.run(
        [sys.executable, "-m", "bench._load", place.url, KEY, model, str(concurrency), str(place.seconds), str(int(stream))],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    used = cpu(place.pid) - before
    settle(place)
    made: dict[str, Any] = json.loads(told.stdout)
    if made["wrong"] or not made["count"] or (stream and made["events"] < CHUNKS):
        raise RuntimeError(f"{place.name} answered wrongly: {made}")
    count = made["rate"] * place.seconds
    return Figures(made["added"]["p50"], made["added"]["p99"], made["first"]["p50"], made["rate"], 1000 * used / count)


def settle(place: Place) -> None:
    """Wait until nothing of the round is left to do: what clients have left may still be worked on, and the next one's turn would pay."""
    for _ in range(100):
        before = cpu(place.pid)
        time.sleep(0.5)
        if cpu(place.pid) - before < 0.05:
            return


@contextmanager
def ours(folder: Path, stubs: dict[str, str]) -> Generator[Place]:
    """`heliograph serve` with its own PostgreSQL and as many connections to the stubs as it likes."""
    tables = "".join(f'[models.{name}]\nurl = "{url}"\nmodel = "stub"\n' for name, url in stubs.items())
    (folder / "heliograph.toml").write_text(tables)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "heliograph.cli.app",
        "serve",
        "--port",
        str(port),
        "--workers",
        "0",
        "--data-dir",
        str(folder / "data"),
    ]
    environment = {"HELIOGRAPH_API_KEY": KEY, "HELIOGRAPH_LOG_LEVEL": "info"}
    with running(command, folder / "ours.log", cwd=folder, environment=environment) as process:
        answers(f"http://127.0.0.1:{port}/readyz")
        yield Place("ours", f"http://127.0.0.1:{port}/v1/openai/chat/completions", process.pid)


@contextmanager
def relay(folder: Path, stubs: dict[str, str]) -> Generator[Place]:
    """The least that can be."""
    port = free_port()
    with running([sys.executable, "-m", "bench._relay", str(port), stubs["slow"], stubs["fast"]], folder / "relay.log") as process:
        answers(f"http://127.0.0.1:{port}/")
        yield Place("relay", f"http://127.0.0.1:{port}/v1/chat/completions", process.pid)


@contextmanager
def litellm(command: str, folder: Path, stubs: dict[str, str]) -> Generator[Place]:
    """LiteLLM's proxy with one worker, as it is without a database."""
    models = [
        {"model_name": name, "litellm_params": {"model": "openai/stub", "api_base": url, "api_key": "none"}} for name, url in stubs.items()
    ]
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}, "litellm_settings": {"telemetry": False}}))
    port = free_port()
    called = [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    # what it would look up on the internet stands in its package
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_DOCS": "True", "PYTHONPATH": ""}
    with running(called, folder / "litellm.log", cwd=folder, environment=environment) as process:
        answers(f"http://127.0.0.1:{port}/health/liveliness", within=180.0)
        yield Place("LiteLLM", f"http://127.0.0.1:{port}/v1/chat/completions", process.pid, 4 * SECONDS)


@contextmanager
def running(
    command: list[str], log: Path, *, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """A process, until the block ends. All are of one session: kernels that group processes by it would give the busier ones less."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=cwd, env=os.environ | (environment or {}))
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str, *, within: float = 90.0) -> None:
    """Return when there is an answer, whatever it says; raises TimeoutError."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


def cpu(pid: int) -> float:
    """Seconds of CPU time that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
