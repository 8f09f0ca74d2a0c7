"""The functions that run in a child that watches one file: its frames are measured, block by block, and the chosen ones handed over.

The pictures stay open between calls and go on where they stopped. Frames are told apart by their times, so that a child that begins in the
middle (after a kill, or for a frame far behind) finds the same ones.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2 as opencv
import numpy as np
from av.video.frame import VideoFrame

from heliograph.errors import CorruptMedia
from heliograph.media.content import Playable
from heliograph.media.document import PageImage
from heliograph.media.footage import CLOSE, Footage, upright, upright_size
from heliograph.media.geometry import Box, to_pixels
from heliograph.perception.scenes import choosing, turning
from heliograph.perception.scenes.measuring import MEASURED, WIDE, Meter, Plane
from heliograph.perception.scenes.watched import Block, Choice, Moments, Sensitivity, Turn

cv2: Any = opencv  # its types know nothing of numpy's
cv2.setNumThreads(1)

WARM_UP = 3.0
"""Seconds before a block that pictures opened anew are measured without being handed over, so that all frames are compared with others."""
LONG_SIDE = 11 * 72
"""Points that the longer side of a frame counts as."""
PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
"""Formats whose planes are looked at as they are; others are converted, small."""
EARLY, LATE = 0.6, 2.0
"""Seconds about the time at which something was new, in which texts that are new then came or went."""
TURN_SIDE = 640
"""Pixels of the longer side at which texts are watched coming and going."""
MOST_BETWEEN = 400
"""Frames that are compared for one moment."""
USUAL = 0.04
"""Seconds that the last frame of a recording is shown where nothing says how long."""


class _Under(NamedTuple):
    """Frames that are being measured: the pictures, what is left of them, the time of the last one, and what remembers those before it."""

    footage: Footage
    frames: Iterator[tuple[float, VideoFrame]]
    meter: Meter
    last: float | None


_measured: dict[str, _Under] = {}
_pictures: dict[str, Footage] = {}


def measure(played: Playable, after: float | None, seconds: float, patience: float) -> Block:
    """The next `seconds` of frames after the one at the time `after`, or from the beginning; fewer when `patience` seconds are over.

    Raises a MediaError.
    """
    under = _measured.pop(played.path, None)
    if under is None or under.last != after:
        if under is not None:
            under.footage.close()
        footage = Footage(played)
        under = _Under(footage, footage.onwards(0.0 if after is None else max(0.0, after - WARM_UP)), Meter(), after)
    began = time.monotonic()
    rows: list[tuple[object, ...]] = []
    last, done = after, True
    for at, frame in under.frames:
        if last is not None and at <= last and rows:
            continue  # a file whose clock goes back; what a player does there nobody knows
        row = under.meter.measure(at, *_planes(frame))
        if after is not None and at <= after:
            continue
        rows.append(row)
        last = at
        if at - float(rows[0][0]) >= seconds or time.monotonic() - began > patience:  # pyright: ignore[reportArgumentType]
            done = False
            break
    _measured[played.path] = under._replace(last=last)
    measured = np.array(rows, MEASURED)
    damage = len(under.footage.damage)
    under.footage.damage.clear()
    return Block(zlib.compress(measured.tobytes(), 1), len(rows), _end(measured["time"]), last, done, damage)


def choose(blocks: list[bytes], end: float, sensitivity: Sensitivity, most: int) -> Choice:
    """Shots, and the frames to be looked at, from all measured frames; at most `most` frames. `end`: when the last frame is gone."""
    frames = np.concatenate([np.frombuffer(zlib.decompress(block), MEASURED) for block in blocks])
    return choosing.choose(frames, end, sensitivity, most)


def picture(played: Playable, at: float, width: int, height: int) -> PageImage:
    """The upright pixels of the frame at a time, `width` x `height` of them. Raises a MediaError."""
    found, frame = _footage(played).at(at)
    if abs(found - at) > CLOSE:
        raise CorruptMedia("A frame of the recording cannot be decoded a second time.")
    pixels = upright(frame, (width, height))
    return PageImage(width, height, pixels.tobytes(), max(width, height) / LONG_SIDE * 72)


def moments(played: Playable, turn: Turn) -> Moments:
    """When exactly the texts of a turn come and go, to the frame. Raises a MediaError."""
    footage = _footage(played)
    begin, end = max(turn.before, turn.since - EARLY), min(turn.after, turn.since + LATE)
    size: tuple[int, int] | None = None
    times: list[float] = []
    came: list[list[Plane]] = [[] for _ in turn.came]
    went: list[list[Plane]] = [[] for _ in turn.went]
    for wanted, boxes, crops in ((turn.before, turn.went, went), (None, [], []), (turn.after, turn.came, came)):
        for at, frame in [footage.at(wanted)] if wanted is not None else footage.onwards(begin):
            size = size or upright_size(frame, footage.shape, TURN_SIDE)
            grey = cv2.cvtColor(upright(frame, size), cv2.COLOR_RGB2GRAY)
            if wanted is not None:
                references = [_crop(grey, box) for box in boxes]
                for own, reference in zip(crops, references, strict=True):
                    own.append(reference)
                continue
            if at > end + CLOSE or len(times) >= MOST_BETWEEN:
                break
            times.append(at)
            for own, box in zip([*came, *went], [*turn.came, *turn.went], strict=True):
                own.append(_crop(grey, box))
    return Moments(
        [_moment(times, turning.step(turning.likeness(crops[:-1], crops[-1]), up=True)) for crops in came],
        [_moment(times, turning.step(turning.likeness(crops[1:], crops[0]), up=False)) for crops in went],
    )


def _crop(picture: Plane, box: Box) -> Plane:
    left, top, right, bottom = to_pixels(box, picture.shape[1], picture.shape[0])
    return picture[top:bottom, left:right].copy()


def _moment(times: list[float], place: int | None) -> float | None:
    return None if place is None else times[place]


def forget() -> None:
    """Close what is open."""
    for footage in [*(under.footage for under in _measured.values()), *_pictures.values()]:
        footage.close()
    _measured.clear()
    _pictures.clear()


def _footage(played: Playable) -> Footage:
    if played.path not in _pictures:
        _pictures[played.path] = Footage(played)
    return _pictures[played.path]


def _end(times: Any) -> float:
    """When the last frame is gone: after as long as the one before it was shown."""
    if not len(times):
        return 0.0
    return float(times[-1]) + (float(times[-1] - times[-2]) if len(times) > 1 else USUAL)


def _planes(frame: VideoFrame) -> tuple[Plane, Plane]:
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
