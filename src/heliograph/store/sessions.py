"""Sessions: the turns of a chat, and who is adding one. One writer at a time.

A session belongs to the tenant that used its id first, and to one guest where it is a guest's; nobody else can tell that it is there.
The writer is a completion. One that is a run (a row of `predictions`) writes for as long as it is unfinished; one that is not
(`lease`) for as long as it says, so that a process that dies does not keep the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import NotFound
from heliograph.store.predictions import UNFINISHED
from heliograph.store.tables import predictions, sessions, turns


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session's row."""

    id: str
    tenant: str
    guest: str | None
    title: str | None
    ui: bool
    share: str | None
    writer: str | None
    writer_until: datetime | None
    created_at: datetime
    updated_at: datetime


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a session, from `position` 0, as JSON text of `agents.task.Message`, and the completion that added it."""

    position: int
    completion: str
    message: str
    created_at: datetime


async def hold(
    conn: AsyncConnection,
    tenant: str,
    id: str,
    completion: str,
    *,
    guest: str | None = None,
    ui: bool = False,
    lease: timedelta | None = None,
) -> Session | None:
    """Make the session unless it is there, and let `completion` be its writer; None while another one writes.

    `lease`: for how long; None for a completion that is a run. Raises NotFound for a session of somebody else.
    """
    await conn.execute(insert(sessions).values(id=id, tenant=tenant, guest=guest, ui=ui).on_conflict_do_nothing())
    row = (await conn.execute(select(sessions).where(sessions.c.id == id).with_for_update())).mappings().one_or_none()
    if row is None or row["tenant"] != tenant or row["guest"] != guest:
        raise NotFound(f"There is no session {id[:100]}.", param="session_id")
    if row["writer"] not in (None, completion) and await _writes(conn, tenant, row["writer"], row["writer_until"]):
        return None
    until = None if lease is None else func.clock_timestamp() + lease
    mine = update(sessions).where(sessions.c.id == id).values(writer=completion, writer_until=until)
    return Session(**(await conn.execute(mine.returning(sessions))).mappings().one())


async def renew(conn: AsyncConnection, tenant: str, id: str, completion: str, lease: timedelta) -> None:
    """Let `completion`, if it is the writer, be so for `lease` from now on."""
    mine = sessions.c.id == id, sessions.c.tenant == tenant, sessions.c.writer == completion
    await conn.execute(update(sessions).where(*mine).values(writer_until=func.clock_timestamp() + lease))


async def release(conn: AsyncConnection, tenant: str, id: str, completion: str, *, leased: bool = False) -> None:
    """Let others write, if `completion` is the writer; with `leased` only if it is not yet a run."""
    mine = update(sessions).where(sessions.c.id == id, sessions.c.tenant == tenant, sessions.c.writer == completion)
    if leased:
        mine = mine.where(sessions.c.writer_until.is_not(None))
    await conn.execute(mine.values(writer=None, writer_until=None))


async def append(
    conn: AsyncConnection, tenant: str, id: str, completion: str, messages: Sequence[str], *, at: int, title: str | None = None
) -> bool:
    """Write a turn's messages (JSON) down as the session's from position `at` on, and let others write.

    What stood from there on goes: the client has taken another way. `title`: of a session that has none yet. False when the session is
    gone or another completion writes.
    """
    mine = sessions.c.id == id, sessions.c.tenant == tenant, sessions.c.writer == completion
    if (await conn.execute(select(sessions.c.id).where(*mine).with_for_update())).first() is None:
        return False
    # turns that were not to be retained may have gone since the history was read
    at = min(at, await conn.scalar(select(func.count()).select_from(turns).where(turns.c.session == id)) or 0)
    await conn.execute(delete_from(turns).where(turns.c.session == id, turns.c.position >= at))
    rows = [
        {"session": id, "position": position, "completion": completion, "message": message} for position, message in enumerate(messages, at)
    ]
    if rows:
        await conn.execute(insert(turns), rows)
    named = func.coalesce(sessions.c.title, title)
    change = update(sessions).where(*mine).values(title=named, writer=None, writer_until=None, updated_at=func.clock_timestamp())
    await conn.execute(change)
    return True


async def forget_turn(conn: AsyncConnection, tenant: str, id: str, completion: str) -> None:
    """Remove what a completion added to the tenant's session, and the session where nothing else is in it."""
    mine = sessions.c.id == id, sessions.c.tenant == tenant
    if (await conn.execute(select(sessions.c.id).where(*mine).with_for_update())).first() is None:
        return
    await conn.execute(delete_from(turns).where(turns.c.session == id, turns.c.completion == completion))
    # positions stay without gaps; by way of negative ones, for two rows may not have one place even for a moment
    place = func.row_number().over(order_by=turns.c.position).label("place")
    order = select(turns.c.position, place).where(turns.c.session == id).subquery()
    here = turns.c.session == id
    await conn.execute(update(turns).where(here, turns.c.position == order.c.position).values(position=-order.c.place))
    await conn.execute(update(turns).where(here).values(position=-turns.c.position - 1))
    await conn.execute(delete_from(sessions).where(*mine, ~select(turns.c.position).where(here).exists()))


