"""A worker whose reader is a light one: its "files" say how many pages they have, how slow they are, and whether they kill.

`python -m tests.integration.jobs.working URL DATA_DIR LOG` runs it as a process until SIGTERM; each page read is a line in LOG, and runs of
agents are `fivesteps` with its places to die at beside LOG.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from heliograph.config import Settings
from heliograph.errors import CorruptMedia
from heliograph.extraction.plan import Plan
from heliograph.jobs.loop import Loop
from heliograph.jobs.predictions import Predictions
from heliograph.jobs.queue import PREDICTIONS, RUNS, WEBHOOKS, Queue
from heliograph.media.document import Document, Page
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

from .fivesteps import FiveSteps
from .hearing import Hearing
from .running import runs


class Script(msgspec.Struct):
    """What a "file" of these tests holds, as JSON. `kill`: the page at which the whole worker dies; `fail`: what reading raises;
    `minutes`: how long it is as a recording."""

    pages: int = 1
    minutes: int = 0
    delay: float = 0.0
    kill: int | None = None
    fail: str | None = None

    def bytes(self) -> bytes:
        return msgspec.json.encode(self)


class Reading:
    """A `Reader` of scripts. `log`: where each page that is really read is noted."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.player = self.listener = Hearing(log)

    async def read(
        self,
        path: Path,
        *,
        pages: list[int] | None = None,
        detail: str = "auto",
        structure: str = "light",
        known: Callable[[int], Awaitable[Page | None]] | None = None,
        on_page: Callable[[Page], Awaitable[None]],
    ) -> Document:
        script = msgspec.json.decode(path.read_bytes(), type=Script)
        read: list[Page] = []
        for index in pages if pages is not None else range(script.pages):
            page = await known(index) if known else None
            if page is None:
                if script.kill == index:
                    os.kill(os.getpid(), signal.SIGKILL)
                await asyncio.sleep(script.delay)
                page = Page(index, 612, 792)
                with self.log.open("a") as log:
                    log.write(f"{path.name}:{index}\n")
            await on_page(page)
            read.append(page)
        if script.fail == "corrupt":
            raise CorruptMedia
        if script.fail:
            raise RuntimeError(script.fail)
        return Document("application/pdf", script.pages, read)


class Answered(msgspec.Struct):
    """What the handler needs of an `Answer`."""

    response: Any
    elements: int
    element_type: str = "page"
    message: str | None = None
    made: Any = None
    files: Any = None
    recording: Any = None

    def close(self) -> None: ...


async def answer(reader: Any, paths: list[Path], plan: Plan, **given: Any) -> Any:
    """Says which pages were read; of a recording, what the real one says."""
    if plan.recorded is not None:
        from heliograph.extraction.recordings import answer_recording

        return await answer_recording(reader, paths[0], plan, steps=given["steps"], progress=given["progress"])
    documents = [await reader.read(path, pages=plan.page_indices, detail=plan.detail, structure="light") for path in paths]
    return Answered({"pages": [page.index for document in documents for page in document.pages]}, sum(len(d.pages) for d in documents))


def loop(settings: Settings, database: Database, log: Path, *, handlers: dict[Queue, Any] | None = None, answers: Any = answer) -> Loop:
    """A worker's loop with the light reader. `handlers`: in place of its own; `answers`: who answers."""
    own = Predictions(settings, database, Blobs(settings), cast("Any", Reading(log)), answers).run
    served: dict[Queue, Any] = {PREDICTIONS: own, **(handlers or {})}
    return Loop(
        database, served, {PREDICTIONS: settings.concurrency, RUNS: settings.agent_concurrency, WEBHOOKS: 8},
        heartbeat=settings.heartbeat, stalled_after=settings.stalled_after, drain_timeout=settings.drain_timeout,
    )  # fmt: skip


async def _main(url: str, data_dir: str, log: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database(url, size=4)
    settings = Settings(data_dir=Path(data_dir))
    agent = FiveSteps(Path(log).parent / "falls", float(os.environ.get("STEP_PAUSE", "0")))
    await loop(settings, database, Path(log), handlers={RUNS: runs(settings, database, agent).run}).run(stop)
    await database.close()


if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    asyncio.run(_main(*sys.argv[1:4]))
