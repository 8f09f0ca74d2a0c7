from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store import tenants
from heliograph.store.database import Database


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[AsyncConnection]:
    """One transaction on a database of the test's own."""
    async with database.begin() as connection:
        yield connection


@pytest.fixture
async def other(conn: AsyncConnection) -> str:
    """The id of a second tenant."""
    return (await tenants.create(conn, "other")).id
