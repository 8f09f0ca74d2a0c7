"""The functions that run in a playing child: `inspect`, `sound`, `frame`, `jpeg`, `clip`, `audio_clip`.

Call them through a `ChildPool("heliograph.media.playing")` of one child for each file that is played: its decoder stays open between
calls, so that pieces of sound and frames one after the other are decoded once.
"""

from __future__ import annotations

import time as clock
from pathlib import Path

from heliograph.media import clips
from heliograph.media.container import Container
from heliograph.media.content import Limits, PagePicture
from heliograph.media.document import PageImage
from heliograph.media.footage import Footage, pixels
from heliograph.media.images import as_jpeg
from heliograph.media.recording import SAMPLE_RATE, AudioTrack, Piece, Recording, VideoTrack
from heliograph.media.soundtrack import Soundtrack

SLICE = 5.0
"""Seconds of wall clock after which a child that decodes towards a time answers with how far it came."""


_sound: tuple[tuple[object, ...], Soundtrack] | None = None
_footage: tuple[tuple[object, ...], Footage] | None = None


def inspect(path: Path, limits: Limits) -> Recording:
    """What the recording is. Raises EmptyMedia, UnsupportedMedia, EncryptedMedia, CorruptMedia, MediaLimitExceeded."""
    container = Container(path, limits)
    try:
        duration = container.duration()
        container.check(duration)
        audio, video = container.audio, container.video
        kind = "video" if video is not None else "audio"
        recording = Recording(container.media_type.media_type, kind, duration, warnings=container.warnings)
        if audio is not None:
            context = audio.codec_context
            recording.audio = AudioTrack(audio.index, context.name, context.sample_rate, context.channels, audio.language)
    finally:
        container.close()
    if video is not None:
        recording.video = _video_track(path, limits)
    return recording


def sound(path: Path, first: int, count: int, limits: Limits) -> Piece:
    """Samples from `first` on, at most `count`, fewer at the end. Raises as `inspect`, UnsupportedMedia for a file without sound."""
    track = _soundtrack(path, first, limits)
    until = clock.monotonic() + SLICE
    while track.decoded < first + count and clock.monotonic() < until and track.advance():
        pass
    damage, track.damage = track.damage, []
    done = track.ended or track.decoded >= first + count
    return Piece(track.taken(first, count) if done else None, damage)


def frame(path: Path, time: float, longest_side: int | None, threads: int, limits: Limits) -> PageImage:
    """The upright pixels of the frame shown at `time`. Raises as `inspect`, UnsupportedMedia for a file without pictures."""
    footage = _pictures(path, threads, limits)
    return pixels(footage.at(time)[1], footage.shape, longest_side)


def jpeg(path: Path, time: float, longest_side: int, threads: int, limits: Limits) -> PagePicture:
    """The frame shown at `time` as an upright JPEG. Raises as `frame`."""
    return as_jpeg(frame(path, time, longest_side, threads, limits), longest_side, 0)


def clip(path: Path, start: float, end: float, longest_side: int | None, with_sound: bool, threads: int, limits: Limits) -> bytes:
    """From `start` to `end` seconds as a small MP4. Raises as `frame`."""
    track = _soundtrack(path, round(start * SAMPLE_RATE), limits) if with_sound else None
    return clips.clip(_pictures(path, threads, limits), track, start, end, longest_side, threads)


def audio_clip(path: Path, start: float, end: float, form: clips.AudioFormat, limits: Limits) -> bytes:
    """The sound from `start` to `end` seconds as a file. Raises as `sound`."""
    return clips.audio_clip(_soundtrack(path, round(start * SAMPLE_RATE), limits), start, end, form)


def _video_track(path: Path, limits: Limits) -> VideoTrack:
    footage = Footage(path, limits)
    try:
        return footage.track()
    finally:
        footage.close()


def _key(path: Path, *others: object) -> tuple[object, ...]:
    status = path.stat()
    return str(path), status.st_mtime_ns, status.st_size, *others


def _soundtrack(path: Path, first: int, limits: Limits) -> Soundtrack:
    global _sound  # noqa: PLW0603
    key = _key(path, limits)
    if _sound is not None and (_sound[0] != key or _sound[1].earliest > first):
        _sound[1].close()
        _sound = None
    if _sound is None:
        _sound = key, Soundtrack(path, limits)
    return _sound[1]


def _pictures(path: Path, threads: int, limits: Limits) -> Footage:
    global _footage  # noqa: PLW0603
    key = _key(path, threads, limits)
    if _footage is not None and _footage[0] != key:
        _footage[1].close()
        _footage = None
    if _footage is None:
        _footage = key, Footage(path, limits, threads)
    return _footage[1]
