"""`/openai/chat/completions`: chats, answered whole or as they come, and what happened in one, from wherever its listener left off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from heliograph.api import chunks, errors, streaming
from heliograph.api.auth import CallerOf, Welcoming
from heliograph.api.chat import Asked, choices, submit
from heliograph.api.guests import Guest
from heliograph.api.openapi import answers
from heliograph.api.passthrough.answering import answer, route_of
from heliograph.api.passthrough.preparing import is_ui
from heliograph.api.server import Server, ServerOf
from heliograph.api.waiting import left
from heliograph.errors import Unavailable
from heliograph.store import events, predictions
from heliograph.store.events import Entry
from heliograph.store.predictions import Prediction
from heliograph.wire.chat import AgentChatCompletionsRequest, ChatCompletion

router = APIRouter(prefix="/v1/openai/chat", tags=["chat"], route_class=Welcoming)

RETRIES = "x-stainless-retry-count"
"""Where official clients say how often they have tried already."""
_STREAM = {"text/event-stream": {"schema": {"type": "string", "description": "Chunks of the completion, then `[DONE]`."}}}


@router.post(
    "/completions",
    status_code=201,
    response_model=ChatCompletion,
    responses={**answers(401, 402, 404, 409, 413, 422, 429, openai=True), 201: {"content": _STREAM}},
)
async def chat_completions(
    body: AgentChatCompletionsRequest,
    request: Request,
    server: ServerOf,
    caller: CallerOf,
    *,
    user_agent: Annotated[str | None, Header()] = None,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", min_length=1, max_length=255, description="The same key and body get the same answer for a day."),
    ] = None,
) -> Response:
    """Handle chat completion requests.

    A session keeps the chat: send its `session_id` with what is new. `n` of them may be had at once, streamed or not.
    """
    guest: Guest | None = getattr(request.state, "guest", None)
    if (route := route_of(server, body)) is not None:
        if guest is not None:
            await (await server.guests()).count(server.database, guest)
        return await answer(server, request, caller, body, route)
    asked = Asked(
        body=body,
        sent=await request.json(),
        idempotency_key=key,
        retried=request.headers.get(RETRIES, "0") != "0",
        ui=is_ui(request, body, caller),
        user_agent=user_agent[:500] if user_agent else None,
    )
    rows = await submit(server, caller, asked, guest)
    if body.batch:
        return _json(chunks.pending(rows[0]))
    if body.stream:
        asks_usage = body.stream_options is not None and body.stream_options.include_usage
        return _stream(server, rows, [0] * len(rows), asks_usage=asks_usage)
    return await _whole(server, request, rows)


@router.get(
    "/completions/{completion_id:path}/events",
    responses={**answers(401, 404, 422, openai=True), 200: {"content": _STREAM, "description": "What happened, and happens"}},
    response_class=Response,
)
async def completion_events(
    completion_id: str,
    server: ServerOf,
    caller: CallerOf,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=255, description="The last id that was heard; without it, from the beginning.")
    ] = None,
) -> Response:
    """The chunks of a completion that is going on, or has ended, as if it were streamed: those after the last one that was heard."""
    async with server.database.begin() as conn:
        rows = await choices(conn, caller, completion_id)
    return _stream(server, rows, streaming.cursor(last_event_id, len(rows)), asks_usage=True, status=200)


def _stream(server: Server, rows: Sequence[Prediction], after: Sequence[int], *, asks_usage: bool, status: int = 201) -> Response:
    told = _noted(server, rows, streaming.stream(server.tails, rows, after, asks_usage=asks_usage))
    return StreamingResponse(told, status, streaming.HEADERS, "text/event-stream; charset=utf-8")


async def _noted(server: Server, rows: Sequence[Prediction], told: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """What is told, and once its client has all of it, a note that what is not to be retained need not be kept."""
    last = b""
    async with aclosing(told):
        async for last in told:
            yield last
    if last.endswith(streaming.DONE):
        await _delivered(server, rows)


async def _delivered(server: Server, rows: Sequence[Prediction]) -> None:
    """Note that the caller has the answer. A database that is away keeps it the whole hour."""
    if not rows[0].retain:
        with suppress(Unavailable):
            async with server.database.begin() as conn:
                for row in rows:
                    await predictions.delivered(conn, row.tenant, row.id)


async def _whole(server: Server, request: Request, rows: Sequence[Prediction]) -> Response:
    """Wait for all choices. Who leaves meanwhile has no listener any more, which ends the run after a while."""
    all_ended = asyncio.gather(*(server.tails.end(row.tenant, row.id) for row in rows))
    gone = asyncio.ensure_future(left(request))
    try:
        await asyncio.wait([all_ended, gone], return_when=asyncio.FIRST_COMPLETED)
        if not all_ended.done():
            return Response(status_code=499)  # to nobody
        made = all_ended.result()
    finally:
        for task in (all_ended, gone):
            task.cancel()
        await asyncio.gather(all_ended, gone, return_exceptions=True)
    for row in made:
        if streaming.failed(row):
            why = streaming.failure(row)
            status = errors.status_of(why.type)
            return errors.body(status, why.type, why.message, path=request.url.path, request_id=request.state.request_id)
    told: list[list[Entry]] = [[] for _ in made]
    if chunks.task_of(made[0]).cards:
        async with server.database.begin() as conn:
            told = [await events.after(conn, row.tenant, row.id, most=100_000) for row in made]
    return _json(chunks.whole(made, told), background=BackgroundTask(_delivered, server, made))


def _json(content: dict[str, Any], background: BackgroundTask | None = None) -> Response:
    return Response(msgspec.json.encode(content), 201, media_type="application/json", background=background)
