"""A timeline becomes an MP4: H.264 and AAC, its index in front, so that players begin at once. Runs in the child.

Frames and sound are taken alternately, each from a decoder of its own, so that what waits to be written is never more than a second.
Frames keep the times they had: a recording with an uneven rate stays as uneven, and nothing is shown early or late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

import av
import numpy as np

from heliograph.errors import InvalidRequest, MediaLimitExceeded
from heliograph.filming.canvas import Canvas, Overlay, upright
from heliograph.filming.footage import Footage
from heliograph.filming.lettering import caption, legible, mark
from heliograph.filming.orders import Bounds, Cut, Filmed, Timeline, progress_at
from heliograph.filming.tempo import Tempo
from heliograph.media.subtitles import Cue

TICKS = Fraction(1, 90_000)
QUALITY = {"crf": "21", "preset": "veryfast"}
SOUND = 128_000
"""Bits a second of AAC, both channels."""
RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)
AHEAD = 0.5
"""Seconds of sound written before the frame of its time."""
ALIKE = 0.01
"""Of a rate, by which another may differ and its frames still keep their times."""
LARGEST = 3840
"""Pixels of the longer side of a film."""
FASTEST = 60.0
TOLD = 0.5
"""Seconds after which it is noted again how far the film is."""
_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, "
    b"BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
    b"MarginR, MarginV, Encoding\nStyle: Default,Arial,18,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\n\n[Events]\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)
"""What the encoder of text tracks asks for before it opens."""


class Part:
    """A cut with its footage. `start`, `end`: in the source; `lasts`: in the film; `at`: where it begins there."""

    def __init__(self, cut: Cut, footage: Footage, at: float) -> None:
        if not 0.1 <= cut.speed <= 16:
            raise InvalidRequest(f"A film runs 0.1 to 16 times as fast, not {cut.speed:g}.", param="speed")
        self.cut, self.footage, self.at = cut, footage, at
        self.start, self.end = footage.span(cut.start, cut.end)
        self.lasts = (self.end - self.start) / cut.speed

    @property
    def sounds(self) -> bool:
        """Whether it has sound that is wanted."""
        return self.footage.audio is not None and not self.cut.muted


class Progress:
    """Notes beside the target how many seconds are done, and stops what grows too large."""

    def __init__(self, target: Path, bounds: Bounds) -> None:
        self._target, self._note, self._most = target, progress_at(target), bounds.bytes
        self._next = 0.0

    def reached(self, seconds: float) -> None:
        """This much of the film is done. Raises MediaLimitExceeded."""
        if (now := monotonic()) < self._next:
            return
        self._next = now + TOLD
        self._note.write_text(f"{seconds:.2f}")
        self.check()

    def check(self) -> int:
        """The bytes written. Raises MediaLimitExceeded."""
        size = self._target.stat().st_size if self._target.exists() else 0
        if size > self._most:
            raise MediaLimitExceeded(
                f"The file would be larger than the {self._most:,} bytes that may be made; make it shorter or smaller."
            )
        return size


def opened(cuts: list[Cut], closing: ExitStack) -> list[Part]:
    """The cuts as parts of a film. Raises MediaErrors, InvalidRequest for times that a recording has not."""
    if not cuts:
        raise InvalidRequest("There is nothing to make a film of.", param="cuts")
    parts: list[Part] = []
    for cut in cuts:
        at = parts[-1].at + parts[-1].lasts if parts else 0.0
        parts.append(Part(cut, closing.enter_context(Footage(cut.path)), at))
    return parts


def rendered(timeline: Timeline, target: Path, bounds: Bounds) -> Filmed:
    """Write the film to `target`, an MP4. Raises MediaErrors, InvalidRequest."""
    with ExitStack() as closing:
        parts = opened(timeline.cuts, closing)
        if parts[0].footage.video is None:
            raise InvalidRequest("The recording has no pictures, only sound, so no film can be made of it.")
        if any(part.footage.video is None for part in parts):
            raise InvalidRequest("One of the recordings has no pictures, only sound; films join films.", param="cuts")
        return _Rendering(timeline, parts, target, bounds).run(closing)


class _Rendering:
    def __init__(self, timeline: Timeline, parts: list[Part], target: Path, bounds: Bounds) -> None:
        self._timeline, self._parts, self._target = timeline, parts, target
        self._bounds = bounds
        self._progress = Progress(target, bounds)
        self._lasts = parts[-1].at + parts[-1].lasts
        first: Any = parts[0].footage.video
        own = float(first.average_rate or first.guessed_rate or 25)
        self._fps = min(timeline.fps or own, max(FASTEST, min(own, 120.0)))
        self._size = self._sized(parts[0])
        self._canvas = Canvas(*self._size, timeline.turn)
        self._overlays: list[tuple[float, float, Overlay]] = [
            (each.start, self._lasts if each.end is None else each.end, Overlay(mark(each, *self._size), *self._size))
            for each in timeline.marks
        ]
        self._cues = sorted(timeline.captions, key=lambda cue: cue.start)
        for cue in self._cues:
            legible(cue.text)
        self._drawn: tuple[Cue, Overlay] | None = None
        self._frames = 0

    def run(self, closing: ExitStack) -> Filmed:
        width, height = self._size
        container: Any = closing.enter_context(av.open(str(self._target), "w", format="mp4", options={"movflags": "+faststart"}))
        video: Any = container.add_stream("libx264", rate=Fraction(self._fps).limit_denominator(1001), options=QUALITY)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = TICKS
        video.codec_context.thread_count = self._bounds.threads
        sound = Sounding(self._timeline, self._parts, container)
        track = Track(self._timeline, container)
        tagged = False
        for time, frame in self._pictures():
            if not tagged:  # before the encoder opens
                for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
                    setattr(video.codec_context, name, getattr(frame, name))
                tagged = True
            track.upto(time)
            sound.upto(time + AHEAD)
            frame.pts, frame.time_base = round(time / TICKS), TICKS
            frame.pict_type = 0
            self._mux(container, video.encode(frame))
            self._frames += 1
            self._progress.reached(time)
        if not self._frames:
            raise InvalidRequest("There is no frame between these times.", param="start")
        self._mux(container, video.encode(None))
        track.upto(self._lasts)
        sound.upto(self._lasts, last=True)
        container.close()
        size = self._progress.check()
        return Filmed(
            seconds=self._lasts,
            bytes=size,
            width=width,
            height=height,
            frames=self._frames,
            sound=sound.there,
            warnings=_warnings(self._parts),
        )

    def _mux(self, container: Any, packets: list[Any]) -> None:
        """Write pictures; that of the last frame has no other to say how long it lasts."""
        for packet in packets:
            packet.duration = round(1 / self._fps / TICKS)
            container.mux(packet)

    def _pictures(self) -> Iterator[tuple[float, Any]]:
        """The film's frames with their times, fitted and drawn over; one more where the last would be shown for long."""
        step = 1 / self._fps
        for part in self._parts:
            last: tuple[float, Any] | None = None
            for time, frame in self._timed(part):
                last = time, frame
                yield time, self._composed(part, time, frame)
            if last is not None and (hold := part.at + part.lasts - step) > last[0] + 0.75 * step:
                yield hold, self._composed(part, hold, last[1])

    def _timed(self, part: Part) -> Iterator[tuple[float, Any]]:
        """A part's frames at their times in the film; at the film's own rate where the part's is another."""
        stream: Any = part.footage.video
        rate = float(stream.average_rate or stream.guessed_rate or self._fps) * part.cut.speed
        source = ((part.at + (time - part.start) / part.cut.speed, frame) for time, frame in part.footage.pictures(part.start, part.end))
        if abs(rate - self._fps) <= ALIKE * self._fps:
            least = 0.5 / self._fps / 4
            before = -1.0
            for time, frame in source:
                if time - before >= least:  # broken files show two frames at once
                    yield time, frame
                    before = time
            return
        number, end, shown = 0, part.at + part.lasts, None
        for time, frame in source:
            while shown is not None and (at := part.at + number / self._fps) < min(time - 1e-6, end - 1e-3):
                yield at, shown
                number += 1
            shown = frame
        while shown is not None and (at := part.at + number / self._fps) < end - 1e-3:
            yield at, shown
            number += 1

    def _composed(self, part: Part, time: float, frame: Any) -> Any:
        layers = [overlay for start, end, overlay in self._overlays if start - 1e-6 <= time < end]
        cue = self._cue(time)
        if cue is not None:
            if self._drawn is None or self._drawn[0] is not cue:
                self._drawn = cue, Overlay(caption(cue, *self._size), *self._size)
            layers.append(self._drawn[1])
        return self._canvas.fitted(frame, ratio_of(part.footage.video), layers)

    def _cue(self, time: float) -> Cue | None:
        while self._cues and self._cues[0].end <= time + 1e-6:
            self._cues.pop(0)
        return self._cues[0] if self._cues and self._cues[0].start <= time + 1e-3 else None

    def _sized(self, part: Part) -> tuple[int, int]:
        """The film's size: of the first part, upright, or as asked. Raises InvalidRequest, MediaLimitExceeded."""
        timeline = self._timeline
        _, frame = next(iter(part.footage.pictures(part.start, min(part.end, part.start + 1e-3))), (0.0, None))
        if frame is None:
            raise InvalidRequest("There is no frame between these times.", param="start")
        wide, high = upright(frame, ratio_of(part.footage.video))
        if timeline.turn % 180:
            wide, high = high, wide
        if timeline.width and timeline.height:
            size = float(timeline.width), float(timeline.height)
        elif timeline.width or timeline.height:
            scale = timeline.width / wide if timeline.width else (timeline.height or high) / high
            size = wide * scale, high * scale
        else:
            scale = min(1.0, LARGEST / max(wide, high))
            size = wide * scale, high * scale
        width, height = (max(16, round(side / 2) * 2) for side in size)
        if max(width, height) > LARGEST or width * height > self._bounds.pixels:
            raise MediaLimitExceeded(f"That makes a film of {width} x {height} pixels; its longer side has {LARGEST} at most.")
        return width, height


