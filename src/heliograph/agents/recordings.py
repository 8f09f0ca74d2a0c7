"""What tools of recordings share: opening what a reference names, times as callers write them, and keeping what was made.

What is said and shown in a recording is found once in a run, whoever asks for it again, and part by part in the run's journal.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from pydantic import BeforeValidator, Field

from heliograph.agents import cards
from heliograph.agents.artifacts import Artifact
from heliograph.agents.asides import Asides
from heliograph.agents.tools import Made
from heliograph.errors import InvalidRequest
from heliograph.filming.orders import Cut, Filmed, Timeline
from heliograph.media.recording import Recording, Transcript, Viewing
from heliograph.perception.scenes.watcher import Watching
from heliograph.perception.speech.hearing import Hearing

if TYPE_CHECKING:
    from heliograph.agents.context import Context

T = TypeVar("T")
SHOTS = Watching(read=False, barcodes=False)
"""Shots alone, which takes a fraction of the time."""
STEP = 60.0
"""Seconds of a recording after which listeners hear how far it is."""
FEW = 0.5
"""Seconds by which an end may lie beyond a recording's, and is cut."""
_CLOCK = re.compile(r"\s*(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|seconds?)?\s*", re.IGNORECASE)


def seconds_of(value: object) -> object:
    """Seconds of `75`, `"75s"`, `"1:15"` and `"1:02:03.5"`; anything else as it is."""
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value)):
        hours, minutes, seconds = found.groups()
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))
    return value


RecordingRef = Annotated[str, Field(description="Reference of a video or an audio recording, such as vid_a1b2c3 or aud_a1b2c3.")]
VideoRef = Annotated[str, Field(description="Reference of a video, such as vid_a1b2c3.")]
Time = Annotated[float, BeforeValidator(seconds_of), Field(ge=0, allow_inf_nan=False, description="Seconds from the beginning, or 1:15.")]


class MadeFilm(Made, frozen=True, kw_only=True):
    """A recording that a tool made: how long it lasts, and `warnings` about what is not as one might expect."""

    seconds: float
    warnings: list[str] = msgspec.field(default_factory=list[str])


class Opened(msgspec.Struct, frozen=True):
    """A recording as a local file."""

    artifact: Artifact
    path: Path
    recording: Recording

    def span(self, start: float, end: float | None) -> tuple[float, float]:
        """The part from `start` to `end`. Raises InvalidRequest for one that the recording has not."""
        lasts = self.recording.duration
        if end is not None and end <= start:
            raise InvalidRequest(f"The part ends at {end:g} seconds, before it begins at {start:g}.", param="end")
        if start >= lasts:
            raise InvalidRequest(f"{self.artifact.name} lasts {lasts:.1f} seconds; nothing is left from {start:g} on.", param="start")
        if end is not None and end > lasts + FEW:
            raise InvalidRequest(f"{self.artifact.name} lasts {lasts:.1f} seconds; there is no part up to {end:g}.", param="end")
        return start, lasts if end is None else min(end, lasts)

    def watched(self) -> Opened:
        """Itself, where it has pictures. Raises InvalidRequest."""
        if self.recording.video is None:
            raise InvalidRequest(f"{self.artifact.name} has no pictures, only sound.", param="video")
        return self

    def heard(self) -> Opened:
        """Itself, where it has sound. Raises InvalidRequest."""
        if self.recording.audio is None:
            raise InvalidRequest(f"{self.artifact.name} has no sound.", param="recording")
        return self


class Recordings:
    """What the tools of a run have heard and watched, by content. `anew`: how often a recording was really gone through."""

    def __init__(self) -> None:
        self.anew = 0
        self._made: dict[str, Transcript | Viewing] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def transcript(self, at: Context, opened: Opened, hearing: Hearing) -> Transcript:
        """All that is said in it. Raises NotConfigured for a language that nobody here understands, and MediaErrors."""

        async def hear(steps: Asides) -> Transcript:
            told = _telling(at, opened, "heard")
            return await at.reader.listener.transcript(opened.path, opened.recording, hearing, steps=steps, heard=told)

        return await self._once(at, opened, b"heard" + msgspec.json.encode(hearing), hear)

    async def viewing(self, at: Context, opened: Opened, watching: Watching) -> Viewing:
        """All that is seen in it without a model. Raises MediaErrors."""

        async def watch(steps: Asides) -> Viewing:
            told = _telling(at, opened, "watched")
            return await at.reader.watcher.viewing(opened.path, opened.recording, watching, steps=steps, seen=told)

        return await self._once(at, opened, b"watched" + msgspec.json.encode(watching), watch)

    async def _once(self, at: Context, opened: Opened, how: bytes, make: Callable[[Asides], Awaitable[T]]) -> T:
        key = f"{opened.artifact.sha256}:{how.decode()}"
        async with self._turns.setdefault(key, asyncio.Lock()):
            if key not in self._made:
                self.anew += 1
                self._made[key] = await make(Asides(at.workspace, opened.artifact.sha256.encode(), how))  # pyright: ignore[reportArgumentType]
            return self._made[key]  # pyright: ignore[reportReturnType]


