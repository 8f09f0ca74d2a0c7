"""`heliograph serve`: the database, the API and the workers of one machine, and what holds them together."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import ipaddress
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heliograph.errors import HeliographError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from heliograph.config import Settings
    from heliograph.store.postgres import EmbeddedPostgres

log = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between two looks at whether the embedded PostgreSQL lives."""


GARBAGE = (10_000, 20, 20)
"""How many objects are made between two looks for garbage, and how many looks of one generation between two of the next."""
LOCK = "serve.lock"
"""In the data folder; held by whom it names."""


class CannotServe(HeliographError):
    """The server cannot start."""

    type = "cannot_serve"


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.  [default: 8000]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the database, the blobs and the caches.  [default: .heliograph]")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; 0 serves the API only.  [default: 1]")] = None,
) -> None:
    """Run the API and its workers on this machine. Ctrl-C finishes what runs, hands back the rest and stops."""
    from heliograph.cli import logs
    from heliograph.config import Settings

    options: dict[str, Any] = {"host": host, "port": port, "data_dir": data_dir, "workers": workers}
    settings = Settings(**{name: value for name, value in options.items() if value is not None})
    settings = settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})
    logs.set_up(settings)
    if (settings.data_dir / LOCK).exists():  # of two reasons why a second server cannot start, the folder says more than the port
        with only_one(settings, "starting"):
            pass
    with listening(settings.host, settings.port) as listener:
        url = address(settings.host, listener.getsockname()[1])
        with only_one(settings, url):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_Serving(settings, listener, url).run())


class _Serving:
    """One life of the server."""

    def __init__(self, settings: Settings, listener: socket.socket, url: str) -> None:
        self._settings = settings
        self._listener = listener
        self._url = url
        self._asked_to_stop = 0
        self._stop = asyncio.Event()
        self._hurry: list[Callable[[], None]] = []

    async def run(self) -> None:
        from heliograph.cli.opening import await_database
        from heliograph.cli.workers import stop_signals

        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self._ask_to_stop)
        importing = asyncio.create_task(asyncio.to_thread(_import_api))  # while PostgreSQL starts
        embedded = self._embedded()
        watch: asyncio.Task[None] | None = None
        try:
            if embedded is not None:
                database = await asyncio.to_thread(embedded.start)
                watch = asyncio.create_task(_keep_alive(embedded))
            else:
                assert self._settings.database_url is not None
                database = self._settings.database_url.get_secret_value()
                await asyncio.to_thread(await_database, database, give_up=self._stop.is_set)
            key = await self._prepare(database)
            create_app = await importing
            if not self._stop.is_set():
                await self._serve(create_app(self._settings, database), database, key)
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            if embedded is not None:
                await asyncio.to_thread(embedded.stop)

    def _embedded(self) -> EmbeddedPostgres | None:
        if self._settings.database_url is not None:
            return None
        from heliograph.store.postgres import EmbeddedPostgres

        return EmbeddedPostgres(self._settings.data_dir)

    async def _prepare(self, url: str) -> str | None:
        """Bring the schema up to date, and make the first key when there is none: its secret, or None."""
        from heliograph.store import tenants
        from heliograph.store.database import Database
        from heliograph.store.migrations import migrate

        await asyncio.to_thread(migrate, url)
        if self._settings.api_key is not None and self._settings.api_key.get_secret_value():
            return None  # the API seeds it
        database = Database(url, size=1, overflow=0)
        try:
            async with database.begin() as conn:
                return await tenants.first_key(conn, "first")
        finally:
            await database.close()

    async def _serve(self, app: FastAPI, database: str, key: str | None) -> None:
        from heliograph.cli.workers import Workers, command, environment

        settings = self._settings
        workers = Workers(
            settings.workers, command(), environment(database, settings.data_dir), patience=settings.drain_timeout + 10.0
        )  # fmt: skip

        def ready() -> None:
            gc.collect()
            gc.freeze()  # what stands now stands for good; to look at it again and again took a seventh of the API's time
            gc.set_threshold(*GARBAGE)
            workers.start()  # only now: their imports would take the processor from the API's
            self._greet(key)

        server = _server(app, settings, on_ready=ready)
        self._hurry = [lambda: setattr(server, "force_exit", True), workers.kill]
        serving = asyncio.create_task(server.serve(sockets=[self._listener]))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            server.should_exit = True
            await app.state.server.leave()  # who waits for a result is told how far it is
            await asyncio.gather(workers.stop(), _settled(serving))
        if serving.exception() is not None:
            raise CannotServe("The API stopped; the log says why.") from serving.exception()
        if not self._stop.is_set():
            raise CannotServe("The API did not start; the log says why.")

    def _greet(self, key: str | None) -> None:
        settings = self._settings
        count = {0: "no worker", 1: "1 worker"}.get(settings.workers, f"{settings.workers} workers")
        where = f"its data is in {settings.data_dir}" if settings.database_url is None else "its data is in the database that is set"
        lines = [f"Heliograph listens on {self._url} with {count}; {where}.", ""]
        lines.append(f"  export VLMRUN_BASE_URL={self._url}/v1" + (f" VLMRUN_API_KEY={key}" if key else ""))
        if key:
            lines += ["", "This key is shown once. `heliograph keys create` makes more."]
        elif settings.api_key is not None and settings.api_key.get_secret_value():
            lines += ["", "The key is the one in HELIOGRAPH_API_KEY."]
        print("\n".join(lines), flush=True)
        if not _is_loopback(settings.host):
            print(
                f"Warning: {settings.host} is not this machine alone, and this is plain HTTP: keys and documents cross the network "
                "unencrypted. Put a proxy with TLS before it.",
                file=sys.stderr, flush=True,
            )  # fmt: skip

    def _ask_to_stop(self) -> None:
        self._asked_to_stop += 1
        self._stop.set()
        if self._asked_to_stop == 1:
            print("Stopping: running work finishes or is handed back. Again to stop at once.", file=sys.stderr, flush=True)
            return
        for hurry in self._hurry:
            hurry()


