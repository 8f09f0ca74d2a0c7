"""The outermost ring: every request gets an id, a line in the log, a count in the metrics, and an answer even when the code fails."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.api.errors import render, render_status
from heliograph.api.metrics import Metrics
from heliograph.errors import HeliographError, NotFound
from heliograph.ids import new_id

access = logging.getLogger("heliograph.access")
log = logging.getLogger("heliograph.api")

DRAIN_BYTES = 64 << 20
DRAIN_SECONDS = 5.0
"""How much of an unread body is taken in before an error is sent: a client that still writes would see a broken connection instead."""

PROBES = frozenset({"/livez", "/readyz", "/metrics", "/v1/health"})
"""What machines ask every few seconds: logged at debug level, so that the log is of requests."""

_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Edge:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            _refuse_nul(scope)
            await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            log.info("request %s was given up by its client", exchange.request_id)
        except Exception as error:
            if not isinstance(error, HeliographError):
                log.exception("request %s failed", exchange.request_id)
            if exchange.status is not None:
                raise
            await _answer(error, scope, exchange)
        finally:
            seconds = time.perf_counter() - exchange.began
            route = getattr(scope.get("route"), "path", "unknown")
            self.metrics.count(scope["method"], route, exchange.status or 499, seconds)
            caller = scope.get("state", {}).get("caller")
            access.log(
                logging.DEBUG if scope["path"] in PROBES else logging.INFO,
                "%s %s %s %.1fms id=%s key=%s",
                scope["method"],
                _address(scope),
                exchange.status or 499,
                seconds * 1000,
                exchange.request_id,
                caller.key_id if caller else "-",
            )


class _Exchange:
    """One request and its response: remembers what was received and sent. The scope's state has the request's id, and `send_body`: a
    response of many small pieces may send all but its start past the rings, none of which looks at them."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.began = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        self.request_id = given if _GIVEN_ID.fullmatch(given) else new_id()
        scope.setdefault("state", {}).update(request_id=self.request_id, send_body=send)
        self.status: int | None = None
        self._complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._complete = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                await self._drain()
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await self._send(message)

    async def _drain(self) -> None:
        left = DRAIN_BYTES
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._complete and left > 0:
                    message: dict[str, Any] = dict(await self.receive())
                    left -= len(message.get("body", b""))
        except TimeoutError:
            pass


def _address(scope: Scope) -> str:
    """The path as it was sent, without its query: no secret is in it, and no line break that would forge a line of the log."""
    return scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")


def _refuse_nul(scope: Scope) -> None:
    if "\0" in scope["path"]:
        raise NotFound("There is nothing at an address with a NUL character (U+0000).")


async def _answer(error: Exception, scope: Scope, exchange: _Exchange) -> None:
    if isinstance(error, HeliographError):
        response = render(error, path=scope["path"], request_id=exchange.request_id)
    else:
        message = f"Something went wrong in the server; the request's id is {exchange.request_id}."
        response = render_status(500, message, path=scope["path"], request_id=exchange.request_id)
    await response(scope, exchange.receive, exchange.send)
