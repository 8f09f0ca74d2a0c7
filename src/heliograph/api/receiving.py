"""Bytes on their way in: counted, hashed, looked at and passed on to the store, never held."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from heliograph.errors import EmptyMedia, HeliographError, PayloadTooLarge
from heliograph.media.sniff import HEAD, UNKNOWN, sniff
from heliograph.store.blobs import Blobs

LONGEST_NAME = 255
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Received:
    """What came: its size, its hashes (hex) and its type by content."""

    bytes: int
    md5: str
    sha256: str
    media_type: str | None


class Receiver:
    """Takes one stream in. Raises PayloadTooLarge over `limit` bytes, before the first byte when the client announced more
    (`announced`: its Content-Length; `slack`: what a form may add around the file).
    """

    def __init__(self, limit: int, *, announced: str | None = None, slack: int = 0) -> None:
        self._limit = limit
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._head = b""
        self._size = 0
        if announced is not None and announced.isdecimal() and int(announced) > limit + slack:
            raise self._too_large()

    async def store(self, blobs: Blobs, key: str, chunks: AsyncIterable[bytes]) -> Received:
        """Pass the bytes on to the store. Raises EmptyMedia when there were none; nothing is kept then, or when anything goes wrong."""
        try:
            await blobs.put(key, self._pass(chunks))
            return self._received()
        except BaseException:
            await blobs.delete(key)
            raise

    async def _pass(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self._size += len(chunk)
            if self._size > self._limit:
                raise self._too_large()
            self._md5.update(chunk)
            self._sha256.update(chunk)
            if len(self._head) < HEAD:
                self._head += bytes(chunk[: HEAD - len(self._head)])
            if chunk:
                yield chunk

    def _received(self) -> Received:
        if not self._size:
            raise EmptyMedia
        found = sniff(self._head, size=self._size)
        return Received(self._size, self._md5.hexdigest(), self._sha256.hexdigest(), None if found is UNKNOWN else found.media_type)

    def _too_large(self) -> HeliographError:
        return PayloadTooLarge(f"The file is larger than {self._limit} bytes.")


def clean_name(name: str) -> str:
    """A file's name as it can be stored and sent: no folders, no control characters, at most 255 characters."""
    name = _UNPRINTABLE.sub("", name).replace("\\", "/").rpartition("/")[2].strip()
    return name[-LONGEST_NAME:] or "file"
