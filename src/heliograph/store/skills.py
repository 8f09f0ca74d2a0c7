"""Skills: packages that tenants keep. A row is one version of one name; its files are a blob, named after their content.

Content that is there under a name already is that version again. What was published last is what `latest` names. A version that was
deleted keeps its row, so that predictions can say what they used: it can be read by its id, and nowhere else.

A caller sees the versions of its tenant, and public ones; it may change only its tenant's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from rapidfuzz import fuzz, process
from sqlalchemy import Select, case, func, insert, literal, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import FromClause, ScalarSelect

from heliograph.errors import Conflict, NotFound
from heliograph.ids import new_id
from heliograph.store.blobs import Blobs
from heliograph.store.predictions import UNFINISHED
from heliograph.store.tables import predictions, skill_uses, skills
from heliograph.store.tenants import PREINSTALLED

LATEST = "latest"
OrderBy = Literal["created_at", "updated_at", "name"]

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"[1-9]\d{0,8}")
_TOLD = 10
"""Versions that an error names."""
_COMPARED = 2000
"""Names among which the nearest are looked for."""


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a skill. `version` is `YYYYMMDD-<8 hex>`, `number` counts the versions of the name from 1, `hash` is the SHA-256 of
    the content in hex, `bytes` and `files` say how much it unpacks to, and `warnings` is a JSON list of sentences."""

    id: str
    tenant: str
    name: str
    description: str | None
    version: str
    number: int
    hash: str
    blob: str
    bytes: int
    files: int
    is_public: bool
    warnings: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


async def publish(
    conn: AsyncConnection,
    tenant: str,
    name: str,
    *,
    hash: str,
    blob: str,
    bytes: int,
    files: int,
    description: str | None = None,
    is_public: bool | None = None,
    warnings: Sequence[str] = (),
    created_at: datetime | None = None,
) -> Skill:
    """The version of this content under this name, which is `latest` from now on: a new one, or the one there is, also when it was deleted.

    The caller holds the content (`lock_content`). `description`, where it is given, is the version's from now on. `is_public`: None is as
    the version, or for a new one as the newest before it. `created_at`: when the content first came, if not now.
    """
    await _lock_name(conn, tenant, name)
    mine = skills.c.tenant == tenant, skills.c.name == name
    newest = (await conn.execute(select(func.max(skills.c.number), func.max(skills.c.updated_at)).where(*mine))).one()
    now = await conn.scalar(select(func.clock_timestamp()))
    assert now is not None
    published = now if newest[1] is None else max(now, newest[1] + timedelta(microseconds=1))  # whatever a clock does, later is later
    again: dict[str, Any] = {"updated_at": published, "deleted_at": None, "warnings": msgspec.json.encode(warnings).decode()}
    if description is not None:
        again["description"] = description
    if is_public is not None:
        again["is_public"] = is_public
    row = (await conn.execute(update(skills).where(*mine, skills.c.hash == hash).values(again).returning(skills))).mappings().one_or_none()
    if row is not None:
        return Skill(**row)
    if is_public is None:
        before = select(skills.c.is_public).where(*mine, _LIVE).order_by(*_newest(skills)).limit(1)
        again["is_public"] = bool(await conn.scalar(before))
    first = created_at or now
    values = again | {
        "id": new_id(), "tenant": tenant, "name": name, "version": version_of(hash, first), "number": (newest[0] or 0) + 1, "hash": hash,
        "blob": blob, "bytes": bytes, "files": files, "created_at": first,
    }  # fmt: skip
    return Skill(**(await conn.execute(insert(skills).values(values).returning(skills))).mappings().one())


def version_of(hash: str, first: datetime) -> str:
    """The version string of content with this hash that first came then: `YYYYMMDD-<8 hex>`, the day by UTC."""
    return f"{first.astimezone(UTC):%Y%m%d}-{hash[:8]}"


async def with_content(conn: AsyncConnection, tenant: str, name: str, hash: str) -> Skill | None:
    """The version of this content under this name, also when it was deleted."""
    query = select(skills).where(skills.c.tenant == tenant, skills.c.name == name, skills.c.hash == hash)
    row = (await conn.execute(query)).mappings().one_or_none()
    return Skill(**row) if row else None


async def is_named(conn: AsyncConnection, tenant: str, name: str) -> bool:
    """Whether the tenant has a skill of this name."""
    query = select(skills.c.id).where(skills.c.tenant == tenant, skills.c.name == name, _LIVE).limit(1)
    return await conn.scalar(query) is not None


async def get(conn: AsyncConnection, tenant: str, id: str) -> Skill | None:
    """The version with this id, if the tenant may see it; also when it was deleted."""
    query = select(skills).where(skills.c.id == id.lower(), _seen_by(tenant))
    row = (await conn.execute(query)).mappings().one_or_none()
    return Skill(**row) if row else None


async def linked(conn: AsyncConnection, id: str) -> Skill | None:
    """The version with this id, of whichever tenant: for who holds a signed link to it, and for nobody else."""
    row = (await conn.execute(select(skills).where(skills.c.id == id, _LIVE))).mappings().one_or_none()
    return Skill(**row) if row else None


