"""The functions that run in a child that watches one file: its frames are measured, block by block, and the chosen ones handed over.

The decoder stays open between calls and goes on where it stopped. Frames are told apart by their time stamps, so that a child that begins
in the middle (after a kill, or for a frame far behind) finds the same ones: it seeks to a key frame before and decodes up to there.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import cv2 as opencv
import numpy as np
from av.error import FFmpegError

from heliograph.errors import CorruptMedia, MediaLimitExceeded
from heliograph.media.document import PageImage
from heliograph.perception.scenes import choosing
from heliograph.perception.scenes.measuring import MEASURED, WIDE, Meter, Plane
from heliograph.perception.scenes.watched import Block, Choice, Sensitivity

cv2: Any = opencv  # its types know nothing of numpy's
cv2.setNumThreads(1)

WARM_UP = 3.0
"""Seconds before a block that a fresh decoder measures without handing over, so that a frame is compared with those before it."""
NEAR = 4.0
"""Seconds ahead up to which decoding on is quicker than seeking."""
LONG_SIDE = 11 * 72
"""Points that the longer side of a frame counts as."""
MOST_BROKEN = 2_000
"""Broken packets in a row after which a file is given up."""
PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
"""Formats whose planes are looked at as they are; others are converted, small."""


class _Film:
    """A file's pictures, decoded from some place on."""

    def __init__(self, path: Path, track: int, threads: int) -> None:
        try:
            self._container: Any = av.open(str(path), metadata_errors="ignore")
            self._stream: Any = self._container.streams[track]
        except (FFmpegError, IndexError, OSError, ValueError) as error:
            raise CorruptMedia(f"The recording cannot be opened: {error}") from None
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = threads
        self.base = float(self._stream.time_base)
        begin = self._container.start_time
        self._begin = (begin or 0) / av.time_base
        self.broken = 0
        self.meter = Meter()
        self.frames: Iterator[Any] = self._decoded()
        self.last: int | None = None
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.usual = 1 / float(rate) if rate else 0.04

    def time(self, stamp: int) -> float:
        return stamp * self.base - self._begin

    def seek(self, stamp: int) -> None:
        """Go to a key frame at or before `stamp`; to the beginning where the file has no index."""
        with suppress(FFmpegError):
            self._container.seek(stamp, stream=self._stream, backward=True)
        self.frames = self._decoded()
        self.last = None

    def close(self) -> None:
        self._container.close()

    def _decoded(self) -> Iterator[Any]:
        row = 0
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                    row = 0
                except FFmpegError:
                    self.broken += 1
                    row += 1
                    if row > MOST_BROKEN:
                        return
                    continue
                for frame in frames:
                    if frame.pts is None:
                        frame.pts = frame.dts if frame.dts is not None else (self.last or 0) + round(self.usual / self.base)
                    if self.last is None or frame.pts > self.last:
                        self.last = frame.pts
                        yield frame
        except FFmpegError:
            self.broken += 1


_open: dict[str, _Film] = {}


def measure(path: Path, track: int, after: int | None, seconds: float, patience: float, threads: int, max_pixels: int) -> Block:
    """The next `seconds` of frames after the one with the stamp `after`, or from the beginning; fewer when `patience` seconds are over.

    Raises CorruptMedia, MediaLimitExceeded for frames of more than `max_pixels`.
    """
    film = _open.get("measured")
    if film is None or film.last != after:
        if film is not None:
            film.close()
        film = _open["measured"] = _Film(path, track, threads)
        if after is not None:
            film.seek(after - round(WARM_UP / film.base))
    began, broken = time.monotonic(), film.broken
    rows: list[tuple[object, ...]] = []
    done = True
    first: float | None = None
    last = after
    for frame in film.frames:
        if frame.width * frame.height > max_pixels:
            raise MediaLimitExceeded(
                f"The recording has frames of {frame.width} x {frame.height} pixels; this server reads up to {max_pixels:,}."
            )
        at = film.time(frame.pts)
        row = film.meter.measure(frame.pts, at, *_planes(frame))
        if after is not None and frame.pts <= after:
            continue
        rows.append(row)
        last = frame.pts
        first = at if first is None else first
        if at - first >= seconds or time.monotonic() - began > patience:
            done = False
            break
    measured = np.array(rows, MEASURED)
    end = float(measured["time"][-1]) + film.usual if rows else 0.0
    return Block(zlib.compress(measured.tobytes(), 1), len(rows), end, last, done, film.broken - broken)


def choose(blocks: list[bytes], end: float, sensitivity: Sensitivity, most: int) -> Choice:
    """Shots, and the frames to be read, from all measured frames; at most `most` frames."""
    frames = np.concatenate([np.frombuffer(zlib.decompress(block), MEASURED) for block in blocks])
    return choosing.choose(frames, end, sensitivity, most)


def picture(path: Path, track: int, stamp: int, width: int, height: int, rotation: int, threads: int) -> PageImage:
    """The upright pixels of the frame with this stamp, `width` x `height` of them. Raises CorruptMedia when it is not there (any more)."""
    film = _open.get("pictures")
    if film is None:
        film = _open["pictures"] = _Film(path, track, threads)
    if film.last is None or not film.last < stamp <= film.last + NEAR / film.base:
        film.seek(stamp)
    for frame in film.frames:
        if frame.pts >= stamp:
            turned = rotation in {90, 270}
            size = (height, width) if turned else (width, height)
            pixels = frame.reformat(*size, format="rgb24", interpolation="AREA").to_ndarray()
            if rotation:
                pixels = np.ascontiguousarray(np.rot90(pixels, -rotation // 90))
            return PageImage(width, height, pixels.tobytes(), max(width, height) / LONG_SIDE * 72)
    raise CorruptMedia("A frame of the recording cannot be decoded a second time.")


def _planes(frame: Any) -> tuple[Plane, Plane]:
    """Brightness, `WIDE` pixels on its longer side, and both colour differences one above the other, at a quarter of it."""
    scale = WIDE / max(frame.width, frame.height)
    width, height = max(8, round(frame.width * scale / 8) * 8), max(8, round(frame.height * scale / 8) * 8)
    if frame.format.name not in PLANAR:
        frame = frame.reformat(width, height, format="yuv420p", interpolation="AREA")
    luma, first, second = (_plane(plane) for plane in frame.planes[:3])
    small = (width // 4, height // 4)
    return _resized(luma, (width, height)), np.vstack([_resized(first, small), _resized(second, small)])


def _plane(plane: Any) -> Plane:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def _resized(plane: Plane, size: tuple[int, int]) -> Plane:
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def forget() -> None:
    """Close what is open."""
    for film in _open.values():
        film.close()
    _open.clear()
