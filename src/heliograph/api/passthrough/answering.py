"""The way of a chat that is passed through, from its checked body to the response that serves it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api.auth import Caller
from heliograph.api.passthrough import repeating
from heliograph.api.passthrough.exchange import Exchange
from heliograph.api.passthrough.preparing import is_logged, prepare, route_of
from heliograph.api.server import Server
from heliograph.models.routes import DEFAULT
from heliograph.wire.chat import AgentChatCompletionsRequest

__all__ = ["answer", "route_of"]


async def answer(server: Server, request: Request, caller: Caller, chat: AgentChatCompletionsRequest, route: str) -> Response:
    """The response to a chat that goes to `route` (`route_of`). Raises what is known before its model is asked."""
    server.admission.check_disk()
    if caller.guest is None:
        await server.admission.count(server.database, caller)
    id = repeating.chosen_id(request, chat)
    if id is None or not is_logged(request, chat, caller):
        return Exchange(server, server.recorder, await prepare(server, request, caller, chat, route, id=id))
    known = await repeating.begin(server, caller, chat, id, model=chat.model or DEFAULT, route=route)
    if known is not None:
        return known
    try:
        return Exchange(server, server.recorder, await prepare(server, request, caller, chat, route, id=id))
    except BaseException:
        await repeating.undo(server, caller, id)
        raise
