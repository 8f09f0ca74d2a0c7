"""What a request brings to be read: a file that was uploaded, a `data:` URI, or a URL. Only sizes and first bytes are looked at here."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal

import msgspec

from heliograph.api.receiving import Received
from heliograph.api.server import Server
from heliograph.config import Settings
from heliograph.errors import CorruptMedia, EmptyMedia, HeliographError, NotFound
from heliograph.ids import new_id
from heliograph.media import fetch
from heliograph.media.sniff import HEAD, OLE, TEXT, UNKNOWN, ZIP, sniff
from heliograph.store import files
from heliograph.store.blobs import key
from heliograph.store.files import File
from heliograph.store.predictions import Input

Takes = Literal["pages", "recordings", "anything"]
"""What a route reads: documents and images, sound and moving pictures, or all of them."""
CLAIMS = ("image", "audio", "video")
SVG = "image/svg+xml"
IN_A_THREAD = 1 << 20
"""Characters of a data URI above which it is decoded beside the event loop."""


class Source(msgspec.Struct, frozen=True):
    """One thing to read: the parameter that names it, and a file's id, a URL (`data:` too), or the blob that the request's own bytes were
    `received` in."""

    param: str
    kind: Literal["file", "url", "received"]
    reference: str
    received: Received | None = None


class Intake:
    """Turns sources into inputs of one prediction; what it stored for them goes again with `undo`.

    `takes`: what is read there; anything else is refused by its first bytes. `names`: of the files, by position.
    """

    def __init__(self, server: Server, tenant: str, prediction: str, *, takes: Takes = "pages") -> None:
        self._server = server
        self._tenant = tenant
        self._prediction = prediction
        self._attempt = new_id()
        self._stored: list[str] = []
        self._takes: Takes = takes
        self.names: dict[int, str] = {}

    async def read(self, position: int, source: Source) -> Input:
        """The input of this source. Raises NotFound, InvalidRequest, PayloadTooLarge or MediaError naming the parameter."""
        try:
            if source.kind == "file":
                return await self._file(position, source.reference)
            if source.received is not None:
                return await self._received(position, source.reference, source.received)
            if source.reference[:5].lower() == "data:":
                return await self._data(position, source.reference)
            return await self._url(position, source.reference)
        except HeliographError as error:
            error.param = error.param or source.param
            raise

    async def keep(self, position: int, data: bytes) -> Input:
        """An input that is not looked at, only kept for as long as the prediction."""
        blob = self._key(position)
        self._stored.append(blob)
        await self._server.blobs.put(blob, data)
        return Input(position=position, source="data", blob=blob, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())

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
        try:
            head = await self._head(file.blob)
        except NotFound:
            raise NotFound(f"The content of file {file.id} is gone; upload it again.") from None
        check_type(head, file.bytes, self._takes)
        self.names[position] = file.filename
        return Input(position=position, source="file", file_id=file.id, blob=file.blob, bytes=file.bytes, sha256=file.sha256)

    async def _received(self, position: int, blob: str, received: Received) -> Input:
        self._stored.append(blob)
        check_type(await self._head(blob), received.bytes, self._takes)
        return Input(position=position, source="data", blob=blob, bytes=received.bytes, sha256=received.sha256)

    async def _head(self, blob: str) -> bytes:
        head = b""
        async for chunk in self._server.blobs.stream(blob, 0, HEAD):
            head += chunk
        return head

    async def _data(self, position: int, uri: str) -> Input:
        most = self._server.settings.max_file
        large = len(uri) > IN_A_THREAD
        data, claimed = await asyncio.to_thread(fetch.read_data_url, uri, most) if large else fetch.read_data_url(uri, most)
        check_type(data[:HEAD], len(data), self._takes)
        check_claim(data[:HEAD], len(data), claimed)
        return await self.keep(position, data)

    async def _url(self, position: int, url: str) -> Input:
        links = await self._server.links()
        ours = links.file_of(url)
        if ours is None:
            check_url(url, self._server.settings)
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
        # equal requests at the same time have the same id: what one of them takes back must not be the other's
        return key(self._tenant, "inputs", self._prediction, f"{position}-{self._attempt}")


def check_type(head: bytes, size: int, takes: Takes) -> None:
    """Raise a MediaError when it is certain from a file's first bytes that it is not read there. Archives may yet turn out to be
    documents."""
    if size == 0:
        raise EmptyMedia
    found = sniff(head, size=size)
    if takes == "recordings":
        found.require_recording()
    elif found.reader is None and found not in (ZIP, OLE, UNKNOWN) and not (takes == "anything" and found.kind in ("audio", "video")):
        found.require()


def check_claim(head: bytes, size: int, claimed: str | None) -> None:
    """Raise CorruptMedia for bytes that a `data:` URI calls a picture or a recording, and that nobody knows as anything."""
    medium = (claimed or "").partition("/")[0]
    if medium in CLAIMS and sniff(head, size=size) in (UNKNOWN, TEXT) and claimed != SVG:
        raise CorruptMedia(f"The data URL says {claimed}, but its {size:,} bytes are none: they are damaged, or cut off.")


def check_url(url: str, settings: Settings) -> None:
    """Raise FetchError for what is certainly not fetched. Where a name leads is looked up by the worker, which fetches it."""
    fetch.check_literal(fetch.check_syntax(url).host or "", fetch.Guard(settings))
