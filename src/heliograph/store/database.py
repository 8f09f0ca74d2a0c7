"""The way to PostgreSQL: one pool of connections a process, and one transaction a `begin`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection as PsycopgConnection
from psycopg import OperationalError as PsycopgOperationalError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from heliograph.errors import InvalidRequest, Unavailable

_DEFAULTS = {
    "application_name": "heliograph",
    "connect_timeout": 10,
    # a database host that vanished is noticed within half a minute, not within hours
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SESSION = "SET idle_in_transaction_session_timeout = '60s'"  # a frozen process must not hold its locks for ever

_BRIEF = text("SET LOCAL idle_in_transaction_session_timeout = '4s'")  # less than the silence after which a worker is taken for dead


class Database:
    """A pool of connections to the database at a libpq URL.

    `url`: anything libpq understands (`postgresql://user:password@host/name?...`), also with the `+psycopg` of SQLAlchemy.
    `size`, `overflow`: connections that are kept, and that come on top under load. A pooled connection is asked
    whether it lives before it is lent, so a restarted database costs no failed request.
    """

    def __init__(self, url: str, *, size: int = 10, overflow: int = 10, wait: float = 10.0) -> None:
        self.libpq_url = libpq_url(url)

        conninfo = make_conninfo("", **(_DEFAULTS | conninfo_to_dict(self.libpq_url)))

        async def connect() -> PsycopgConnection[object]:
            connection = await PsycopgConnection.connect(conninfo, autocommit=True)
            await connection.execute(_SESSION)
            await connection.set_autocommit(False)
            return connection

        self._connect = connect
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://", async_creator=connect, pool_size=size, max_overflow=overflow, pool_timeout=wait, pool_pre_ping=True
        )

    @asynccontextmanager
    async def begin(self, *, brief: bool = False) -> AsyncGenerator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        `brief`: it locks a row that others wait for, so a process that freezes in it loses it within seconds.

        Raises Unavailable when the database cannot be reached, goes away, or has no connection free in time, and
        InvalidRequest for text with a NUL character, which PostgreSQL cannot hold.
        """
        try:
            async with self.engine.begin() as connection:
                if brief:
                    await connection.execute(_BRIEF)
                yield connection
        except PoolTimeout as problem:
            raise Unavailable("The server is busy; try again in a moment.", retry_after=2) from problem
        except DataError as problem:
            if _is_about_nul(problem):
                raise InvalidRequest("Text may not contain the NUL character (\\u0000).") from problem
            raise
        except (DBAPIError, PsycopgOperationalError) as problem:
            if lost(problem):
                raise Unavailable("The database cannot be reached right now; try again in a moment.", retry_after=2) from problem
            raise

    async def connect(self) -> PsycopgConnection[object]:
        """A connection outside the pool, each statement its own transaction, for who writes all the time; to be closed. Raises what the
        driver raises."""
        connection = await self._connect()
        await connection.set_autocommit(True)
        return connection

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncGenerator[AsyncGenerator[str]]:
        """What is notified on a channel from now on, heard on a connection of its own. Raises Unavailable when that is lost."""
        try:
            async with await self.connect() as connection:
                await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                yield (notify.payload async for notify in connection.notifies())
        except PsycopgOperationalError as problem:
            raise Unavailable("The database cannot be reached right now.") from problem

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self.engine.dispose()


def lost(problem: BaseException) -> bool:
    """Whether an exception of the driver means that the connection is gone, rather than that the statement is wrong."""
    if isinstance(problem, DBAPIError):
        if problem.connection_invalidated:
            return True
        return problem.orig is not None and lost(problem.orig)
    # classes 08 and 57P: connection exceptions, and a server that shuts down, crashed or starts
    state = getattr(problem, "sqlstate", None)
    return isinstance(problem, PsycopgOperationalError) and (state is None or str(state).startswith(("08", "57P", "53300")))


def _is_about_nul(problem: DataError) -> bool:
    # 22P05: an escape in JSON that has no character; the driver refuses a NUL in a parameter itself, without a code
    return "NUL" in str(problem.orig) or getattr(problem.orig, "sqlstate", None) == "22P05"


def libpq_url(url: str) -> str:
    """The URL as libpq wants it: without SQLAlchemy's driver name."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}" if separator else url
