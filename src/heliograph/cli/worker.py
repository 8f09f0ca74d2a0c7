"""`heliograph worker`: a worker without an API, for further machines; and what `serve` starts (`python -m heliograph.cli.worker`)."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

if TYPE_CHECKING:
    from heliograph.config import Settings

import typer


def worker(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the local blobs and caches; of the database too when none is set.")
    ] = None,
) -> None:
    """Run a worker only. It needs the database and the store of the server it works for."""
    from heliograph.cli import logs
    from heliograph.cli.opening import await_database, open_database, read_settings

    settings = read_settings(data_dir)
    logs.set_up(settings)
    if settings.database_url is not None:
        await_database(settings.database_url.get_secret_value())
        if settings.store_url is None:
            print(f"HELIOGRAPH_STORE_URL is unset: {settings.data_dir / 'blobs'} must be the server's own folder.", file=sys.stderr)
    with open_database(data_dir) as (_, url):
        where = f"the server in {settings.data_dir}" if settings.database_url is None else "the servers of this database"
        print(f"A worker for {where}. Ctrl-C hands back what it does and stops.", file=sys.stderr, flush=True)
        grown = asyncio.run(_work(settings, url, attended=False))
    if grown:
        _start_anew()


async def _work(settings: Settings, url: str, *, attended: bool) -> bool:
    from heliograph.cli.workers import stop_signals
    from heliograph.jobs.worker import run_worker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)
    if attended:
        # nothing is ever written there: it becomes readable when the process that started this one is gone
        loop.add_reader(sys.stdin.fileno(), _orphaned, loop, stop)
    return await run_worker(settings, url, stop)


def _start_anew() -> NoReturn:
    """Become a fresh process under the same number, with the same arguments: who started this one need not notice."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _orphaned(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    loop.remove_reader(sys.stdin.fileno())
    stop.set()


def _attended() -> None:
    from heliograph.cli import logs
    from heliograph.config import settings as read_settings

    settings = read_settings()
    if settings.database_url is None:
        sys.exit("this is started by `heliograph serve`; use `heliograph worker`")
    logs.set_up(settings)
    if asyncio.run(_work(settings, settings.database_url.get_secret_value(), attended=True)):
        _start_anew()


if __name__ == "__main__":
    _attended()
