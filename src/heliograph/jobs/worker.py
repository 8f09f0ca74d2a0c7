"""A worker put together: the database, the blobs, the reader, the way out for webhooks, and the upkeep."""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph.config import Settings
from heliograph.errors import HeliographError
from heliograph.jobs import retention
from heliograph.jobs.loop import Loop
from heliograph.jobs.predictions import Answerer, Predictions
from heliograph.jobs.queue import PREDICTIONS, RUNS, WEBHOOKS
from heliograph.jobs.runs import Runner, Runs
from heliograph.jobs.scraping import scraped
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


LOOK = 10.0
"""Seconds between two looks at how much memory this process holds."""

log = logging.getLogger(__name__)


async def run_worker(
    settings: Settings, url: str, stop: asyncio.Event, *, reader: Reader | None = None, answer: Answerer | None = None,
    run: Runner | None = None,
) -> bool:  # fmt: skip
    """Work on the database at the libpq URL `url` until `stop` is set; then drain and return. Waits for a database that is not there yet.

    A process that has grown beyond `worker_memory` stops as well; then the answer is True: it wants to be started anew.
    `reader`, `answer`, `run`: in place of the real ones.
    """
    from heliograph.agents.running import run as real_run  # noqa: PLC0415
    from heliograph.extraction.answer import answer as real_answer  # noqa: PLC0415 - engines and models: seconds
    from heliograph.models.serving import Models  # noqa: PLC0415
    from heliograph.perception.reader import Reader  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        database = Database(url, size=settings.concurrency + settings.agent_concurrency + 2, overflow=DELIVERIES)
        stack.push_async_callback(database.close)
        blobs = Blobs(settings)
        client = await stack.enter_async_context(session(settings))
        if reader is None:
            reader = Reader(settings)
            stack.push_async_callback(reader.close)
            stack.push_async_callback(_end, asyncio.create_task(_warm(reader, settings)))
        models = Models(settings)
        stack.push_async_callback(models.close)
        stack.enter_context(scraped(models.metrics.registry, settings.worker_metrics_port))
        end = asyncio.Event()
        stack.push_async_callback(_end, asyncio.create_task(_watch(stop, settings.worker_memory, end)))
        await Loop(
            database,
            handlers={
                PREDICTIONS: Predictions(settings, database, blobs, reader, answer or real_answer, models).run,
                RUNS: Runs(settings, database, blobs, reader, models, run or real_run).run,
                WEBHOOKS: Webhooks(settings, database, client).run,
            },
            slots={PREDICTIONS: settings.concurrency, RUNS: settings.agent_concurrency, WEBHOOKS: DELIVERIES},
            heartbeat=settings.heartbeat,
            stalled_after=settings.stalled_after,
            drain_timeout=settings.drain_timeout,
            upkeep={COLLECT_EVERY: partial(retention.collect, settings, database, blobs)},
        ).run(end)
    return not stop.is_set()


async def _warm(reader: Reader, settings: Settings) -> None:
    """Load the text engine and the tools while nobody waits for them. An engine that is missing fails the files that need it, each with its
    reason."""
    try:
        await reader.warm()
    except HeliographError as problem:
        log.warning("the text engine is not ready: %s", problem)
    from heliograph.agents.running import warm  # noqa: PLC0415 - as `run`

    await warm(settings)


async def _watch(stop: asyncio.Event, most: int, end: asyncio.Event) -> None:
    """Set `end` as soon as `stop` is set, or this process holds more than `most` bytes."""
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK)
        held = resident()
        if held > most and not stop.is_set():
            log.warning("this worker holds %d MiB; it hands back its jobs and starts anew", held >> 20)
            break
    end.set()


def resident() -> int:
    """The memory that this process holds, in bytes, without that of its children."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
