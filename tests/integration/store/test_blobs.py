from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from heliograph.config import Settings
from heliograph.errors import NotFound, Unavailable
from heliograph.store.blobs import Blobs, StoreError, key
from tests.conftest import free_port

MiB = 1 << 20


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 of the module's own, with the bucket `pages`."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/pages", method="PUT"), timeout=30).close()
        yield endpoint
    finally:
        process.kill()
        process.wait()


def in_bucket(settings: Settings, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return Blobs(settings.model_copy(update={"store_url": "s3://pages/heliograph"}))


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    """The same promises hold for each kind of store."""
    if request.param == "folder":
        return Blobs(settings)
    return in_bucket(settings, request.getfixturevalue("s3_endpoint"), monkeypatch)


def call(method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.status, answer.read()


async def chunks(count: int, size: int = MiB) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


async def test_a_blob_is_what_was_put(store: Blobs):
    name = key("t", "files", "../../a/b ü")
    assert await store.put(name, b"hello") == 5
    assert await store.get(name) == b"hello"
    assert await store.size(name) == 5
    assert await store.exists(name)
    assert await store.put(name, b"other") == 5
    assert await store.get(name) == b"other"
    await store.delete(name)
    assert not await store.exists(name)
    await store.delete(name)


async def test_a_blob_may_be_empty(store: Blobs):
    assert await store.put("t/empty", b"") == 0
    assert await store.put("t/empty-stream", chunks(0)) == 0
    assert await store.get("t/empty") == b""
    assert await store.get("t/empty-stream") == b""
    assert [chunk async for chunk in store.stream("t/empty")] == []
    await store.delete_prefix("t")


async def test_a_blob_is_streamed_in_and_out(store: Blobs):
    assert await store.put("t/big", chunks(20)) == 20 * MiB
    seen = bytearray()
    async for chunk in store.stream("t/big"):
        seen += chunk
    assert len(seen) == 20 * MiB
    assert [seen[number * MiB] for number in range(20)] == list(range(20))
    part = b"".join([chunk async for chunk in store.stream("t/big", MiB - 1, MiB + 1)])
    assert part == b"\x00\x01"
    assert b"".join([chunk async for chunk in store.stream("t/big", 20 * MiB - 2)]) == b"\x13\x13"
    assert [chunk async for chunk in store.stream("t/big", 20 * MiB)] == []
    assert len(b"".join([chunk async for chunk in store.stream("t/big", 20 * MiB - 2, 99 * MiB)])) == 2
    await store.delete("t/big")


async def test_an_upload_that_breaks_off_leaves_nothing(store: Blobs):
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in chunks(10):
            yield chunk
        raise ConnectionResetError("the client left")

    with pytest.raises(ConnectionResetError, match="the client left"):
        await store.put("t/broken", broken())
    assert not await store.exists("t/broken")


async def test_a_file_is_put_and_read_as_a_file(store: Blobs, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * (9 * MiB))
    assert await store.put_file("t/file", source) == 9 * MiB
    async with store.local("t/file") as path:
        assert path.read_bytes() == source.read_bytes()
    if store.folder is None:
        assert not path.exists()
    await store.delete("t/file")


async def test_a_missing_blob_is_not_found(store: Blobs):
    with pytest.raises(NotFound):
        await store.get("t/none")
    with pytest.raises(NotFound):
        await store.size("t/none")
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in store.stream("t/none")]
    with pytest.raises(NotFound):
        async with store.local("t/none"):
            pass


async def test_everything_below_a_prefix_goes_and_nothing_else(store: Blobs):
    for name in ("a/x/1", "a/x/2/3", "a/xy/1", "b/x/1"):
        await store.put(name, b"1")
    assert await store.delete_prefix("a/x") == 2
    assert sorted([name async for name in store.walk()]) == ["a/xy/1", "b/x/1"]
    assert [name async for name in store.walk("b")] == ["b/x/1"]
    assert await store.delete_prefix("a/x") == 0
    await store.delete_prefix("a")
    await store.delete_prefix("b")
    if store.folder is not None:
        assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize("bad", ["../secret", "a/../../secret", "/etc/passwd", "a//b", ""])
async def test_a_key_that_leads_outside_is_refused_by_every_function(store: Blobs, bad: str):
    with pytest.raises(ValueError, match="not a blob key"):
        await store.put(bad, b"x")
    with pytest.raises(ValueError, match="not a blob key"):
        await store.get(bad)
    with pytest.raises(ValueError, match="not a blob key"):
        await store.size(bad)
    with pytest.raises(ValueError, match="not a blob key"):
        await store.delete(bad)
    with pytest.raises(ValueError, match="not a blob key"):
        await store.delete_prefix(bad)
    with pytest.raises(ValueError, match="not a blob key"):
        await store.presign_get(bad, 60)
    with pytest.raises(ValueError, match="not a blob key"):
        _ = [chunk async for chunk in store.stream(bad)]
    with pytest.raises(ValueError, match="not a blob key"):
        async with store.local(bad):
            pass


async def test_a_local_store_leaves_signing_to_the_api(blobs: Blobs):
    assert await blobs.presign_put("t/x", 60) is None
    assert await blobs.presign_get("t/x", 60) is None


async def test_a_bucket_signs_its_own_urls(settings: Settings, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch):
    store = in_bucket(settings, s3_endpoint, monkeypatch)
    put = await store.presign_put("t/signed", 60)
    assert put is not None
    assert put.startswith(f"{s3_endpoint}/pages/heliograph/t/signed?")
    assert (await asyncio.to_thread(call, "PUT", put, b"hello"))[0] == 200
    assert await store.get("t/signed") == b"hello"
    get = await store.presign_get("t/signed", 60)
    assert get is not None
    assert await asyncio.to_thread(call, "GET", get) == (200, b"hello")


async def test_a_store_that_does_not_answer_is_unavailable(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("heliograph.store.blobs.RETRY", {"max_retries": 0})
    store = in_bucket(settings, "http://127.0.0.1:1", monkeypatch)
    with pytest.raises(Unavailable):
        await store.get("t/x")


@pytest.mark.parametrize("url", ["ftp://host/x", "bucket", "s3://"])
def test_an_address_that_is_no_store_is_refused(settings: Settings, url: str):
    with pytest.raises(StoreError, match="HELIOGRAPH_STORE_URL"):
        Blobs(settings.model_copy(update={"store_url": url}))


async def test_memory_does_not_grow_with_the_blob(store: Blobs):
    count = 400 if store.folder is not None else 150
    await store.put("t/warm", chunks(40))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put("t/huge", chunks(count))
    size = 0
    async for chunk in store.stream("t/huge"):
        size += len(chunk)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert size == count * MiB
    assert grown < 64, f"{grown:.0f} MiB more"
    await store.delete_prefix("t")
