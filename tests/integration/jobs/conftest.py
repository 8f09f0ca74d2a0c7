"""Workers in this process, and what they read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph.config import Settings
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database
from heliograph.store.predictions import FINISHED, Input, Prediction

from .asking import look
from .working import Script, loop

Stored = Callable[[Script], Awaitable[Input]]
Working = Callable[..., AbstractAsyncContextManager[asyncio.Event]]
Settled = Callable[..., Awaitable[Prediction]]


@pytest.fixture
def stored(blobs: Blobs) -> Stored:
    """Stores a script as if it had come with a request, and gives it as a prediction's first input."""

    async def store(script: Script) -> Input:
        body = script.bytes()
        digest = hashlib.sha256(body).hexdigest()
        await blobs.put(f"default/inputs/{digest}", body)
        return Input(position=0, source="data", blob=f"default/inputs/{digest}", bytes=len(body), sha256=digest)

    return store


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the light reader notes the pages it reads."""
    path = tmp_path / "pages.log"
    path.touch()
    return path


@pytest.fixture
def working(settings: Settings, database: Database, log: Path) -> Working:
    """Runs a worker while the block is open; setting the event it gives drains it."""

    @asynccontextmanager
    async def run(**options: Any) -> AsyncIterator[asyncio.Event]:
        stop = asyncio.Event()
        task = asyncio.create_task(loop(settings, database, log, **options).run(stop))
        try:
            yield stop
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)

    return run


@pytest.fixture
def settled(database: Database) -> Settled:
    """The row of a prediction once it is final."""

    async def wait(id: str, within: float = 15.0) -> Prediction:
        async with asyncio.timeout(within):
            while (row := await look(database, id)).status not in FINISHED:
                await asyncio.sleep(0.02)
        return row

    return wait
