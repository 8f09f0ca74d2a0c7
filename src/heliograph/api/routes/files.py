"""`/v1/files`: upload, directly or through a signed URL; look up by content; read back through a signed link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from heliograph.api.auth import Caller, CallerOf, Guarded, Welcoming
from heliograph.api.content import content
from heliograph.api.guests import Guest
from heliograph.api.links import Links
from heliograph.api.multipart import read_form
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf, SkipOf
from heliograph.api.receiving import Received, Receiver, clean_name
from heliograph.api.server import Server, ServerOf
from heliograph.errors import Conflict, InvalidRequest, NotFound
from heliograph.ids import new_id
from heliograph.store import files
from heliograph.store.blobs import key
from heliograph.store.files import File
from heliograph.wire.files import FileResponse, PresignedUrlRequest, PresignedUrlResponse, UploadPurpose

router = APIRouter(prefix="/v1/files", tags=["files"], route_class=Guarded)
open_router = APIRouter(prefix="/v1/files", tags=["files"])
welcoming = APIRouter(prefix="/v1/files", tags=["files"], route_class=Welcoming)
"""What guests may do too: bring a file to a chat."""
"""What a signed URL opens; no key is needed."""

PUBLIC = Query(description="Whether the answer carries a signed link to the content.")
_UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}, "purpose": {"type": "string"}},
                }
            }
        },
    }
}
_CONTENT = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("", response_model=list[FileResponse], responses=answers(401, 422))
async def list_files(request: Request, server: ServerOf, caller: CallerOf, skip: SkipOf = 0, limit: LimitOf = 10) -> Response:
    """The tenant's files, newest first."""
    async with server.database.begin() as conn:
        found = await files.list_(conn, caller.tenant, skip=skip, limit=limit)
    links = await server.links()
    return _json([_body(server, links, request, file) for file in found])


@welcoming.post("", status_code=201, response_model=FileResponse, responses=answers(401, 413, 422, 429), openapi_extra=_UPLOAD_FORM)
async def upload_file(
    request: Request,
    server: ServerOf,
    caller: CallerOf,
    purpose: Annotated[UploadPurpose | None, Query(description="What the file is for; `assistants` when nothing says otherwise.")] = None,
    generate_public_url: Annotated[bool, PUBLIC] = True,
) -> Response:
    """Upload a file. The bytes go straight to the store; equal content of one tenant is stored once."""
    server.admission.check_disk()
    guest: Guest | None = getattr(request.state, "guest", None)
    if guest is None:
        await server.admission.count(server.database, caller)
    else:
        await (await server.guests()).count_upload(server.database, guest)
    most = server.settings.max_file if guest is None else min(server.settings.max_file, server.settings.max_body)
    receiver = Receiver(most, announced=request.headers.get("content-length"), slack=1 << 20)
    form = await read_form(request.stream(), request.headers.get("content-type", ""))
    file_id = new_id()
    blob = key(caller.tenant, "files", file_id)
    received = await receiver.store(server.blobs, blob, form.file)
    try:
        said = purpose or _purpose(form.fields.get("purpose"))
    except InvalidRequest:
        await server.blobs.delete(blob)
        raise
    # when this fails the row may have been committed all the same; a blob that no row names is collected later
    async with server.database.begin() as conn:
        file = await files.create(
            conn, caller.tenant, id=file_id, filename=clean_name(form.filename), bytes=received.bytes, md5=received.md5,
            sha256=received.sha256, purpose=said, media_type=received.media_type, blob=blob,
            public=generate_public_url and guest is None, expires_at=_expiry(server, guest),
        )  # fmt: skip
    if file.blob != blob:
        await server.blobs.delete(blob)
    return _json(_body(server, await server.links(), request, file), 201)


