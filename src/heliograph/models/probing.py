"""What a model can do, found out by asking its server, once a day at most, rather than guessed from its name.

    profile = await probe(client, settings, cache=cache)        # once
    prober = Prober(client, settings, cache)                    # for as long as a backend lives
    profile = await prober.profile()

The first request waits for the answers (`servers`, `parts`; bounded seconds each). Later ones take what is kept, also when it is a day
old, and the asking goes on beside them. Settings override whatever was found (`profiles`).
"""

from __future__ import annotations

import asyncio
import time

from heliograph.config import ModelSettings
from heliograph.models.contract import Profile
from heliograph.models.parts import ask_about
from heliograph.models.profiles import TROUBLE, Found, ProfileCache, profile_of
from heliograph.models.servers import Client, Server, meet, settle


async def probe(client: Client, settings: ModelSettings, *, cache: ProfileCache | None = None) -> Profile:
    """The profile of the model behind `client`, from `cache` where that is young enough. What is unknown is assumed."""
    prober = Prober(client, settings, cache)
    try:
        return await prober.profile()
    finally:
        await prober.close()


async def examine(client: Client, settings: ModelSettings) -> Found:
    """Ask a server everything now. Trouble is part of what was found; raises NotConfigured when settings lack what asking needs."""
    server = await meet(client, settings)
    if server.trouble is not None:
        return Found(at=time.time(), server=server)
    parts = await ask_about(client, settings, server)
    if parts.unanswered:
        _blame(server, parts.plain.status if parts.plain is not None else None, parts.unanswered)
    else:
        await settle(client, settings, server)
    return Found(at=time.time(), server=server, parts=parts)


class Prober:
    """Knows one model's profile. Belongs to one event loop; any number of calls share one round of questions."""

    def __init__(self, client: Client, settings: ModelSettings, cache: ProfileCache | None = None, *, key: str | None = None) -> None:
        """`key`: what the cache knows the model by, when its address says too little (a file's, served at any port)."""
        self._client, self._settings, self._cache, self._key = client, settings, cache, key
        self._found: Found | None = None
        self._asking: asyncio.Task[Found] | None = None
        self._tried = 0.0

    @property
    def found(self) -> Found | None:
        """What the last round of questions found; None before the first."""
        return self._found

    async def profile(self) -> Profile:
        """What the model can do."""
        if self._found is None and self._cache is not None:
            self._found = await asyncio.to_thread(self._cache.find, self._settings, self._key)
        found = self._found
        if found is None or (found.server.trouble is not None and found.due <= time.time()):
            found = await asyncio.shield(self._ask())
        elif max(found.due, self._tried + TROUBLE) <= time.time():
            self._ask()
        return profile_of(found, self._settings)

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _ask(self) -> asyncio.Task[Found]:
        if self._asking is None or self._asking.done():
            self._tried = time.time()
            self._asking = asyncio.create_task(self._examine())
        return self._asking

    async def _examine(self) -> Found:
        found = await examine(self._client, self._settings)
        if found.server.trouble is None or self._found is None or self._found.server.trouble is not None:
            self._found = found
        if self._cache is not None:
            await asyncio.to_thread(self._cache.keep, found, self._settings, self._key)
        return self._found


def _blame(server: Server, status: int | None, words: str) -> None:
    """Say why not even the plainest request was answered."""
    server.words = words
    if status in {401, 403}:
        server.trouble = "key"
    elif status == 404 or (status == 400 and "model" in words.lower()):
        server.trouble = "model" if server.models else "url"
    elif status is None or status == 429 or status >= 500:
        server.trouble = "unreachable"
    else:
        server.trouble = "refused"
