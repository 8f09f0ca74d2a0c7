import asyncio

import pytest
from sqlalchemy import text

from heliograph.errors import InvalidRequest, Unavailable
from heliograph.store import predictions
from heliograph.store.database import Database, libpq_url


async def test_a_block_that_raises_leaves_nothing(database: Database):
    with pytest.raises(RuntimeError, match="half way"):
        async with database.begin() as conn:
            await conn.execute(text("insert into server values ('a', 'b')"))
            raise RuntimeError("half way")
    async with database.begin() as conn:
        assert await conn.scalar(text("select count(*) from server")) == 0


async def test_a_database_that_nobody_serves_is_unavailable():
    nowhere = Database("postgresql://x:y@127.0.0.1:1/z")
    with pytest.raises(Unavailable) as caught:
        async with nowhere.begin():
            pass
    assert caught.value.retry_after
    await nowhere.close()


async def test_a_connection_that_was_cut_is_unavailable_once_and_then_replaced(database: Database):
    with pytest.raises(Unavailable):
        async with database.begin() as conn:
            await conn.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    async with database.begin() as conn:
        assert await conn.scalar(text("select 1")) == 1


async def test_a_transaction_that_went_to_sleep_loses_its_locks(database: Database):
    async with database.begin() as conn:
        assert await conn.scalar(text("show idle_in_transaction_session_timeout")) == "1min"
    with pytest.raises(Unavailable):
        async with database.begin() as conn:
            await conn.execute(text("set local idle_in_transaction_session_timeout = 20"))
            await asyncio.sleep(0.3)
            await conn.execute(text("select 1"))


async def test_what_the_url_says_of_a_connection_holds(database_url: str):
    named = Database(f"{database_url}?application_name=somebody")
    async with named.begin() as conn:
        assert await conn.scalar(text("show application_name")) == "somebody"
    await named.close()


async def test_a_pooled_connection_that_was_cut_while_idle_costs_nothing(database: Database):
    async with database.begin() as conn:
        pid = await conn.scalar(text("select pg_backend_pid()"))
    other = Database(database.libpq_url)
    async with other.begin() as conn:
        await conn.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
    await other.close()
    async with database.begin() as conn:
        assert await conn.scalar(text("select 1")) == 1


async def test_a_full_pool_is_unavailable_and_says_when_to_come_back(database_url: str):
    narrow = Database(database_url, size=1, overflow=0, wait=0.05)
    async with narrow.begin():
        with pytest.raises(Unavailable) as caught:
            async with narrow.begin():
                pass
    assert caught.value.retry_after
    await narrow.close()


async def test_a_nul_character_is_the_callers_mistake(database: Database):
    with pytest.raises(InvalidRequest, match="NUL"):
        async with database.begin() as conn:
            await predictions.get(conn, "default", "a\0b")
    with pytest.raises(InvalidRequest, match="NUL"):
        async with database.begin() as conn:
            await predictions.list_(conn, "default", metadata={"a": "\0"})


@pytest.mark.parametrize("url", ["postgresql+psycopg://u@h/n", "postgresql://u@h/n"])
def test_the_name_of_a_driver_is_dropped(url: str):
    assert libpq_url(url) == "postgresql://u@h/n"


def test_a_connection_string_of_pairs_stays_as_it_is():
    assert libpq_url("host=/run dbname=x") == "host=/run dbname=x"


async def test_a_process_that_freezes_in_a_brief_transaction_soon_holds_nothing(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.begin(brief=True) as conn:
            await conn.execute(text("SELECT 1"))
            await asyncio.sleep(5)
            await conn.execute(text("SELECT 1"))
    async with database.begin() as conn:
        assert await conn.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
