from __future__ import annotations

import asyncio
import hashlib
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.errors import Conflict, InvalidRequest, NotFound
from heliograph.ids import new_id
from heliograph.store import predictions, skills, tenants
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.skills import Skill


async def publish(conn: AsyncConnection, name: str, content: str, tenant: str = "default", **values: Any) -> Skill:
    hash = hashlib.sha256(content.encode()).hexdigest()
    await skills.lock_content(conn, tenant, hash)
    return await skills.publish(conn, tenant, name, hash=hash, blob=key(tenant, "skills", hash), bytes=len(content), files=1, **values)


async def predict(conn: AsyncConnection, tenant: str = "default") -> str:
    row = await predictions.create(
        conn, tenant, id=new_id(), kind="document", operation="generate", domain=None, model="vlm-1", request="{}", digest="d"
    )  # fmt: skip
    assert row is not None
    return row.id


async def names(conn: AsyncConnection, tenant: str = "default", **options: Any) -> list[str]:
    return [f"{row.name} {row.number}" for row in await skills.list_(conn, tenant, **options)]


async def test_each_content_is_a_version_of_its_own_and_the_last_published_is_the_latest(conn: AsyncConnection) -> None:
    one, two = await publish(conn, "a", "one"), await publish(conn, "a", "two")
    assert (one.number, two.number) == (1, 2)
    today = datetime.now(UTC).strftime("%Y%m%d")
    assert two.version == f"{today}-{two.hash[:8]}"
    assert await skills.resolve(conn, "default", "a") == two
    for asked, version, right in [("a", 1, one), ("a", "1", one), ("a", one.version, one), (one.id, "latest", two), (two.id, 1, one)]:
        assert await skills.resolve(conn, "default", asked, version) == right, (asked, version)
    again = await publish(conn, "a", "one", description="better said")
    assert (again.id, again.number, again.version) == (one.id, 1, one.version)
    assert again.description == "better said"
    assert again.updated_at > two.updated_at
    assert await skills.resolve(conn, "default", "a") == again
    assert await skills.versions(conn, "default", two) == [again, two]
    assert (await publish(conn, "b", "one")).id != one.id, "another name is another skill"


async def test_the_day_of_a_version_is_that_on_which_its_content_first_came(conn: AsyncConnection) -> None:
    old = await publish(conn, "a", "one", created_at=datetime(2026, 2, 19, 23, 30, tzinfo=UTC))
    assert old.version == f"20260219-{old.hash[:8]}"
    assert (await publish(conn, "a", "one")).version == old.version


async def test_what_is_not_there_is_answered_with_what_is(conn: AsyncConnection) -> None:
    row = await publish(conn, "invoice-extraction", "one")
    with pytest.raises(NotFound, match=row.version):
        await skills.resolve(conn, "default", "invoice-extraction", "20260219-abc123")
    for version in (0, 2, "-1", "", "latest ones", "99999999999999999999"):
        with pytest.raises(NotFound, match="has no version"):
            await skills.resolve(conn, "default", "invoice-extraction", version)
    with pytest.raises(NotFound, match="did you mean invoice-extraction"):
        await skills.resolve(conn, "default", "Invoice_Extraktion")
    with pytest.raises(NotFound, match="GET /v1/skills"):
        await skills.resolve(conn, "default", new_id())


async def test_a_tenant_sees_its_own_and_public_versions_and_no_other(conn: AsyncConnection, other: str) -> None:
    secret = await publish(conn, "secret", "one", tenant=other)
    shown = await publish(conn, "shown", "one", tenant=other, is_public=True)
    hidden = await publish(conn, "shown", "two", tenant=other, is_public=False)
    for asked in ("secret", secret.id):
        with pytest.raises(NotFound) as caught:
            await skills.resolve(conn, "default", asked)
        assert "did you mean" not in caught.value.message
    assert await skills.resolve(conn, "default", "shown") == shown, "the newest that is public"
    assert await skills.resolve(conn, other, "shown") == hidden
    with pytest.raises(NotFound, match=f"there are {shown.version}"):
        await skills.resolve(conn, "default", shown.id, 2)
    assert await skills.versions(conn, "default", shown) == [shown]
    assert await skills.get(conn, "default", hidden.id) is None
    assert await names(conn) == ["shown 1"] == await names(conn, grouped=True)
    assert await names(conn, other, grouped=True) == ["shown 2", "secret 1"]
    assert await skills.delete(conn, "default", shown.id) is None
    assert (await skills.get(conn, "default", shown.id)) == shown


