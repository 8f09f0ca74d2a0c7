"""What the routes share: the open database, the blobs, and what stands on them. Made once, by `app.create_app`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.api.admission import Admission
from heliograph.api.artifacts import Presenter
from heliograph.api.auth import Caller, Keys
from heliograph.api.checking import Checker
from heliograph.api.guests import Guests
from heliograph.api.links import Links
from heliograph.api.metrics import Metrics
from heliograph.api.passthrough.recording import Recorder
from heliograph.api.passthrough.upstream import Upstreams
from heliograph.api.pictures import Pictures
from heliograph.api.planning import Planner
from heliograph.api.skills import Skills
from heliograph.api.tailing import Tails
from heliograph.api.waiting import Key, Waiter
from heliograph.config import Settings
from heliograph.errors import Unavailable
from heliograph.store import predictions, server, tenants
from heliograph.store.blobs import Blobs
from heliograph.store.database import Database

NOTED_EVERY = 60.0
"""Seconds between two notes of when a key was last used."""

log = logging.getLogger(__name__)


@dataclass
class Server:
    """The open resources of one API process."""

    settings: Settings
    database: Database
    blobs: Blobs
    metrics: Metrics
    admission: Admission
    pictures: Pictures
    presenter: Presenter
    planner: Planner
    checker: Checker
    skills: Skills
    waiter: Waiter = field(init=False)
    tails: Tails = field(init=False)
    keys: Keys = field(init=False)
    upstreams: Upstreams = field(init=False)
    recorder: Recorder = field(init=False)
    _links: Links | None = None
    _guests: Guests | None = None
    _seeded: bool = False
    _noted: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.waiter = Waiter(self._statuses)
        self.tails = Tails(self.database, patience=self.settings.agent_listeners)
        self.keys = Keys(self._find_key)
        self.upstreams = Upstreams(self.settings)
        self.recorder = Recorder(self.database, sync=self.settings.passthrough_sync)

    async def open(self) -> None:
        """Prepare what a first request would otherwise wait for. A database that is not there yet is no reason not to start."""
        try:
            async with self.database.begin() as conn:
                await self._seed_key(conn)
            await self.links()
            await self.skills.preinstall()
        except Unavailable as error:
            log.warning("starting without the database: %s", error)

    async def close(self) -> None:
        """Let waiting calls answer and close what is open."""
        await self.leave()
        await self.pictures.close()
        await self.presenter.close()
        await self.planner.close()
        await self.checker.close()
        await self.skills.close()
        await self.upstreams.close()
        await self.recorder.close()
        await self.database.close()

    async def leave(self) -> None:
        """Let waiting calls and streams end: what they wait for goes on without this process."""
        await self.waiter.close()
        await self.tails.close()

    async def links(self) -> Links:
        """Our links; the secret that signs them is the database's."""
        if self._links is None:
            async with self.database.begin() as conn:
                self._links = Links(self.settings, await server.url_secret(conn))
        return self._links

    async def guests(self) -> Guests:
        """Who tells callers without a key apart."""
        if self._guests is None:
            self._guests = Guests(self.settings, (await self.links()).secret)
        return self._guests

    async def linker(self, request: Request) -> Callable[[str], str]:
        """Makes the public URL of a file for who sent `request`."""
        links = await self.links()
        return lambda file_id: links.content(request, file_id, seconds=self.settings.public_file_ttl)

    async def _seed_key(self, conn: AsyncConnection) -> None:
        given = self.settings.api_key
        if given is not None and given.get_secret_value():
            await tenants.seed_key(conn, tenants.DEFAULT, "HELIOGRAPH_API_KEY", secret=given.get_secret_value())
        self._seeded = True

    async def _find_key(self, digest: str) -> Caller | None:
        async with self.database.begin() as conn:
            if not self._seeded:
                await self._seed_key(conn)
            key = await tenants.find_digest(conn, digest)
            if key is None:
                return None
            now = time.monotonic()
            if now - self._noted.get(key.id, -NOTED_EVERY) >= NOTED_EVERY:
                self._noted[key.id] = now
                await tenants.used(conn, [key.id])
        return Caller(key.tenant, key.id)

    async def _statuses(self, keys: list[Key]) -> dict[Key, str]:
        async with self.database.begin() as conn:
            found = await predictions.statuses(conn, keys)
        return {key: str(status) for key, status in found.items()}


def _server(request: Request) -> Server:
    return request.app.state.server


ServerOf = Annotated[Server, Depends(_server)]
"""In a route: the server's open resources."""
