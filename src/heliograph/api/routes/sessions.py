"""`/v1/sessions`: the chats of a caller, and public links to them; `/v1/shared`: where such a link leads."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents.task import Message
from heliograph.api.auth import CallerOf, Welcoming
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf, SkipOf
from heliograph.api.server import ServerOf
from heliograph.errors import NotFound
from heliograph.jobs import retention
from heliograph.jobs.chatlog import shown
from heliograph.store import artifacts, sessions
from heliograph.store.sessions import Session, Turn
from heliograph.wire.sessions import SessionChange, SessionDetail, SessionResponse, SharedSession, ShareResponse

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=Welcoming)
open_router = APIRouter(prefix="/v1/shared", tags=["sessions"])

TOKEN_BYTES = 24
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_MESSAGE = msgspec.json.Decoder(Message)


@router.get("", response_model=list[SessionResponse], responses=answers(401, 422))
async def list_sessions(
    request: Request,
    server: ServerOf,
    caller: CallerOf,
    *,
    skip: SkipOf = 0,
    limit: LimitOf = 25,
    search: Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$", description="Only those whose title holds this.")] = None,
) -> Response:
    """The chats of the caller in which something was said, the last one first."""
    async with server.database.begin() as conn:
        rows = await sessions.list_(conn, caller.tenant, guest=caller.guest, skip=skip, limit=limit, words=search)
    base = (await server.links()).base(request)
    return _json([_head(row, base) | {"messages": row.messages} for row in rows])


# Ids are any string a client chose, slashes too, so the longer addresses stand first.


@router.post("/{session_id:path}/share", status_code=201, response_model=ShareResponse, responses=answers(401, 404))
async def share_session(session_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Let anybody read the session who has the link. Sharing it again answers the same link; it shows what is said later, too."""
    async with server.database.begin() as conn:
        row = await sessions.share(conn, caller.tenant, session_id, secrets.token_urlsafe(TOKEN_BYTES), guest=caller.guest)
    row = _there(row, session_id)
    return _json({"id": row.id, "share_url": _link(row, (await server.links()).base(request)), "token": row.share}, 201)


@router.delete("/{session_id:path}/share", response_model=SessionResponse, responses=answers(401, 404))
async def unshare_session(session_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Take the link back: it leads nowhere from now on, and sharing again makes another one."""
    async with server.database.begin() as conn:
        row = _there(await sessions.unshare(conn, caller.tenant, session_id, guest=caller.guest), session_id)
        count = len(await sessions.history(conn, row.id))
    return _json(_head(row, (await server.links()).base(request)) | {"messages": count})


@router.get("/{session_id:path}", response_model=SessionDetail, responses=answers(401, 404))
async def get_session(session_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """A chat with all that was said in it, and what was brought to it and made in it."""
    async with server.database.begin() as conn:
        row = _there(await sessions.get(conn, caller.tenant, session_id, guest=caller.guest), session_id)
        turns = await sessions.history(conn, row.id)
        made = await _artifacts(conn, row)
    said = [_message(turn) | {"completion_id": turn.completion} for turn in turns]
    return _json(_head(row, (await server.links()).base(request)) | {"messages": said, "artifacts": made})


@router.patch("/{session_id:path}", response_model=SessionResponse, responses=answers(401, 404, 422))
async def change_session(session_id: str, body: SessionChange, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Give the session another title."""
    async with server.database.begin() as conn:
        title = body.title.strip() or None
        row = _there(await sessions.rename(conn, caller.tenant, session_id, title, guest=caller.guest), session_id)
        count = len(await sessions.history(conn, row.id))
    return _json(_head(row, (await server.links()).base(request)) | {"messages": count})


@router.delete("/{session_id:path}", response_model=SessionResponse, responses=answers(401, 404))
async def delete_session(session_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Remove the chat with its artifacts and its rows in the log, and stop what is being answered in it. Answers what it was."""
    async with server.database.begin() as conn:
        row = _there(await sessions.get(conn, caller.tenant, session_id, guest=caller.guest), session_id)
        count = len(await sessions.history(conn, row.id))
    if not await retention.forget_session(server.database, server.blobs, caller.tenant, row.id):
        raise NotFound(f"There is no session {session_id[:100]}.")
    return _json(_head(row, (await server.links()).base(request)) | {"messages": count, "share_url": None})


@open_router.get("/{token}", response_model=SharedSession, responses=answers(404))
async def get_shared_session(token: str, server: ServerOf) -> Response:
    """The chat that a public link leads to."""
    async with server.database.begin() as conn:
        row = await _shared(conn, token)
        turns = await sessions.history(conn, row.id)
        made = await _artifacts(conn, row)
    said = [message for message in map(_message, turns) if message["role"] != "system"]
    told = {"object": "shared_session", "title": row.title, "created_at": row.created_at, "updated_at": row.updated_at}
    return _json(told | {"messages": said, "artifacts": made})


@open_router.get(
    "/{token}/artifacts/{name}",
    responses={**answers(404, 416, 422), 200: {"content": _BYTES}, 206: {"content": _BYTES, "description": "Some of the bytes"}},
    response_class=Response,
)
async def get_shared_artifact(token: str, name: str, request: Request, server: ServerOf) -> Response:
    """The bytes of an artifact of a shared chat, by reference, in the type that its kind is served in."""
    async with server.database.begin() as conn:
        row = await _shared(conn, token)
        found = await artifacts.get(conn, row.tenant, row.id, name)
    if found is None or found.ref != name:
        raise NotFound("There is no such artifact in this chat.")
    return (await server.presenter.show(found)).response(found, server.blobs, request.headers.get("range"))


async def _shared(conn: AsyncConnection, token: str) -> Session:
    row = await sessions.shared(conn, token)
    if row is None:
        raise NotFound("This link leads to no chat, or no longer does.")
    return row


def _there(row: Session | None, session_id: str) -> Session:
    if row is None:
        raise NotFound(f"There is no session {session_id[:100]}.")
    return row


def _head(row: Session, base: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "session",
        "title": row.title,
        "created_at": row.created_at.astimezone(UTC),
        "updated_at": row.updated_at.astimezone(UTC),
        "share_url": _link(row, base),
    }


def _link(row: Session, base: str) -> str | None:
    return f"{base}/v1/shared/{row.share}" if row.share else None


def _message(turn: Turn) -> dict[str, Any]:
    return shown(_MESSAGE.decode(turn.message)) | {"created_at": turn.created_at.astimezone(UTC)}


async def _artifacts(conn: AsyncConnection, row: Session) -> Sequence[dict[str, Any]]:
    found = await artifacts.list_(conn, row.tenant, row.id)
    return [{"object_id": each.ref, "filename": each.filename, "source": each.source} for each in found]


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
