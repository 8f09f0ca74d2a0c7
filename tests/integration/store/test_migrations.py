from sqlalchemy import text

from heliograph.store.database import Database


async def test_a_migrated_database_has_the_default_tenant_and_the_queue(database: Database):
    async with database.begin() as conn:
        assert await conn.scalar(text("select name from tenants")) == "default"
        assert await conn.scalar(text("select count(*) from procrastinate_jobs")) == 0
