"""Blobs: the bytes of files, inputs and read pages, in a local folder, S3, Google Cloud Storage or Azure.

Everything streams: memory does not grow with the size of a blob. Keys are made by `key`, so that no part of one,
however a caller chose it, can reach outside its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from heliograph.errors import HeliographError, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import RetryConfig

    from heliograph.config import Settings

log = logging.getLogger(__name__)

_CHUNK = 4 << 20
_PART = 8 << 20  # S3 allows 10,000 parts, so a blob may have 80 GB
_LOCAL_PART = 1 << 20  # a folder knows no parts; what is held in memory, times the uploads at a time
RETRY: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
"""How often a request to a bucket is tried again; the store's own default, three minutes, is longer than anyone waits."""
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


class StoreError(HeliographError):
    """The blob store is not configured rightly."""

    type = "store_error"


def key(*parts: str | int) -> str:
    """A key of these parts, each one segment: what is not a letter, digit, `-`, `_` or inner `.` becomes `=XX`, and a long part its hash.

    Two different lists of parts never make one key.
    """
    return "/".join(_segment(str(part)) for part in parts)


def _segment(part: str) -> str:
    encoded = part.encode("utf-8", "surrogatepass")
    safe = "".join(chr(byte) if chr(byte) in _SAFE else f"={byte:02X}" for byte in encoded)
    if len(safe) > 200:  # a file system takes 255, with what the store appends while it writes
        return "=sha256=" + hashlib.sha256(encoded).hexdigest()
    # a leading dot makes hidden files, `.` and `..`
    if safe.startswith("."):
        safe = "=2E" + safe[1:]
    return safe or "="


def check(key: str) -> str:
    """The key itself when it is one that `key` can make. Raises ValueError for anything else, such as `../x`, `/x` or `a//b`."""
    segments = key.split("/")
    if not all(segment and not segment.startswith(".") and set(segment) <= _SAFE | {"="} for segment in segments):
        raise ValueError(f"not a blob key: {key!r}")
    return key


