"""Parts of recordings as small files of their own, for models that watch or hear: upright, in square pixels, exact at both ends.

Pictures keep the times at which they are shown. Sound is what engines hear, one channel of 16 kHz: enough for speech, and no model
takes more. Nothing larger than `MOST_BYTES` is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import av
import numpy as np
from av.codec import codecs_available
from av.video.frame import VideoFrame

from heliograph.errors import MediaLimitExceeded
from heliograph.media.footage import Footage, upright, upright_size
from heliograph.media.recording import SAMPLE_RATE
from heliograph.media.soundtrack import Soundtrack

AudioFormat = Literal["mp3", "wav", "flac"]

MOST_BYTES = 256 << 20
"""Bytes of a clip. Twenty minutes of busy full HD; two hours of uncompressed speech."""
MOST_FPS = 60
"""Frames a second in a clip; of more, some are left out."""
LONGEST_SIDE = 1920
"""Pixels of a clip's longer side, at most."""
CHUNK = SAMPLE_RATE
"""Samples encoded at a time."""
VIDEO: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "26", "g": "60"},
    "libopenh264": {"g": "60"},
    "mpeg4": {"q:v": "5", "g": "60"},
}
"""Encoders that are looked for, in this order: an FFmpeg may be built without x264, and then another of H.264 or MPEG-4 Part 2 does."""
SOUND: dict[AudioFormat, tuple[str, str]] = {"mp3": ("mp3", "libmp3lame"), "wav": ("wav", "pcm_s16le"), "flac": ("flac", "flac")}
BIT_RATE = 48_000
TICKS = Fraction(1, 90_000)


def audio_clip(track: Soundtrack, start: float, end: float, form: AudioFormat) -> bytes:
    """Its sound from `start` to `end` seconds as a file. Raises MediaLimitExceeded for one that is too large."""
    container, codec = SOUND[form]
    written = _Written()
    output: Any
    with av.open(written, "w", format=container) as output:
        stream = _sound_stream(output, codec)
        for packet in _sound(stream, track, start, end):
            output.mux(packet)
    return written.getvalue()


def clip(footage: Footage, track: Soundtrack | None, start: float, end: float, longest_side: int | None, threads: int) -> bytes:
    """Its pictures, and the sound of `track` if given, from `start` to `end` seconds as an MP4 of H.264 and AAC.

    No side is longer than `longest_side`, and nothing is scaled up. Raises MediaLimitExceeded for one that is too large.
    """
    written = _Written()
    first = footage.at(start)
    width, height = upright_size(first[1], footage.shape, min(longest_side or LONGEST_SIDE, LONGEST_SIDE))
    size = max(2, width & ~1), max(2, height & ~1)
    encoder = next(name for name in VIDEO if name in codecs_available)
    output: Any
    with av.open(written, "w", format="mp4") as output:
        seen = output.add_stream(encoder, rate=MOST_FPS, options=VIDEO[encoder])
        seen.width, seen.height, seen.pix_fmt = *size, "yuv420p"
        seen.codec_context.time_base, seen.codec_context.thread_count = TICKS, threads
        heard = _sound_stream(output, "aac") if track is not None else None
        sound = _sound(heard, track, start, end) if track is not None else iter(())
        for time, frame in _spaced(footage, start, end):
            picture: Any = VideoFrame.from_ndarray(upright(frame, size), format="rgb24")
            picture.time_base, picture.pts = TICKS, round(time / TICKS)
            output.mux(seen.encode(picture))
            for packet in sound:
                output.mux(packet)
                if packet.pts is not None and packet.pts * packet.time_base > time:
                    break
        output.mux(seen.encode(None))
        for packet in sound:
            output.mux(packet)
    return written.getvalue()


def _spaced(footage: Footage, start: float, end: float) -> Iterator[tuple[float, VideoFrame]]:
    """Frames with their times from `start` on, no more of them than `MOST_FPS`; the last once more where it stays until `end`."""
    shown = None
    last = -1.0
    for time, frame in footage.onwards(start):
        if time >= end and shown is not None:
            break
        at = max(0.0, time - start)
        if at - last >= 0.9 / MOST_FPS:
            last = at
            yield at, frame
        shown = frame
    length = end - start
    if shown is not None and length - last > 2 / MOST_FPS:
        yield length - 1 / MOST_FPS, shown


def _sound_stream(output: Any, codec: str) -> Any:
    stream = output.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
    if codec in ("aac", "libmp3lame"):
        stream.bit_rate = BIT_RATE
    return stream


def _sound(stream: Any, track: Soundtrack, start: float, end: float) -> Iterator[Any]:
    begin = first = round(start * SAMPLE_RATE)
    last = round(end * SAMPLE_RATE)
    while first < last:
        data = track.read(first, min(CHUNK, last - first))
        if not data:
            break
        frame: Any = av.AudioFrame.from_ndarray(np.frombuffer(data, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), first - begin
        yield from stream.encode(frame)
        first += len(data) // 2
    yield from stream.encode(None)


class _Written(io.BytesIO):
    """What a muxer writes, up to `MOST_BYTES`."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MOST_BYTES:
            raise MediaLimitExceeded(f"The clip is larger than {MOST_BYTES >> 20} MiB; take a shorter part, or smaller pictures.")
        return super().write(data)
