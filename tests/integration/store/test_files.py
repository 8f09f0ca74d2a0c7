from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.ids import new_id
from heliograph.store import files
from heliograph.store.files import File


async def upload(conn: AsyncConnection, tenant: str = "default", *, content: str = "a", name: str = "a.pdf", **more: object) -> File:
    id = new_id()
    values = {"filename": name, "bytes": 3, "md5": content * 32, "sha256": content * 64, "purpose": "assistants"}
    return await files.create(conn, tenant, id=id, blob=f"{tenant}/files/{id}", media_type="application/pdf", public=True, **values, **more)  # type: ignore[arg-type]


async def test_a_file_is_found_by_its_id_and_by_its_content(conn: AsyncConnection):
    made = await upload(conn)
    assert await files.get(conn, "default", made.id) == made
    assert await files.by_md5(conn, "default", "A" * 32) == made
    assert await files.by_md5(conn, "default", "b" * 32) is None


async def test_files_are_listed_newest_first(conn: AsyncConnection):
    made = [await upload(conn, content=c) for c in "abcd"]
    assert [f.id for f in await files.list_(conn, "default", limit=3)] == [f.id for f in made[:0:-1]]
    assert [f.id for f in await files.list_(conn, "default", skip=3)] == [made[0].id]


async def test_equal_content_of_one_tenant_is_one_blob_which_goes_with_the_last_file(conn: AsyncConnection):
    first = await upload(conn, name="one.pdf")
    second = await upload(conn, name="two.pdf")
    assert second.id != first.id
    assert second.blob == first.blob
    assert await files.delete(conn, "default", first.id) == (first, None)
    assert await files.delete(conn, "default", second.id) == (second, first.blob)
    assert await files.delete(conn, "default", second.id) is None


async def test_equal_content_of_two_tenants_is_two_blobs(conn: AsyncConnection, other: str):
    assert (await upload(conn)).blob != (await upload(conn, other)).blob


async def test_a_reserved_file_is_hidden_until_it_is_verified(conn: AsyncConnection):
    kept = await upload(conn)
    id = new_id()
    reserved = await files.reserve(
        conn, "default", id=id, filename="b.pdf", purpose="vision", media_type=None, blob=f"default/files/{id}", public=False
    )
    assert reserved.state == "uploading"
    assert [f.id for f in await files.list_(conn, "default")] == [kept.id]
    ready = await files.verified(conn, "default", id, bytes=3, md5="a" * 32, sha256="a" * 64, media_type="application/pdf")
    assert ready is not None
    assert (ready.state, ready.bytes, ready.blob, ready.media_type) == ("ready", 3, kept.blob, "application/pdf")
    assert [f.id for f in await files.list_(conn, "default")] == [id, kept.id]
    assert await files.verified(conn, "default", new_id(), bytes=3, md5="", sha256="", media_type=None) is None


async def test_no_function_sees_another_tenants_file(conn: AsyncConnection, other: str):
    made = await upload(conn)
    assert await files.get(conn, other, made.id) is None
    assert await files.by_md5(conn, other, "a" * 32) is None
    assert await files.list_(conn, other) == []
    assert await files.verified(conn, other, made.id, bytes=1, md5="", sha256="", media_type=None) is None
    assert await files.delete(conn, other, made.id) is None
    assert await files.get(conn, "default", made.id) == made


async def test_files_past_their_time_are_found(conn: AsyncConnection, other: str):
    now = datetime.now(UTC)
    late = await upload(conn, expires_at=now - timedelta(seconds=1))
    await upload(conn, other, expires_at=now + timedelta(days=1))
    await upload(conn)
    assert await files.expired(conn, now) == [("default", late.id)]
    assert len(await files.expired(conn, now, uploaded_before=now + timedelta(days=1))) == 3
