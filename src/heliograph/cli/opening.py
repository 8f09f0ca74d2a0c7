"""How a command that is no server gets at the data of one: the settings, and a database that runs and is up to date."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from heliograph.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from heliograph.config import Settings

Made = TypeVar("Made")

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that an external database may take to answer for the first time: composed containers start together."""


def await_database(url: str, *, patience: float = PATIENCE, give_up: Callable[[], bool] = lambda: False) -> None:
    """Return when the external database at `url` answers. Raises Unavailable after `patience` seconds, or when `give_up` says so."""
    import psycopg

    from heliograph.store.database import libpq_url

    deadline = time.monotonic() + patience
    while True:
        try:
            psycopg.connect(libpq_url(url), connect_timeout=5).close()
            return
        except psycopg.OperationalError as problem:
            reason = str(problem).strip().splitlines()[-1]
            if time.monotonic() > deadline or give_up():
                raise Unavailable(f"The database of HELIOGRAPH_DATABASE_URL cannot be reached: {reason}") from problem
            log.warning("waiting for the database: %s", reason)
            time.sleep(1.0)


def read_settings(data_dir: Path | None) -> Settings:
    """The settings, with this data folder when one is given; the folder's path made absolute."""
    from heliograph.config import Settings

    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    settings = Settings(**given)
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})


@contextmanager
def open_database(data_dir: Path | None, *, migrated: bool = True) -> Generator[tuple[Settings, str]]:
    """The settings and the URL of the configured database: an embedded one is started when it does not run, and stopped again.

    Raises NotFound when there is no data folder: a command shall not make one in a folder where somebody happens to be.
    """
    import psycopg

    from heliograph.store.migrations import migrate
    from heliograph.store.postgres import database

    settings = read_settings(data_dir)
    if settings.database_url is None and not (settings.data_dir / "postgres").is_dir():
        raise NotFound(f"There is no data in {settings.data_dir}. Run this where the server runs, or name its folder with --data-dir.")
    try:
        with database(settings) as url:
            if migrated:
                migrate(url)
            yield settings, url
    except psycopg.OperationalError as problem:
        raise Unavailable(f"The database cannot be reached: {str(problem).strip().splitlines()[-1]}") from problem


def in_transaction(data_dir: Path | None, work: Callable[[AsyncConnection], Awaitable[Made]]) -> Made:
    """What `work` makes in one transaction on the configured database, which is started for it when it does not run."""

    async def transaction(url: str) -> Made:
        from heliograph.store.database import Database

        database = Database(url, size=1, overflow=0)
        try:
            async with database.begin() as conn:
                return await work(conn)
        finally:
            await database.close()

    with open_database(data_dir) as (_, url):
        return asyncio.run(transaction(url))
