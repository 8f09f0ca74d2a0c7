"""A chat under an id of its client's, or under an `Idempotency-Key`: the same with the same body is the same answer, made once.

The log has what is needed: a row that is written before the model is asked, and completed with the answer. So chats that are not logged
(guests', a browser's, those that allow no logging) are answered each time.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from heliograph.agents.task import Message
from heliograph.api.auth import Caller
from heliograph.api.passthrough.rewriting import Rewriter, as_chunks
from heliograph.api.server import Server
from heliograph.errors import Conflict, Unavailable
from heliograph.store import completions, predictions, sessions
from heliograph.store.completions import Completion
from heliograph.wire.chat import AgentChatCompletionsRequest

Json = Any
KEY = "idempotency-key"
LOOK = 0.1
GRACE = timedelta(seconds=60)
_MESSAGE = msgspec.json.Decoder(Message)


def chosen_id(request: Request, chat: AgentChatCompletionsRequest) -> str | None:
    """The id under which the chat is made once: the client's own, or one that follows from its key."""
    if "id" in chat.model_fields_set:
        return chat.id
    key = request.headers.get(KEY)
    return f"chatcmpl-{hashlib.sha256(key.encode()).hexdigest()[:32]}" if key else None


async def begin(server: Server, caller: Caller, chat: AgentChatCompletionsRequest, id: str, *, model: str, route: str) -> Response | None:
    """The answer that there is for this chat, waited for if it is being made; None when it is to be made, and others wait for it now.

    Raises Conflict when the id stands for another body, and Unavailable when the answer is not there within `wait_timeout`.
    """
    row = Completion(
        tenant=caller.tenant, id=id, session=chat.session_id, key_id=caller.key_id, model=model, answered_by=route, status="running",
        finish_reason=None, stream=chat.stream, request='{"messages":[]}', response=None, error=None, usage=None, metadata=None,
        user_agent=None, milliseconds=0, created_at=datetime.now(UTC), digest=await asyncio.to_thread(_digest, chat),
    )  # fmt: skip
    lasts = timedelta(seconds=server.settings.routes()[route].timeout) + GRACE
    until = time.monotonic() + server.settings.wait_timeout
    while True:
        async with server.database.begin() as conn:
            if await predictions.get(conn, caller.tenant, id) is not None:
                raise Conflict("This id was used for another request.", param="id")
            there = await completions.begin(conn, row, lost_before=row.created_at - lasts)
        if there is None:
            return None
        if there.digest != row.digest:
            raise Conflict("This id was used for another request.", param="id")
        if there.status == "completed":
            return await _again(server, there, stream=chat.stream)
        if time.monotonic() >= until:
            raise Unavailable("The same request is still being answered.", retry_after=5)
        await asyncio.sleep(LOOK)


async def undo(server: Server, caller: Caller, id: str) -> None:
    """Forget that the chat is being answered: it was refused before its model was asked."""
    async with server.database.begin() as conn:
        await completions.remove(conn, caller.tenant, id)


def _digest(chat: AgentChatCompletionsRequest) -> str:
    """Of what two equal requests share, streamed or not."""
    body = chat.model_dump(mode="json", exclude_unset=True, exclude={"id", "stream", "stream_options"})
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()


async def _again(server: Server, row: Completion, *, stream: bool) -> Response:
    async with server.database.begin() as conn:
        turns = await sessions.history(conn, row.session) if row.session else []
    answers = [_MESSAGE.decode(turn.message) for turn in turns if turn.completion == row.id]
    calls = answers[-1].calls if answers and answers[-1].role == "assistant" else []
    message: dict[str, Json] = {"role": "assistant", "content": row.response}
    if calls:
        functions = [{"name": call.name, "arguments": call.arguments} for call in calls]
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": function} for call, function in zip(calls, functions, strict=True)
        ]
    body: dict[str, Json] = {
        "id": row.id, "object": "chat.completion", "created": int(row.created_at.timestamp()), "model": row.model,
        "choices": [{"index": 0, "message": message, "finish_reason": row.finish_reason or "stop"}],
        "usage": msgspec.json.decode(row.usage) if row.usage else None, "session_id": row.session,
    }  # fmt: skip
    if not stream:
        return Response(msgspec.json.encode(body), 201, media_type="application/json")
    rewriter = Rewriter(id=row.id, session=row.session or "", model=row.model)
    return Response(rewriter.feed(as_chunks(body)) + b"data: [DONE]\n\n", 201, media_type="text/event-stream")
