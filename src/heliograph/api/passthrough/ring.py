"""The short way to a model: chats that name a configured route are served before the routers, where each costs a tenth of what they would.

Key, body, limits, errors and counts are those of every other route. Whatever else comes goes on to the routers as if nobody had looked.
"""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heliograph.api import errors
from heliograph.api.auth import key_of
from heliograph.api.body import decode, read_bytes
from heliograph.api.passthrough.answering import answer, route_of
from heliograph.api.server import Server
from heliograph.wire.chat import AgentChatCompletionsRequest

PATH = "/v1/openai/chat/completions"
_ROUTE = SimpleNamespace(path=PATH)


class _Glance(msgspec.Struct):
    """What tells that a body may be for here."""

    model: str | None = None


_GLANCE = msgspec.json.Decoder(_Glance)


class Ring:
    """ASGI middleware around the routers."""

    def __init__(self, app: ASGIApp, *, server: Server) -> None:
        self.app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a chat that is passed through, and hand on everything else."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        key = key_of(request)
        if not key:  # nobody, or a guest
            await self.app(scope, receive, send)
            return
        server = self._server
        scope["route"] = _ROUTE
        caller = request.state.caller = await server.keys.authenticate(key)
        raw = await read_bytes(request, limit=server.settings.max_body)
        if not _may_be_passed_on(server, raw):
            await self.app(scope, _again(raw, receive), send)
            return
        try:
            chat = _checked(await decode(request, raw, server.settings.json_depth))
        except RequestValidationError as error:
            response = errors.render_validation(error.errors(), path=PATH, request_id=request.state.request_id)
        else:
            route = route_of(server, chat)
            if route is None:
                await self.app(scope, _again(raw, receive), send)
                return
            response = await answer(server, request, caller, chat, route)
        await response(scope, receive, send)


def _may_be_passed_on(server: Server, raw: bytearray) -> bool:
    try:
        model = _GLANCE.decode(raw).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # the routers say what is wrong with it
    return model is not None and server.upstreams.has(model)


def _checked(value: object) -> AgentChatCompletionsRequest:
    try:
        return AgentChatCompletionsRequest.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError([item | {"loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]) from error


def _again(raw: bytearray, receive: Receive) -> Receive:
    """A `receive` that begins with the body that was read already."""
    left: list[Message] = [{"type": "http.request", "body": bytes(raw), "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again