class Sounding:
    """The sound of a film, written as far as its pictures are."""

    def __init__(self, timeline: Timeline, parts: list[Part], container: Any, codec: str = "aac") -> None:
        self._lasts = parts[-1].at + parts[-1].lasts
        self._parts = [] if timeline.muted else parts
        self._instead = timeline.sound
        self._container, self._written, self._stream = container, 0, None
        sources = [part.footage.audio for part in self._parts if part.sounds]
        if self._instead is not None:
            self._other = Footage(self._instead.path)
            if self._other.audio is None:
                raise InvalidRequest("The recording that shall be heard has no sound.", param="sound")
            sources = [self._other.audio]
        self.there = bool(sources)
        if not sources:
            return
        context: Any = sources[0].codec_context
        self.rate = next((rate for rate in RATES if rate <= context.sample_rate), RATES[-1])
        self._layout = "mono" if context.channels == 1 else "stereo"
        self._stream: Any = container.add_stream(codec, rate=self.rate, layout=self._layout)
        self._stream.bit_rate = SOUND if self._layout == "stereo" else SOUND * 5 // 8
        self._blocks = self._sound()

    def upto(self, time: float, *, last: bool = False) -> None:
        """Write the sound up to this time of the film; `last`: and all that the encoder still holds."""
        if self._stream is None:
            return
        while self._written < min(time, self._lasts) * self.rate:
            block = next(self._blocks, None)
            if block is None:
                break
            frame: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self.rate, self._written, Fraction(1, self.rate)
            self._container.mux(self._stream.encode(frame))
            self._written += block.shape[1]
        if last:
            self._container.mux(self._stream.encode(None))

    def _sound(self) -> Iterator[Any]:
        if self._instead is not None:
            start, end = self._other.span(self._instead.start, self._instead.end)
            yield from self._exactly(self._other.samples(start, end, self.rate, self._layout), self._lasts)
            self._other.close()
            return
        for part in self._parts:
            blocks: Iterator[Any] = iter(())
            if part.sounds:
                with Footage(part.cut.path) as own:  # a decoder of its own: that of the pictures is at another place
                    blocks = own.samples(part.start, part.end, self.rate, self._layout)
                    if part.cut.speed != 1.0:
                        blocks = Tempo(part.cut.speed, self.rate, self._layout).changed(blocks)
                    yield from self._exactly(blocks, part.lasts)
            else:
                yield from self._exactly(blocks, part.lasts)

    def _exactly(self, blocks: Iterator[Any], seconds: float) -> Iterator[Any]:
        """Blocks that last exactly so long: cut, or with silence after them."""
        left = round(seconds * self.rate)
        for block in blocks:
            if block.shape[1] >= left:
                yield block[:, :left]
                return
            yield block
            left -= block.shape[1]
        channels = 1 if self._layout == "mono" else 2
        while left > 0:
            yield np.zeros((channels, min(left, self.rate)), np.float32)
            left -= self.rate