@router.get("/hash/{md5}", response_model=FileResponse, responses=answers(401, 404))
async def file_by_hash(
    md5: Annotated[str, Path(description="MD5 of the content, hexadecimal.")], request: Request, server: ServerOf, caller: CallerOf
) -> Response:
    """The newest file with this content."""
    async with server.database.begin() as conn:
        file = await files.by_md5(conn, caller.tenant, md5)
    if file is None:
        raise NotFound("There is no file with this content.")
    return _json(_body(server, await server.links(), request, file))


@router.post("/presigned-url", status_code=201, response_model=PresignedUrlResponse, responses=answers(401, 413, 422, 429))
async def presigned_url(body: PresignedUrlRequest, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """A URL to upload to without a key. The file is there once `verify-upload` was called."""
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    file_id = new_id()
    blob = key(caller.tenant, "files", file_id, "upload")
    url = await server.blobs.presign_put(blob, body.expiration)
    if url is None:
        url = (await server.links()).content(request, file_id, seconds=body.expiration, method="PUT")
    async with server.database.begin() as conn:
        file = await files.reserve(
            conn, caller.tenant, id=file_id, filename=clean_name(body.filename), purpose=body.purpose, media_type=None, blob=blob,
            public=True, expires_at=datetime.now(UTC) + timedelta(seconds=body.expiration),
        )  # fmt: skip
    answer = {
        "id": file.id,
        "url": url,
        "filename": file.filename,
        "content_type": "application/octet-stream",
        "upload_method": "PUT",
        "method": "PUT",
        "public_url": None,
        "created_at": file.created_at.astimezone(UTC),
        "expiration": body.expiration,
    }
    return _json(answer, 201)


@router.get("/verify-upload/{file_id}", response_model=FileResponse, responses=answers(401, 404, 409, 413, 422))
async def verify_upload(file_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Finish an upload through a signed URL. Asking again is fine."""
    file = await _file(server, caller, file_id, ready=False)
    if file.state != "ready":
        file = await _verify(server, file)
    return _json(_body(server, await server.links(), request, file))


@router.get("/{file_id}", response_model=FileResponse, responses=answers(401, 404, 422))
async def get_file(
    file_id: str, request: Request, server: ServerOf, caller: CallerOf, generate_public_url: Annotated[bool | None, PUBLIC] = None
) -> Response:
    """A file."""
    file = await _file(server, caller, file_id)
    return _json(_body(server, await server.links(), request, file, public=generate_public_url))


@router.delete("/{file_id}", response_model=FileResponse, responses=answers(401, 404))
async def delete_file(file_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """Remove a file. Links to it end; the answer is what it was."""
    async with server.database.begin() as conn:
        gone = await files.delete(conn, caller.tenant, file_id)
    if gone is None:
        raise NotFound(f"There is no file {file_id[:100]}.")
    file, blob = gone
    if blob is not None:
        await server.blobs.delete(blob)
    return _json(_body(server, await server.links(), request, file, public=False))


Expires = Annotated[int, Query(ge=0, le=1 << 40)]
Signature = Annotated[str, Query(max_length=128)]


@open_router.put(
    "/{file_id}/content", response_model=FileResponse, responses=answers(403, 404, 409, 413, 422), openapi_extra={"requestBody": _CONTENT}
)
async def put_content(file_id: str, request: Request, server: ServerOf, expires: Expires, signature: Signature) -> Response:
    """Upload the bytes of a file through the signed URL of `presigned-url`."""
    (await server.links()).check(request.url.path, expires, signature, method="PUT")
    server.admission.check_disk()
    async with server.database.begin() as conn:
        file = await files.linked(conn, file_id)
    if file is None:
        raise NotFound("The file that this link led to has been deleted.")
    if file.state == "ready":
        raise Conflict("This file has been uploaded and verified already.")
    receiver = Receiver(server.settings.max_file, announced=request.headers.get("content-length"))
    # a blob of its own: what has been verified is never written over, however late a second upload ends
    blob = key(file.tenant, "files", file_id, new_id())
    received = await receiver.store(server.blobs, blob, request.stream())
    async with server.database.begin() as conn:
        replaced = await files.uploaded(
            conn, file_id, blob=blob, bytes=received.bytes, md5=received.md5, sha256=received.sha256, media_type=received.media_type
        )
        file = await files.linked(conn, file_id)
    await server.blobs.delete(blob if replaced is None else replaced)
    if replaced is None or file is None:
        raise Conflict("This file has been verified or deleted meanwhile.")
    return _json(_body(server, await server.links(), request, file, public=False))


@open_router.head("/{file_id}/content", include_in_schema=False)
@open_router.get(
    "/{file_id}/content",
    responses={
        **answers(403, 404, 416, 422),
        200: {**_CONTENT, "description": "The bytes"},
        206: {**_CONTENT, "description": "Some of the bytes"},
    },
    response_class=Response,
)
async def get_content(file_id: str, request: Request, server: ServerOf, expires: Expires, signature: Signature) -> Response:
    """The bytes of a file through a signed link; `Range` is understood."""
    (await server.links()).check(request.url.path, expires, signature, method="GET")
    async with server.database.begin() as conn:
        file = await files.linked(conn, file_id)
    if file is None or file.state != "ready":
        raise NotFound("The file that this link led to has been deleted.")
    return content(
        server.blobs, file.blob, size=file.bytes, sha256=file.sha256, media_type=file.media_type, filename=file.filename,
        wanted=request.headers.get("range"), bodiless=request.method == "HEAD",
    )  # fmt: skip


async def _file(server: Server, caller: Caller, file_id: str, *, ready: bool = True) -> File:
    async with server.database.begin() as conn:
        file = await files.get(conn, caller.tenant, file_id)
    if file is None or (ready and file.state != "ready"):
        raise NotFound(f"There is no file {file_id[:100]}.")
    return file


async def _verify(server: Server, file: File) -> File:
    found, blob = Received(file.bytes, str(file.md5), str(file.sha256), file.media_type), file.blob
    if file.sha256 is None:
        # uploaded to the store itself, past this server: what was not seen on its way is read now, and copied to where no link leads
        blob = key(file.tenant, "files", file.id, new_id())
        try:
            found = await Receiver(server.settings.max_file).store(server.blobs, blob, server.blobs.stream(file.blob))
        except NotFound:
            raise Conflict("Nothing has been uploaded to the URL yet.") from None
    async with server.database.begin() as conn:
        ready = await files.verified(
            conn, file.tenant, file.id, blob=blob, bytes=found.bytes, md5=found.md5, sha256=found.sha256, media_type=found.media_type,
            expires_at=_expiry(server),
        )  # fmt: skip
    if ready is None:
        await server.blobs.delete(blob)
        raise NotFound(f"There is no file {file.id}.")
    for leftover in {blob, file.blob} - {ready.blob}:
        await server.blobs.delete(leftover)
    return ready


def _body(server: Server, links: Links, request: Request, file: File, *, public: bool | None = None) -> dict[str, object]:
    """The file as routes answer it. `public`: with a link or without; None: as was said at its upload."""
    shown = (file.public if public is None else public) and file.state == "ready"
    return {
        "id": file.id,
        "filename": file.filename,
        "bytes": file.bytes,
        "purpose": file.purpose,
        "created_at": file.created_at.astimezone(UTC),
        "object": "file",
        "public_url": links.content(request, file.id, seconds=server.settings.public_file_ttl) if shown else None,
    }


def _purpose(given: str | None) -> str:
    if not given:
        return "assistants"
    known = UploadPurpose.__args__
    if given not in known:
        raise InvalidRequest(f"purpose must be one of {', '.join(known)}.", param="purpose")
    return given


def _expiry(server: Server, guest: Guest | None = None) -> datetime | None:
    ttl = server.settings.file_ttl if guest is None else server.settings.guest_ttl
    return datetime.now(UTC) + timedelta(seconds=ttl) if ttl else None


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
