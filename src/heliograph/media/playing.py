"""The functions that run in a playing child: `inspect`, `sound`, `frame`, `jpeg`, `clip`, `audio_clip`.

Call them through a `ChildPool("heliograph.media.playing")` of one child for each file that is played: its decoder stays open between
calls, so that pieces of sound and frames one after the other are decoded once.
"""

from __future__ import annotations

import time as clock
from contextlib import closing
from pathlib import Path

from heliograph.media import clips
from heliograph.media.container import Container
from heliograph.media.content import Limits, PagePicture, Playable
from heliograph.media.document import PageImage
from heliograph.media.footage import Footage, pixels
from heliograph.media.images import as_jpeg
from heliograph.media.lasting import extent
from heliograph.media.recording import SAMPLE_RATE, AudioTrack, Piece, Recording
from heliograph.media.soundtrack import Soundtrack

SLICE = 5.0
"""Seconds of wall clock after which a child that decodes towards a time answers with how far it came."""

_sound: tuple[tuple[object, ...], Soundtrack] | None = None
_footage: tuple[tuple[object, ...], Footage] | None = None


def inspect(path: Path, limits: Limits) -> Recording:
    """What the recording is. Raises EmptyMedia, UnsupportedMedia, EncryptedMedia, CorruptMedia, MediaLimitExceeded."""
    container = Container(path, limits)
    try:
        found = extent(container, limits.max_duration)
        audio, video = container.audio, container.video
        kind = "video" if video is not None else "audio"
        subtype = container.media_type.media_type.partition("/")[2]  # Ogg, MP4 and others hold either
        recording = Recording(f"{kind}/{subtype}", kind, found.seconds, warnings=container.warnings, even=found.even)
        if audio is not None:
            context = audio.codec_context
            name = context.codec.canonical_name
            recording.audio = AudioTrack(audio.index, name, context.sample_rate, context.channels, audio.language)
    finally:
        container.close()
    if video is not None:
        with closing(Footage(Playable(str(path), found.seconds, found.even, 1, limits))) as footage:
            recording.video = footage.track(found.fps)
    return recording


def sound(played: Playable, first: int, count: int) -> Piece:
    """Samples from `first` on, at most `count`, fewer at the end. Raises as `inspect`, UnsupportedMedia for a file without sound."""
    track = _soundtrack(played, first)
    until = clock.monotonic() + SLICE
    while track.decoded < first + count and clock.monotonic() < until and track.advance():
        pass
    damage, track.damage = track.damage, []
    done = track.ended or track.decoded >= first + count
    return Piece(track.taken(first, count) if done else None, damage)


def frame(played: Playable, time: float, longest_side: int | None) -> PageImage:
    """The upright pixels of the frame shown at `time`. Raises as `inspect`, UnsupportedMedia for a file without pictures."""
    footage = _pictures(played)
    return pixels(footage.at(time)[1], footage.shape, longest_side)


def jpeg(played: Playable, time: float, longest_side: int) -> PagePicture:
    """The frame shown at `time` as an upright JPEG. Raises as `frame`."""
    return as_jpeg(frame(played, time, longest_side), longest_side, 0)


def clip(played: Playable, start: float, end: float, longest_side: int | None, with_sound: bool) -> bytes:
    """From `start` to `end` seconds as a small MP4. Raises as `frame`."""
    track = _soundtrack(played, round(start * SAMPLE_RATE)) if with_sound else None
    return clips.clip(_pictures(played), track, start, end, longest_side, played.threads)


def audio_clip(played: Playable, start: float, end: float, form: clips.AudioFormat) -> bytes:
    """The sound from `start` to `end` seconds as a file. Raises as `sound`."""
    return clips.audio_clip(_soundtrack(played, round(start * SAMPLE_RATE)), start, end, form)


def _key(played: Playable) -> tuple[object, ...]:
    status = Path(played.path).stat()
    return played, status.st_mtime_ns, status.st_size


def _soundtrack(played: Playable, first: int) -> Soundtrack:
    global _sound  # noqa: PLW0603
    key = _key(played)
    if _sound is not None and (_sound[0] != key or _sound[1].earliest > first):
        _sound[1].close()
        _sound = None
    if _sound is None:
        _sound = key, Soundtrack(played)
    return _sound[1]


def _pictures(played: Playable) -> Footage:
    global _footage  # noqa: PLW0603
    key = _key(played)
    if _footage is not None and _footage[0] != key:
        _footage[1].close()
        _footage = None
    if _footage is None:
        _footage = key, Footage(played)
    return _footage[1]
