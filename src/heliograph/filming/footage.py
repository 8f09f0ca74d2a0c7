"""Frames and sound between two times of a recording, in order and in little memory. Runs in the child.

Times are seconds from the beginning of the file as a player shows it. A container whose index can be relied on is entered near the place;
any other is decoded from its beginning, because an estimated place is a wrong time.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from heliograph.errors import CorruptMedia, HeliographError, InvalidRequest, UnsupportedMedia
from heliograph.media.container import opened
from heliograph.media.content import Limits

SLACK = 0.001
"""Seconds by which callers round times."""
INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "wav", "flac")
ROLL = 0.3
"""Seconds of sound decoded ahead of a place, which its decoder needs to come in."""
JUMP = 0.05
"""Seconds by which sound may be early or late before silence is put in or sound left out."""
_BROKEN = (av.error.InvalidDataError, av.error.FFmpegError)


@contextmanager
def reading() -> Generator[None]:
    """Errors of the decoder as errors of the tree."""
    try:
        yield
    except HeliographError:
        raise
    except _BROKEN as error:
        raise CorruptMedia(f"The recording is damaged: {error.strerror or error}.") from None


class Footage:
    """A recording, opened. `duration` in seconds. Close it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.container: Any = opened(Path(path), Limits())
        streams = self.container.streams
        self.video: Any = next((each for each in streams.video if not each.disposition & each.disposition.attached_pic), None)
        self.audio: Any = next((each for each in streams.audio if each.codec_context is not None), None)
        if self.video is None and self.audio is None:
            raise UnsupportedMedia("The file has neither pictures nor sound that can be decoded.")
        if self.video is not None:
            self.video.thread_type = "AUTO"
        self._indexed = self.container.format.name in INDEXED
        self._fresh = True
        begins = [float(each.start_time * each.time_base) for each in (self.video, self.audio) if each is not None and each.start_time]
        both = len(begins) == sum(each is not None for each in (self.video, self.audio))
        self.zero = max(0.0, min(begins)) if both else 0.0
        self.duration = self._lasts()

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> Footage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def span(self, start: float, end: float | None) -> tuple[float, float]:
        """The times as they are meant. Raises InvalidRequest for a part that the recording has not."""
        lasts = self.duration
        if not math.isfinite(start) or start < 0 or (end is not None and not end > start):
            raise InvalidRequest(
                f"A part goes from an earlier time to a later one, in seconds from 0; not from {start:g} to {end}.", param="start"
            )
        if start >= lasts - SLACK:
            raise InvalidRequest(f"The recording lasts {lasts:.2f} seconds: nothing is left from {start:g} on.", param="start")
        if end is not None and end > lasts + 0.5:
            raise InvalidRequest(f"The recording lasts {lasts:.2f} seconds: it has no part up to {end:g}.", param="end")
        return start, lasts if end is None else min(end, lasts)

    def pictures(self, start: float, end: float) -> Iterator[tuple[float, Any]]:
        """The frames shown from `start` up to `end`, each with the time from which it is; the first is the one shown at `start`."""
        if self.video is None:
            raise InvalidRequest("The recording has no pictures, only sound.")
        with reading():
            yield from self._pictures(start, end)

    def _pictures(self, start: float, end: float) -> Iterator[tuple[float, Any]]:
        jumped = self._enter(self.video, start)
        shown: Any = None
        begun = False
        for frame in self._decoded(self.video):
            if frame.pts is None:
                continue
            time = float(frame.pts * frame.time_base) - self.zero
            if jumped and shown is None and time > start + SLACK:  # the index led beyond the place
                self._indexed = False
                yield from self._pictures(start, end)
                return
            if time <= start + SLACK:
                shown = frame
                continue
            if time >= end - SLACK:
                break
            if not begun:
                begun = True
                if shown is not None:
                    yield start, shown
                elif time > start:
                    yield start, frame
                    continue
            yield time, frame
        if not begun and shown is not None:
            yield start, shown

    def packets(self, start: float) -> Iterator[Any]:
        """The undecoded pictures from `start`, or before it, on, in the order in which they are decoded."""
        self._enter(self.video, start)
        for packet in self.container.demux(self.video):
            if packet.size:
                yield packet

    def samples(self, start: float, end: float, rate: int, layout: str) -> Iterator[Any]:
        """The sound from `start` up to `end`: float32 of shape (channels, n), which together are exactly as long as the span at `rate` Hz.

        Where the file has none, silence.
        """
        channels, left = (1 if layout == "mono" else 2), round((end - start) * rate)
        if self.audio is not None:
            with reading():
                for block in self._samples(start, end, rate, layout):
                    block = block[:, :left]  # noqa: PLW2901
                    left -= block.shape[1]
                    if block.shape[1]:
                        yield block
                    if not left:
                        return
        yield from _silence(left, rate, channels)

    def _samples(self, start: float, end: float, rate: int, layout: str) -> Iterator[Any]:
        self._enter(self.audio, max(0.0, start - ROLL))
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        first, at = True, 0  # the place of the next sample, from `start`
        for frame in self._decoded(self.audio):
            if frame.pts is None:
                continue
            time = float(frame.pts * frame.time_base) - self.zero
            if time >= end:
                break
            frame.pts = None
            place = round((time - start) * rate)
            at, first = (place if first else at), False
            for made in resampler.resample(frame):
                block: Any = made.to_ndarray()
                if place - at > JUMP * rate:  # a gap
                    yield from _silence(place - max(at, 0), rate, block.shape[0])
                    at = place
                elif at - place > JUMP * rate and block.shape[1]:  # twice the same
                    cut = min(at - place, block.shape[1])
                    block = block[:, cut:]
                    place += cut
                if at < 0:
                    cut = min(-at, block.shape[1])
                    block, at = block[:, cut:], at + cut
                at += block.shape[1]
                place = at
                if block.shape[1]:
                    yield block
        for made in resampler.resample(None):
            yield made.to_ndarray()

    def _decoded(self, stream: Any) -> Iterator[Any]:
        """Decoded frames; damaged packets are left out, as players do."""
        for packet in self.container.demux(stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue

    def _enter(self, stream: Any, start: float) -> bool:
        """Go to `start` or before it, and say whether anything was left out."""
        if start <= 2.0 or not self._indexed:
            self._rewind()
            return False
        self.container.seek(int((start + self.zero - SLACK) / stream.time_base), stream=stream, backward=True, any_frame=False)
        return True

    def _rewind(self) -> None:
        """Open the file anew: not every format finds its first frame by seeking."""
        if self._fresh:
            self._fresh = False
            return
        video, audio = (self.video.index if self.video else None), (self.audio.index if self.audio else None)
        self.container.close()
        self.container = opened(Path(self.path), Limits())
        self.video = self.container.streams[video] if video is not None else None
        self.audio = self.container.streams[audio] if audio is not None else None
        if self.video is not None:
            self.video.thread_type = "AUTO"

    def _lasts(self) -> float:
        if self.container.duration:
            return self.container.duration / av.time_base
        lengths = [float(each.duration * each.time_base) for each in (self.video, self.audio) if each is not None and each.duration]
        if lengths:
            return max(lengths)
        last = 0.0
        with reading():  # nothing says how long it is, as in a WebM that a browser recorded
            for packet in self.container.demux([each for each in (self.video, self.audio) if each is not None]):
                if packet.pts is not None:
                    last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base) - self.zero)
        self._fresh = False
        return last


def _silence(samples: int, rate: int, channels: int) -> Iterator[Any]:
    while samples > 0:
        yield np.zeros((channels, min(samples, rate)), np.float32)
        samples -= rate
