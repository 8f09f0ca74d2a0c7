"""The sound of a recording as engines hear it: one channel of 16-bit numbers, 16,000 a second, sample `n` at time `n / 16000`.

It is decoded from the beginning, always: seeking in compressed sound is right to some hundredths of a second at best, and differs by
container. Decoding is hundreds of times faster than real time, and a soundtrack that is asked for one piece after another goes on where
it stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from heliograph.errors import CorruptMedia, UnsupportedMedia
from heliograph.media.clock import Clock
from heliograph.media.container import DAMAGE, Container
from heliograph.media.content import Playable
from heliograph.media.mixing import Mixer
from heliograph.media.recording import SAMPLE_RATE

WIDTH = 2
"""Bytes of a sample."""
TOLERANCE = 0.08
"""Seconds by which a frame's time may differ from where the frames before it end: containers round times, to milliseconds and worse.
What differs more is a gap, which becomes silence, or an overlap, whose second telling is dropped."""
MISSING = 0.25
"""Seconds of a gap that are worth telling."""
BACK = 120 * SAMPLE_RATE * WIDTH
"""Bytes kept of what was given out, so that a step back needs no decoding."""
BLOCK = SAMPLE_RATE // 5
"""Samples that are mixed at a time: by the frame, of a fiftieth of a second, it would take as long as decoding."""
SILENCE = bytes(SAMPLE_RATE * WIDTH)


class Soundtrack:
    """The open sound of a recording, no longer than it. Raises as `Container`, and UnsupportedMedia for a file without sound."""

    def __init__(self, played: Playable) -> None:
        self._container = Container(Path(played.path), played.limits)
        if self._container.audio is None:
            self._container.close()
            raise UnsupportedMedia("The recording has no sound.")
        self._clock = Clock(self._container.origin, played.duration, leaps=self._container.leaps)
        self._last = round(played.duration * SAMPLE_RATE)
        self._pieces = self._decoded()
        self._kept: deque[bytes] = deque()
        self._begin = self._end = 0
        self.damage: list[float] = []
        """Times in seconds from which on something is missing or could not be decoded, since they were last taken away."""
        self.ended = False

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    @property
    def earliest(self) -> int:
        """The first sample that can be had without beginning anew."""
        return self._begin // WIDTH

    @property
    def decoded(self) -> int:
        """Samples decoded so far."""
        return self._end // WIDTH

    def advance(self) -> bool:
        """Decode a piece more. False at the end."""
        piece = next(self._pieces, b"")[: max(0, self._last * WIDTH - self._end)]
        if not piece:
            self.ended = True
            return False
        self._kept.append(piece)
        self._end += len(piece)
        while self._end - self._begin - len(self._kept[0]) > BACK:
            self._begin += len(self._kept.popleft())
        return True

    def read(self, first: int, count: int) -> bytes:
        """Samples from `first` on, at most `count` (of no more than `BACK` bytes), fewer at the end."""
        while self.decoded < first + count and self.advance():
            pass
        return self.taken(first, count)

    def taken(self, first: int, count: int) -> bytes:
        """Samples from `first` on, at most `count`, of those that are kept."""
        begin, end = max(first * WIDTH, self._begin), (first + count) * WIDTH
        parts: list[bytes] = []
        at = self._begin
        for piece in self._kept:
            if at + len(piece) > begin and at < end:
                parts.append(piece[max(0, begin - at) : end - at])
            at += len(piece)
        return b"".join(parts)

    def _decoded(self) -> Iterator[bytes]:
        """All sound in order, gaps filled and overlaps dropped."""
        written = 0  # samples yielded
        run = _Run(0)
        for frame in self._frames():
            stamp: float | None = frame.time
            begin = self._clock.time(stamp, frame.samples / frame.sample_rate)
            if stamp is not None and not run.continues(frame, begin):
                for piece in run.flushed(written):
                    written += len(piece) // WIDTH
                    yield piece
                gap = round(begin * SAMPLE_RATE) - written
                if gap > MISSING * SAMPLE_RATE and written:
                    self.damage.append(written / SAMPLE_RATE)
                while gap > 0:
                    piece = SILENCE[: gap * WIDTH]
                    written += len(piece) // WIDTH
                    gap -= len(piece) // WIDTH
                    yield piece
                run = _Run(round(begin * SAMPLE_RATE), begin)
            elif not run.fits(frame):
                for piece in run.flushed(written):
                    written += len(piece) // WIDTH
                    yield piece
                run = _Run(written, written / SAMPLE_RATE)
            for piece in run.pieces(frame, written):
                written += len(piece) // WIDTH
                yield piece
        yield from run.flushed(written)

    def _frames(self) -> Iterator[AudioFrame]:
        for frames in self._container.sounds():
            if frames is not None:
                yield from frames
            elif self.damage[-1:] != [self._end / WIDTH / SAMPLE_RATE]:
                self.damage.append(self._end / WIDTH / SAMPLE_RATE)


class _Run:
    """Frames that follow each other without a gap, through one resampler."""

    def __init__(self, first: int, begin: float = 0.0) -> None:
        self._first = first  # the sample at which it begins
        self._made = 0  # samples made, also those dropped
        self._due = begin  # where the next frame is expected
        self._shape: tuple[str, str, int] | None = None
        # packed, since PyAV has no more than eight planes
        self._resampler = AudioResampler(format="flt", rate=SAMPLE_RATE, frame_size=BLOCK)
        self._mixer: Mixer | None = None

    def continues(self, frame: AudioFrame, begin: float) -> bool:
        return self.fits(frame) and abs(begin - self._due) <= TOLERANCE

    def fits(self, frame: AudioFrame) -> bool:
        return self._shape is None or self._shape == _shape(frame)

    def pieces(self, frame: AudioFrame, written: int) -> Iterator[bytes]:
        self._shape = _shape(frame)
        self._due += frame.samples / frame.sample_rate
        frame.pts = None
        yield from self._resampled(frame, written)

    def flushed(self, written: int) -> Iterator[bytes]:
        if self._shape is not None:
            yield from self._resampled(None, written)

    def _resampled(self, frame: AudioFrame | None, written: int) -> Iterator[bytes]:
        try:
            blocks = self._resampler.resample(frame)
        except DAMAGE:
            raise CorruptMedia("The recording's sound is damaged: nothing has the sample rate or the channels that it says.") from None
        for made in blocks:
            block: Any = made.to_ndarray().reshape(made.samples, -1).T
            self._mixer = self._mixer or Mixer(block.shape[0])
            piece = np.rint(np.clip(self._mixer.mixed(block) * 32768, -32768, 32767)).astype("<i2").tobytes()
            already = written - (self._first + self._made)  # told before: an overlap
            self._made += made.samples
            piece = piece[max(0, already) * WIDTH :]
            written += len(piece) // WIDTH
            if piece:
                yield piece


def _shape(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
