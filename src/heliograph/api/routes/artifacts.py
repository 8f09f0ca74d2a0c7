"""`/v1/artifacts`: what chats and executions read and made, by reference or by filename."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents.artifacts import there_is
from heliograph.api.artifacts import Shown
from heliograph.api.auth import Caller, CallerOf, Welcoming
from heliograph.api.openapi import answers
from heliograph.api.server import ServerOf
from heliograph.errors import InvalidRequest, NotFound
from heliograph.store import artifacts, predictions, sessions
from heliograph.store.signing import artifact_at
from heliograph.wire.artifacts import ArtifactListResponse

router = APIRouter(prefix="/v1/artifacts", tags=["artifacts"], route_class=Welcoming)
open_router = APIRouter(prefix="/v1/artifacts", tags=["artifacts"])
"""What a signed link opens; no key is needed."""

Session = Annotated[str | None, Query(max_length=1024, description="The chat session whose artifact it is.")]
Execution = Annotated[str | None, Query(max_length=1024, description="The execution whose artifact it is.")]
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "",
    responses={
        **answers(401, 404, 416, 422),
        200: {"content": _BYTES, "description": "The bytes"},
        206: {"content": _BYTES, "description": "Some of the bytes"},
    },
    response_class=Response,
)
async def get_artifact(
    request: Request,
    server: ServerOf,
    caller: CallerOf,
    object_id: Annotated[str | None, Query(max_length=1024, description="A reference, such as `img_a1b2c3`.")] = None,
    filename: Annotated[str | None, Query(max_length=1024, description="A filename: the bytes as they are.")] = None,
    session_id: Session = None,
    execution_id: Execution = None,
) -> Response:
    """The bytes of an artifact. By reference, in the type that its kind is served in: `img` as PNG or JPEG, `doc` as PDF."""
    _one_of(object_id=object_id, filename=filename)
    name = object_id or filename or ""
    async with server.database.begin() as conn:
        namespace = await _namespace(conn, caller, session_id, execution_id)
        found = await artifacts.get(conn, caller.tenant, namespace, name)
        if found is None or (object_id is not None and found.ref != object_id):
            there = [(each.ref, each.filename) for each in await artifacts.list_(conn, caller.tenant, namespace)]
            raise NotFound(f"There is no artifact {name[:100]} here; {there_is(there)}.")
    named = object_id is not None
    shown = await server.presenter.show(found) if named else Shown(found.blob, found.bytes, found.media_type)
    response = shown.response(found, server.blobs, request.headers.get("range"))
    return _as_clients_read_it(response, shown.media_type if named else None)


@router.get("/list", response_model=ArtifactListResponse, responses=answers(401, 404, 422))
async def list_artifacts(server: ServerOf, caller: CallerOf, session_id: Session = None, execution_id: Execution = None) -> Response:
    """The artifacts of a session or of an execution."""
    async with server.database.begin() as conn:
        namespace = await _namespace(conn, caller, session_id, execution_id)
        found = await artifacts.list_(conn, caller.tenant, namespace)
    items = [{"object_id": each.ref, "filename": each.filename, "source": each.source} for each in found]
    return Response(msgspec.json.encode({"namespace_id": namespace, "items": items}), media_type="application/json")


@open_router.get(
    "/linked/{place}",
    responses={
        **answers(403, 404, 416, 422),
        200: {"content": _BYTES, "description": "The bytes"},
        206: {"content": _BYTES, "description": "Some of the bytes"},
    },
    response_class=Response,
)
async def get_linked(
    request: Request,
    server: ServerOf,
    place: str,
    expires: Annotated[int, Query(description="Until when the link is good, in Unix seconds.")],
    signature: Annotated[str, Query(max_length=128, description="What proves that the link is ours.")],
) -> Response:
    """The bytes of an artifact through a signed link that a tool gave out, in the type that its kind is served in."""
    (await server.links()).check(request.url.path, expires, signature, method="GET")
    tenant, namespace, ref = artifact_at(place)
    async with server.database.begin() as conn:
        found = await artifacts.get(conn, tenant, namespace, ref)
    if found is None:
        raise NotFound("The artifact that this link led to has been deleted.")
    return (await server.presenter.show(found)).response(found, server.blobs, request.headers.get("range"))


async def _namespace(conn: AsyncConnection, caller: Caller, session_id: str | None, execution_id: str | None) -> str:
    """The id of the session or the execution, if it is the caller's own."""
    named = _one_of(session_id=session_id, execution_id=execution_id)
    if named == "session_id":
        session = await sessions.get(conn, caller.tenant, session_id or "", guest=caller.guest)
        if session is None:
            raise NotFound(f"There is no session {(session_id or '')[:100]}.")
        return session.id
    execution = await predictions.get(conn, caller.tenant, execution_id or "", kinds=("execution",))
    if execution is None or caller.guest is not None:
        raise NotFound(f"There is no execution {(execution_id or '')[:100]}.")
    return execution.id


def _one_of(**given: str | None) -> str:
    """The name of the one that was given."""
    there = [name for name, value in given.items() if value]
    if len(there) != 1:
        raise InvalidRequest(f"Give exactly one of {' and '.join(given)}.")
    return there[0]


class _AsWritten(bytes):
    """The name of a header that uvicorn, which lowers them all, sends in these letters."""

    def lower(self) -> bytes:
        return self


def _as_clients_read_it(response: Response, media_type: str | None) -> Response:
    """`Content-Type` in these letters, and of exactly this type: the Python client looks it up in a plain dictionary."""
    response.raw_headers = [
        (_AsWritten(b"Content-Type"), media_type.encode() if media_type else value) if name == b"content-type" else (name, value)
        for name, value in response.raw_headers
    ]
    return response
