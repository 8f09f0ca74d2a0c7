from heliograph.store.blobs import Blobs, key


async def test_a_blob_is_what_was_put(blobs: Blobs):
    assert await blobs.put(key("t", "files", "a/b"), b"hello") == 5
    assert await blobs.get(key("t", "files", "a/b")) == b"hello"
    assert [c async for c in blobs.stream(key("t", "files", "a/b"), 1, 3)] == [b"el"]
    assert [k async for k in blobs.walk()] == ["t/files/a=2Fb"]
    assert await blobs.delete_prefix("t/files") == 1
