"""The log of programmatic chats, in the OpenAI dialect; chats of the UI and of guests are not in it.

Rows come within a second of the answer's end.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response

from heliograph.api import chunks
from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.body import parse
from heliograph.api.chat import choices
from heliograph.api.openapi import answers
from heliograph.api.server import ServerOf
from heliograph.errors import InvalidRequest, NotFound
from heliograph.jobs import retention
from heliograph.store import completions, predictions
from heliograph.store.completions import Completion
from heliograph.wire.chat import ChatCompletion
from heliograph.wire.completions import CompletionDeleted, LoggedCompletionDetail, LoggedCompletionList

router = APIRouter(prefix="/v1/openai/chat/completions", tags=["chat"], route_class=Guarded)
plain = APIRouter(prefix="/v1/chat/completions", tags=["chat"], route_class=Guarded)
"""The same at a shorter address."""


async def list_completions(
    server: ServerOf,
    caller: CallerOf,
    *,
    after: Annotated[str | None, Query(max_length=255, description="The id of the last one that is known.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer at most.")] = 20,
    order: Annotated[Literal["asc", "desc"], Query(description="By time.")] = "asc",
    model: Annotated[str | None, Query(max_length=255, description="Only those that asked for this model.")] = None,
    session_id: Annotated[str | None, Query(max_length=255, description="Only those of this session.")] = None,
    metadata: Annotated[
        str | None, Query(max_length=8192, description='Only those whose metadata contain this JSON object, such as `{"job":"7"}`.')
    ] = None,
) -> Response:
    """The chats of the caller's tenant."""
    wanted = _object(metadata, server.settings.json_depth) if metadata else None
    async with server.database.begin() as conn:
        known = await completions.get(conn, caller.tenant, after) if after else None
        if after and known is None:
            raise NotFound(f"There is no chat {after[:100]} in the log.", param="after")
        rows = await completions.list_(
            conn, caller.tenant, limit=limit + 1, after=known, descending=order == "desc", model=model, session=session_id, metadata=wanted
        )
    shown = [_body(row) for row in rows[:limit]]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return _json({"object": "list", "data": shown, **ends, "has_more": len(rows) > limit})


async def get_completion(completion_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """A chat, with what was asked; of one that goes on, its `status`."""
    async with server.database.begin() as conn:
        row = await completions.get(conn, caller.tenant, completion_id)
        run = None if row is not None else await predictions.get(conn, caller.tenant, completion_id, kinds=("completion",))
    if run is not None and run.status not in predictions.FINISHED:
        return _json(chunks.pending(run))
    if row is None:
        raise _missing(completion_id)
    return _json(_body(row) | {"request": msgspec.Raw(row.request.encode())})


async def delete_completion(completion_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """Take a chat out of the log. What was said in its session stays there. One that goes on is cancelled, and nothing of it stays."""
    async with server.database.begin() as conn:
        removed = await completions.remove(conn, caller.tenant, completion_id)
        run = await predictions.get(conn, caller.tenant, completion_id, kinds=("completion",))
        goes_on = run is not None and run.status not in predictions.FINISHED
        runs = await choices(conn, caller, completion_id) if goes_on else []
    if not removed and not runs:
        raise _missing(completion_id)
    for run in runs:
        await retention.forget(server.database, server.blobs, run.tenant, run.id, kinds=("completion",))
    return _json({"id": completion_id, "object": "chat.completion.deleted", "deleted": True})


for _router, _openai in ((router, True), (plain, False)):
    _router.add_api_route(
        "", list_completions, methods=["GET"], response_model=LoggedCompletionList, responses=answers(401, 404, 422, openai=_openai)
    )
    _router.add_api_route(
        "/{completion_id:path}", get_completion, methods=["GET"], response_model=LoggedCompletionDetail | ChatCompletion,
        responses=answers(401, 404, openai=_openai),
    )  # fmt: skip
    _router.add_api_route(
        "/{completion_id:path}", delete_completion, methods=["DELETE"], response_model=CompletionDeleted,
        responses=answers(401, 404, openai=_openai),
    )  # fmt: skip


def _body(row: Completion) -> dict[str, Any]:
    message = {"role": "assistant", "content": row.response}
    choices = [{"index": 0, "message": message, "finish_reason": row.finish_reason or "stop"}] if row.status == "completed" else []
    return {
        "id": row.id, "object": "chat.completion", "created": int(row.created_at.timestamp()), "model": row.model,
        "answered_by": row.answered_by, "status": row.status, "choices": choices, "usage": _raw(row.usage), "session_id": row.session,
        "metadata": _raw(row.metadata), "stream": row.stream, "error": _raw(row.error), "user_agent": row.user_agent,
        "milliseconds": row.milliseconds,
    }  # fmt: skip


def _raw(text: str | None) -> msgspec.Raw | None:
    return msgspec.Raw(text.encode()) if text else None


def _missing(id: str) -> NotFound:
    return NotFound(f"There is no chat {id[:100]} in the log.")


def _object(text: str, depth: int) -> dict[str, Any]:
    value = parse(text.encode("utf-8", "surrogatepass"), depth)
    if not isinstance(value, dict):
        raise InvalidRequest("metadata must be a JSON object.", param="metadata")
    return value  # pyright: ignore[reportUnknownVariableType]


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
