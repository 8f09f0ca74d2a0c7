"""A worker put together: the database, the blobs, the reader, the way out for webhooks, and the upkeep."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from heliograph.config import Settings
from heliograph.jobs import retention
from heliograph.jobs.loop import Loop
from heliograph.jobs.predictions import Answerer, Predictions
from heliograph.jobs.queue import PREDICTIONS, WEBHOOKS
from heliograph.jobs.webhooks import Webhooks
from heliograph.media.fetch import session
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader

DELIVERIES = 8
"""Webhooks that one worker delivers at a time; they wait for others' servers, not for our processors."""
COLLECT_EVERY = 60.0
"""Seconds between two looks for what is to be forgotten."""


async def run_worker(
    settings: Settings, url: str, stop: asyncio.Event, *, reader: Reader | None = None, answer: Answerer | None = None
) -> None:
    """Work on the database at the libpq URL `url` until `stop` is set; then drain and return. Waits for a database that is not there yet.

    `reader`, `answer`: in place of the real ones.
    """
    from heliograph.extraction.answer import answer as real_answer  # noqa: PLC0415 - engines and models: seconds
    from heliograph.perception.reader import Reader  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        database = Database(url, size=settings.concurrency + 2, overflow=DELIVERIES)
        stack.push_async_callback(database.close)
        blobs = Blobs(settings)
        client = await stack.enter_async_context(session(settings))
        if reader is None:
            reader = Reader(settings)
            stack.push_async_callback(reader.close)
        await Loop(
            database,
            handlers={
                PREDICTIONS: Predictions(settings, database, blobs, reader, answer or real_answer).run,
                WEBHOOKS: Webhooks(settings, database, client).run,
            },
            slots={PREDICTIONS: settings.concurrency, WEBHOOKS: DELIVERIES},
            heartbeat=settings.heartbeat,
            stalled_after=settings.stalled_after,
            drain_timeout=settings.drain_timeout,
            upkeep={COLLECT_EVERY: partial(retention.collect, settings, database, blobs)},
        ).run(stop)
