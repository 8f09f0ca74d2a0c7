"""A model in a GGUF file, served on this machine by llama.cpp in one process of its own (extra `heliograph[gguf]`).

    backend = GgufBackend("local", settings)

The process starts with the first request, serves every worker of the machine, and ends when nobody needs it (`gguf_server`). It speaks the
OpenAI dialect, so requests go the same way as to any other server; what it can do need not be probed, because it is known how it was built
and started.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from pydantic import SecretStr

from heliograph.config import ModelSettings, Settings
from heliograph.models.contract import Ask, Backend, Delta, Profile, Reply
from heliograph.models.errors import ModelUnavailable
from heliograph.models.gguf_server import Address, LocalServer, last_words, specify
from heliograph.models.parts import PARTS, Parts
from heliograph.models.profiles import Found, profile_of
from heliograph.models.servers import Server

HEADERS = {"Connection": "close"}
"""llama.cpp closes a connection some moments after a streamed answer although it offered to keep it; the next request would meet that."""
Connect = Callable[[str, ModelSettings, Profile], Backend]
"""Makes the backend that speaks to the server, of a route's name, its settings with the server's address and key, and its profile."""


class GgufBackend:
    """The file of a route, as a `Backend`."""

    def __init__(self, name: str, model: ModelSettings, *, settings: Settings | None = None, connect: Connect | None = None) -> None:
        """`settings`: those of the server, for its data folder and its share of the processor. `connect`: see `Connect`."""
        self.name = name
        self._model = model
        self._settings = settings or Settings()
        self._connect = connect or _openai
        self._server: LocalServer | None = None
        self._to: tuple[Address, Backend] | None = None

    async def profile(self) -> Profile:
        """What the file can do as it is served here. Raises NotConfigured when it cannot be served."""
        spec = (await self._local()).spec
        accepts = dict.fromkeys(PARTS, True) | {"images": spec.mmproj is not None}
        server = Server(model=Path(spec.path).stem, dialect="llama.cpp", context=spec.context, slots=spec.slots)
        return profile_of(Found(at=time.time(), server=server, parts=Parts(accepts=accepts)), self._model)  # pyright: ignore[reportArgumentType]

    async def ask(self, ask: Ask) -> Reply:
        """The whole reply. A server that dies over it is started anew, and asked once more."""
        server = await self._local()
        try:
            async with server.asking() as address:
                return await (await self._at(address)).ask(ask)
        except ModelUnavailable:
            if not await server.died():
                raise
        return await self._again(server, ask)

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The reply as it is made. Not asked again once any of it was given."""
        server = await self._local()
        begun = False
        try:
            async with server.asking() as address:
                async for delta in (await self._at(address)).stream(ask):
                    begun = True
                    yield delta
                return
        except ModelUnavailable:
            if begun or not await server.died():
                raise
        async with server.asking() as address:
            async for delta in (await self._at(address)).stream(ask):
                yield delta

    async def close(self) -> None:
        """Let go of the server; it ends when nobody else holds it."""
        if self._to is not None:
            await self._to[1].close()
            self._to = None
        if self._server is not None:
            self._server.leave()

    async def _again(self, server: LocalServer, ask: Ask) -> Reply:
        try:
            async with server.asking() as address:
                return await (await self._at(address)).ask(ask)
        except ModelUnavailable as error:
            if not await server.died():
                raise
            said = last_words(Path(server.spec.folder) / "log")
            words = f" Its last words: {said}" if said else " It may have been killed for its memory."
            raise ModelUnavailable(f"The process that serves the model route {self.name!r} died twice over a request.{words}") from error

    async def _local(self) -> LocalServer:
        if self._server is None:
            folder = (self._settings.data_dir / "models" / "gguf").absolute()
            threads = self._settings.cpu_budget or os.cpu_count() or 1
            spec = await asyncio.to_thread(specify, self.name, self._model, folder=folder, threads=threads)
            self._server = LocalServer(self.name, spec)
        return self._server

    async def _at(self, address: Address) -> Backend:
        """The backend that speaks to this address; another one after the server was started anew."""
        if self._to is None or self._to[0] != address:
            profile = await self.profile()
            told = {"kind": "openai", "url": address.url, "key": SecretStr(address.key), "key_env": None, "key_file": None}
            told |= {"model": profile.model, "headers": HEADERS}
            old, self._to = (
                self._to,
                (address, self._connect(self.name, self._model.model_copy(update=told), profile)),
            )
            if old is not None:
                await old[1].close()
        return self._to[1]


def _openai(name: str, model: ModelSettings, profile: Profile) -> Backend:
    from heliograph.models.openai import OpenAIBackend  # noqa: PLC0415 - aiohttp, when there is something to ask

    return OpenAIBackend(name, model, profile=profile)
