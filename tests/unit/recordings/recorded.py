"""Recordings made for tests: sound that beeps at known times, and pictures that say their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 16_000
GREYS = 8
"""Steps of brightness between two numbers, so that compression cannot blur one into the next."""

Samples = np.ndarray[Any, np.dtype[np.int16]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def beeps(seconds: float, at: Sequence[float], rate: int = RATE, length: float = 0.05) -> Samples:
    """Silence with a beep of 1 kHz from each of these times on, as 16-bit samples."""
    sound = np.zeros(round(seconds * rate), np.int16)
    for time in at:
        first = round(time * rate)
        wave = np.sin(np.arange(round(length * rate)) * 2 * np.pi * 1000 / rate) * 12_000
        sound[first : first + len(wave)] = wave[: len(sound) - first]
    return sound


def onsets(data: bytes, least: float = 0.02) -> list[float]:
    """The times at which loud sound begins after at least `least` seconds of quiet, in s16le mono 16 kHz."""
    loud = np.flatnonzero(np.abs(np.frombuffer(data, "<i2").astype(int)) > 2_000) / RATE
    return [float(time) for index, time in enumerate(loud) if index == 0 or time - loud[index - 1] > least]


def picture(number: int, width: int = 64, height: int = 48) -> Pixels:
    """A grey picture whose brightness is its number, which is below 32."""
    return np.full((height, width, 3), number * GREYS, np.uint8)


def number_of(data: bytes) -> int:
    """The number of a `picture`, from its pixels."""
    return round(float(np.frombuffer(data, np.uint8).mean()) / GREYS)


def write(
    path: Path,
    *,
    sound: Samples | None = None,
    pictures: Iterable[Pixels] = (),
    times: Sequence[float] | None = None,
    fps: int = 10,
    rate: int = RATE,
    audio: str = "aac",
    video: str = "libx264",
    options: dict[str, str] | None = None,
    form: str | None = None,
    late: float = 0.0,
) -> Path:
    """A file with these tracks. `times`: of the pictures in seconds, unless evenly spread; `late`: seconds by which sound begins later."""
    tick = Fraction(1, 1000 if times else fps)
    container: Any
    with av.open(str(path), "w", format=form) as container:
        drawn = iter(pictures)
        first = next(drawn, None)
        heard: Any = container.add_stream(audio, rate=rate, layout="mono") if sound is not None else None
        if first is not None:
            seen: Any = container.add_stream(video, rate=fps, options={"g": "10", "bf": "2", "crf": "10"} if options is None else options)
            seen.width, seen.height, seen.pix_fmt = first.shape[1], first.shape[0], "yuv420p"
            seen.codec_context.time_base = tick
            for index, pixels in enumerate([first, *drawn]):
                frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame.time_base, frame.pts = tick, round(times[index] / tick) if times else index
                container.mux(seen.encode(frame))
            container.mux(seen.encode(None))
        if heard is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), round(late * rate)
            container.mux([*heard.encode(frame), *heard.encode(None)])
    return path
