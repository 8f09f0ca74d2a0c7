"""Calls that wait for their prediction: one poller a process asks for all of them in one statement.

Polling rather than LISTEN: a NOTIFY more per finished job takes a database-wide lock, and rows by primary key are cheap to ask for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request

Key = tuple[str, str]
"""Tenant and prediction."""

Statuses = Callable[[list[Key]], Awaitable[dict[Key, str]]]
"""Asks the database for the status of many predictions; one that is gone is missing from the answer."""

FINAL = frozenset({"completed", "failed"})
INTERVAL = 0.05
"""Seconds between two looks: what a waiting call may come later than its result."""

log = logging.getLogger(__name__)


class Waiter:
    """Wakes the calls whose predictions are final or gone."""

    def __init__(self, statuses: Statuses) -> None:
        self._statuses = statuses
        self._waiting: dict[Key, set[asyncio.Event]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    async def wait(self, key: Key, timeout: float | None, *, left: Awaitable[None] | None = None) -> None:  # noqa: ASYNC109 - it is asked for
        """Return when the prediction is final or gone, after `timeout` seconds (None: never), or when `left` is done: nobody waits."""
        event = asyncio.Event()
        if self._closed:
            event.set()
        self._waiting.setdefault(key, set()).add(event)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        ends = [asyncio.ensure_future(end) for end in (event.wait(), left) if end is not None]
        try:
            await asyncio.wait(ends, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            events = self._waiting.get(key, set())
            events.discard(event)
            if not events:
                self._waiting.pop(key, None)

    async def close(self) -> None:
        """Let every waiting call, and every later one, answer with what there is."""
        self._closed = True
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        self._wake(list(self._waiting))

    async def _poll(self) -> None:
        while self._waiting:
            keys = list(self._waiting)
            try:
                found = await self._statuses(keys)
            except Exception as error:
                log.warning("cannot look for finished predictions: %s", error)
                await asyncio.sleep(1.0)
                continue
            self._wake(key for key in keys if found.get(key, "failed") in FINAL)
            await asyncio.sleep(INTERVAL)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            for event in self._waiting.get(key, ()):
                event.set()


async def left(request: Request) -> None:
    """Return when the client of a request, whose body has been read, has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
