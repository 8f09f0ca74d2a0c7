"""Small films and sounds with a known truth: frame n of a film is grey, n steps of `STEP` from black; sounds are tones."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

STEP = 4


def film(
    path: Path, *, frames: int = 50, fps: int = 25, size: tuple[int, int] = (96, 64), sound: bool = True, key: int = 25, rotation: int = 0,
    codec: str = "libx264", rate: int = 16_000,
) -> Path:  # fmt: skip
    """A film of `frames` frames, a keyframe every `key`, with a tone of 440 Hz."""
    opened: Any = av.open(str(path), "w")
    with opened as out:
        video: Any = out.add_stream(codec, rate=fps, options={"g": str(key), "bf": "0", "crf": "10", "sc_threshold": "0"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = None
        if sound:
            audio = out.add_stream("aac", rate=rate, layout="mono")
        for number in range(frames):
            grey = np.full((size[1], size[0], 3), number * STEP % 256, np.uint8)
            grey[: size[1] // 2, : size[0] // 2] = 0 if number % 2 else 20  # the upper left corner tells which way is up
            frame: Any = av.VideoFrame.from_ndarray(grey, "rgb24")
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            for block in _tone(440.0, frames / fps, rate):
                out.mux(audio.encode(block))
            out.mux(audio.encode(None))
    return path


def tone(path: Path, *, seconds: float = 2.0, hertz: float = 440.0, rate: int = 16_000) -> Path:
    """A WAV file of one tone."""
    opened: Any = av.open(str(path), "w")
    with opened as out:
        audio: Any = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        for block in _tone(hertz, seconds, rate):
            out.mux(audio.encode(block))
        out.mux(audio.encode(None))
    return path


def greys(path: Path) -> list[tuple[float, int]]:
    """Of each frame: its time and its number, as its lower right corner shows it."""
    with av.open(str(path)) as source:
        found: list[tuple[float, int]] = []
        for frame in source.decode(video=0):
            corner = frame.to_ndarray(format="gray")[-frame.height // 4 :, -frame.width // 4 :]
            found.append((round(float(frame.time or 0), 3), round(float(corner.mean()) / STEP)))
        return found


def samples(path: Path) -> tuple[Any, int]:
    """The sound of the first channel, and its rate."""
    with av.open(str(path)) as source:
        blocks = [frame.to_ndarray()[0].astype(np.float64) for frame in source.decode(audio=0)]
        return np.concatenate(blocks), source.streams.audio[0].rate


def pitch(sound: Any, rate: int) -> float:
    """The loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate / len(sound))


def _tone(hertz: float, seconds: float, rate: int) -> Any:
    times = np.arange(round(seconds * rate)) / rate
    wave = (np.sin(2 * np.pi * hertz * times) * 8000).astype(np.int16)
    for at in range(0, len(wave), 1024):
        block: Any = av.AudioFrame.from_ndarray(wave[None, at : at + 1024].copy(), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = rate, at, Fraction(1, rate)
        yield block
