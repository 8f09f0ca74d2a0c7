"""`/v1/skills`: publish skills, find them by name and version, read their files, delete them."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from heliograph.api._skills import Packed
from heliograph.api.auth import Caller, CallerOf, Guarded
from heliograph.api.distilling import distilled
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf
from heliograph.api.routes.files import Expires, Signature
from heliograph.api.server import Server, ServerOf
from heliograph.errors import Forbidden, InvalidRequest, NotFound
from heliograph.skills.frontmatter import told
from heliograph.store import files, skills
from heliograph.store.skills import LATEST, OrderBy, Skill
from heliograph.wire.skills import SkillCreateRequest, SkillDownloadResponse, SkillFile, SkillInfo, SkillLookupRequest, SkillUpdateRequest

router = APIRouter(prefix="/v1/skills", tags=["skills"], route_class=Guarded)
open_router = APIRouter(prefix="/v1/skills", tags=["skills"])
"""What a signed URL opens; no key is needed."""

OffsetOf = Annotated[int, Query(ge=0, le=1_000_000_000, description="How many to pass over.")]

SHOWN = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
    ".json": "application/json",
}
"""What a browser may show as what its name says. Other text is plain text and other bytes are a download: a stranger's HTML must not run
on our address."""
_BYTES = "application/octet-stream"
_LEADS_AWAY = re.compile(r"\.{1,2}|[A-Za-z]:.*|.*[/\\].*")
"""Names that no skill is published under: clients unpack a skill into a folder of its name, and a public one is a stranger's."""


@router.get("", response_model=list[SkillInfo], responses=answers(401, 422))
async def list_skills(
    server: ServerOf,
    caller: CallerOf,
    *,
    limit: LimitOf = 25,
    offset: OffsetOf = 0,
    order_by: Annotated[OrderBy, Query(description="What they are sorted by.")] = "created_at",
    descending: Annotated[bool, Query(description="Last first.")] = True,
    grouped: Annotated[bool, Query(description="Only the newest version of each skill.")] = False,
) -> Response:
    """The versions that the tenant sees: its own, the preinstalled ones and those that others made public."""
    await server.skills.preinstall()
    async with server.database.begin() as conn:
        found = await skills.list_(
            conn, caller.tenant, skip=offset, limit=limit, order_by=order_by, descending=descending, grouped=grouped
        )  # fmt: skip
    return _json([_body(skill) for skill in found])


@router.post("/lookup", response_model=SkillInfo, responses=answers(401, 404, 413, 422))
async def lookup_skill(body: SkillLookupRequest, server: ServerOf, caller: CallerOf) -> Response:
    """A version by name or id; `latest` where none is asked for."""
    asked = body.id or body.name
    if asked is None:
        raise InvalidRequest("Give `name` or `id`.", param="name")
    versions = {str(version) for version in (body.skill_version, body.version) if version is not None} - {LATEST}
    if len(versions) > 1:
        raise InvalidRequest(f"A skill is asked for in two versions: {' and '.join(sorted(versions))}.", param="skill_version")
    await server.skills.preinstall()
    async with server.database.begin() as conn:
        found = await skills.get(conn, caller.tenant, asked) if body.id and body.skill_version is body.version is None else None
        found = found or await skills.resolve(conn, caller.tenant, asked, versions.pop() if versions else LATEST)
    return _json(_body(found))


