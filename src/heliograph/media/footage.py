"""The pictures of a recording: the frame that is shown at a time, exact to the frame, and its upright pixels. Runs in the child.

A frame is shown from its own time until that of the next, whatever their distance. Going back, or far ahead, starts at a key frame that
lies before the time asked for by its own time stamp; an index that leads to a later one is not believed, and the search begins further
back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from av.video.frame import VideoFrame

from heliograph.errors import CorruptMedia, UnsupportedMedia
from heliograph.media.clock import Clock
from heliograph.media.container import Container
from heliograph.media.content import Playable
from heliograph.media.document import PageImage
from heliograph.media.recording import VideoTrack

AHEAD = 2.0
"""Seconds ahead up to which decoding on is quicker than looking for a key frame."""
BACK = (0.0, 2.0, 10.0, 60.0)
"""Seconds before the time asked for at which key frames are looked for, one after the other; then from the beginning."""
CLOSE = 1e-4
"""Seconds by which a time may lie before a frame's own and still mean that frame: times are written with few digits."""
FASTEST = 240.0
"""Frames a second above which a header's number is the resolution of its clock, and the frames themselves are counted."""
DISORDER = 0.5
"""Seconds by which times that a demuxer guesses, for frames that have none, are out of order."""
LATE = 0.5
"""Seconds by which reordering can make the first frame of an AVI late."""
TURNS: tuple[Literal[0], Literal[90], Literal[180], Literal[270]] = (0, 90, 180, 270)


class Footage:
    """The open pictures of a recording. Raises as `Container`, and UnsupportedMedia for a file without moving pictures."""

    def __init__(self, played: Playable) -> None:
        self._played = played
        self.damage: list[float] = []
        """Times in seconds after which something could not be decoded, since they were last taken away."""
        self._open()

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    @property
    def shape(self) -> float:
        """The width of a pixel by its height."""
        ratio = self._stream.sample_aspect_ratio
        return float(ratio) if ratio and 0.1 <= ratio <= 10 else 1.0

    def track(self, counted: float | None) -> VideoTrack:
        """What the track is, by its first frame. `counted`: frames a second, where they were counted."""
        _, frame = self.at(0.0)
        width, height = upright_size(frame, self.shape)
        stated = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        fps = stated if 0 < stated <= FASTEST else counted or stated
        name = self._stream.codec_context.codec.canonical_name
        return VideoTrack(self._stream.index, name, width, height, fps, rotation_of(frame))

    def onwards(self, time: float) -> Iterator[tuple[float, VideoFrame]]:
        """The frame that is shown at `time` and all after it, with the times from which on they are shown."""
        yield self.at(time)
        while self._next is not None:
            self._step()
            assert self._shown is not None
            yield self._shown

    def at(self, time: float) -> tuple[float, VideoFrame]:
        """The frame that is shown at `time`, and since when: the first for times before it, the last for times after the end."""
        time += CLOSE
        if self._shown is None or time < self._shown[0] or time > self._shown[0] + AHEAD:
            self._go(time)
        while self._next is not None and (self._shown is None or self._next[0] <= time):
            self._step()
        if self._shown is None:
            raise CorruptMedia("No frame of the video can be decoded.")
        return self._shown

    def _go(self, time: float) -> None:
        """Stand at a key frame at or before `time`, unless decoding on is as good."""
        ahead = self._shown is not None and self._shown[0] <= time
        if ahead and self._next is None:
            return
        for back in BACK if self._seekable else ():
            target = time - back
            if target <= 0 or (ahead and self._shown is not None and target <= self._shown[0]):
                break
            if not self._container.go_to(target + self._late, self._stream):
                break
            ahead = False
            self._shown = None
            self._pull = self._decoded(keyed=True)
            self._next = next(self._pull, None)
            if self._next is not None and self._next[0] <= time:
                return
        if not ahead:
            self._container.close()
            self._open()

    def _open(self) -> None:
        played = self._played
        self._container = Container(Path(played.path), played.limits, played.threads)
        if self._container.video is None:
            self._container.close()
            raise UnsupportedMedia("The recording has no moving pictures.")
        self._stream = self._container.video
        container, codec = self._container.demuxer, self._stream.codec_context.codec.canonical_name
        # Only the order in which frames are decoded is known; of MPEG-4 Part 2 FFmpeg makes times of it, late by the reordering.
        self._untimed = container == "mpegvideo" or (container == "avi" and codec in ("h264", "hevc"))
        # In a program stream few packets have a time, and what FFmpeg guesses for the others after moving is wrong.
        self._seekable = played.even and not self._untimed and container != "mpeg"
        self._late = 0.0
        self._shown: tuple[float, VideoFrame] | None = None
        self._pull = self._decoded(keyed=False)
        self._next = next(self._pull, None)

    def _step(self) -> None:
        self._shown, self._next = self._next, next(self._pull, None)

    def _decoded(self, *, keyed: bool) -> Iterator[tuple[float, VideoFrame]]:
        """Frames from where the file stands, `keyed`: from the first key frame on."""
        clock = Clock(self._container.origin, self._played.duration, leaps=self._container.leaps)
        rate = self._stream.guessed_rate or self._stream.average_rate
        usual = 1 / float(rate) if rate else 0.04
        time: float | None = None
        begun = not keyed
        for frames in self._container.pictures():
            if frames is None:
                if self.damage[-1:] != [time or 0.0]:
                    self.damage.append(time or 0.0)
                continue
            for frame in frames:
                begun = begun or frame.key_frame
                if not begun:
                    continue
                stamp: float | None = frame.time
                told = clock.time(None if self._untimed else stamp, usual) - self._late
                if time is None and not keyed and self._container.demuxer == "avi" and 0 < told < LATE:
                    self._late, told = told, 0.0
                if time is not None and told < time - DISORDER:
                    continue  # told once already
                time = told if time is None or told > time else time + usual
                yield time, frame


def rotation_of(frame: VideoFrame) -> Literal[0, 90, 180, 270]:
    """Degrees clockwise by which the frame is turned to be upright, by its display matrix."""
    return TURNS[round(-frame.rotation / 90) % 4]


def upright_size(frame: VideoFrame, shape: float, longest_side: int | None = None) -> tuple[int, int]:
    """Width and height in square pixels as the frame is shown, no side longer than `longest_side`.

    `shape`: the width of a pixel by its height.
    """
    width, height = max(1, round(frame.width * shape)), frame.height
    if rotation_of(frame) in (90, 270):
        width, height = height, width
    scale = min(1.0, longest_side / max(width, height)) if longest_side else 1.0
    return max(1, round(width * scale)), max(1, round(height * scale))


def upright(frame: VideoFrame, size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Its RGB pixels, turned upright and scaled to `size`, width and height."""
    rotation = rotation_of(frame)
    width, height = size if rotation in (0, 180) else size[::-1]
    smaller = width * height < frame.width * frame.height
    rgb: Any = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA" if smaller else "BICUBIC").to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, k=-rotation // 90))


def pixels(frame: VideoFrame, shape: float, longest_side: int | None) -> PageImage:
    """Its upright pixels, no side longer than `longest_side`."""
    size = upright_size(frame, shape, longest_side)
    return PageImage(*size, upright(frame, size).tobytes())
