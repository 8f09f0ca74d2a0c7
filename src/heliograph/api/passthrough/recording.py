"""What passed-through chats leave behind: turns, committed before the answer ends, and rows of the log, some time within a second.

Requests that end together share a commit: while one is under way, those that come wait and go together with the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg

from heliograph.errors import Unavailable
from heliograph.store import completions, firstturns
from heliograph.store.completions import Completion
from heliograph.store.database import Database
from heliograph.store.firstturns import FirstTurn

MOST = 500
"""Rows of one statement."""
APART = 0.0005
"""Seconds between the beginnings of two commits: what one request may wait for others to go with. With four times as much the median
answer took 2 ms longer and a quarter more went through (bench passthrough, 2026-11-21)."""
LANES = 3
"""Commits under way at a time: a request waits for one that is on its way only when all are."""
PATIENCE = 5.0
"""Seconds for one commit, after which its requests are told that the database is away."""
LOG_EVERY = 0.5
LOG_RETRY = 2.0
MOST_UNLOGGED = 20_000
"""Rows of the log that wait for a database that is away; later ones are lost."""

log = logging.getLogger(__name__)


class Recorder:
    """Writes for all requests of one API process. `sync`: whether a commit waits for the database's disk."""

    def __init__(self, database: Database, *, sync: bool) -> None:
        self._database = database
        self._idle = [_Lane(database, sync=sync) for _ in range(LANES)]
        self._keepers: set[asyncio.Task[None]] = set()
        self._began = 0.0
        self._turns: list[tuple[FirstTurn, asyncio.Future[None]]] = []
        self._unlogged: list[Completion] = []
        self._logger: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._lost = 0

    async def keep(self, turn: FirstTurn) -> None:
        """Return when the turn is committed. Raises Unavailable when it could not be, after `PATIENCE` or a little more."""
        done = asyncio.get_running_loop().create_future()
        self._turns.append((turn, done))
        if self._idle:
            keeper = asyncio.create_task(self._keep(self._idle.pop()))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)
        await done

    def log(self, row: Completion) -> None:
        """Add a row to the log soon."""
        if len(self._unlogged) >= MOST_UNLOGGED:
            self._lost += 1
            return
        self._unlogged.append(row)
        if self._logger is None or self._logger.done():
            self._logger = asyncio.create_task(self._log())

    async def close(self) -> None:
        """Write what is left, as far as that goes."""
        self._hurry.set()
        tasks = [*self._keepers, *([self._logger] if self._logger is not None else [])]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for lane in self._idle:
            await lane.close()

    async def _keep(self, lane: _Lane) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._turns:
                if (early := self._began + APART - loop.time()) > 0:
                    await asyncio.sleep(early)
                self._began = loop.time()
                batch, self._turns = self._turns[:MOST], self._turns[MOST:]
                if batch:  # or another lane had them meanwhile
                    await lane.keep(batch)
        finally:
            self._idle.append(lane)

    async def _log(self) -> None:
        pause = LOG_EVERY
        while self._unlogged:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
            rows = self._unlogged[:MOST]
            try:
                async with asyncio.timeout(PATIENCE), self._database.begin() as conn:
                    await completions.record(conn, rows)
            except Exception as problem:
                log.warning("the log of chats waits, %d rows long: %s", len(self._unlogged), problem)
                if self._hurry.is_set():
                    return
                pause = LOG_RETRY
                continue
            del self._unlogged[: len(rows)]
            pause = LOG_EVERY if len(rows) < MOST else 0.0
            if self._lost:
                log.warning("%d rows of the log of chats were lost while the database was away", self._lost)
                self._lost = 0


class _Lane:
    """One connection that commits turns. It is opened when it is needed, and again after the database was away."""

    def __init__(self, database: Database, *, sync: bool) -> None:
        self._database, self._sync = database, sync
        self._connection: psycopg.AsyncConnection[object] | None = None

    async def keep(self, batch: list[tuple[FirstTurn, asyncio.Future[None]]]) -> None:
        """Commit the turns and tell who waits how that went."""
        try:
            await self._commit([turn for turn, _ in batch])
        except psycopg.DataError as problem:  # of one of them; the others shall not pay for it
            if len(batch) == 1:
                _settle([batch[0][1]], _failure(problem))
            else:
                for each in batch:
                    await self.keep([each])
        except (OSError, TimeoutError, psycopg.Error) as problem:
            _settle([done for _, done in batch], _failure(problem))
        else:
            _settle([done for _, done in batch], None)

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close()

    async def _commit(self, turns: list[FirstTurn]) -> None:
        async with asyncio.timeout(PATIENCE):
            try:
                await self._execute(turns)
            except (OSError, psycopg.OperationalError):
                await self._execute(turns)  # over a new connection: the database may have been started anew

    async def _execute(self, turns: list[FirstTurn]) -> None:
        try:
            if self._connection is None:
                self._connection = await self._database.connect()
                await self._connection.execute(f"SET synchronous_commit = {'on' if self._sync else 'off'}")
            await self._connection.execute(firstturns.KEEP, (firstturns.payload(turns),))
        except BaseException:
            await self.close()
            raise


def _failure(problem: Exception) -> Unavailable:
    log.warning("turns of sessions could not be kept: %s", problem or type(problem).__name__)
    return Unavailable("The answer could not be kept: the database cannot be reached right now.", retry_after=2)


def _settle(waiting: list[asyncio.Future[None]], error: Unavailable | None) -> None:
    for done in waiting:
        if done.done():
            continue  # its client has left
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