class Track:
    """Captions as a track of text."""

    def __init__(self, timeline: Timeline, container: Any) -> None:
        self._cues = sorted(timeline.track, key=lambda cue: cue.start)
        self._container = container
        if self._cues:
            self._stream: Any = container.add_stream("mov_text")
            self._stream.codec_context.subtitle_header = _HEADER
            self._stream.metadata["language"] = timeline.language or "und"

    def upto(self, time: float) -> None:
        """Write those that begin up to this time."""
        while self._cues and self._cues[0].start <= time:
            cue = self._cues.pop(0)
            text = "\n".join(cue.lines).encode()[:0xFFFF]
            packet: Any = av.Packet(len(text).to_bytes(2, "big") + text)
            packet.stream, packet.time_base = self._stream, Fraction(1, 1000)
            packet.pts = packet.dts = round(cue.start * 1000)
            packet.duration = max(1, round((cue.end - cue.start) * 1000))
            self._container.mux(packet)


def ratio_of(stream: Any) -> float:
    """How many times as wide as high a pixel is."""
    ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(ratio) if ratio else 1.0


def _warnings(parts: list[Part]) -> list[str]:
    silent = sum(part.footage.audio is None and not part.cut.muted for part in parts)
    return [f"{silent} of {len(parts)} parts have no sound and are silent."] if 0 < silent < len(parts) else []
