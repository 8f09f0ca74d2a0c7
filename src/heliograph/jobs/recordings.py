"""Hearing and watching through the journal: what was made of a recording before, in another request too, is not made again.

Parts of a recording are kept as steps while it is being heard, so that a rerun goes on from the last of them; this is about the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

import heliograph
from heliograph.media.recording import Recording, Transcript, Viewing
from heliograph.perception.scenes.watcher import EVERYTHING, Watching
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.steps import Steps
from heliograph.store.predictions import Input

if TYPE_CHECKING:
    from heliograph.jobs.journal import Journal
    from heliograph.perception.scenes.watcher import Watcher
    from heliograph.perception.speech.listener import Listener

Told = Callable[[float], Awaitable[None]]
EXPECTED = ("no_speech", "no_audio")
"""Warnings that say how a recording is. One with another is not shared: it may go better next time."""
Made = TypeVar("Made", Transcript, Viewing)


class JournalledListener:
    """A `Listener` whose transcripts go through the journal. `reads`: which input each path is; others are heard as they are."""

    def __init__(self, listener: Listener, journal: Journal, reads: Mapping[Path, Input]) -> None:
        self._listener, self._journal, self._reads = listener, journal, reads

    def __getattr__(self, name: str) -> Any:
        """As the `Listener` does it, whatever is not a transcript."""
        return getattr(self._listener, name)

    async def transcript(
        self, path: Path, recording: Recording, hearing: Hearing, *, steps: Steps | None = None, heard: Told | None = None
    ) -> Transcript:
        """As `Listener.transcript`; from the journal or the cache where it is there."""

        async def make() -> Transcript:
            return await self._listener.transcript(path, recording, hearing, steps=steps, heard=heard)

        read = self._reads.get(path)
        if read is None or recording.audio is None:
            return await make()
        stated = msgspec.structs.replace(hearing, language=self._listener.language(hearing))
        options = f"transcript-{self._listener.engine.name}-{_digest(stated)}"
        return await _once(self._journal, read, options, Transcript, make, recording, heard)


class JournalledWatcher:
    """A `Watcher` whose viewings go through the journal. `reads`: which input each path is; others are watched as they are."""

    def __init__(self, watcher: Watcher, journal: Journal, reads: Mapping[Path, Input]) -> None:
        self._watcher, self._journal, self._reads = watcher, journal, reads

    def __getattr__(self, name: str) -> Any:
        """As the `Watcher` does it, whatever is not a viewing."""
        return getattr(self._watcher, name)

    async def viewing(
        self, path: Path, recording: Recording, watching: Watching = EVERYTHING, *, steps: Steps | None = None, seen: Told | None = None
    ) -> Viewing:
        """As `Watcher.viewing`; from the journal or the cache where it is there."""

        async def make() -> Viewing:
            return await self._watcher.viewing(path, recording, watching, steps=steps, seen=seen)

        read = self._reads.get(path)
        if read is None:
            return await make()
        return await _once(self._journal, read, f"viewing-{_digest(watching)}", Viewing, make, recording, seen)


async def _once(
    journal: Journal,
    read: Input,
    options: str,
    type: type[Made],
    make: Callable[[], Awaitable[Made]],
    recording: Recording,
    told: Told | None,
) -> Made:
    options = f"{heliograph.__version__}-{options}"
    known = await journal.whole(read, options)
    if known is not None:
        if told is not None:
            await told(recording.duration)
        return msgspec.msgpack.decode(known, type=type)
    made = await make()
    share = all(warning.startswith(EXPECTED) for warning in made.warnings)
    await journal.keep_whole(read, options, msgspec.msgpack.encode(made), share=share)
    return made


def _digest(asked: Hearing | Watching) -> str:
    """What two equal orders share."""
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]
