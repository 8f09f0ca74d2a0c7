"""Tenants, and the keys that speak for them. Only the SHA-256 of a key is kept."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import InvalidRequest
from heliograph.ids import new_id, new_key
from heliograph.store.tables import keys, tenants

DEFAULT = "default"
"""The id and the name of the first tenant, which every database has."""
PREINSTALLED = "heliograph"
"""The id of the tenant that preinstalled skills belong to. It has no keys: nobody speaks for it."""
GUESTS = "guests"
"""The id of the tenant of callers without a key. It has no keys either: a guest is a browser."""
KEYLESS = frozenset({PREINSTALLED, GUESTS})

_SHOWN = 7  # characters of a key that are kept, to recognise it by


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """Whose files and predictions these are."""

    id: str
    name: str
    webhook_secret: str
    created_at: datetime


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, as much of it as is kept: `prefix` is its beginning."""

    id: str
    tenant: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_KEY = (keys.c.id, keys.c.tenant, keys.c.name, keys.c.prefix, keys.c.created_at, keys.c.last_used_at, keys.c.revoked_at)


async def get(conn: AsyncConnection, tenant: str) -> Tenant | None:
    """The tenant with this id."""
    row = (await conn.execute(select(tenants).where(tenants.c.id == tenant))).mappings().one_or_none()
    return Tenant(**row) if row else None


async def named(conn: AsyncConnection, name: str) -> Tenant | None:
    """The tenant with this name."""
    row = (await conn.execute(select(tenants).where(tenants.c.name == name))).mappings().one_or_none()
    return Tenant(**row) if row else None


async def create(conn: AsyncConnection, name: str) -> Tenant:
    """The tenant with this name, made when there is none. Raises InvalidRequest for a name that nobody could type."""
    if not name or len(name) > 100 or not name.isprintable() or name != name.strip():
        raise InvalidRequest("A tenant's name has 1 to 100 printable characters and no space at either end.")
    values = {"id": new_id(), "name": name, "webhook_secret": _new_webhook_secret()}
    await conn.execute(insert(tenants).values(values).on_conflict_do_nothing(index_elements=["name"]))
    made = await named(conn, name)
    assert made is not None
    return made


async def list_(conn: AsyncConnection) -> list[Tenant]:
    """Every tenant that may have keys, oldest first."""
    query = select(tenants).where(tenants.c.id.not_in(KEYLESS)).order_by(tenants.c.created_at)
    return [Tenant(**row) for row in (await conn.execute(query)).mappings()]


async def reserve(conn: AsyncConnection) -> None:
    """Make the tenant that preinstalled skills belong to, where there is none."""
    values = {"id": PREINSTALLED, "name": f"{PREINSTALLED} (preinstalled skills)", "webhook_secret": _new_webhook_secret()}
    await conn.execute(insert(tenants).values(values).on_conflict_do_nothing())


async def reserve_guests(conn: AsyncConnection) -> None:
    """Make the tenant of callers without a key, where there is none."""
    values = {"id": GUESTS, "name": f"{GUESTS} (callers without a key)", "webhook_secret": _new_webhook_secret()}
    await conn.execute(insert(tenants).values(values).on_conflict_do_nothing())


async def webhook_secret(conn: AsyncConnection, tenant: str, *, renew: bool = False) -> str:
    """The secret that signs this tenant's webhooks (`whsec_` and base64); with `renew`, a new one from now on."""
    if renew:
        await conn.execute(update(tenants).where(tenants.c.id == tenant).values(webhook_secret=_new_webhook_secret()))
    return str((await conn.execute(select(tenants.c.webhook_secret).where(tenants.c.id == tenant))).scalar_one())


async def create_key(conn: AsyncConnection, tenant: str, name: str, *, secret: str | None = None) -> tuple[Key, str]:
    """A new key and its secret, which is nowhere kept. `secret`: take this one instead of a random one.

    Raises InvalidRequest for the tenant that nobody speaks for.
    """
    if tenant in KEYLESS:
        raise InvalidRequest(f"The tenant {tenant!r} is the server's own, and has no keys.")
    secret = secret or new_key()
    values = {"id": new_id(), "tenant": tenant, "name": name, "digest": digest(secret), "prefix": secret[:_SHOWN]}
    row = (await conn.execute(insert(keys).values(values).returning(*_KEY))).mappings().one()
    return Key(**row), secret


async def seed_key(conn: AsyncConnection, tenant: str, name: str, *, secret: str) -> None:
    """Make sure that this secret works for the tenant, whatever became of it before."""
    values = {"id": new_id(), "tenant": tenant, "name": name, "digest": digest(secret), "prefix": secret[:_SHOWN]}
    seeded = insert(keys).values(values)
    await conn.execute(seeded.on_conflict_do_update(index_elements=["digest"], set_={"tenant": tenant, "revoked_at": None}))


async def find_key(conn: AsyncConnection, secret: str) -> Key | None:
    """The key whose secret this is, unless it was revoked."""
    return await find_digest(conn, digest(secret))


async def find_digest(conn: AsyncConnection, digest: str) -> Key | None:
    """The key with this digest, unless it was revoked."""
    query = select(*_KEY).where(keys.c.digest == digest, keys.c.revoked_at.is_(None))
    row = (await conn.execute(query)).mappings().one_or_none()
    return Key(**row) if row else None


async def count_request(conn: AsyncConnection, key: str, *, minute: int) -> int:
    """Count a request of this key and return how many there were in this minute (since 1970), by all replicas."""
    counted = (
        update(keys)
        .where(keys.c.id == key)
        .values(minute=minute, used=case((keys.c.minute == minute, keys.c.used + 1), else_=1))
        .returning(keys.c.used)
    )
    return await conn.scalar(counted) or 0


async def list_keys(conn: AsyncConnection, tenant: str) -> list[Key]:
    """The tenant's keys, revoked ones too, oldest first."""
    query = select(*_KEY).where(keys.c.tenant == tenant).order_by(keys.c.created_at)
    return [Key(**row) for row in (await conn.execute(query)).mappings()]


async def any_key(conn: AsyncConnection) -> bool:
    """Whether there is a key that works, of any tenant: the first `serve` makes one when there is not."""
    return (await conn.scalar(select(keys.c.id).where(keys.c.revoked_at.is_(None)).limit(1))) is not None


async def first_key(conn: AsyncConnection, name: str) -> str | None:
    """The secret of a new key of the default tenant when no key of anybody works yet, else None; of two callers at once, one makes it."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("first key", 0))))
    if await any_key(conn):
        return None
    return (await create_key(conn, DEFAULT, name))[1]


async def revoke_key(conn: AsyncConnection, tenant: str, key: str) -> Key | None:
    """Revoke the tenant's key with this id; None when there is none. Revoking twice keeps the first time."""
    change = (
        update(keys)
        .where(keys.c.tenant == tenant, keys.c.id == key)
        .values(revoked_at=func.coalesce(keys.c.revoked_at, func.clock_timestamp()))
        .returning(*_KEY)
    )
    row = (await conn.execute(change)).mappings().one_or_none()
    return Key(**row) if row else None


async def used(conn: AsyncConnection, key_ids: Sequence[str]) -> None:
    """Note that these keys were used just now. Call it now and then, not with every request."""
    await conn.execute(update(keys).where(keys.c.id.in_(key_ids)).values(last_used_at=func.clock_timestamp()))


def digest(secret: str) -> str:
    """What is kept of a key: SHA-256, hex. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _new_webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
