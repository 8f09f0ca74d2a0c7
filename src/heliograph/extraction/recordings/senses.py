"""What answers about recordings are made with, as they use it: who plays, who hears, who watches."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from heliograph.media.content import PagePicture
from heliograph.media.recording import Recording, Transcript, Viewing
from heliograph.perception.scenes.watcher import EVERYTHING, Seen, Watching
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.speech.listener import OnHeard
from heliograph.perception.steps import Steps


class Plays(Protocol):
    """`perception.player.Player`."""

    async def inspect(self, path: Path) -> Recording:
        """What the recording is."""
        ...

    async def jpeg(self, path: Path, recording: Recording, time: float, longest_side: int) -> PagePicture:
        """The frame shown at `time`."""
        ...

    async def clip(
        self, path: Path, recording: Recording, start: float, end: float, longest_side: int | None = None, sound: bool = True
    ) -> bytes:
        """A stretch as a small MP4."""
        ...


class Hears(Protocol):
    """`perception.speech.listener.Listener`."""

    async def transcript(
        self, path: Path, recording: Recording, hearing: Hearing, *, steps: Steps | None = None, heard: OnHeard | None = None
    ) -> Transcript:
        """All that is said."""
        ...


class Watches(Protocol):
    """`perception.scenes.watcher.Watcher`."""

    async def viewing(
        self, path: Path, recording: Recording, watching: Watching = EVERYTHING, *, steps: Steps | None = None, seen: Seen | None = None
    ) -> Viewing:
        """All that can be seen without a model."""
        ...


class Senses(Protocol):
    """A reader, as far as it plays, hears and watches."""

    @property
    def player(self) -> Plays:
        """Who plays."""
        ...

    @property
    def listener(self) -> Hears:
        """Who hears."""
        ...

    @property
    def watcher(self) -> Watches:
        """Who watches."""
        ...
