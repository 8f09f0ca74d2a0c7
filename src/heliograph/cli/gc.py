"""`heliograph gc`: forget now what the workers would forget within the hour."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def gc(data_dir: Annotated[Path | None, typer.Option(help="Folder of the data.  [default: .heliograph]")] = None) -> None:
    """Delete what has outlived its time: unretained work, expired files and predictions, read pages, blobs that nothing names."""
    from heliograph.cli.opening import open_database
    from heliograph.config import Settings
    from heliograph.jobs.retention import Collected, collect
    from heliograph.store.blobs import Blobs
    from heliograph.store.database import Database

    async def run(settings: Settings, url: str) -> Collected | None:
        database = Database(url, size=2)
        try:
            return await collect(settings, database, Blobs(settings), sweep=True)
        finally:
            await database.close()

    with open_database(data_dir) as (settings, url):
        done = asyncio.run(run(settings, url))
    if done is None:
        print("A worker is collecting right now.")
        return
    print(
        f"{done.predictions} predictions and runs, {done.sessions} sessions, {done.chats} logged chats, {done.files} files, "
        f"{done.pages} read pages, {done.orphans} blobs without an owner and {done.idempotency} idempotency keys deleted."
    )
    if done.requeued:
        print(f"{done.requeued} predictions had lost their job and are queued again.")
