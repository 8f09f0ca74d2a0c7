"""procrastinate on the connections of our own pool: one pool a process, one way to notice that the database is gone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

from procrastinate.connector import LISTEN_TIMEOUT, Notify
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row

from heliograph.store.database import Database


class _Connector(PsycopgConnector):
    def __init__(self, database: Database, listening: Callable[[], None]) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._database = database
        self._listening = listening

    @asynccontextmanager
    async def _get_cursor(self, connection: AsyncConnection | None = None) -> AsyncGenerator[AsyncCursor[DictRow]]:
        async with self._database.begin() as conn:
            raw = cast("AsyncConnection", (await conn.get_raw_connection()).driver_connection)
            async with raw.cursor(row_factory=dict_row) as cursor:
                yield cursor

    @asynccontextmanager
    async def _get_standalone_connection(self) -> AsyncGenerator[AsyncConnection]:
        async with await AsyncConnection.connect(self._database.libpq_url, autocommit=True, application_name="heliograph listen") as raw:
            yield raw

    async def _loop_notify(self, on_notification: Notify, connection: AsyncConnection, timeout: float = LISTEN_TIMEOUT) -> None:  # noqa: ASYNC109
        self._listening()
        await super()._loop_notify(on_notification=on_notification, connection=connection, timeout=timeout)


def job_manager(database: Database, listening: Callable[[], None] = lambda: None) -> JobManager:
    """procrastinate's job manager on `database`; its calls raise Unavailable when the database is gone.

    `listening` is called each time that notifications are heard from then on; what came before was told to nobody.
    """
    return JobManager(_Connector(database, listening))
