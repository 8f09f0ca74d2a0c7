"""Who calls: API keys, and the routes that need one.

Keys are 256 random bits, so their SHA-256 is looked up as it is: the database compares digests, never keys, and time tells nothing.
A found key is remembered for `TTL` seconds; that long a revoked one may still work.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from heliograph.api.body import read_json
from heliograph.config import Settings
from heliograph.errors import Unauthorized

if TYPE_CHECKING:
    from heliograph.api.server import Server

TTL = 2.0
MOST_REMEMBERED = 10_000

BEARER = HTTPBearer(scheme_name="HTTPBearer", description="An API key; `X-Api-Key` is taken too.", auto_error=False)


@dataclass(frozen=True)
class Caller:
    """The tenant that calls, and the key it uses. `guest`: of a caller without a key, the digest of the browser; what one guest has made
    is no other's, though all belong to one tenant."""

    tenant: str
    key_id: str
    guest: str | None = None


class Keys:
    """Finds the caller of a key. `find` looks a digest up in the database and gives None for one that is unknown or revoked."""

    def __init__(self, find: Callable[[str], Awaitable[Caller | None]]) -> None:
        self._find = find
        self._known: dict[str, tuple[Caller, float]] = {}
        self._looking: dict[str, asyncio.Task[Caller | None]] = {}

    async def authenticate(self, key: str | None) -> Caller:
        """The caller. Raises Unauthorized."""
        if not key:
            raise Unauthorized(
                "Send an API key as `Authorization: Bearer <key>`; who runs this server makes one with `heliograph keys create`."
            )
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        known = self._known.get(digest)
        now = time.monotonic()
        if known is not None and now < known[1]:
            return known[0]
        caller = await self._look_up(digest)
        if caller is None:
            self._known.pop(digest, None)
            raise Unauthorized("This server does not know the API key; who runs it makes one with `heliograph keys create`.")
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[digest] = (caller, now + TTL)
        return caller

    async def _look_up(self, digest: str) -> Caller | None:
        """Ask once for all requests of a key that come meanwhile."""
        looking = self._looking.get(digest)
        if looking is None:
            looking = self._looking[digest] = asyncio.ensure_future(self._find(digest))
            looking.add_done_callback(lambda _: self._looking.pop(digest, None))
        return await asyncio.shield(looking)


def key_of(request: HTTPConnection) -> str | None:
    """The key that a request carries."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return request.headers.get("x-api-key")


class Guarded(APIRoute):
    """A route that needs a key, and reads its JSON body within limits: first the key, then the body."""

    welcoming: ClassVar[bool] = False
    """Whether callers without a key are let in too, where the server has guests."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["dependencies"] = [Depends(BEARER), *(options.get("dependencies") or [])]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the guard before it."""
        handle = super().get_route_handler()
        reads_json = self.body_field is not None

        async def guarded(request: Request) -> Response:
            keys: Keys = request.app.state.keys
            settings: Settings = request.app.state.settings
            key, cookie = key_of(request), None
            if self.welcoming and not key and settings.guests:
                server: Server = request.app.state.server
                guest = (await server.guests()).identify(request)
                request.state.guest, request.state.caller, cookie = guest, guest.caller, guest.cookie
            else:
                request.state.caller = await keys.authenticate(key)
            if reads_json:
                request = await read_json(request, limit=settings.max_body, depth=settings.json_depth)
            response = await handle(request)
            if cookie is not None:
                response.headers.append("Set-Cookie", cookie)
            return response

        return guarded


class Welcoming(Guarded):
    """A guarded route that guests may use too. Its handler looks at `Caller.guest`."""

    welcoming = True


def _caller(request: Request) -> Caller:
    return request.state.caller


CallerOf = Annotated[Caller, Depends(_caller)]
"""In a guarded route: who calls."""
