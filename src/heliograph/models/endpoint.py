"""The address that a model is served at: requests with its key and headers, only where egress allows, and failures as `ModelError`s."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
import msgspec
from yarl import URL

import heliograph
from heliograph.config import ModelSettings, Settings
from heliograph.errors import FetchError, NotConfigured
from heliograph.models import egress, failures, keys
from heliograph.models.errors import ModelError, ModelRefused, ModelUnavailable
from heliograph.models.loose import Json, table
from heliograph.models.servers import Answer
from heliograph.models.streams import DONE, Events, parse

CONNECT_TIMEOUT = 10.0
LARGEST_ERROR = 64 << 10
LARGEST_ANSWER = 64 << 20
"""Bytes of an answer that is not streamed."""
PARTING = 0.05
"""Seconds for a server to close its stream after `[DONE]`, so that the connection can serve again."""


class Endpoint:
    """One model's address. Belongs to one event loop; opens connections when they are needed. It is a `servers.Client`."""

    def __init__(self, name: str, model: ModelSettings, settings: Settings | None = None, *, connections: int | None = None) -> None:
        """`settings`: those of the server, for what it may reach. `connections`: how many it has at a time, 0 for any number; unset, some
        more than the route's requests. Raises NotConfigured when it can never be asked."""
        self.name, self.model, self._settings = name, model, settings
        self._connections = model.concurrency + 8 if connections is None else connections
        self.url = _base(name, model)
        self.who = f"The model route {name!r} ({self.url.origin()})"
        if settings is not None and (why := egress.refusal(model, settings)) is not None:
            raise NotConfigured(f"{self.who} may not be asked: {why}.")
        self._session: aiohttp.ClientSession | None = None
        self._hidden: list[str] = []

    async def send(self, method: Literal["GET", "POST"], url: str, body: Json = None, *, timeout: float) -> Answer:  # noqa: ASYNC109
        """The answer, whatever its status; text that is not JSON as text. Raises ModelUnavailable, ModelRefused."""
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with (
                asyncio.timeout(timeout),
                self._open().request(method, URL(url), data=data, headers=self._headers(), allow_redirects=False) as answer,
            ):
                whole = await self.read(answer)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, headers, _parsed(whole))
        except (TimeoutError, aiohttp.ClientError, OSError, FetchError) as error:
            raise self.trouble(error, timeout) from None

    @asynccontextmanager
    async def post(self, path: str, body: dict[str, Json], *, deadline: float) -> AsyncGenerator[Incoming]:
        """Send a request and give its answer, as it comes. `deadline`: in the event loop's time. Leaving early closes the connection.

        Raises the `ModelError` of another status than 200.
        """
        answer = await self.open(path, msgspec.json.encode(body), deadline=deadline)
        incoming = Incoming(self, answer, deadline)
        try:
            yield incoming
        finally:
            if incoming.complete:
                answer.release()
            else:
                answer.close()

    async def open(self, path: str, data: bytes, *, deadline: float) -> aiohttp.ClientResponse:
        """Send a request, and give its answer with its content still to come; to be released or closed. Raises as `post`."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._send(path, data)
                if answer.status != 200:
                    with contextlib.closing(answer):
                        raise await self._failure(answer)
                return answer
        except (TimeoutError, aiohttp.ClientError, OSError, FetchError) as error:
            raise self.trouble(error, self.model.timeout) from None

    def failure(self, status: int, complaint: failures.Complaint, headers: dict[str, str] | None = None) -> ModelError:
        """The error for what the server said."""
        hidden = keys.hide(complaint.sentence, self._hidden)
        error = failures.failure(status, complaint, headers or {}, who=self.who, route=self.name, hidden=hidden)
        error.answered = status
        return error

    def trouble(self, error: BaseException, seconds: float) -> ModelError:
        """The error for what the network said. `seconds`: that were waited, when it is a timeout."""
        if isinstance(error, FetchError):
            return ModelRefused(f"{self.who} may not be asked: {error.message}")
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
            return ModelRefused(f"{self.who} cannot be reached safely: its TLS certificate or handshake was not accepted.")
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return ModelUnavailable(f"{self.who} cannot be found: its host name leads nowhere. Check models.{self.name}.url.")
        if isinstance(error, aiohttp.ClientConnectorError):
            inner = error.os_error
            if isinstance(inner, PermissionError) and inner.errno is None:  # of `media.fetch.connector`
                return ModelRefused(f"{self.who} may not be asked: {inner}")
            why = (inner.strerror or "no connection").lower()
            return ModelUnavailable(f"{self.who} cannot be reached: {why}. Is its server running?")
        if isinstance(error, aiohttp.ServerTimeoutError):
            return ModelUnavailable(f"{self.who} cannot be reached: no connection within {CONNECT_TIMEOUT:g} seconds.")
        if isinstance(error, TimeoutError):
            return ModelUnavailable(f"{self.who} did not answer within {seconds:g} seconds.")
        if isinstance(error, aiohttp.InvalidURL):
            return ModelRefused(f"{self.who} cannot be asked: models.{self.name}.url is not a URL.")
        return ModelUnavailable(f"{self.who} broke off ({type(error).__name__}).")

    async def close(self) -> None:
        """Close its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=egress.way_out(self._settings, self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
                read_bufsize=1 << 18,
            )
        return self._session

    async def _send(self, path: str, data: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._open().post(self.url / path, data=data, headers=self._headers(), allow_redirects=False)
        except aiohttp.ServerDisconnectedError:
            # mostly a connection that had rested for so long that its server closed it just then; to ask twice does no harm
            return await self._open().post(self.url / path, data=data, headers=self._headers(), allow_redirects=False)

    def _headers(self) -> dict[str, str]:
        key = keys.read_key(self.name, self.model)
        self._hidden = [*keys.secrets(self.model, key), *([self.url.password] if self.url.password else [])]
        headers = {"Content-Type": "application/json", "User-Agent": f"heliograph/{heliograph.__version__}", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return headers | self.model.headers

    async def read(self, answer: aiohttp.ClientResponse, most: int = LARGEST_ANSWER) -> bytes:
        """The whole content of an answer. Raises ModelUnavailable above `most` bytes."""
        whole = bytearray()
        async for piece in answer.content.iter_any():
            whole += piece
            if len(whole) > most:
                raise ModelUnavailable(f"{self.who} answered with more than {most >> 20} MiB.")
        return bytes(whole)

    async def _failure(self, answer: aiohttp.ClientResponse) -> ModelError:
        start = bytearray()
        with contextlib.suppress(aiohttp.ClientError, OSError):  # the status is told, even if the rest is not
            while len(start) < LARGEST_ERROR and (piece := await answer.content.readany()):
                start += piece
        return self.failure(answer.status, failures.read(bytes(start)), dict(answer.headers.items()))


class Incoming:
    """An answer on its way: a stream of chunks, or one that is whole, as the server pleases."""

    def __init__(self, endpoint: Endpoint, answer: aiohttp.ClientResponse, deadline: float) -> None:
        self._endpoint, self._answer, self._deadline = endpoint, answer, deadline
        self._events = Events()
        self._whole: bytearray | None = bytearray() if "json" in answer.content_type and "ndjson" not in answer.content_type else None
        self._failed: ModelError | None = None
        self.complete = False
        """Whether the server has said everything, so that its connection can be used again."""
        self.done = False
        """Whether it said so itself, with `[DONE]` or by sending a whole."""

    async def chunks(self, silence: float | None) -> list[dict[str, Json]] | None:
        """What came next; None at the end. Waits for `silence` seconds at most, and never beyond the deadline.

        Raises ModelUnavailable when the stream breaks off, and the `ModelError` of an error in it, after what came before.
        """
        if self._failed is not None:
            raise self._failed
        if self.done or self.complete:
            return None
        now = asyncio.get_running_loop().time()
        until = self._deadline if silence is None else min(self._deadline, now + silence)
        try:
            async with asyncio.timeout_at(until):
                piece = await self._answer.content.readany()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            piece, self._failed = b"", self._endpoint.trouble(error, until - now)
        if self._whole is not None:
            if self._failed is not None:
                raise self._failed
            return self._wholly(self._whole, piece)
        events = self._events.feed(piece) if piece else self._events.end()
        self.complete = not piece and self._failed is None
        self.done = any(event is DONE for event in events)
        if self.done and not self.complete:
            await self._part()
        if self._events.garbled is not None:
            self._failed = ModelUnavailable(f"{self._endpoint.who} sent {self._events.garbled} in its stream.")
        chunks: list[dict[str, Json]] = []
        for event in events:
            if isinstance(event, dict):
                if (error := self._error(event)) is not None:
                    self._failed = error
                    break
                chunks.append(event)
        if self._failed is not None and not chunks:
            raise self._failed
        return None if self.complete and not chunks else chunks

    def _wholly(self, whole: bytearray, piece: bytes) -> list[dict[str, Json]]:
        whole += piece
        if len(whole) > LARGEST_ANSWER:
            raise ModelUnavailable(f"{self._endpoint.who} answered with more than {LARGEST_ANSWER >> 20} MiB.")
        if piece:
            return []
        self.complete = self.done = True
        try:
            found = table(parse(bytes(whole)))
        except (ValueError, RecursionError):
            found = {}
        if not found:
            raise ModelUnavailable(f"{self._endpoint.who} answered with something that is not JSON.")
        if (error := self._error(found)) is not None:
            raise error
        return [found]

    def _error(self, chunk: dict[str, Json]) -> ModelError | None:
        """The error that a chunk is."""
        if not chunk.get("error") and chunk.get("object") != "error":
            return None
        complaint = failures.read(chunk)
        return self._endpoint.failure(complaint.number or 500, complaint)

    async def _part(self) -> None:
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(PARTING):
                while await self._answer.content.readany():
                    pass
                self.complete = True


def drain_at_once(content: aiohttp.StreamReader) -> None:
    """Have what has come of an answer handed over in one go. aiohttp asks its parser for more after every chunk that it hands over while
    less than its low-water mark is left; after the last one is enough, which made streams of 100 chunks cost a tenth less."""
    if hasattr(content, "_low_water"):  # no setting leads there, and it may go
        content._low_water = 1  # pyright: ignore[reportPrivateUsage]


def _base(name: str, model: ModelSettings) -> URL:
    if not model.url:
        raise NotConfigured(f"The model route {name!r} has no address; set models.{name}.url (HELIOGRAPH_MODEL_URL for the default).")
    try:
        url = URL(model.url.strip())
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise NotConfigured(f"The model route {name!r} needs an address that begins with http:// or https:// in models.{name}.url.")
    if url.query_string or url.fragment or url.path.rstrip("/").endswith("/completions"):
        raise NotConfigured(f"models.{name}.url is to be the base of the addresses, which mostly ends in /v1, without what follows it.")
    if url.user and (model.key or model.key_env or model.key_file):
        raise NotConfigured(f"The model route {name!r} has both a key and a user in models.{name}.url; it can send one of them.")
    return url.with_path(url.path.rstrip("/") or "/")


def _parsed(whole: bytes) -> Json:
    try:
        return parse(whole)
    except (ValueError, RecursionError):
        return whole.decode(errors="replace")
