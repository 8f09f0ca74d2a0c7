"""The events of one run on their way into the log: in small batches, each key once, nobody else's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents.events import Event, Said
from heliograph.jobs.attempts import TAKEN, Attempt
from heliograph.jobs.loop import Lost
from heliograph.store import events
from heliograph.store.database import Database

TOGETHER = 0.03
"""Seconds: events of so long a time are written, and told of, together."""


class Telling:
    """Writes down what the run of `attempt` tells. An event is in the log at the latest when the step after it is kept."""

    def __init__(self, database: Database, attempt: Attempt) -> None:
        self._database, self._attempt = database, attempt
        self._told: dict[str, Event] = {}
        self._waiting: list[tuple[str, str]] = []
        self._writing = asyncio.Lock()
        self._soon: asyncio.Task[None] | None = None
        self._last = 0.0
        self._problem: Exception | None = None

    async def open(self) -> None:
        """Read what earlier runs told."""
        row = self._attempt.row
        async with self._database.begin() as conn:
            for entry in await events.under(conn, row.tenant, row.id, ""):
                self._told[entry.key] = msgspec.json.decode(entry.data, type=Event)

    def tell(self, event: Event, key: str) -> None:
        """Have it written soon. Raises what kept an earlier one from being written."""
        self._raise()
        if key in self._told:
            return
        self._told[key] = event
        self._waiting.append((key, msgspec.json.encode(event).decode()))
        if self._soon is None or self._soon.done():
            self._soon = asyncio.create_task(self._write_soon())

    def said(self, prefix: str) -> str:
        """What was said under keys that begin with `prefix`, in order."""
        return "".join(event.text for key, event in self._told.items() if key.startswith(prefix) and isinstance(event, Said))

    async def flush(self) -> None:
        """Write what waits. Raises Lost when the run may not go on, Unavailable without the database."""
        self._raise()
        if self._waiting or self._writing.locked():
            async with self.transaction():
                pass

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that begins with writing what waits. Raises as `flush`."""
        self._raise()
        row = self._attempt.row
        async with self._writing:
            async with self._database.begin(brief=True) as conn:
                batch = list(self._waiting)
                if batch and await events.append(conn, row.tenant, row.id, self._attempt.run, batch) is None:
                    self._attempt.journal.stopped = Lost(TAKEN)
                    raise self._attempt.journal.stopped
                yield conn
            del self._waiting[: len(batch)]
            self._last = time.monotonic()

    async def close(self) -> None:
        """Stop writing."""
        if self._soon is not None:
            self._soon.cancel()
            await asyncio.gather(self._soon, return_exceptions=True)

    async def _write_soon(self) -> None:
        await asyncio.sleep(max(0.0, self._last + TOGETHER - time.monotonic()))
        try:
            await self.flush()
        except Exception as problem:
            self._problem = problem

    def _raise(self) -> None:
        if self._problem is not None:
            raise self._problem