@asynccontextmanager
async def opened(at: Context, name: str) -> AsyncGenerator[Opened]:
    """The recording that a reference names, as a local file. Raises NotFound, and a MediaError for what is none."""
    artifact = await at.artifacts.get(name)
    if artifact.kind in ("img", "doc") and not artifact.media_type.startswith(("video/", "audio/")):
        what = "a picture" if artifact.kind == "img" else "a document"
        raise InvalidRequest(f"{artifact.name} is {what}, not a recording ({artifact.media_type}).", param="video")
    async with at.artifacts.local(artifact.ref) as path:
        yield Opened(artifact, path, await at.reader.player.inspect(path))


@asynccontextmanager
async def all_opened(at: Context, names: Sequence[str]) -> AsyncGenerator[list[Opened]]:
    """Several recordings, in their order. Raises as `opened`."""
    async with AsyncExitStack() as closing:
        yield [await closing.enter_async_context(opened(at, name)) for name in names]


@asynccontextmanager
async def pictures(at: Context, names: Sequence[str]) -> AsyncGenerator[dict[str, Path]]:
    """Pictures as local files, by name. Raises NotFound."""
    async with AsyncExitStack() as closing:
        yield {name: await closing.enter_async_context(at.artifacts.local(name)) for name in dict.fromkeys(names)}


def unchanged(timeline: Timeline, recording: Recording) -> Timeline:
    """A timeline without what it says of the first recording's own size and rate: as they are, its pictures may be copied."""
    video = recording.video
    if video is None or timeline.turn:
        return timeline
    same = (timeline.width or video.width, timeline.height or video.height) == (video.width, video.height)
    size = (None, None) if same else (timeline.width, timeline.height)
    fps = None if timeline.fps is None or abs(timeline.fps - video.fps) < 0.01 else timeline.fps
    return msgspec.structs.replace(timeline, width=size[0], height=size[1], fps=fps)


@asynccontextmanager
async def target(name: str) -> AsyncGenerator[Path]:
    """A place for a file that is made, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="heliograph-film-") as folder:
        yield Path(folder) / name


async def film(at: Context, timeline: Timeline, lasts: float, *, title: str | None = None) -> MadeFilm:
    """Make a film of `lasts` seconds, keep it as `vid_` and show it. Raises InvalidRequest, MediaErrors."""
    async with target("film.mp4") as path:
        made = await at.reader.cutter.film(timeline, path, lasts=lasts, most=at.settings.agent_artifacts, done=_progress(at, lasts))
        facts: dict[str, int | float | str] = {"width": made.width, "height": made.height, "seconds": round(made.seconds, 3)}
        kept = await at.artifacts.put(path, kind="vid", media_type="video/mp4", facts=facts)
    await at.show("preview.video", cards.video(kept.ref, title=title, seconds=round(made.seconds, 3), width=made.width, height=made.height))
    return _told(kept, made)


async def sound(at: Context, cuts: list[Cut], lasts: float, *, title: str | None = None) -> MadeFilm:
    """Make an MP3 of `lasts` seconds, keep it as `aud_` and show it. Raises as `film`."""
    async with target("sound.mp3") as path:
        made = await at.reader.cutter.sound(cuts, path, lasts=lasts, most=at.settings.agent_artifacts, done=_progress(at, lasts))
        kept = await at.artifacts.put(path, kind="aud", media_type="audio/mpeg", facts={"seconds": round(made.seconds, 3)})
    await at.show("preview.audio", cards.audio(kept.ref, title=title, seconds=round(made.seconds, 3)))
    return _told(kept, made)


def _told(kept: Artifact, made: Filmed) -> MadeFilm:
    return MadeFilm(
        id=kept.ref, width=made.width or None, height=made.height or None, seconds=round(made.seconds, 3), warnings=made.warnings
    )


def _progress(at: Context, lasts: float) -> Callable[[float], Awaitable[None]]:
    return _paced(at, lambda seconds: f"{seconds / max(lasts, 1e-3):.0%} of the recording is written.")


def _telling(at: Context, opened: Opened, what: str) -> Callable[[float], Awaitable[None]]:
    minutes, name = opened.recording.duration / 60, opened.artifact.name
    return _paced(at, lambda seconds: f"{seconds / 60:.0f} of {minutes:.0f} minutes of {name} are {what}.")


def _paced(at: Context, told: Callable[[float], str]) -> Callable[[float], Awaitable[None]]:
    """Who says how far it is, every `STEP` seconds of the recording."""
    last = 0.0

    async def done(seconds: float) -> None:
        nonlocal last
        if seconds - last >= STEP:
            last = seconds
            await at.say(told(seconds))

    return done
