"""Files that clients uploaded. A file's bytes are a blob; equal content of one tenant is one blob."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import files


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file's row. `md5` and `sha256` are hex, and null while `state` is `uploading`; `blob` is the key of its bytes."""

    id: str
    tenant: str
    filename: str
    bytes: int
    md5: str | None
    sha256: str | None
    purpose: str
    media_type: str | None
    blob: str
    state: str
    public: bool
    created_at: datetime
    expires_at: datetime | None


async def create(
    conn: AsyncConnection,
    tenant: str,
    *,
    id: str,
    filename: str,
    bytes: int,
    md5: str,
    sha256: str,
    purpose: str,
    media_type: str | None,
    blob: str,
    public: bool,
    expires_at: datetime | None = None,
) -> File:
    """A file whose bytes are stored under `blob`.

    When the tenant has the same content already, the row names the blob that is there: the caller deletes its own
    when the answer's `blob` is another, after the transaction.
    """
    await _lock_content(conn, tenant, sha256)
    shared = await _blob_of(conn, tenant, sha256)
    values = {
        "id": id, "tenant": tenant, "filename": filename, "bytes": bytes, "md5": md5, "sha256": sha256, "purpose": purpose,
        "media_type": media_type, "blob": shared or blob, "state": "ready", "public": public, "expires_at": expires_at,
    }  # fmt: skip
    return File(**(await conn.execute(insert(files).values(values).returning(files))).mappings().one())


async def reserve(
    conn: AsyncConnection,
    tenant: str,
    *,
    id: str,
    filename: str,
    purpose: str,
    media_type: str | None,
    blob: str,
    public: bool,
    expires_at: datetime | None = None,
) -> File:
    """A file that is yet to be uploaded to `blob`: state `uploading`, 0 bytes, in no list until `verified`."""
    values = {
        "id": id, "tenant": tenant, "filename": filename, "bytes": 0, "purpose": purpose, "media_type": media_type,
        "blob": blob, "state": "uploading", "public": public, "expires_at": expires_at,
    }  # fmt: skip
    return File(**(await conn.execute(insert(files).values(values).returning(files))).mappings().one())


async def verified(
    conn: AsyncConnection,
    tenant: str,
    id: str,
    *,
    bytes: int,
    md5: str,
    sha256: str,
    media_type: str | None,
    blob: str | None = None,
    expires_at: datetime | None = None,
) -> File | None:
    """Make an uploaded file `ready`; None when the tenant has no such file.

    `blob`: where its bytes stand now, when not where they were uploaded. The row may come to name another, as with `create`.
    """
    await _lock_content(conn, tenant, sha256)
    shared = await _blob_of(conn, tenant, sha256)
    change = (
        update(files)
        .where(files.c.tenant == tenant, files.c.id == id)
        .values(
            bytes=bytes, md5=md5, sha256=sha256, media_type=func.coalesce(media_type, files.c.media_type), state="ready",
            expires_at=expires_at, blob=shared or blob or files.c.blob,
        )
        .returning(files)
    )  # fmt: skip
    row = (await conn.execute(change)).mappings().one_or_none()
    return File(**row) if row else None


async def get(conn: AsyncConnection, tenant: str, id: str) -> File | None:
    """The tenant's file with this id, in whatever state."""
    row = (await conn.execute(select(files).where(files.c.tenant == tenant, files.c.id == id))).mappings().one_or_none()
    return File(**row) if row else None


async def linked(conn: AsyncConnection, id: str) -> File | None:
    """The file with this id, of whichever tenant: for who holds a signed link to it, and for nobody else."""
    row = (await conn.execute(select(files).where(files.c.id == id))).mappings().one_or_none()
    return File(**row) if row else None


async def uploaded(conn: AsyncConnection, id: str, *, blob: str, bytes: int, md5: str, sha256: str, media_type: str | None) -> str | None:
    """Note that the bytes of a file that is not verified yet were received and stand under `blob`.

    Returns the blob that stood there until now, or None when the file has been verified or is gone: then `blob` is nobody's.
    """
    query = select(files.c.blob).where(files.c.id == id, files.c.state == "uploading").with_for_update()
    before = await conn.scalar(query)
    if before is not None:
        values = {"blob": blob, "bytes": bytes, "md5": md5, "sha256": sha256, "media_type": media_type}
        await conn.execute(update(files).where(files.c.id == id).values(values))
    return before


async def by_md5(conn: AsyncConnection, tenant: str, md5: str) -> File | None:
    """The tenant's newest file with this content."""
    query = (
        select(files)
        .where(files.c.tenant == tenant, files.c.md5 == md5.lower(), files.c.state == "ready")
        .order_by(files.c.created_at.desc(), files.c.id)
        .limit(1)
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    return File(**row) if row else None


async def list_(conn: AsyncConnection, tenant: str, *, skip: int = 0, limit: int = 10) -> list[File]:
    """The tenant's files that are ready, newest first."""
    query = (
        select(files)
        .where(files.c.tenant == tenant, files.c.state == "ready")
        .order_by(files.c.created_at.desc(), files.c.id)
        .offset(skip)
        .limit(limit)
    )
    return [File(**row) for row in (await conn.execute(query)).mappings()]


async def delete(conn: AsyncConnection, tenant: str, id: str) -> tuple[File, str | None] | None:
    """Remove the row: the file, and the blob to delete after the transaction, or None when another file shares it."""
    found = await get(conn, tenant, id)
    if found is None:
        return None
    if found.sha256 is not None:
        await _lock_content(conn, tenant, found.sha256)
    gone = (
        (await conn.execute(delete_from(files).where(files.c.tenant == tenant, files.c.id == id).returning(files))).mappings().one_or_none()
    )
    if gone is None:
        return None
    file = File(**gone)
    shared = files.c.sha256 == file.sha256 if file.sha256 else files.c.sha256.is_(None)  # the index is on it
    others = await conn.scalar(select(func.count()).where(files.c.tenant == tenant, shared, files.c.blob == file.blob))
    return file, None if others else file.blob


async def expired(
    conn: AsyncConnection, now: datetime, *, uploaded_before: datetime | None = None, limit: int = 100
) -> list[tuple[str, str]]:
    """`(tenant, id)` of files past their `expires_at`, and of ready ones older than `uploaded_before`, oldest first; of all tenants."""
    due = files.c.expires_at < now
    if uploaded_before is not None:
        due = due | ((files.c.state == "ready") & (files.c.created_at < uploaded_before))
    query = select(files.c.tenant, files.c.id).where(due).order_by(files.c.created_at).limit(limit)
    return [(row.tenant, row.id) for row in await conn.execute(query)]


async def _lock_content(conn: AsyncConnection, tenant: str, sha256: str) -> None:
    # whoever adds or removes a file of this content takes its turn: a blob is never deleted under a new row
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"file {tenant} {sha256}", 0))))


async def _blob_of(conn: AsyncConnection, tenant: str, sha256: str) -> str | None:
    query = select(files.c.blob).where(files.c.tenant == tenant, files.c.sha256 == sha256, files.c.state == "ready").limit(1)
    return await conn.scalar(query)
