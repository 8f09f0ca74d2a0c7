"""The workspace of a run in the store: its journal, its log of events, and the artifacts of its namespace."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from mimetypes import guess_extension
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from heliograph.agents.artifacts import Artifact, Artifacts, Kind, Seeds, Source, new_ref, there_is
from heliograph.agents.events import Event
from heliograph.agents.task import SkillRef, Task
from heliograph.agents.workspace import Step
from heliograph.config import Settings
from heliograph.errors import HeliographError, MediaLimitExceeded, NotFound
from heliograph.ids import new_id
from heliograph.jobs.attempts import TAKEN, Attempt
from heliograph.jobs.events import Telling
from heliograph.jobs.loop import Lost
from heliograph.jobs.tasks import namespace
from heliograph.media.fetch import fetch
from heliograph.media.sniff import sniff_file
from heliograph.store import artifacts, files, predictions, server
from heliograph.store.blobs import Blobs, key
from heliograph.store.database import Database
from heliograph.store.predictions import Input
from heliograph.store.signing import artifact_path

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader
    from heliograph.skills.package import Package
    from heliograph.skills.shelf import Shelf

Facts = dict[str, int | float | str]
_KINDS: dict[str, Kind] = {"image": "img", "video": "vid", "audio": "aud", "document": "doc"}
_BEGUN = "begun:"
_TRIES = 50  # references are 24 bits; so many in a row that are taken do not happen


class StoredArtifacts:
    """The artifacts of a run's namespace. `reads`: filled with each local file that is lent, so that its pages are read once."""

    def __init__(self, settings: Settings, database: Database, blobs: Blobs, attempt: Attempt, reads: dict[Path, Input]) -> None:
        self._database, self._blobs, self._attempt, self._reads = database, blobs, attempt, reads
        self._tenant, self._namespace = attempt.row.tenant, namespace(attempt.row)
        self._most, self._made = settings.agent_artifacts, 0
        self.seeds = Seeds()

    async def open(self) -> None:
        """Count what earlier runs made."""
        async with self._database.begin() as conn:
            self._made = await artifacts.made_bytes(conn, self._tenant, self._attempt.row.id)

    async def put(
        self,
        content: bytes | Path,
        *,
        kind: Kind,
        media_type: str,
        filename: str | None = None,
        source: Source = "store",
        facts: Facts | None = None,
    ) -> Artifact:
        """As `Artifacts.put`. Raises Lost when the run may not go on."""
        size = len(content) if isinstance(content, bytes) else (await asyncio.to_thread(content.stat)).st_size
        if self._made + size > self._most:
            raise MediaLimitExceeded(
                f"This run may make {self._most:,} bytes of artifacts and has made {self._made:,}; "
                "HELIOGRAPH_AGENT_ARTIFACTS can allow more."
            )
        self._made += size
        seed = f"{self._attempt.row.id}:{self.seeds.next()}"
        sha256 = await asyncio.to_thread(_digest, content)
        return await self.keep(seed, content, sha256, kind=kind, media_type=media_type, filename=filename, source=source, facts=facts)

    async def keep(
        self,
        seed: str,
        content: bytes | Path,
        sha256: str,
        *,
        kind: Kind,
        media_type: str,
        filename: str | None,
        source: Source,
        facts: Facts | None = None,
    ) -> Artifact:
        """Store what `seed` made: bytes first, then the row, which only the run that holds its prediction may write."""
        row = self._attempt.row
        blob = key(self._tenant, "artifacts", self._namespace, f"{sha256[:24]}-{new_id()[:8]}")
        if isinstance(content, Path):
            size = await self._blobs.put_file(blob, content)
        else:
            size = await self._blobs.put(blob, content)
        made, unnamed = None, blob
        async with self._database.begin(brief=True) as conn:
            if await predictions.holding(conn, row.tenant, row.id, self._attempt.run):
                refs = (new_ref(kind, f"{seed}#{n}" if n else seed) for n in range(_TRIES))
                made, unnamed = await artifacts.put(
                    conn, self._tenant, self._namespace, seed=seed, refs=refs,
                    prediction=row.id, filename=filename, source=source, media_type=media_type, bytes=size, sha256=sha256, blob=blob,
                    facts=msgspec.json.encode(facts or {}).decode(),
                )  # fmt: skip
        if unnamed is not None:
            with suppress(HeliographError):  # the collector finds what is left
                await self._blobs.delete(unnamed)
        if made is None:
            self._attempt.journal.stopped = Lost(TAKEN)
            raise self._attempt.journal.stopped
        return public(made)

    async def seeded(self, seed: str) -> Artifact | None:
        """The artifact that `seed` made, in this run or another of the namespace."""
        async with self._database.begin() as conn:
            found = await artifacts.seeded(conn, self._tenant, self._namespace, seed)
        return public(found) if found else None

    async def get(self, name: str) -> Artifact:
        """As `Artifacts.get`."""
        return public(await self._find(name))

    async def list(self) -> list[Artifact]:
        """As `Artifacts.list`."""
        async with self._database.begin() as conn:
            return [public(each) for each in await artifacts.list_(conn, self._tenant, self._namespace)]

    async def read(self, name: str) -> bytes:
        """As `Artifacts.read`."""
        return await self._blobs.get((await self._find(name)).blob)

    @asynccontextmanager
    async def local(self, name: str) -> AsyncGenerator[Path]:
        """As `Artifacts.local`."""
        found = await self._find(name)
        async with self._blobs.local(found.blob) as path:
            # an input's place in the journal is a number; an artifact's is its content's, the same in every run
            place = int(found.sha256[:12], 16)
            self._reads[path] = Input(position=place, source="data", blob=found.blob, bytes=found.bytes, sha256=found.sha256)
            yield path

    async def _find(self, name: str) -> artifacts.Artifact:
        async with self._database.begin() as conn:
            found = await artifacts.get(conn, self._tenant, self._namespace, name)
            if found is None:
                there = [(each.ref, each.filename) for each in await artifacts.list_(conn, self._tenant, self._namespace)]
                raise NotFound(f"There is no artifact {name[:100]} here; {there_is(there)}.")
        return found


