"""`/v1/feedback`: corrections and notes about answers, for people to leave and for `heliograph feedback export` to collect."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf
from heliograph.api.server import ServerOf
from heliograph.errors import InvalidRequest, NotFound, PayloadTooLarge
from heliograph.store import feedback
from heliograph.store.feedback import About, Item
from heliograph.wire.feedback import FeedbackListResponse, FeedbackSubmitRequest, FeedbackSubmitResponse, FeedbackType

router = APIRouter(prefix="/v1/feedback", tags=["feedback"], route_class=Guarded)

LARGEST = 4 << 20
"""Bytes of a corrected response."""
_ABOUT: dict[FeedbackType, About] = {"request": "request_id", "agent_execution": "agent_execution_id", "chat": "chat_id"}


@router.post("/submit", status_code=201, response_model=FeedbackSubmitResponse, responses=answers(401, 404, 409, 413, 422, 429))
async def submit_feedback(body: FeedbackSubmitRequest, server: ServerOf, caller: CallerOf) -> Response:
    """Say what an answer should have been, or anything else about it. Saying the same again changes nothing."""
    given: list[tuple[About, str]] = [(about, entity) for about in _ABOUT.values() if (entity := getattr(body, about)) is not None]
    if len(given) != 1:
        raise InvalidRequest("Give exactly one of `request_id`, `agent_execution_id` and `chat_id`.", param="request_id")
    notes = (body.notes or "").strip() or None
    if body.response is None and notes is None:
        raise InvalidRequest("Give `response`, `notes`, or both.", param="response")
    response = None if body.response is None else msgspec.json.encode(body.response)
    if response is not None and len(response) > LARGEST:
        raise PayloadTooLarge(f"A corrected response may have {LARGEST} bytes.", param="response")
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    about, entity = given[0]
    async with server.database.begin() as conn:
        if not await feedback.there(conn, caller.tenant, about, entity, hold=True):
            raise _nothing(about, entity)
        text = None if response is None else response.decode()
        item = await feedback.submit(conn, caller.tenant, about, entity, response=text, notes=notes)
    return _json(_head(item, about), 201)


@router.get("/{entity_id:path}", response_model=FeedbackListResponse, responses=answers(401, 404, 422))
async def get_feedback(
    entity_id: str,
    server: ServerOf,
    caller: CallerOf,
    *,
    kind: Annotated[FeedbackType, Query(alias="type", description="What the id is of.")] = "request",
    limit: LimitOf = 10,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000, description="How many to pass over.")] = 0,
) -> Response:
    """What was said about an answer, newest first."""
    about = _ABOUT[kind]
    async with server.database.begin() as conn:
        if not await feedback.there(conn, caller.tenant, about, entity_id):
            raise _nothing(about, entity_id)
        items = await feedback.list_(conn, caller.tenant, about, entity_id, skip=offset, limit=limit)
    told = [{**_head(item, about), "response": _raw(item.response), "notes": item.notes} for item in items]
    return _json({about: entity_id, "items": told})


def _nothing(about: About, entity: str) -> NotFound:
    return NotFound(f"There is no {about.removesuffix('_id').replace('_', ' ')} {entity[:100]}.", param=about)


def _head(item: Item, about: About) -> dict[str, Any]:
    return {"id": item.id, about: getattr(item, about), "created_at": item.created_at.astimezone(UTC)}


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
