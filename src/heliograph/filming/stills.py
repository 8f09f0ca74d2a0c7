"""Frames as pictures, contact sheets, and moving pictures without sound (GIF). Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from heliograph.errors import InvalidRequest, MediaLimitExceeded
from heliograph.filming.canvas import upright
from heliograph.filming.footage import SLACK, Footage
from heliograph.filming.orders import Bounds, Cut, Filmed, Still
from heliograph.filming.rendering import Part, Progress, opened, ratio_of
from heliograph.imaging.grids import grid
from heliograph.imaging.orders import Drawn, Format
from heliograph.imaging.working import encoded
from heliograph.media.timecode import clock

SAMPLES = 24
"""Frames of a GIF, evenly spread, whose colours are its palette."""


def stills(path: Path, times: list[float], longest: int | None, form: Format) -> list[Drawn]:
    """The frames shown at these times, upright, in their order; no side longer than `longest` pixels. Raises as `Cutter.frames`."""
    return [encoded(picture, form) for picture in _pictures(path, times, longest)]


def sheet(path: Path, asked: list[Still], columns: int | None, cell: int) -> Drawn:
    """The frames shown at these times side by side, each within `cell` x `cell` pixels, with its time beneath."""
    pictures = _pictures(path, [still.time for still in asked], cell)
    captions = [clock(still.time) if still.caption is None else still.caption for still in asked]
    return encoded(grid(pictures, captions, columns, cell), "jpeg")


def animated(cut: Cut, target: Path, width: int | None, fps: float, bounds: Bounds) -> Filmed:
    """Write a part of a film as a GIF that repeats, at `fps` and `width` pixels, in colours chosen for it. Raises as `Cutter.gif`."""
    with ExitStack() as closing:
        part = opened([cut], closing)[0]
        count = int(part.lasts * fps + 1e-6) or 1
        if count > bounds.frames:
            raise MediaLimitExceeded(
                f"That is a GIF of {count} frames; up to {bounds.frames} are made: choose a shorter part or a lower rate."
            )
        first = next((frame for _, frame in part.footage.pictures(part.start, part.start + 2 * SLACK)), None)
        if first is None:
            raise InvalidRequest("There is no frame between these times.", param="start")
        wide, high = upright(first, ratio_of(part.footage.video))
        scale = min(1.0, (width or wide) / wide)
        size = max(1, round(wide * scale)), max(1, round(high * scale))
        if size[0] * size[1] > bounds.pixels:
            raise MediaLimitExceeded(f"That makes pictures of {size[0]} x {size[1]} pixels; choose a smaller width.")

        progress = Progress(target, bounds)
        pictured: Any = av.VideoFrame.from_ndarray  # its types know nothing of palettes
        table = _palette([frame for _, frame in _paced(part, fps * min(1.0, SAMPLES / count), size)], size)
        container: Any = closing.enter_context(av.open(str(target), "w", format="gif", options={"loop": "0"}))
        video: Any = container.add_stream("gif", rate=Fraction(fps).limit_denominator(100))
        video.width, video.height, video.pix_fmt = *size, "pal8"
        for number, frame in _paced(part, fps, size):
            coloured = frame.quantize(palette=table, dither=Image.Dither.FLOYDSTEINBERG)
            made: Any = pictured((np.asarray(coloured), _argb(table)), format="pal8")
            made.pts, made.time_base = number, 1 / Fraction(fps).limit_denominator(100)
            container.mux(video.encode(made))
            progress.reached(number / fps)
        container.mux(video.encode(None))
        container.close()
        return Filmed(seconds=count / fps, bytes=progress.check(), width=size[0], height=size[1], frames=count)


def _paced(part: Part, fps: float, size: tuple[int, int]) -> Iterator[tuple[int, Any]]:
    """A part's frames as RGB pictures of this size, `fps` a second of the finished film."""
    count = max(1, int(part.lasts * fps + 1e-6))
    number, shown = 0, None
    with Footage(part.cut.path) as footage:
        for time, frame in footage.pictures(part.start, part.end):
            while shown is not None and number < count and part.start + number * part.cut.speed / fps < time - SLACK:
                yield number, _picture(shown, size)
                number += 1
            shown = frame
        while shown is not None and number < count:
            yield number, _picture(shown, size)
            number += 1


def _palette(frames: list[Any], size: tuple[int, int]) -> Any:
    """The colours of these frames: a picture whose palette they are."""
    together = Image.new("RGB", (size[0], size[1] * len(frames)))
    for number, frame in enumerate(frames):
        together.paste(frame, (0, size[1] * number))
    return together.quantize(colors=255, method=Image.Quantize.MEDIANCUT)


def _argb(table: Any) -> Any:
    """A picture's palette as the encoder takes it: 256 colours, opacity first."""
    colours = np.frombuffer(bytes(table.palette.palette), np.uint8).reshape(-1, 3)
    made = np.full((256, 4), 255, np.uint8)
    made[: len(colours), 1:] = colours
    return made


def _pictures(path: Path, times: list[float], longest: int | None) -> list[Any]:
    """RGB pictures in the order of the times; the file is gone through once, from the earliest to the latest."""
    made: dict[float, Any] = {}
    with Footage(str(path)) as footage:
        if footage.video is None:
            raise InvalidRequest("The recording has no pictures, only sound.")
        for time in sorted(set(times)):
            start, _ = footage.span(min(time, max(0.0, footage.duration - 2 * SLACK)) if time <= footage.duration + SLACK else time, None)
            frame = next((frame for _, frame in footage.pictures(start, start + 2 * SLACK)), None)
            if frame is None:
                raise InvalidRequest(f"There is no frame at {time:g} seconds.", param="times")
            made[time] = _picture(frame, _fitting(frame, ratio_of(footage.video), longest))
    return [made[time] for time in times]


def _fitting(frame: Any, ratio: float, longest: int | None) -> tuple[int, int]:
    """The size of an upright picture of a frame with no side longer than `longest`."""
    wide, high = upright(frame, ratio)
    scale = min(1.0, longest / max(wide, high)) if longest else 1.0
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _picture(frame: Any, size: tuple[int, int]) -> Any:
    """A frame as an upright RGB picture of this size."""
    turn = round(frame.rotation / 90) % 4
    wide, high = size[::-1] if turn % 2 else size
    picture = frame.to_image(width=wide, height=high, interpolation="AREA" if wide < frame.width else "BICUBIC")
    return (
        picture.transpose((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turn - 1])
        if turn
        else picture
    )
