"""A worker whose agent says forty words, one a step: `python -m tests.chaos.speaking URL DATA_DIR` until SIGTERM.

What was said before a kill stands in the journal and in the log of events, so that the next worker goes on behind it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.task import Task
from heliograph.agents.workspace import Workspace
from heliograph.config import Settings
from heliograph.jobs.queue import RUNS
from heliograph.store.database import Database
from tests.integration.jobs.running import runs
from tests.integration.jobs.working import loop

WORDS = [f"word{number} " for number in range(40)]
PAUSE = 0.1


async def speak(task: Task, workspace: Workspace) -> Outcome:
    """Says each word once, whoever began."""
    for number, word in enumerate(WORDS):
        if (await workspace.known(f"say:{number}")).state == "done":
            continue
        await workspace.emit(Said(word), key=f"say:{number}")
        await workspace.keep(f"say:{number}", b"true")
        await asyncio.sleep(PAUSE)
    return Outcome(text="".join(WORDS), spent=Spent(steps=1, input_tokens=1, output_tokens=len(WORDS)))


async def _main(url: str, data_dir: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings, database = Settings(data_dir=Path(data_dir)), Database(url, size=4)
    await loop(settings, database, Path(data_dir) / "pages.log", handlers={RUNS: runs(settings, database, speak).run}).run(stop)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:3]))