async def delete(conn: AsyncConnection, tenant: str, id: str) -> bool:
    """Remove the tenant's session and its turns; whether it was there."""
    gone = delete_from(sessions).where(sessions.c.id == id, sessions.c.tenant == tenant)
    return (await conn.execute(gone)).rowcount > 0


async def unused(
    conn: AsyncConnection, *, since: datetime | None, guests_since: datetime | None, limit: int = 100
) -> list[tuple[str, str]]:
    """`(tenant, id)` of sessions that nobody has written in since then, of all tenants; guests' have their own time. None: ever."""
    due = false()
    if since is not None:
        due = or_(due, and_(sessions.c.guest.is_(None), sessions.c.updated_at < since))
    if guests_since is not None:
        due = or_(due, and_(sessions.c.guest.is_not(None), sessions.c.updated_at < guests_since))
    query = select(sessions.c.tenant, sessions.c.id).where(due).order_by(sessions.c.updated_at).limit(limit)
    return [(tenant, id) for tenant, id in (await conn.execute(query)).tuples()]


async def get(conn: AsyncConnection, tenant: str, id: str, *, guest: str | None = None) -> Session | None:
    """The tenant's session with this id; a guest's own only."""
    query = select(sessions).where(sessions.c.id == id, sessions.c.tenant == tenant, sessions.c.guest.is_not_distinct_from(guest))
    row = (await conn.execute(query)).mappings().one_or_none()
    return Session(**row) if row else None


async def history(conn: AsyncConnection, id: str) -> list[Turn]:
    """The turns of a session, oldest first."""
    query = select(turns.c.position, turns.c.completion, turns.c.message, turns.c.created_at).where(turns.c.session == id)
    return [Turn(**row) for row in (await conn.execute(query.order_by(turns.c.position))).mappings()]


async def _writes(conn: AsyncConnection, tenant: str, writer: str, until: datetime | None) -> bool:
    if until is not None:
        return bool(await conn.scalar(select(until > func.clock_timestamp())))
    mine = (
        predictions.c.tenant == tenant,
        predictions.c.id == writer,
        predictions.c.status.in_(UNFINISHED),
        predictions.c.cancelled.is_(False),
    )
    return (await conn.execute(select(predictions.c.id).where(*mine))).first() is not None


class Listed(Session, frozen=True, kw_only=True):
    """A session in a list, with how many turns it has."""

    messages: int


async def list_(
    conn: AsyncConnection, tenant: str, *, guest: str | None = None, skip: int = 0, limit: int = 25, words: str | None = None
) -> list[Listed]:
    """The tenant's sessions in which something was said, the last changed first; a guest's own only. `words`: that the title holds."""
    count = select(func.count()).where(turns.c.session == sessions.c.id).scalar_subquery()
    query = select(sessions, count.label("messages")).where(sessions.c.tenant == tenant, sessions.c.guest.is_not_distinct_from(guest))
    query = query.where(select(turns.c.position).where(turns.c.session == sessions.c.id).exists())
    if words:
        query = query.where(sessions.c.title.icontains(words, autoescape=True))
    rows = await conn.execute(query.order_by(sessions.c.updated_at.desc(), sessions.c.id).offset(skip).limit(limit))
    return [Listed(**row) for row in rows.mappings()]


async def rename(conn: AsyncConnection, tenant: str, id: str, title: str | None, *, guest: str | None = None) -> Session | None:
    """Give the session another title, or none; None where there is no such session. It stays where it is in the list."""
    return await _changed(conn, tenant, id, guest, title=title)


async def share(conn: AsyncConnection, tenant: str, id: str, token: str, *, guest: str | None = None) -> Session | None:
    """Let whoever has `token` read the session; the token that it has already stays."""
    return await _changed(conn, tenant, id, guest, share=func.coalesce(sessions.c.share, token))


async def unshare(conn: AsyncConnection, tenant: str, id: str, *, guest: str | None = None) -> Session | None:
    """Let nobody else read the session any more."""
    return await _changed(conn, tenant, id, guest, share=None)


async def shared(conn: AsyncConnection, token: str) -> Session | None:
    """The session that whoever has this token may read, of whichever tenant."""
    row = (await conn.execute(select(sessions).where(sessions.c.share == token))).mappings().one_or_none()
    return Session(**row) if row else None


async def _changed(conn: AsyncConnection, tenant: str, id: str, guest: str | None, **values: object) -> Session | None:
    mine = sessions.c.id == id, sessions.c.tenant == tenant, sessions.c.guest.is_not_distinct_from(guest)
    row = (await conn.execute(update(sessions).where(*mine).values(**values).returning(sessions))).mappings().one_or_none()
    return Session(**row) if row else None
