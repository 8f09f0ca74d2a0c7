"""What a request brings to be read: a file that was uploaded, a `data:` URI, or a URL. Only sizes and first bytes are looked at here."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from heliograph.api.server import Server
from heliograph.errors import EmptyMedia, HeliographError, InvalidRequest, NotFound, PayloadTooLarge
from heliograph.media.sniff import HEAD, OLE, UNKNOWN, ZIP, sniff
from heliograph.store import files
from heliograph.store.blobs import key
from heliograph.store.files import File
from heliograph.store.predictions import Input

IN_A_THREAD = 1 << 20
"""Characters of a data URI above which it is decoded beside the event loop."""

LONGEST_URL = 8192

_DATA = re.compile(r"data:(?P<type>[^,;]*)(?P<options>(?:;[^,;]*)*),", re.IGNORECASE)


class Source(msgspec.Struct, frozen=True):
    """One thing to read: the parameter that names it, and a file's id or a URL (`data:` too)."""

    param: str
    kind: Literal["file", "url"]
    reference: str


class Intake:
    """Turns sources into inputs of one prediction; what it stored for them goes again with `undo`."""

    def __init__(self, server: Server, tenant: str, prediction: str) -> None:
        self._server = server
        self._tenant = tenant
        self._prediction = prediction
        self._stored: list[str] = []

    async def read(self, position: int, source: Source) -> Input:
        """The input of this source. Raises NotFound, InvalidRequest, PayloadTooLarge or MediaError naming the parameter."""
        try:
            if source.kind == "file":
                return await self._file(position, source.reference)
            if source.reference[:5].lower() == "data:":
                return await self._data(position, source.reference)
            return await self._url(position, source.reference)
        except HeliographError as error:
            error.param = error.param or source.param
            raise

    async def undo(self) -> None:
        """Remove what was stored."""
        for blob in self._stored:
            with suppress(HeliographError):
                await self._server.blobs.delete(blob)

    async def _file(self, position: int, file_id: str) -> Input:
        async with self._server.database.begin() as conn:
            file = await files.get(conn, self._tenant, file_id)
        if file is None or file.state != "ready":
            raise NotFound(f"There is no file {file_id[:100]}.")
        return await self._of(position, file)

    async def _of(self, position: int, file: File) -> Input:
        head = b""
        async for chunk in self._server.blobs.stream(file.blob, 0, HEAD):
            head += chunk
        check_type(head, file.bytes)
        return Input(position=position, source="file", file_id=file.id, blob=file.blob, bytes=file.bytes, sha256=file.sha256)

    async def _data(self, position: int, uri: str) -> Input:
        data = await asyncio.to_thread(decode, uri) if len(uri) > IN_A_THREAD else decode(uri)
        if len(data) > self._server.settings.max_file:
            raise PayloadTooLarge(f"The data: URI holds more than {self._server.settings.max_file} bytes.")
        check_type(data[:HEAD], len(data))
        blob = self._key(position)
        self._stored.append(blob)
        await self._server.blobs.put(blob, data)
        return Input(position=position, source="data", blob=blob, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())

    async def _url(self, position: int, url: str) -> Input:
        links = await self._server.links()
        ours = links.file_of(url)
        if ours is None:
            check_url(url, offline=self._server.settings.offline, allowed=self._server.settings.fetch_allow)
            return Input(position=position, source="url", url=url)
        async with self._server.database.begin() as conn:
            file = await files.linked(conn, ours)
        if file is None:
            raise NotFound("The file that this link led to has been deleted.")
        if file.tenant == self._tenant:
            return await self._of(position, file)
        # a link is meant to be passed on: another tenant's is read like any URL, only without a detour over the network
        blob = self._key(position)
        self._stored.append(blob)
        size = await self._server.blobs.put(blob, self._copy(file))
        return Input(position=position, source="data", blob=blob, bytes=size, sha256=file.sha256)

    async def _copy(self, file: File) -> AsyncIterator[bytes]:
        async for chunk in self._server.blobs.stream(file.blob):
            yield chunk

    def _key(self, position: int) -> str:
        return key(self._tenant, "inputs", self._prediction, position)


def decode(uri: str) -> bytes:
    """The bytes of a `data:` URI (RFC 2397). Base64 may lack its padding and may be of the URL-safe kind. Raises InvalidRequest."""
    head = _DATA.match(uri)
    if head is None:
        raise InvalidRequest("This data: URI has no comma; it must read data:<type>;base64,<data>.")
    payload = uri[head.end() :]
    if ";base64" not in head["options"].lower().replace(" ", ""):
        return unquote_to_bytes(payload)
    text = re.sub(r"[\s=]+", "", payload).replace("-", "+").replace("_", "/").replace("%2B", "+").replace("%2F", "/").replace("%3D", "")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("The data of this data: URI is not base64.") from error


def check_type(head: bytes, size: int) -> None:
    """Raise a MediaError when it is certain from a file's first bytes that it cannot be read. Archives may yet turn out to be documents."""
    if size == 0:
        raise EmptyMedia
    found = sniff(head, size=size)
    if found.reader is None and found not in (ZIP, OLE, UNKNOWN):
        found.require()


def check_url(url: str, *, offline: bool, allowed: list[str]) -> None:
    """Raise InvalidRequest for what is not an http(s) URL. Where it leads is checked by the worker, which fetches it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidRequest(f"This is not a URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not host or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise InvalidRequest("Give an http(s) URL or a data: URI.")
    if offline and not allowed:
        raise InvalidRequest("This server is offline (HELIOGRAPH_OFFLINE) and fetches no URLs; upload the file, or send a data: URI.")