class StoredWorkspace:
    """The `Workspace` of a run. Between `open` and `close` it belongs to one attempt.

    `reader` looks at what the caller brought, for its size and pages; `reads` as for `StoredArtifacts`.
    """

    def __init__(
        self, settings: Settings, database: Database, blobs: Blobs, shelf: Shelf, attempt: Attempt, task: Task, *, reader: Reader,
        reads: dict[Path, Input],
    ) -> None:  # fmt: skip
        self._settings, self._database, self._blobs, self._shelf = settings, database, blobs, shelf
        self._attempt, self._journal, self._task, self._reader = attempt, attempt.journal, task, reader
        self._artifacts = StoredArtifacts(settings, database, blobs, attempt, reads)
        self.artifacts: Artifacts = self._artifacts
        self.telling = Telling(database, attempt)
        self._inputs: dict[int, Input] = {}
        self._bringing = asyncio.Lock()

    async def open(self) -> None:
        """Read what earlier runs left. The journal is open already."""
        row = self._attempt.row
        async with self._database.begin() as conn:
            self._inputs = {read.position: read for read in await predictions.reads(conn, row.tenant, row.id)}
        await self.telling.open()
        await self._artifacts.open()

    async def close(self) -> None:
        """Stop what works beside the run."""
        await self.telling.close()

    async def known(self, step: str) -> Step:
        """As `Workspace.known`."""
        output = await self._journal.answered(step)
        if output is not None:
            return Step("done", output)
        return Step("begun" if self._journal.began(_BEGUN + step) else "new")

    async def begin(self, step: str) -> None:
        """As `Workspace.begin`."""
        await self._journal.record(_BEGUN + step, within=self.telling.transaction)

    def step(self, name: str) -> AbstractAsyncContextManager[None]:
        """As `Workspace.step`."""
        return self._artifacts.seeds.during(name)

    async def keep(self, step: str, output: bytes) -> None:
        """As `Workspace.keep`."""
        await self._journal.answer(step, output, within=self.telling.transaction)

    async def emit(self, event: Event, *, key: str) -> None:
        """As `Workspace.emit`."""
        if self._journal.stopped:
            raise self._journal.stopped
        self.telling.tell(event, key)

    async def said(self, prefix: str) -> str:
        """As `Workspace.said`."""
        return self.telling.said(prefix)

    async def bring(self, position: int) -> Artifact:
        """As `Workspace.bring`. The same content under the same name has one reference in a namespace."""
        async with self._bringing:
            if position not in self._inputs:
                raise NotFound(f"There is no input {position}.")
            read = self._inputs[position] = await self._attempt.stored(self._inputs[position])
            name = self._task.names.get(position) or _name_at(read.url)
            return await self._brought(read.blob or "", read.sha256 or "", name, otherwise=f"input-{position}")

    async def fetch(self, url: str) -> Artifact:
        """As `Workspace.fetch`; once in a run."""
        seed = f"{self._attempt.row.id}:fetch:{hashlib.sha256(url.encode('utf-8', 'surrogatepass')).hexdigest()}"
        async with self._bringing:
            if (known := await self._artifacts.seeded(seed)) is not None:
                return known
            with tempfile.TemporaryDirectory(prefix="heliograph-fetch-") as folder:
                sink = Path(folder) / "body"
                fetched = await fetch(url, self._settings, sink)
                return await self._keep(seed, sink, fetched.sha256, _name_at(url), "store")

    async def file(self, file_id: str) -> Artifact:
        """As `Workspace.file`."""
        async with self._database.begin() as conn:
            file = await files.get(conn, self._attempt.row.tenant, file_id)
        if file is None or file.state != "ready":
            raise NotFound(f"There is no file {file_id[:100]}.")
        async with self._bringing:
            return await self._brought(file.blob, file.sha256 or "", file.filename)

    async def link(self, name: str) -> str:
        """As `Workspace.link`: at `public_url`, or where that is not set the path alone."""
        found = await self.artifacts.get(name)
        row = self._attempt.row
        async with self._database.begin() as conn:
            secret = await server.url_secret(conn)
        path = artifact_path(secret, row.tenant, namespace(row), found.ref, seconds=self._settings.public_file_ttl)
        return (self._settings.public_url or "").rstrip("/") + path

    async def package(self, skill: SkillRef) -> Package:
        """As `Workspace.package`."""
        return await self._shelf.package(skill.hash, skill.blob)

    async def folder(self, skill: SkillRef) -> Path:
        """As `Workspace.folder`."""
        return await self._shelf.folder(skill.hash, skill.blob)

    async def _brought(self, blob: str, sha256: str, name: str | None, otherwise: str = "") -> Artifact:
        seed = f"content:{sha256}:{name or ''}"
        known = await self._artifacts.seeded(seed)
        if known is not None:
            return known
        async with self._blobs.local(blob) as path:
            return await self._keep(seed, path, sha256, name, "manifest", otherwise)

    async def _keep(self, seed: str, path: Path, sha256: str, name: str | None, source: Source, otherwise: str = "") -> Artifact:
        """`otherwise`: its name where it has none, without a suffix; by name its bytes can be had as they are."""
        found = await asyncio.to_thread(sniff_file, path)
        name = name or (otherwise + (guess_extension(found.media_type) or "") if otherwise else None)
        facts: Facts = {}
        kind: Kind = _KINDS.get(found.kind, "arr")
        if found.demuxer is not None:
            with suppress(HeliographError):  # as below
                recording = await self._reader.player.inspect(path)
                kind = _KINDS[recording.kind]  # a film's container may hold sound alone
                facts = {"seconds": round(recording.duration, 3)}
                if recording.video is not None:
                    facts |= {"width": recording.video.width, "height": recording.video.height}
        elif found.reader is not None:
            with suppress(HeliographError):  # who opens it says what is wrong with it
                about = await self._reader.inspect(path)
                facts = {"pages": about.page_count} if about.kind == "document" else {}
        return await self._artifacts.keep(
            seed, path, sha256, kind=kind, media_type=found.media_type, filename=name, source=source, facts=facts
        )


def public(row: artifacts.Artifact) -> Artifact:
    """An artifact as agents know it."""
    return Artifact(
        ref=row.ref, media_type=row.media_type, bytes=row.bytes, sha256=row.sha256, filename=row.filename, source=row.source,
        facts=msgspec.json.decode(row.facts, type=Facts),
    )  # fmt: skip


def _name_at(url: str | None) -> str | None:
    """The last part of a URL's path, where that looks like the name of a file."""
    name = PurePosixPath(unquote(urlsplit(url or "").path)).name
    return name[:200] if "." in name else None


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
