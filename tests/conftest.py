"""What all tests share: a PostgreSQL of their own, settings that touch nothing else, and the optional data folder."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from heliograph.config import Settings
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.migrations import migrate
from heliograph.store.postgres import EmbeddedPostgres

NO_DATA = "needs the folder of test data"
_numbers = itertools.count(1)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def folder_for_servers() -> Generator[Path]:
    """A new folder that others may enter, as the user must whom root's PostgreSQL runs as; gone at the end.

    Not below pytest's own: each new run of pytest shuts that one again.
    """
    folder = Path(tempfile.mkdtemp(prefix="heliograph-tests-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's PostgreSQL on a TCP port, as if it were an external one. Without fsync: no test pulls the plug."""
    with folder_for_servers() as folder:
        server = EmbeddedPostgres(folder, port=free_port(), options={"fsync": "off", "max_connections": "200"})
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that new ones are copied from."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    migrate(postgres.url("migrated"))
    return "migrated"


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The libpq URL of a new database without tables."""
    yield from _new_database(postgres, "template1")


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, migrated: str) -> Iterator[str]:
    """The libpq URL of a new, migrated database; gone after the test."""
    yield from _new_database(postgres, migrated)


@pytest.fixture(scope="module")
def module_database_url(postgres: EmbeddedPostgres, migrated: str) -> Iterator[str]:
    """As `database_url`, one for all tests of a module."""
    yield from _new_database(postgres, migrated)


def _new_database(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield postgres.url(name)
        _drop(connection, name)


def _drop(connection: psycopg.Connection[Any], name: str, *, patience: float = 20.0) -> None:
    """Drop a database and end its connections; an autovacuum in it is the server's own and only ends by itself."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        except psycopg.errors.InsufficientPrivilege:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A new, migrated database, connected."""
    opened = Database(database_url)
    yield opened
    await opened.close()


def private_settings(environment: pytest.MonkeyPatch, folder: Path) -> Settings:
    """Default settings with a data folder in `folder`, which becomes the current one, whatever the developer's environment says."""
    for name in [name for name in os.environ if name.startswith("HELIOGRAPH_") and not name.startswith("HELIOGRAPH_TEST_")]:
        environment.delenv(name)
    environment.chdir(folder)
    return Settings(data_dir=folder / "data")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As `private_settings`, for one test."""
    return private_settings(monkeypatch, tmp_path)


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    """A local blob store of the test's own."""
    return Blobs(settings)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of optional test data: HELIOGRAPH_TEST_DATA, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("HELIOGRAPH_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"{NO_DATA}: HELIOGRAPH_TEST_DATA or {folder}")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With HELIOGRAPH_ALL_RINGS=1 a test that skips fails: in CI nothing may be missing. Only the data folder is optional everywhere."""
    report = yield
    if os.environ.get("HELIOGRAPH_ALL_RINGS") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if NO_DATA not in reason:
            report.outcome = "failed"
            report.longrepr = f"{reason}\nHELIOGRAPH_ALL_RINGS=1 asks for every ring, so this may not be skipped."
    return report
