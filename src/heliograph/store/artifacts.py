"""Artifacts: what runs read and made, each under a reference that is good in its namespace (a chat's session, an execution).

A row stands before anybody hears of its reference. The blob is written first, so that a row never names bytes that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import artifacts

Source = Literal["store", "manifest", "workspace"]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact's row. `seed`: what made it, the same when that is done again. `facts` is JSON text."""

    tenant: str
    namespace: str
    ref: str
    prediction: str
    seed: str
    filename: str | None
    source: Source
    media_type: str
    bytes: int
    sha256: str
    blob: str
    facts: str
    created_at: datetime


def shown(blob: str) -> str:
    """Where what was made of an artifact's blob for its readers stands; no row names it, so the collector takes it in time."""
    return f"{blob}.shown"


async def put(
    conn: AsyncConnection,
    tenant: str,
    namespace: str,
    *,
    seed: str,
    refs: Iterable[str],
    prediction: str,
    filename: str | None,
    source: Source,
    media_type: str,
    bytes: int,
    sha256: str,
    blob: str,
    facts: str = "{}",
) -> tuple[Artifact, str | None]:
    """Write an artifact down under the first of `refs` that is free, and return it with the blob that nobody names any more.

    What the same `seed` made before keeps its reference and gets the new content. The caller sees to it that its run may still write.
    """
    content = {
        "prediction": prediction, "filename": filename, "source": source, "media_type": media_type, "bytes": bytes, "sha256": sha256,
        "blob": blob, "facts": facts,
    }  # fmt: skip
    mine = (artifacts.c.tenant == tenant, artifacts.c.namespace == namespace, artifacts.c.seed == seed)
    for ref in refs:
        before = await conn.scalar(select(artifacts.c.blob).where(*mine).with_for_update())
        if before is not None:
            row = (await conn.execute(update(artifacts).where(*mine).values(content).returning(artifacts))).mappings().one()
            return Artifact(**row), before if before != blob else None
        new = insert(artifacts).values(content | {"tenant": tenant, "namespace": namespace, "ref": ref, "seed": seed})
        made = (await conn.execute(new.on_conflict_do_nothing().returning(artifacts))).mappings().one_or_none()
        if made is not None:
            return Artifact(**made), None
    raise RuntimeError("no reference is free")


async def get(conn: AsyncConnection, tenant: str, namespace: str, name: str) -> Artifact | None:
    """The artifact of a namespace with this reference; else the newest with this filename."""
    place = (artifacts.c.tenant == tenant, artifacts.c.namespace == namespace)
    for match in (artifacts.c.ref == name, artifacts.c.filename == name):
        query = select(artifacts).where(*place, match).order_by(artifacts.c.created_at.desc()).limit(1)
        row = (await conn.execute(query)).mappings().one_or_none()
        if row:
            return Artifact(**row)
    return None


async def seeded(conn: AsyncConnection, tenant: str, namespace: str, seed: str) -> Artifact | None:
    """The artifact that `seed` made."""
    query = select(artifacts).where(artifacts.c.tenant == tenant, artifacts.c.namespace == namespace, artifacts.c.seed == seed)
    row = (await conn.execute(query)).mappings().one_or_none()
    return Artifact(**row) if row else None


async def list_(conn: AsyncConnection, tenant: str, namespace: str) -> list[Artifact]:
    """All of a namespace, oldest first."""
    query = select(artifacts).where(artifacts.c.tenant == tenant, artifacts.c.namespace == namespace)
    return [Artifact(**row) for row in (await conn.execute(query.order_by(artifacts.c.created_at, artifacts.c.ref))).mappings()]


async def made_bytes(conn: AsyncConnection, tenant: str, prediction: str) -> int:
    """The bytes of what a run made: what its caller brought does not count."""
    query = select(func.coalesce(func.sum(artifacts.c.bytes), 0)).where(
        artifacts.c.tenant == tenant, artifacts.c.prediction == prediction, artifacts.c.source != "manifest"
    )
    return int(await conn.scalar(query) or 0)


async def delete(conn: AsyncConnection, tenant: str, *, namespace: str | None = None, prediction: str | None = None) -> list[str]:
    """Remove the artifacts of a namespace, or those that a run brought or made; the blobs that are the caller's to delete, afterwards."""
    where = [artifacts.c.tenant == tenant]
    where += [artifacts.c.namespace == namespace] if namespace is not None else []
    where += [artifacts.c.prediction == prediction] if prediction is not None else []
    if len(where) == 1:
        raise ValueError("name a namespace or a run")
    return list((await conn.execute(delete_from(artifacts).where(*where).returning(artifacts.c.blob))).scalars())