async def test_a_name_means_ones_own_skill_then_the_preinstalled_one_then_the_public_one_that_was_first(
    conn: AsyncConnection, other: str
) -> None:
    await tenants.reserve(conn)
    third = (await tenants.create(conn, "third")).id
    first = await publish(conn, "a", "one", tenant=other, is_public=True)
    await publish(conn, "a", "two", tenant=third, is_public=True)
    assert (await skills.resolve(conn, "default", "a")).tenant == other
    newer = await publish(conn, "a", "three", tenant=other, is_public=True)
    await skills.delete(conn, other, first.id)
    assert await skills.resolve(conn, "default", "a") == newer, "who was first stays first"
    ours = await publish(conn, "a", "four", tenant=tenants.PREINSTALLED, is_public=True)
    assert await skills.resolve(conn, "default", "a") == ours
    mine = await publish(conn, "a", "five")
    assert await skills.resolve(conn, "default", "a") == mine
    assert await skills.resolve(conn, "default", ours.id) == ours


async def test_the_preinstalled_tenant_has_no_keys_and_is_in_no_list(conn: AsyncConnection) -> None:
    await tenants.reserve(conn)
    await tenants.reserve(conn)
    assert [tenant.id for tenant in await tenants.list_(conn)] == ["default"]
    with pytest.raises(InvalidRequest, match="the server's own"):
        await tenants.create_key(conn, tenants.PREINSTALLED, "mine")
    assert (await tenants.create(conn, "heliograph")).id != tenants.PREINSTALLED


async def test_lists_are_ordered_as_asked_and_pages_of_them_fit_together(conn: AsyncConnection, other: str) -> None:
    for name in ("c", "a", "b"):
        await publish(conn, name, "one")
    await publish(conn, "d", "one", tenant=other, is_public=True)
    await publish(conn, "a", "two")
    assert await names(conn) == ["a 2", "d 1", "b 1", "a 1", "c 1"]
    assert await names(conn, descending=False) == ["c 1", "a 1", "b 1", "d 1", "a 2"]
    assert await names(conn, order_by="name", descending=False) == ["a 1", "a 2", "b 1", "c 1", "d 1"]
    assert await names(conn, order_by="name", grouped=True) == ["d 1", "c 1", "b 1", "a 2"]
    await publish(conn, "c", "one")
    assert (await names(conn, order_by="updated_at"))[0] == "c 1"
    pages = [await names(conn, skip=skip, limit=2) for skip in (0, 2, 4, 6)]
    assert [name for page in pages for name in page] == await names(conn)
    assert [len(page) for page in pages] == [2, 2, 1, 0]


async def test_a_deleted_version_is_read_by_its_id_alone_and_revived_by_its_content(conn: AsyncConnection) -> None:
    one, two = await publish(conn, "a", "one"), await publish(conn, "a", "two")
    gone = await skills.delete(conn, "default", two.id)
    assert gone is not None
    assert gone.deleted_at is not None
    assert await skills.delete(conn, "default", two.id) is None
    assert await skills.get(conn, "default", two.id) == gone
    assert await skills.linked(conn, two.id) is None
    assert await names(conn) == ["a 1"] == await names(conn, grouped=True)
    assert await skills.versions(conn, "default", one) == [one]
    assert await skills.resolve(conn, "default", "a") == one
    with pytest.raises(NotFound, match="was deleted"):
        await skills.resolve(conn, "default", two.id)
    with pytest.raises(NotFound):
        await skills.resolve(conn, "default", "a", 2)
    back = await publish(conn, "a", "two")
    assert (back.id, back.number, back.version) == (two.id, 2, two.version)
    assert await skills.resolve(conn, "default", "a") == back
    assert (await publish(conn, "a", "three")).number == 3


async def test_files_stay_while_any_name_has_their_content(conn: AsyncConnection, blobs: Blobs) -> None:
    one, two = await publish(conn, "a", "one"), await publish(conn, "b", "one")
    assert one.blob == two.blob
    await blobs.put(one.blob, b"one")
    await skills.delete(conn, "default", one.id)
    assert not await skills.drop(conn, blobs, one.blob)
    assert await blobs.get(one.blob) == b"one"
    await skills.delete(conn, "default", two.id)
    assert await skills.drop(conn, blobs, one.blob)
    assert not await blobs.exists(one.blob)