def _import_api() -> Callable[[Settings, str], FastAPI]:
    from heliograph.api.app import create_app

    return create_app


def _server(app: FastAPI, settings: Settings, on_ready: Callable[[], None]) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready()

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield  # they are ours

    return Server(
        uvicorn.Config(
            app, http="httptools", ws="none", lifespan="on", log_config=None, access_log=False, server_header=False, proxy_headers=False,
            backlog=2048, timeout_keep_alive=75, timeout_graceful_shutdown=max(1, round(settings.drain_timeout)),
        )
    )  # fmt: skip


async def _settled(task: asyncio.Task[Any]) -> None:
    await asyncio.wait({task})


async def _keep_alive(embedded: EmbeddedPostgres) -> None:
    pause = LOOK
    while True:
        await asyncio.sleep(pause)
        if await asyncio.to_thread(embedded.pid) is not None:
            pause = LOOK
            continue
        log.warning("the embedded PostgreSQL is gone; starting it again")
        try:
            await asyncio.to_thread(embedded.start)
        except HeliographError as problem:
            pause = min(pause * 2, 30.0)
            log.error("it did not start, next try in %.0f s: %s", pause, problem)


# -- the address ------------------------------------------------------------------------------------------------------


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """A socket that listens there. Raises CannotServe when it may not."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise CannotServe(f"{host} is no address of this machine: {problem.strerror or problem}") from problem
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
            listener.listen(2048)
        except OSError as problem:
            reason = {98: "another program listens there", 48: "another program listens there", 13: "this user may not listen there"}
            why = reason.get(problem.errno or 0, problem.strerror)
            raise CannotServe(f"Cannot listen on {host}, port {port}: {why}. Choose another with --port.") from problem
        listener.setblocking(False)
        yield listener


def address(host: str, port: int) -> str:
    """The URL under which this machine reaches a server that listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - asked, not bound
    return f"http://{f'[{name}]' if ':' in name and not name.startswith('[') else name}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- the data folder --------------------------------------------------------------------------------------------------


@contextmanager
def only_one(settings: Settings, doing: str) -> Generator[None]:
    """Hold the data folder of the embedded database. Raises CannotServe, naming who does, when another server holds it.

    `doing`: the server's URL, or what else the holder does.
    """
    if settings.database_url is not None:
        yield
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    path = settings.data_dir / LOCK
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe(
                f"Another `heliograph serve`{_holder(path)} uses the data folder {settings.data_dir}. "
                "Stop it, or give this one a folder of its own with --data-dir."
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": doing}))
        file.flush()
        yield


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        told = json.loads(path.read_text())
        return f" (process {told['pid']}, {told['url']})"
    return ""
