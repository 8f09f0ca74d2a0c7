"""Files that are made for predictions: which files are a prediction's, and the links to them in its response.

A response is stored with `MADE` where the link to a copy belongs, and with a named place (`extraction.made`) for each file of a recording's
answer; they get fresh links each time it is shown. The file's id is computed from its prediction and name, never read from a response: what
a document says cannot lead to a file of somebody else's.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.config import Settings
from heliograph.extraction.made import PLACE
from heliograph.store import files
from heliograph.store.blobs import Blobs, key
from heliograph.store.predictions import Prediction
from heliograph.store.signing import content_path

if TYPE_CHECKING:
    from heliograph.extraction.made import MadeFile
    from heliograph.extraction.redaction.copying import Made

MADE = "heliograph:made"
_HEAD = f'{{"redacted_uri":"{MADE}"'
_NAMESPACE = uuid.UUID("3f0a9a5e-3f5a-4a5b-9f0e-6c6f1f0d8f11")

Link = Callable[[str], str]
"""A URL to the content of the file with this id."""


def copy_id(row: Prediction, name: str | None = None) -> str:
    """The id of the file that was made for a prediction, if one was; of the one of this name, where there may be several."""
    own = f"{row.tenant} {row.created_at.timestamp()} {row.id}"
    return str(uuid.uuid5(_NAMESPACE, own if name is None else f"{own} {name}"))


def copy_ids(row: Prediction) -> list[str]:
    """The ids of the files that may have been made for a prediction."""
    return [copy_id(row), *(copy_id(row, name) for name in dict.fromkeys(_names(row)))]


def _names(row: Prediction) -> list[str]:
    """The names of the places in a response. Only recordings have such: what stands in a document is left as it is."""
    return PLACE.findall(row.response or "") if row.kind in ("audio", "video") else []


def linked(row: Prediction, link: Link | None) -> str | None:
    """A prediction's response with the links to its files, if it has any; null where links cannot be made."""
    if _names(row):
        return PLACE.sub(lambda place: _text(link(copy_id(row, place[1])) if link else None), row.response or "")
    if row.response is None or not row.response.startswith(_HEAD):
        return row.response
    uri = _text(link(copy_id(row)) if link else None)
    return f'{{"redacted_uri":{uri}{row.response[len(_HEAD) :]}'


def _text(uri: str | None) -> str:
    return msgspec.json.encode(uri).decode()


def link_from(settings: Settings, secret: bytes) -> Link:
    """Links for who did not ask just now, a webhook's receiver: at `public_url`, or where that is not set the path alone."""
    base = (settings.public_url or "").rstrip("/")
    return lambda file_id: base + content_path(secret, file_id, seconds=settings.public_file_ttl)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A made file whose bytes stand in the store, and whose row is still to be written."""

    id: str
    blob: str
    filename: str
    bytes: int
    md5: str
    sha256: str
    media_type: str


async def store(blobs: Blobs, row: Prediction, made: Made) -> Stored:
    """Put the bytes of a prediction's copy into the store. The name says nothing: the original's may name a patient."""
    return await _store(blobs, row, copy_id(row), made.path, f"redacted{made.suffix}", made.media_type)


async def store_all(blobs: Blobs, row: Prediction, made: Sequence[MadeFile]) -> list[Stored]:
    """Put the bytes of the files of a recording's answer into the store."""
    return [await _store(blobs, row, copy_id(row, file.name), file.path, file.filename, file.media_type) for file in made]


async def _store(blobs: Blobs, row: Prediction, id: str, path: Path, filename: str, media_type: str) -> Stored:
    blob = key(row.tenant, "files", id, row.run or "")
    md5, sha256 = await asyncio.to_thread(_digests, path)
    size = await blobs.put_file(blob, path)
    return Stored(id=id, blob=blob, filename=filename, bytes=size, md5=md5, sha256=sha256, media_type=media_type)


async def register(conn: AsyncConnection, settings: Settings, row: Prediction, stored: Stored) -> None:
    """Write the row of a prediction's file. It lives as long as an uploaded file, and no longer than its prediction."""
    expires = datetime.now(UTC) + timedelta(seconds=settings.file_ttl) if settings.file_ttl else None
    await files.create(
        conn, row.tenant, id=stored.id, filename=stored.filename, bytes=stored.bytes, md5=stored.md5, sha256=stored.sha256,
        purpose="assistants_output", media_type=stored.media_type, blob=stored.blob, public=True, expires_at=expires,
    )  # fmt: skip


def _digests(path: Path) -> tuple[str, str]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(1 << 20):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()