async def test_a_version_is_not_deleted_while_a_prediction_uses_it(conn: AsyncConnection, other: str) -> None:
    row = await publish(conn, "a", "one", is_public=True)
    mine, theirs, cancelled = await predict(conn), await predict(conn, other), await predict(conn)
    for tenant, prediction in (("default", mine), (other, theirs), ("default", cancelled)):
        await skills.use(conn, tenant, prediction, [row.id])
    await predictions.cancel(conn, "default", cancelled)
    with pytest.raises(Conflict, match="2 unfinished predictions"):
        await skills.delete(conn, "default", row.id)
    await predictions.fail(conn, "default", mine, error="{}")
    with pytest.raises(Conflict):
        await skills.delete(conn, "default", row.id)
    await predictions.delete(conn, other, theirs)
    assert await skills.delete(conn, "default", row.id)
    with pytest.raises(NotFound, match="deleted meanwhile"):
        await skills.use(conn, "default", mine, [row.id])


class Model:
    """What the store should hold: (tenant, name, content) -> number, publication (0: deleted), and whether it is public."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], tuple[int, int, bool]] = {}
        self.clock = 0

    def publish(self, tenant: str, name: str, content: str, is_public: bool | None) -> None:
        of_name = {row[2]: value for row, value in self.rows.items() if row[:2] == (tenant, name)}
        live = sorted((value for value in of_name.values() if value[1]), key=lambda value: value[1])
        number, _, was_public = of_name.get(content) or (len(of_name) + 1, 0, bool(live) and live[-1][2])
        self.clock += 1
        self.rows[tenant, name, content] = number, self.clock, was_public if is_public is None else is_public

    def delete(self, tenant: str, name: str, content: str) -> None:
        number, _, is_public = self.rows[tenant, name, content]
        self.rows[tenant, name, content] = number, 0, is_public

    def seen(self, tenant: str) -> list[tuple[int, tuple[str, str, str], int]]:
        """(publication, row, number) of what this tenant sees, last published first."""
        rows = ((when, row, number) for row, (number, when, public) in self.rows.items() if when and (public or row[0] == tenant))
        return sorted(rows, reverse=True)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_published_and_deleted_each_tenant_sees_what_it_should(conn: AsyncConnection, other: str, seed: int) -> None:
    chance, model = random.Random(seed), Model()
    contents: dict[str, str] = {hashlib.sha256(content.encode()).hexdigest(): content for content in "xyz"}
    ids: dict[tuple[str, str, str], str] = {}
    for _ in range(80):
        tenant, name, content = chance.choice(("default", other)), chance.choice("ab"), chance.choice("xyz")
        if (tenant, name, content) in ids and chance.random() < 0.4:
            await skills.delete(conn, tenant, ids[tenant, name, content])
            model.delete(tenant, name, content)
        else:
            is_public = chance.choice((True, False, None))
            row = await publish(conn, name, content, tenant, is_public=is_public)
            assert ids.setdefault((tenant, name, content), row.id) == row.id
            model.publish(tenant, name, content, is_public)
        for caller in ("default", other):
            right = model.seen(caller)
            rows = await skills.list_(conn, caller, order_by="updated_at")
            assert [(row.tenant, row.name, contents[row.hash]) for row in rows] == [row for _, row, _ in right]
            newest = {row[:2]: row for _, row, _ in reversed(right)}
            rows = await skills.list_(conn, caller, order_by="updated_at", grouped=True)
            assert {(row.tenant, row.name, contents[row.hash]) for row in rows} == set(newest.values())
            mine = [(row, number) for _, row, number in right if row[:2] == (caller, "a")]
            for row, number in mine:
                found = await skills.resolve(conn, caller, "a", number)
                assert (contents[found.hash], found.id) == (row[2], ids[row])
            if mine:
                assert (await skills.resolve(conn, caller, "a")).id == ids[mine[0][0]]


async def test_whoever_deletes_waits_for_whoever_begins_to_use(database: Database) -> None:
    async with database.begin() as conn:
        row = await publish(conn, "a", "one")
    async with database.begin() as conn:
        await skills.use(conn, "default", await predict(conn), [row.id])

        async def delete() -> None:
            async with database.begin() as second:
                await skills.delete(second, "default", row.id)

        deleting = asyncio.create_task(delete())
        await asyncio.sleep(0.1)
        assert not deleting.done()
    with pytest.raises(Conflict):
        await deleting


async def test_many_who_publish_at_once_lose_nothing(database: Database) -> None:
    async def one(number: int) -> Skill:
        async with database.begin() as conn:
            return await publish(conn, "a", f"content {number % 50}")

    made = await asyncio.gather(*(one(number) for number in range(100)))
    assert len({row.id for row in made}) == 50
    async with database.begin() as conn:
        there = await skills.list_(conn, "default", limit=1000)
        latest = await skills.resolve(conn, "default", "a")
    assert sorted(row.number for row in there) == list(range(1, 51))
    assert latest.updated_at == max(row.updated_at for row in made)
    assert len({row.updated_at for row in made}) == 100