@router.post("/create", status_code=201, response_model=SkillInfo, responses=answers(401, 404, 413, 422, 429))
async def create_skill(body: SkillCreateRequest, server: ServerOf, caller: CallerOf) -> Response:
    """Publish a skill: from an uploaded zip, or written from a prompt or a chat session. Content that is there under the name is
    that version again."""
    given = [name for name in ("file_id", "prompt", "session_id") if getattr(body, name) is not None]
    if len(given) != 1:
        raise InvalidRequest("Give exactly one of `file_id`, `prompt` and `session_id`.", param="file_id")
    if _LEADS_AWAY.fullmatch((body.name or "").strip()):
        raise InvalidRequest("A skill's name is that of a folder: it has no / or \\, and is not a dot or two or a drive.", param="name")
    await _admit(server, caller)
    if body.session_id is not None:
        told = await distilled(server.database, caller, body.session_id)
        schema = body.json_schema if body.json_schema is not None else told.schema
        written, packed = await server.skills.write(caller.tenant, told.prompt, schema, body.name, talk=told.talk)
        return await _publish(server, caller, written, packed, body.description, body.is_public)
    if body.prompt is not None:
        written, packed = await server.skills.write(caller.tenant, body.prompt, body.json_schema, body.name)
        return await _publish(server, caller, written, packed, body.description, body.is_public)
    for name in ("name", "description"):
        if not (getattr(body, name) or "").strip():
            raise InvalidRequest(f"A skill from a file needs `{name}`.", param=name)
    packed = await _unpacked(server, caller, str(body.file_id))
    return await _publish(server, caller, str(body.name), packed, body.description, body.is_public)


