"""Those who listen to runs: one connection of a process hears that there is something new, and each listener then looks for itself.

A notification may be lost with its connection, so everybody also looks once a second. While anybody listens, `listened_at` of the run
is kept fresh; a run whose listeners have all left is cancelled by its worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import msgspec

from heliograph.errors import NotFound, Unavailable
from heliograph.store import events, predictions
from heliograph.store.database import Database
from heliograph.store.events import Entry
from heliograph.store.predictions import Prediction

Key = tuple[str, str]
"""Tenant and prediction."""

LOOK_EVERY = 1.0
"""Seconds after which a listener looks though it has heard nothing."""
FRESH_EVERY = 5.0
"""Seconds between two notes that somebody listens; fewer where a run is cancelled soon after its listeners left."""
AT_ONCE = 500
"""Events that one look takes."""

_BEYOND = 2**31 - 1  # no event has this number

log = logging.getLogger(__name__)


class News(msgspec.Struct, frozen=True):
    """What a look found: events, in order, none after a quiet while; and the run itself once it has ended, after its last event."""

    entries: list[Entry]
    ended: Prediction | None = None


class Tails:
    """The listeners of one API process."""

    def __init__(self, database: Database, *, patience: float) -> None:
        """`patience`: for how many seconds a run goes on without a listener."""
        self._database = database
        self._fresh_every = min(FRESH_EVERY, patience / 4)
        self._waiting: dict[Key, set[asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    async def follow(self, tenant: str, id: str, *, seq: int = 0, beat: float) -> AsyncGenerator[News]:
        """The run's events after number `seq`, as they come, until it has ended; with nothing in it after `beat` quiet seconds.

        Raises NotFound when the run is gone, and Unavailable when this process stops: another one goes on from the last number.
        """
        loop = asyncio.get_running_loop()
        told = loop.time()
        async with self.present(tenant, id) as changed:
            with suppress(Unavailable):
                async with self._database.begin() as conn:  # who comes back late must not find it cancelled before the next note
                    await predictions.listened(conn, [(tenant, id)], unless_within=self._fresh_every)
            while True:
                changed.clear()
                try:
                    found = await self._look(tenant, id, seq)
                except Unavailable:
                    found = News([])  # the database comes back, and nothing is lost
                if self._closed:
                    raise Unavailable("The server is stopping; ask again from the last event on.", retry_after=1)
                if found.entries or found.ended or loop.time() - told >= beat:
                    told = loop.time()
                    yield found
                if found.ended is not None:
                    return
                if len(found.entries) == AT_ONCE:
                    seq = found.entries[-1].seq
                    continue
                seq = found.entries[-1].seq if found.entries else seq
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK_EVERY, max(0.01, told + beat - loop.time()))):
                        await changed.wait()

    async def end(self, tenant: str, id: str) -> Prediction:
        """The run once it has ended. Raises as `follow`."""
        async for news in self.follow(tenant, id, seq=_BEYOND, beat=LOOK_EVERY):
            if news.ended is not None:
                return news.ended
        raise AssertionError("a run that is followed ends")

    @asynccontextmanager
    async def present(self, tenant: str, id: str) -> AsyncGenerator[asyncio.Event]:
        """Somebody listens to the run as long as this is open; the event is set when there may be something new."""
        key, event = (tenant, id), asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._refresh())]
        try:
            yield event
        finally:
            here = self._waiting[key]
            here.discard(event)
            if not here:
                del self._waiting[key]

    async def close(self) -> None:
        """Let every listener end."""
        self._closed = True
        self._wake(list(self._waiting))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, tenant: str, id: str, seq: int) -> News:
        async with self._database.begin() as conn:
            going = await predictions.going(conn, tenant, id)  # before its events, so that an end is not told before them
            entries = await events.after(conn, tenant, id, seq, most=AT_ONCE)
            ended = None if going or len(entries) == AT_ONCE else await predictions.get(conn, tenant, id)
        if going is None:
            raise NotFound("The completion was deleted.")
        return News(entries, ended)

    async def _hear(self) -> None:
        while True:
            try:
                async with self._database.listening(events.CHANNEL) as payloads:
                    self._wake(list(self._waiting))  # what came before was told to nobody
                    async for payload in payloads:
                        tenant, id, _ = msgspec.json.decode(payload, type=tuple[str, str, int])
                        self._wake([(tenant, id)])
            except (Unavailable, OSError, msgspec.DecodeError) as error:
                log.info("listeners look once a second for now: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._fresh_every)
            if self._waiting:
                with suppress(Unavailable):
                    async with self._database.begin() as conn:
                        await predictions.listened(conn, list(self._waiting))

    def _wake(self, keys: list[Key]) -> None:
        for key in keys:
            for event in self._waiting.get(key, ()):
                event.set()