async def resolve(conn: AsyncConnection, tenant: str, asked: str, version: str | int = LATEST) -> Skill:
    """The version that is meant by an id or a name, and `latest`, a number (the nth) or a version string.

    A name is looked for in the tenant's own skills, then in the preinstalled ones, then in those that others made public: the skill whose
    name was there first. An id with `latest` is the newest of that id's name. Raises NotFound, which names what there is instead.
    """
    version = str(version).strip()
    named = await get(conn, tenant, asked) if _ID.fullmatch(asked) else None
    if named is not None and named.deleted_at is not None:
        raise NotFound(f"Version {named.version} of skill {named.name!r} was deleted.")
    if named is None and (row := await _version(conn, tenant, _owner(tenant, asked).scalar_subquery(), asked, version)) is not None:
        return row
    found = (named.tenant, named.name) if named is not None else await _named(conn, tenant, asked)
    if found is None:
        near = await _nearest(conn, tenant, asked)
        hint = f"; did you mean {', '.join(near)}?" if near else "; GET /v1/skills lists those there are."
        raise NotFound(f"There is no skill {asked[:100]!r}{hint}")
    owner, name = found
    row = await _version(conn, tenant, owner, name, version)
    if row is None:
        there = [each.version for each in await _versions(conn, tenant, owner, name, limit=_TOLD)]
        raise NotFound(f"Skill {name!r} has no version {version[:100]!r}; there are {', '.join(there)}.")
    return row


async def list_(
    conn: AsyncConnection,
    tenant: str,
    *,
    skip: int = 0,
    limit: int = 25,
    order_by: OrderBy = "created_at",
    descending: bool = True,
    grouped: bool = False,
) -> list[Skill]:
    """The tenant's versions and public ones, in this order; `grouped`: of each skill only the newest."""

    def part(*whose: Any) -> Select[Any]:
        query = select(skills.c.id, skills.c.name, skills.c.created_at, skills.c.updated_at).where(_LIVE, *whose)
        if grouped:
            newer = skills.alias("newer")
            query = query.where(
                ~select(newer.c.id)
                .where(
                    newer.c.tenant == skills.c.tenant, newer.c.name == skills.c.name, newer.c.updated_at > skills.c.updated_at,
                    newer.c.deleted_at.is_(None), _seen_by(tenant, newer),
                )
                .exists()
            )  # fmt: skip
        return query.order_by(*_order(skills, order_by, descending)).limit(skip + limit)

    # two halves that an index can each give in order
    own, others = part(skills.c.tenant == tenant).subquery(), part(skills.c.tenant != tenant, skills.c.is_public).subquery()
    both = union_all(own.select(), others.select()).subquery()
    page = select(both).order_by(*_order(both, order_by, descending)).offset(skip).limit(limit).subquery()  # narrow rows sort in memory
    query = select(skills).join(page, page.c.id == skills.c.id).order_by(*_order(skills, order_by, descending))
    return [Skill(**row) for row in (await conn.execute(query)).mappings()]


async def versions(conn: AsyncConnection, tenant: str, skill: Skill, *, skip: int = 0, limit: int = 1000) -> list[Skill]:
    """The versions of the skill that `skill` is one of, as far as the tenant may see them, last published first."""
    return await _versions(conn, tenant, skill.tenant, skill.name, skip=skip, limit=limit)


async def describe(
    conn: AsyncConnection, tenant: str, id: str, *, description: str | None = None, is_public: bool | None = None
) -> Skill | None:
    """Say something else of the tenant's version: what is None stays. None when there is no such version. `latest` stays where it was."""
    said = {"description": description, "is_public": is_public}
    change = (
        update(skills)
        .where(skills.c.tenant == tenant, skills.c.id == id.lower(), _LIVE)
        .values({name: value for name, value in said.items() if value is not None})
        .returning(skills)
    )
    row = (await conn.execute(change)).mappings().one_or_none()
    return Skill(**row) if row else None


async def delete(conn: AsyncConnection, tenant: str, id: str) -> Skill | None:
    """Take the tenant's version out of lists and resolution for good; None when there is none. Its blob is the caller's to delete,
    afterwards (`drop`).

    Raises Conflict while a prediction that uses it is unfinished.
    """
    mine = skills.c.tenant == tenant, skills.c.id == id.lower(), _LIVE
    row = (await conn.execute(select(skills).where(*mine).with_for_update())).mappings().one_or_none()
    if row is None:
        return None
    using = (
        select(predictions.c.id)
        .join(skill_uses, (skill_uses.c.tenant == predictions.c.tenant) & (skill_uses.c.prediction == predictions.c.id))
        .where(skill_uses.c.skill == row["id"], predictions.c.status.in_(UNFINISHED), predictions.c.cancelled.is_(False))
    )
    if count := await conn.scalar(select(func.count()).select_from(using.limit(1000).subquery())):
        raise Conflict(
            f"{count} unfinished predictions use version {row['version']} of skill {row['name']!r}; wait for them, or delete them."
        )
    gone = update(skills).where(skills.c.id == row["id"]).values(deleted_at=func.clock_timestamp()).returning(skills)
    return Skill(**(await conn.execute(gone)).mappings().one())


