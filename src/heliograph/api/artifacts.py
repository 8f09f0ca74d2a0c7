"""Artifacts as clients may have them: each kind in the media types that its clients check for, made in a killable child where it is in
another."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from starlette.responses import Response

from heliograph.agents.artifacts import SERVED
from heliograph.api.content import content
from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import HeliographError, NotFound
from heliograph.filming.cutter import Cutter
from heliograph.filming.orders import Cut, Timeline
from heliograph.media.content import Limits
from heliograph.store.artifacts import Artifact, shown
from heliograph.store.blobs import Blobs

LONGEST = 30.0
"""Seconds of a recording by which the time is reckoned that turning it into another type may take: eleven minutes. Clients wait for ten."""


class Shown(msgspec.Struct, frozen=True):
    """The bytes of an artifact, as they are sent."""

    blob: str
    size: int
    media_type: str

    def response(self, artifact: Artifact, blobs: Blobs, wanted: str | None) -> Response:
        """The answer that sends `artifact` so. `wanted`: the range that was asked for."""
        sha256 = artifact.sha256 if self.blob == artifact.blob else f"{artifact.sha256}-shown"
        name = artifact.filename or artifact.ref
        return content(blobs, self.blob, size=self.size, sha256=sha256, media_type=self.media_type, filename=name, wanted=wanted)


class Presenter:
    """Turns what callers brought into what clients take: pictures into PNG, documents into PDF, films into MP4, sound into MP3.

    What was made so stands beside the artifact's own bytes until the collector takes it, and is made again when it is asked for again.
    One child for pages and one for recordings, started when they are first needed. Of a film in H.264 only the container is changed.
    """

    def __init__(self, settings: Settings, blobs: Blobs) -> None:
        self._blobs = blobs
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels)
        self._timeout = settings.open_timeout + settings.page_timeout
        self._cutter = Cutter(settings)
        self._pool = ChildPool("heliograph.api._drawing", size=1, memory=settings.child_memory, recycle_after=settings.child_recycle)

    async def show(self, artifact: Artifact) -> Shown:
        """The bytes of an artifact in a type that its kind is served in. Raises UnsupportedMedia and other MediaErrors, NotFound."""
        kind = artifact.ref.partition("_")[0]
        types = next(types for known, types in SERVED.items() if known == kind)
        if artifact.media_type in types:
            return Shown(artifact.blob, artifact.bytes, artifact.media_type)
        if types[0] in ("application/octet-stream", "text/plain"):
            return Shown(artifact.blob, artifact.bytes, types[0])
        return await self._made(artifact, types[-1])

    async def close(self) -> None:
        """Stop the children."""
        await asyncio.gather(self._pool.close(), self._cutter.close())

    async def _made(self, artifact: Artifact, media_type: str) -> Shown:
        blob = shown(artifact.blob)
        try:
            return Shown(blob, await self._blobs.size(blob), media_type)
        except NotFound:
            pass
        with tempfile.TemporaryDirectory(prefix="heliograph-shown-") as folder:
            target = Path(folder) / "shown"
            try:
                async with self._blobs.local(artifact.blob) as path:
                    await self._make(path, target, media_type)
            except HeliographError as problem:
                if problem.status < 500:
                    problem.message = f"{artifact.ref} cannot be shown as {media_type}: {problem.message}{_by_name(artifact)}"
                raise
            return Shown(blob, await self._blobs.put_file(blob, target), media_type)

    async def _make(self, path: Path, target: Path, media_type: str) -> None:
        """Write the file at `path` in this type to `target`."""
        match media_type:
            case "video/mp4":
                await self._cutter.film(Timeline(cuts=[Cut(str(path))]), target, lasts=LONGEST)
            case "audio/mpeg":
                await self._cutter.sound([Cut(str(path))], target, lasts=LONGEST)
            case _:
                make = "pdf" if media_type == "application/pdf" else "png"
                await self._pool.call(make, path, target, self._limits, timeout=self._timeout, returns=int)


def _by_name(artifact: Artifact) -> str:
    return f" Ask for filename={artifact.filename} to have it as it is." if artifact.filename else ""
