"""The server's own facts, the same for every process on one database."""

from __future__ import annotations

import base64
import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.tables import server

_URL_SECRET = "url_secret"  # noqa: S105 - the name of a row


async def url_secret(conn: AsyncConnection) -> bytes:
    """The secret that signs URLs: 32 random bytes, made the first time it is asked for."""
    found = await conn.scalar(select(server.c.value).where(server.c.name == _URL_SECRET))
    if found is None:
        made = base64.b64encode(secrets.token_bytes(32)).decode()
        await conn.execute(insert(server).values(name=_URL_SECRET, value=made).on_conflict_do_nothing())
        found = await conn.scalar(select(server.c.value).where(server.c.name == _URL_SECRET))
    return base64.b64decode(str(found))