async def use(conn: AsyncConnection, tenant: str, prediction: str, ids: Collection[str]) -> None:
    """Note, in the transaction that makes it, which versions a prediction uses. Raises NotFound when one was deleted meanwhile."""
    if not ids:
        return
    held = select(skills.c.id).where(skills.c.id.in_(ids), _LIVE).order_by(skills.c.id).with_for_update(read=True).cte("held")
    mine = select(literal(tenant), literal(prediction), held.c.id)
    noted = insert(skill_uses).from_select(["tenant", "prediction", "skill"], mine).returning(skill_uses.c.skill)
    there = set((await conn.execute(noted)).scalars())
    for missing in sorted(set(ids) - there):
        raise NotFound(f"The skill {missing} was deleted meanwhile.")


async def lock_content(conn: AsyncConnection, tenant: str, hash: str) -> None:
    """Wait until nobody else adds or removes the tenant's files of this content, and hold them until the transaction ends."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"skill content {tenant} {hash}", 0))))


async def drop(conn: AsyncConnection, blobs: Blobs, blob: str) -> bool:
    """Delete these files unless a version that is not deleted has them; whether they were."""
    tenant, _, hash = blob.split("/")
    await lock_content(conn, tenant, hash)
    wanted = await conn.scalar(select(skills.c.id).where(skills.c.blob == blob, _LIVE).limit(1)) is not None
    if not wanted:
        await blobs.delete(blob)
    return not wanted


_LIVE = skills.c.deleted_at.is_(None)


def _seen_by(tenant: str, table: FromClause = skills) -> Any:
    return or_(table.c.tenant == tenant, table.c.is_public)


def _newest(table: FromClause) -> tuple[Any, ...]:
    return table.c.updated_at.desc(), table.c.number.desc()


def _order(table: FromClause, by: OrderBy, descending: bool) -> tuple[Any, ...]:
    # equal names: their versions in the order in which they were published
    columns = [table.c[by], *([table.c.updated_at] if by == "name" else []), table.c.id]
    return tuple(column.desc() if descending else column.asc() for column in columns)


async def _lock_name(conn: AsyncConnection, tenant: str, name: str) -> None:
    # whoever publishes under this name takes its turn: numbers have no gaps, and what came later is newer
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"skill name {tenant} {name}", 0))))


async def _named(conn: AsyncConnection, tenant: str, name: str) -> tuple[str, str] | None:
    """The (tenant, name) of the skill that a name means to this tenant."""
    owner = await conn.scalar(_owner(tenant, name))
    return (owner, name) if owner is not None else None


def _owner(tenant: str, name: str) -> Select[Any]:
    """Whose skill a name means to this tenant."""
    first = skills.alias("first")
    ranks = case((skills.c.tenant == tenant, 0), (skills.c.tenant == PREINSTALLED, 1), else_=2)
    return (
        select(skills.c.tenant)
        .join(first, (first.c.tenant == skills.c.tenant) & (first.c.name == skills.c.name) & (first.c.number == 1))
        .where(skills.c.name == name, _LIVE, _seen_by(tenant))
        .order_by(ranks, first.c.created_at, skills.c.tenant)
        .limit(1)
    )


async def _version(conn: AsyncConnection, tenant: str, owner: str | ScalarSelect[Any], name: str, version: str) -> Skill | None:
    query = select(skills).where(skills.c.tenant == owner, skills.c.name == name, _LIVE, _seen_by(tenant))
    if version != LATEST:
        named = skills.c.version == version
        query = query.where(or_(named, skills.c.number == int(version)) if _NUMBER.fullmatch(version) else named)
    row = (await conn.execute(query.order_by(*_newest(skills)).limit(1))).mappings().one_or_none()
    return Skill(**row) if row else None


async def _versions(conn: AsyncConnection, tenant: str, owner: str, name: str, *, skip: int = 0, limit: int) -> list[Skill]:
    query = select(skills).where(skills.c.tenant == owner, skills.c.name == name, _LIVE, _seen_by(tenant))
    query = query.order_by(*_newest(skills)).offset(skip).limit(limit)
    return [Skill(**row) for row in (await conn.execute(query)).mappings()]


async def _nearest(conn: AsyncConnection, tenant: str, asked: str) -> list[str]:
    query = select(skills.c.name).where(_LIVE, _seen_by(tenant)).group_by(skills.c.name).order_by(func.max(skills.c.updated_at).desc())
    names = (await conn.execute(query.limit(_COMPARED))).scalars().all()
    found = process.extract(asked[:100].lower(), names, scorer=fuzz.ratio, processor=str.lower, score_cutoff=60, limit=3)
    return [name for name, _, _ in found]
