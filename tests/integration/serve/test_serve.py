"""`heliograph serve` as a process: what it starts, watches, restarts and stops."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import pytest

from tests.conftest import folder_for_servers, free_port

HELIOGRAPH = [sys.executable, "-c", "from heliograph.cli.app import main; main()"]


class Served(NamedTuple):
    """A running `heliograph serve`, its address, its data folder and what it says on its outputs."""

    process: subprocess.Popen[bytes]
    url: str
    data_dir: Path
    log: Path

    def status(self, path: str, key: str | None = None) -> int:
        asked = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {key}"} if key else {})
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0

    def said(self) -> str:
        return self.log.read_text()

    def key(self) -> str:
        return re.findall(r"VLMRUN_API_KEY=(\S+)", self.said())[-1]

    def workers(self) -> list[psutil.Process]:
        return [child for child in children(self.process.pid) if "heliograph.cli.worker" in child.cmdline()]

    def postgres(self) -> int | None:
        try:
            pid = int((self.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None
        return pid if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else None


def children(pid: int) -> list[psutil.Process]:
    try:
        return [child for child in psutil.Process(pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


def until(happened: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")} | more


@contextmanager
def serving(data_dir: Path, *options: str, **settings: str) -> Iterator[Served]:
    """Serve `data_dir`; Ctrl-C at the end."""
    port = free_port()
    log = data_dir.with_suffix(f".{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*HELIOGRAPH, "serve", "--data-dir", str(data_dir), "--port", str(port), *options],
            stdout=output, stderr=subprocess.STDOUT, env=environment(**settings), cwd=data_dir.parent,
        )  # fmt: skip
    served = Served(process, f"http://127.0.0.1:{port}", data_dir, log)
    try:
        until(lambda: process.poll() is not None or served.status("/readyz") == 200, 60)
        assert process.poll() is None, served.said()
        until(lambda: "export VLMRUN_BASE_URL" in served.said())
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HELIOGRAPH, *arguments], capture_output=True, text=True, check=False, cwd=cwd, env=environment(**settings), timeout=90
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """One server for the tests that leave it as it is."""
    with serving(folder / "shared", "--workers", "0") as served:
        yield served


def test_the_first_start_makes_a_key_and_shows_how_to_use_it(served: Served):
    assert f"export VLMRUN_BASE_URL={served.url}/v1 VLMRUN_API_KEY={served.key()}\n" in served.said()
    assert served.status("/v1/health", served.key()) == 200
    assert served.status("/v1/health", "hg_wrong") == 401


@pytest.mark.parametrize("same_port", [False, True])
def test_a_second_server_on_the_folder_says_who_has_it(served: Served, same_port: bool):
    port = served.url.rpartition(":")[2] if same_port else "0"
    second = run("serve", "--data-dir", str(served.data_dir), "--port", port, cwd=served.data_dir.parent)
    assert second.returncode == 1
    assert f"process {served.process.pid}, {served.url}" in second.stderr
    assert str(served.data_dir) in second.stderr
    assert served.status("/readyz") == 200


def test_a_port_that_is_taken_is_told_before_anything_starts(served: Served):
    port = served.url.rpartition(":")[2]
    other = served.data_dir.parent / "never"
    second = run("serve", "--data-dir", str(other), "--port", port, cwd=served.data_dir.parent)
    assert second.returncode == 1
    assert f"port {port}: another program listens there" in second.stderr
    assert not other.exists()


def test_keys_are_made_listed_and_revoked_while_it_runs(served: Served):
    at = ("--data-dir", str(served.data_dir))
    made = run("keys", "create", "--tenant", "acme", "--name", "ci", *at, cwd=served.data_dir)
    key = made.stdout.strip()
    assert served.status("/v1/health", key) == 200
    listed = run("keys", "list", "--tenant", "acme", *at, cwd=served.data_dir).stdout
    assert key not in listed
    id = listed.splitlines()[1].split()[0]
    wrong = run("keys", "revoke", id, *at, cwd=served.data_dir)
    assert wrong.returncode == 1
    assert "The tenant default has no such key" in wrong.stderr
    assert run("keys", "revoke", id, "--tenant", "acme", *at, cwd=served.data_dir).returncode == 0
    until(lambda: served.status("/v1/health", key) == 401, 10)
    assert served.postgres() is not None


def test_webhook_secrets_are_shown_and_renewed(served: Served):
    at = ("--data-dir", str(served.data_dir))
    first = run("keys", "webhook-secret", *at, cwd=served.data_dir).stdout
    assert first.startswith("whsec_")
    assert run("keys", "webhook-secret", *at, cwd=served.data_dir).stdout == first
    assert run("keys", "webhook-secret", "--renew", *at, cwd=served.data_dir).stdout != first


def test_a_command_makes_no_data_folder_where_none_is(folder: Path):
    done = run("keys", "list", cwd=folder)
    assert done.returncode == 1
    assert "There is no data in" in done.stderr
    assert not (folder / ".heliograph").exists()


def test_a_backup_of_a_running_server_is_brought_back_into_a_new_folder(served: Served):
    home = served.data_dir.parent
    (served.data_dir / "blobs" / "default").mkdir(parents=True, exist_ok=True)
    (served.data_dir / "blobs" / "default" / "some").write_bytes(b"x" * 100_000)
    done = run("backup", "saved.tar", "--data-dir", str(served.data_dir), cwd=home)
    assert done.returncode == 0, done.stderr
    assert (home / "saved.tar").stat().st_mode & 0o077 == 0
    done = run("restore", "saved.tar", "--data-dir", str(served.data_dir), cwd=home)
    assert done.returncode == 1
    assert "Another `heliograph serve`" in done.stderr
    done = run("restore", "saved.tar", "--data-dir", str(home / "restored"), cwd=home)
    assert done.returncode == 0, done.stderr
    assert (home / "restored" / "blobs" / "default" / "some").read_bytes() == b"x" * 100_000
    done = run("restore", "saved.tar", "--data-dir", str(home / "restored"), cwd=home)
    assert done.returncode == 1
    assert "There is data in" in done.stderr
    with serving(home / "restored", "--workers", "0") as restored:
        assert restored.status("/v1/health", served.key()) == 200


def test_what_is_no_backup_is_refused(folder: Path):
    (folder / "broken.tar").write_bytes(b"no archive")
    done = run("restore", "broken.tar", "--data-dir", str(folder / "nothing"), cwd=folder)
    assert done.returncode == 1
    assert "is no archive of `heliograph backup`" in done.stderr


def test_an_archive_that_is_not_whole_brings_back_nothing(served: Served):
    home = served.data_dir.parent
    (served.data_dir / "blobs" / "default").mkdir(parents=True, exist_ok=True)
    (served.data_dir / "blobs" / "default" / "large").write_bytes(b"x" * 300_000)
    assert run("backup", "whole.tar", "--data-dir", str(served.data_dir), cwd=home).returncode == 0
    whole = (home / "whole.tar").read_bytes()
    (home / "half.tar").write_bytes(whole[: len(whole) - 200_000])
    at = ("--data-dir", str(home / "again"))
    done = run("restore", "half.tar", *at, cwd=home)
    assert done.returncode == 1
    assert "not whole" in done.stderr
    done = run("restore", "whole.tar", *at, cwd=home)
    assert done.returncode == 0, done.stderr


def test_listening_for_others_without_tls_is_warned_of(folder: Path, database_url: str):
    with serving(folder / "open", "--workers", "0", "--host", "0.0.0.0", HELIOGRAPH_DATABASE_URL=database_url) as served:
        assert "plain HTTP" in served.said()
        assert not (served.data_dir / "postgres").exists()


def test_a_key_given_by_the_environment_is_used_and_not_shown(folder: Path, database_url: str):
    given = "hg_given-by-the-environment"
    settings = {"HELIOGRAPH_DATABASE_URL": database_url, "HELIOGRAPH_API_KEY": given, "HELIOGRAPH_LOG_JSON": "true"}
    with serving(folder / "given", "--workers", "0", **settings) as served:
        assert served.status("/v1/health", given) == 200
        assert given not in served.said()
        assert "VLMRUN_API_KEY" not in served.said()
    logged = [line for line in served.said().splitlines() if line.startswith("{")]
    assert all("message" in json.loads(line) for line in logged)


def test_everything_it_started_stops_with_it_and_its_data_stays(folder: Path):
    data_dir = folder / "stopping"
    with serving(data_dir) as served:
        until(served.workers)
        everything = psutil.Process(served.process.pid).children(recursive=True)
        key = served.key()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(40) == 0
        until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in everything), 10)
        assert served.postgres() is None
    with serving(data_dir, "--workers", "0") as again:
        assert "VLMRUN_API_KEY" not in again.said()
        assert again.status("/v1/health", key) == 200


def test_what_dies_is_started_again_and_what_outlives_it_is_adopted(folder: Path):
    data_dir = folder / "dying"
    with serving(data_dir) as served:
        key = served.key()
        until(served.workers)

        (worker,) = served.workers()
        worker.kill()
        until(lambda: [other.pid for other in served.workers()] not in ([], [worker.pid]))

        database = served.postgres()
        assert database is not None
        os.kill(database, signal.SIGKILL)
        until(lambda: served.postgres() not in {None, database})
        until(lambda: served.status("/v1/health", key) == 200)

        until(served.workers)
        (worker,) = served.workers()
        database = served.postgres()
        served.process.kill()
        served.process.wait()
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        assert served.postgres() == database
    with serving(data_dir, "--workers", "0") as again:
        assert again.postgres() == database
        assert again.status("/v1/health", key) == 200
    assert again.postgres() is None


def test_a_database_that_is_not_there_is_named(folder: Path):
    from heliograph.cli.opening import await_database
    from heliograph.errors import Unavailable

    with pytest.raises(Unavailable, match="HELIOGRAPH_DATABASE_URL cannot be reached"):
        await_database("postgresql://x:secret@127.0.0.1:1/y", patience=0)
    done = run("keys", "list", cwd=folder, HELIOGRAPH_DATABASE_URL="postgresql://x:secret@127.0.0.1:1/y")
    assert done.returncode == 1
    assert "The database cannot be reached" in done.stderr
    assert "secret" not in done.stderr


def test_a_worker_of_its_own_stops_when_asked(folder: Path, database_url: str):
    process = subprocess.Popen(
        [*HELIOGRAPH, "worker", "--data-dir", str(folder / "worker")],
        stderr=subprocess.PIPE, cwd=folder, env=environment(HELIOGRAPH_DATABASE_URL=database_url),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        assert b"must be the server's own folder" in said
        assert b"Ctrl-C hands back" in said
        with psycopg.connect(database_url, autocommit=True) as connection:
            until(lambda: connection.execute("select count(*) from procrastinate_workers").fetchone() == (1,))
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
            assert connection.execute("select count(*) from procrastinate_workers").fetchone() == (0,)
    finally:
        process.kill()
        process.communicate()


def test_a_terminal_that_closes_is_as_good_as_ctrl_c(folder: Path):
    with serving(folder / "hangup", "--workers", "0") as served:
        served.process.send_signal(signal.SIGHUP)
        assert served.process.wait(40) == 0
        assert served.postgres() is None


def test_a_waiting_call_is_answered_when_the_server_stops(folder: Path):
    with serving(folder / "waiting", "--workers", "0", HELIOGRAPH_API_KEY="hg_waiting") as served:
        body = json.dumps({"url": "data:text/plain;base64,TnVtYmVyOiA3", "batch": False, "config": {"json_schema": {"type": "object"}}})
        headers = {"Authorization": "Bearer hg_waiting", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{served.url}/v1/document/generate", data=body.encode(), headers=headers)
        answers: list[dict[str, object]] = []

        def ask() -> None:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                answers.append(json.load(answer))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(2)
        began = time.monotonic()
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(40) == 0
        asking.join()
        assert time.monotonic() - began < 15
        assert [answer["status"] for answer in answers] == ["pending"]
