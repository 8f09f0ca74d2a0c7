import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import InvalidRequest
from heliograph.store import tenants


async def test_a_key_speaks_for_its_tenant_until_it_is_revoked(conn: AsyncConnection):
    key, secret = await tenants.create_key(conn, "default", "laptop")
    assert secret.startswith("hg_")
    found = await tenants.find_key(conn, secret)
    assert found == key
    assert await tenants.any_key(conn)
    revoked = await tenants.revoke_key(conn, "default", key.id)
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert await tenants.find_key(conn, secret) is None
    assert not await tenants.any_key(conn)
    again = await tenants.revoke_key(conn, "default", key.id)
    assert again == revoked


async def test_the_secret_of_a_key_is_nowhere_in_the_database(conn: AsyncConnection):
    _, secret = await tenants.create_key(conn, "default", "laptop")
    row = str((await conn.execute(text("select * from keys"))).one())
    assert secret not in row
    assert secret[7:] not in row


async def test_a_secret_of_ones_own_can_be_seeded(conn: AsyncConnection):
    key, secret = await tenants.create_key(conn, "default", "ci", secret="hg_" + "s" * 43)
    assert (await tenants.find_key(conn, secret)) == key
    assert await tenants.find_key(conn, secret + "x") is None


async def test_keys_are_listed_and_revoked_by_their_tenant_only(conn: AsyncConnection, other: str):
    key, secret = await tenants.create_key(conn, "default", "a")
    theirs, _ = await tenants.create_key(conn, other, "b")
    assert [k.id for k in await tenants.list_keys(conn, "default")] == [key.id]
    assert [k.id for k in await tenants.list_keys(conn, other)] == [theirs.id]
    assert await tenants.revoke_key(conn, other, key.id) is None
    assert await tenants.find_key(conn, secret) is not None


async def test_creating_a_tenant_twice_gives_the_same_one(conn: AsyncConnection):
    first = await tenants.create(conn, "acme")
    assert await tenants.create(conn, "acme") == first
    assert await tenants.named(conn, "acme") == first
    assert [t.name for t in await tenants.list_(conn)] == ["default", "acme"]


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 101])
async def test_a_name_that_nobody_can_type_is_refused(conn: AsyncConnection, name: str):
    with pytest.raises(InvalidRequest):
        await tenants.create(conn, name)


async def test_a_webhook_secret_stays_until_it_is_renewed(conn: AsyncConnection, other: str):
    first = await tenants.webhook_secret(conn, "default")
    assert first.startswith("whsec_")
    assert await tenants.webhook_secret(conn, "default") == first
    assert await tenants.webhook_secret(conn, other) != first
    assert await tenants.webhook_secret(conn, "default", renew=True) != first


async def test_a_used_key_says_when(conn: AsyncConnection):
    key, secret = await tenants.create_key(conn, "default", "a")
    assert key.last_used_at is None
    await tenants.used(conn, [key.id])
    found = await tenants.find_key(conn, secret)
    assert found is not None
    assert found.last_used_at is not None
