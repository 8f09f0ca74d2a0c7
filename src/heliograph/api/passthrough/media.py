"""What messages bring to be looked at, as a model gets it: bytes inlined, never an address of the client's or a file of ours.

Pictures, sound and video go as their parts, plain text as text, and other documents as OpenAI's `file` parts, for models that read them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from heliograph.agents.artifacts import Kind, new_ref
from heliograph.agents.task import Media
from heliograph.api.receiving import clean_name
from heliograph.api.server import Server
from heliograph.errors import InvalidRequest, NotFound, PayloadTooLarge
from heliograph.ids import new_id
from heliograph.media.fetch import fetch, read_data_url
from heliograph.media.sniff import HEAD, sniff
from heliograph.store import artifacts, files
from heliograph.store.blobs import key
from heliograph.wire.chat import MessageContent, MessageContentUrl

Json = Any
Detail = Literal["auto", "low", "high"]
PartKind = Literal["image", "video", "audio", "file"]
MOST = 64 << 20
"""Bytes of one thing that is inlined: base64 makes it a third more, and the whole request is held in memory."""
SEEDS = 50
_KINDS: dict[str, Kind] = {"image": "img", "video": "vid", "audio": "aud"}
_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wav": "wav", "audio/flac": "flac", "audio/ogg": "ogg", "audio/mp4": "m4a"}


class Brought(msgspec.Struct, kw_only=True):
    """One thing to look at. `media_type` by content."""

    data: bytes
    media_type: str
    kind: Literal["image", "document", "audio", "video", "other"]
    named: PartKind
    filename: str | None = None
    detail: Detail = "auto"


class Inliner:
    """Reads what one request brings; `tenant` is whose files may be named."""

    def __init__(self, server: Server, tenant: str) -> None:
        self._server, self._tenant = server, tenant

    async def read(self, part: MessageContent, where: str) -> Brought:
        """What a part brings. Raises InvalidRequest, NotFound, FetchError, PayloadTooLarge; `where` is the parameter at fault."""
        named, url, file_id, filename, detail = _reference(part)
        if file_id is not None:
            data, filename = await self._file(file_id, filename, where)
        elif url is not None:
            data = await self._url(url)
        elif part.input_audio is not None and part.type == "input_audio":
            data = await self._url(f"data:audio/{part.input_audio.format};base64,{part.input_audio.data}")
        else:
            raise InvalidRequest(f"A part of type {part.type} needs what it is about: a URL, a data URI or the id of a file.", param=where)
        return _brought(data, named, filename, detail)

    async def stored(self, namespace: str, ref: str) -> Brought:
        """What an earlier turn brought or made. Raises NotFound."""
        async with self._server.database.begin() as conn:
            row = await artifacts.get(conn, self._tenant, namespace, ref)
        if row is None:
            raise NotFound(f"There is no artifact {ref} in this session any more.", param="session_id")
        if row.bytes > MOST:
            raise PayloadTooLarge(f"{ref} is larger than the {MOST >> 20} MiB that are passed on to a model.")
        return _brought(await self._server.blobs.get(row.blob), "file", row.filename, "auto")

    async def keep(self, namespace: str, completion: str, place: int, brought: Brought) -> Media:
        """Store it as an artifact of the session, so that later turns can refer to it."""
        seed = f"{completion}:brought:{place}"
        kind = _KINDS.get(brought.kind, "doc")
        blob = key(self._tenant, "artifacts", namespace, f"brought-{new_id()}")
        await self._server.blobs.put(blob, brought.data)
        async with self._server.database.begin() as conn:
            row, _ = await artifacts.put(
                conn, self._tenant, namespace, seed=seed, refs=(new_ref(kind, f"{seed}#{n}" if n else seed) for n in range(SEEDS)),
                prediction=completion, filename=brought.filename, source="manifest", media_type=brought.media_type,
                bytes=len(brought.data), sha256=hashlib.sha256(brought.data).hexdigest(), blob=blob,
            )  # fmt: skip
        return Media(ref=row.ref, kind=brought.named, name=brought.filename, detail=brought.detail)

    async def _file(self, file_id: str, filename: str | None, where: str) -> tuple[bytes, str]:
        async with self._server.database.begin() as conn:
            file = await files.get(conn, self._tenant, file_id)
        if file is None or file.state != "ready":
            raise NotFound(f"There is no file {file_id[:100]}.", param=where)
        _check(file.bytes)
        return await self._server.blobs.get(file.blob), filename or file.filename

    async def _url(self, url: str) -> bytes:
        if url[:5].lower() == "data:":
            return (await asyncio.to_thread(read_data_url, url, MOST))[0]
        ours = (await self._server.links()).file_of(url)
        if ours is not None:
            async with self._server.database.begin() as conn:
                file = await files.linked(conn, ours)
            if file is None:
                raise NotFound("The file that this link led to has been deleted.")
            _check(file.bytes)
            return await self._server.blobs.get(file.blob)
        settings = self._server.settings.model_copy(update={"max_file": min(MOST, self._server.settings.max_file)})
        with tempfile.TemporaryDirectory(prefix="heliograph-") as folder:
            sink = Path(folder) / "fetched"
            await fetch(url, settings, sink)
            return await asyncio.to_thread(sink.read_bytes)


def part(brought: Brought, *, detail: bool = True) -> dict[str, Json]:
    """The part of a message that a model gets."""
    uri = f"data:{brought.media_type};base64,"
    match brought.kind:
        case "image":
            image = {"url": uri + _encoded(brought.data)}
            return {"type": "image_url", "image_url": image | ({"detail": brought.detail} if detail and brought.detail != "auto" else {})}
        case "audio":
            format = _FORMATS.get(brought.media_type, brought.media_type.partition("/")[2])
            return {"type": "input_audio", "input_audio": {"data": _encoded(brought.data), "format": format}}
        case "video":
            return {"type": "video_url", "video_url": {"url": uri + _encoded(brought.data)}}
        case _ if brought.media_type.startswith("text/"):
            name = f"{brought.filename}:\n" if brought.filename else ""
            return {"type": "text", "text": name + brought.data.decode("utf-8", "replace")}
        case _:
            return {"type": "file", "file": {"filename": brought.filename or "file", "file_data": uri + _encoded(brought.data)}}


def _reference(part: MessageContent) -> tuple[PartKind, str | None, str | None, str | None, Detail]:
    """What it is named as, its URL, its file's id, its name, and the detail that is asked for."""
    match part.type:
        case "image_url" | "input_image":
            image = part.image_url
            detail = getattr(image, "detail", None) or part.detail or "auto"
            return "image", _address(image), part.file_id, part.filename, detail
        case "video_url":
            return "video", _address(part.video_url), part.file_id, part.filename, "auto"
        case "audio_url" | "input_audio":
            return "audio", _address(part.audio_url), part.file_id, part.filename, "auto"
        case "file" if part.file is not None:
            name = clean_name(part.file.filename) if part.file.filename else None
            return "file", _file_data(part.file.file_data), part.file.file_id, name, "auto"
        case _:
            url = _address(part.file_url) or _address(part.document_url) or _file_data(part.file_data)
            return "file", url, part.file_id, clean_name(part.filename) if part.filename else None, "auto"


def _address(given: MessageContentUrl | str | None) -> str | None:
    return given.url if isinstance(given, MessageContentUrl) else given


def _file_data(given: str | None) -> str | None:
    """Base64 as a `data:` URI, which it may be already."""
    return given if given is None or given[:5].lower() == "data:" else f"data:application/octet-stream;base64,{given}"


def _brought(data: bytes, named: PartKind, filename: str | None, detail: Detail) -> Brought:
    found = sniff(data[:HEAD], size=len(data))
    return Brought(data=data, media_type=found.media_type, kind=found.kind, named=named, filename=filename, detail=detail)


def _check(size: int) -> None:
    if size > MOST:
        raise PayloadTooLarge(f"A file of {size:,} bytes is larger than the {MOST >> 20} MiB that are passed on to a model.")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