class Blobs:
    """The store that the settings name: `store_url`, or the folder `blobs` in the data folder.

    S3 takes its credentials and region from the usual `AWS_*` variables; `AWS_ENDPOINT_URL` points at a self-hosted
    one (path-style; plain `http://` is allowed when that is what it says). Google and Azure likewise from theirs.
    """

    def __init__(self, settings: Settings) -> None:
        url = settings.store_url
        self.folder: Path | None = None
        self._sync = True
        if url is None or url.startswith("file://"):
            self.folder = (settings.data_dir.expanduser().absolute() / "blobs") if url is None else Path(url.removeprefix("file://"))
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store: LocalStore | S3Store | GCSStore | AzureStore = LocalStore(self.folder)
        else:
            self._store = _remote(url)

    async def put(self, key: str, data: bytes | AsyncIterable[bytes]) -> int:
        """Store `data` under `key`, in place of what was there, and return its size. A reader sees all of it or nothing.

        What `data` raises while it is read is raised here, and nothing is stored.
        """
        check(key)
        if isinstance(data, bytes):
            with _translated(key):
                await obstore.put_async(self._store, key, data, use_multipart=len(data) > _PART, chunk_size=_PART, max_concurrency=2)
            await self._settle(key)
            return len(data)
        size = 0
        broken: Exception | None = None

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size, broken
            try:
                async for chunk in data:
                    size += len(chunk)
                    yield chunk
            except Exception as problem:
                broken = problem
                raise

        try:
            with _translated(key):
                part = _PART if self.folder is None else _LOCAL_PART
                await obstore.put_async(self._store, key, counted(), chunk_size=part, max_concurrency=2)
        except Exception:
            if broken is not None:  # the store wraps what its source raises; who reads a source wants to know what it raised
                raise broken from None
            raise
        await self._settle(key)
        return size

    async def put_file(self, key: str, path: Path) -> int:
        """Store a local file's bytes under `key` and return their number."""
        return await self.put(key, _read(path))

    async def get(self, key: str) -> bytes:
        """The whole blob. Raises NotFound."""
        with _translated(key):
            found = await obstore.get_async(self._store, check(key))
            return bytes(await found.bytes_async())

    async def size(self, key: str) -> int:
        """The blob's size in bytes. Raises NotFound."""
        with _translated(key):
            return (await obstore.head_async(self._store, check(key)))["size"]

    async def exists(self, key: str) -> bool:
        """Whether there is such a blob."""
        try:
            await self.size(key)
        except NotFound:
            return False
        return True

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to, not including, `end`, in chunks. Raises NotFound before the first chunk."""
        check(key)
        size = await self.size(key)
        end = size if end is None else min(end, size)
        if start >= end:
            return
        with _translated(key):
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for chunk in found.stream(_CHUNK):
                yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Remove the blob; a missing one is fine."""
        with suppress(NotFound), _translated(key):
            await obstore.delete_async(self._store, check(key))

    async def delete_prefix(self, prefix: str) -> int:
        """Remove every blob below `prefix` (whole segments, without a slash at its end) and return how many there were."""
        check(prefix)
        gone = 0
        with _translated(prefix):
            async for batch in obstore.list(self._store, prefix=prefix, chunk_size=500):  # pyright: ignore[reportUnknownMemberType]
                paths = [entry["path"] for entry in batch]
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, paths)
                gone += len(paths)
        if self.folder is not None:
            await asyncio.to_thread(_remove_empty, self.folder / prefix)
        return gone

    async def walk(self, prefix: str = "") -> AsyncGenerator[str]:
        """Every key below `prefix`, in no order that means anything."""
        async for batch in obstore.list(self._store, prefix=prefix or None, chunk_size=500):  # pyright: ignore[reportUnknownMemberType]
            for entry in batch:
                yield entry["path"]

    async def older(self, before: datetime, prefix: str = "") -> AsyncGenerator[list[str]]:
        """The keys below `prefix` that were last written before then, in batches."""
        async for batch in obstore.list(self._store, prefix=prefix or None, chunk_size=500):  # pyright: ignore[reportUnknownMemberType]
            yield [entry["path"] for entry in batch if entry["last_modified"] < before]

    async def presign_put(self, key: str, ttl: float) -> str | None:
        """A URL to which anyone may PUT this blob for `ttl` seconds; None for the local store."""
        return await self._presign("PUT", key, ttl)

    async def presign_get(self, key: str, ttl: float) -> str | None:
        """A URL from which anyone may GET this blob for `ttl` seconds; None for the local store."""
        return await self._presign("GET", key, ttl)

    async def _presign(self, method: Literal["GET", "PUT"], key: str, ttl: float) -> str | None:
        check(key)
        if isinstance(self._store, LocalStore):
            return None
        with _translated(key):
            return await obstore.sign_async(self._store, method, key, timedelta(seconds=ttl))

    @asynccontextmanager
    async def local(self, key: str) -> AsyncGenerator[Path]:
        """A readable local file with the blob's bytes: the file itself in the local store, else a copy that goes when the block ends."""
        check(key)
        if self.folder is not None:
            path = self.folder / key
            if not path.is_file():
                raise NotFound(f"There is no blob {key}.")
            yield path
            return
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="heliograph-blob-")
        try:
            path = Path(folder) / "blob"
            with path.open("wb") as file:
                async for chunk in self.stream(key):
                    await asyncio.to_thread(file.write, chunk)
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _settle(self, key: str) -> None:
        """Put a local blob on the disk itself before anyone is told that it is there."""
        if self.folder is not None:
            await asyncio.to_thread(_fsync, self.folder / key)


def _remote(url: str) -> S3Store | GCSStore | AzureStore:
    scheme = url.partition("://")[0]
    try:
        if scheme in {"s3", "s3a"}:
            endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT", "")
            # without this, object_store would answer every plain endpoint with an error that does not say why
            return S3Store.from_url(url, client_options={"allow_http": endpoint.startswith("http://")}, retry_config=RETRY)
        if scheme == "gs":
            return GCSStore.from_url(url, retry_config=RETRY)
        if scheme in {"az", "azure", "abfs", "abfss"}:
            return AzureStore.from_url(url, retry_config=RETRY)
    except Exception as problem:
        raise StoreError(f"HELIOGRAPH_STORE_URL={url} cannot be used: {problem}") from problem
    raise StoreError(f"HELIOGRAPH_STORE_URL={url}: the scheme must be s3, gs or az.")


class _translated:
    """Turns the store's exceptions into ours: a missing blob is NotFound, a store that does not answer Unavailable."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, FileNotFoundError):
            raise NotFound(f"There is no blob {self._key}.") from problem
        if isinstance(problem, obstore.exceptions.BaseError):
            log.warning("the blob store, asked for %s: %s", self._key, problem)
            raise Unavailable("The blob store does not answer as it should; try again in a moment.", retry_after=5) from problem


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _fsync(path: Path) -> None:
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_empty(folder: Path) -> None:
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True) if folder.is_dir() else ():
        with suppress(OSError):
            inner.rmdir()
    with suppress(OSError):
        folder.rmdir()