@router.get("/{skill_id}", response_model=SkillInfo, responses=answers(401, 404))
async def get_skill(skill_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """A version by its id, also when it was deleted; or by a skill's name the newest."""
    return _json(_body(await _found(server, caller, skill_id)))


@router.post("/{skill_id}/update", status_code=201, response_model=SkillInfo, responses=answers(401, 403, 404, 413, 422, 429))
async def update_skill(skill_id: str, body: SkillUpdateRequest, server: ServerOf, caller: CallerOf) -> Response:
    """Publish a new version of the skill that this is a version of; the old ones stay. Without `file_id` this version is described anew."""
    if body.file_id is None and body.description is None and body.is_public is None:
        raise InvalidRequest("Give `file_id`, `description`, or both.", param="file_id")
    await _admit(server, caller)
    skill = _own(await _found(server, caller, skill_id, live=True), caller)
    if body.file_id is not None:
        packed = await _unpacked(server, caller, body.file_id)
        return await _publish(server, caller, skill.name, packed, body.description, body.is_public)
    async with server.database.begin() as conn:
        changed = await skills.describe(conn, caller.tenant, skill.id, description=body.description, is_public=body.is_public)
    if changed is None:
        raise NotFound(f"There is no skill {skill_id[:100]}.")
    return _json(_body(changed), 201)


@router.delete("/{skill_id}", response_model=SkillInfo, responses=answers(401, 403, 404, 409))
async def delete_skill(skill_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """Delete this version and its files; answers what it was. Not while an unfinished prediction uses it."""
    skill = _own(await _found(server, caller, skill_id, live=True, named=False), caller)
    gone = await server.skills.delete(caller.tenant, skill.id)
    if gone is None:
        raise NotFound(f"There is no skill {skill_id[:100]}.")
    return _json(_body(gone))


@router.get("/{skill_id}/versions", response_model=list[SkillInfo], responses=answers(401, 404, 422))
async def list_versions(skill_id: str, server: ServerOf, caller: CallerOf, *, limit: LimitOf = 25, offset: OffsetOf = 0) -> Response:
    """The versions of the skill that this is a version of, last published first."""
    skill = await _found(server, caller, skill_id)
    async with server.database.begin() as conn:
        found = await skills.versions(conn, caller.tenant, skill, skip=offset, limit=limit)
    return _json([_body(each) for each in found])


@router.get("/{skill_id}/download", response_model=SkillDownloadResponse, responses=answers(401, 404))
async def download_skill(skill_id: str, request: Request, server: ServerOf, caller: CallerOf) -> Response:
    """A signed link to the skill's zip, for who has no key."""
    skill = await _found(server, caller, skill_id, live=True)
    seconds = server.settings.download_ttl
    url = (await server.links()).skill(request, skill.id, seconds=seconds)
    return _json({"download_url": url, "expires_in": int(seconds)})


@router.get("/{skill_id}/files", response_model=list[SkillFile], responses=answers(401, 404))
async def list_skill_files(skill_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """The files of the skill."""
    skill = await _found(server, caller, skill_id, live=True)
    return _json([{"path": path, "bytes": size} for path, size in (await server.skills.listing(skill)).items()])


@router.get(
    "/{skill_id}/files/{path:path}",
    responses={**answers(401, 404), 200: {"content": {"text/plain": {}, _BYTES: {}}, "description": "The file"}},
    response_class=Response,
)
async def get_skill_file(skill_id: str, path: str, server: ServerOf, caller: CallerOf) -> Response:
    """A file of the skill, such as `SKILL.md` or `resources/terms.md`."""
    skill = await _found(server, caller, skill_id, live=True)
    content = await server.skills.content(skill, path)
    kind = SHOWN.get(PurePosixPath(path).suffix.lower()) or ("text/plain" if _is_text(content) else _BYTES)
    shown = "attachment" if kind == _BYTES else "inline"
    return Response(content, 200, _headers(skill, PurePosixPath(path).name, shown), kind)


@open_router.get(
    "/{skill_id}/content",
    responses={**answers(403, 404, 422), 200: {"content": {"application/zip": {}}, "description": "The zip, SKILL.md at its root"}},
    response_class=Response,
)
async def get_skill_content(skill_id: str, request: Request, server: ServerOf, expires: Expires, signature: Signature) -> Response:
    """The skill's zip, through the signed link of `download`."""
    (await server.links()).check(request.url.path, expires, signature, method="GET")
    async with server.database.begin() as conn:
        skill = await skills.linked(conn, skill_id)
    if skill is None:
        raise NotFound("The skill that this link led to has been deleted.")
    headers = _headers(skill, f"{skill.name}-{skill.version}.zip", "attachment")
    headers["Content-Length"] = str(await server.blobs.size(skill.blob))
    return StreamingResponse(server.blobs.stream(skill.blob), 200, headers, "application/zip")


async def _admit(server: Server, caller: Caller) -> None:
    server.admission.check_disk()
    await server.admission.count(server.database, caller)


async def _unpacked(server: Server, caller: Caller, file_id: str) -> Packed:
    async with server.database.begin() as conn:
        file = await files.get(conn, caller.tenant, file_id)
    if file is None or file.state != "ready":
        raise NotFound(f"There is no file {file_id[:100]}.", param="file_id")
    return await server.skills.unpack(file)


async def _publish(server: Server, caller: Caller, name: str, packed: Packed, description: str | None, is_public: bool | None) -> Response:
    made = await server.skills.publish(
        caller.tenant, name.strip(), packed, description=told(description) or packed.description, is_public=is_public
    )
    return _json(_body(made), 201)


async def _found(server: Server, caller: Caller, asked: str, *, live: bool = False, named: bool = True) -> Skill:
    """The version with this id, or with `named` the newest of the skill with this name. `live`: not one that was deleted."""
    await server.skills.preinstall()
    async with server.database.begin() as conn:
        skill = await skills.get(conn, caller.tenant, asked)
        if skill is None and named:
            return await skills.resolve(conn, caller.tenant, asked)
    if skill is None:
        raise NotFound(f"There is no skill {asked[:100]}.")
    if live and skill.deleted_at is not None:
        raise NotFound(f"Version {skill.version} of skill {skill.name!r} was deleted.")
    return skill


def _own(skill: Skill, caller: Caller) -> Skill:
    if skill.tenant != caller.tenant:
        raise Forbidden(f"Skill {skill.name!r} is not yours to change; create one of the same name, and it comes first for you.")
    return skill


def _headers(skill: Skill, name: str, shown: str) -> dict[str, str]:
    return {
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{skill.hash}"',
        "X-Content-Type-Options": "nosniff",
    }


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _body(skill: Skill) -> dict[str, object]:
    return {
        "id": skill.id,
        "name": skill.name,
        "description": skill.description,
        "skill_version": skill.version,
        "version": skill.version,
        "number": skill.number,
        "created_at": skill.created_at.astimezone(UTC),
        "updated_at": skill.updated_at.astimezone(UTC),
        "status": "completed",
        "is_public": skill.is_public,
        "hash": skill.hash,
        "files": skill.files,
        "bytes": skill.bytes,
        "warnings": msgspec.Raw(skill.warnings.encode()),
        "deleted_at": skill.deleted_at and skill.deleted_at.astimezone(UTC),
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
