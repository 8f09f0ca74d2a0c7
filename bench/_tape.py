"""Recordings made for the benches: speech with pauses, noise of any length, and shots; and what processes hold while they are played."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
import psutil
from numpy.typing import NDArray

RATE = 16_000
Sound = NDArray[np.int16]


def reading() -> Sound:
    """A person reads for 44 seconds (from *A Tale of Two Cities*): the recording inside Moonshine's wheel."""
    with wave.open(str(files("moonshine_voice") / "assets" / "two_cities.wav")) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    step = rate // RATE
    whole = sound[: len(sound) // step * step].reshape(-1, step)
    return whole.mean(axis=1).astype(np.int16)


def talk(seconds: float) -> Iterator[Sound]:
    """The reading over and over, with pauses of 2 to 20 seconds in a faint hiss; about three quarters is speech."""
    chance, left, spoken = np.random.default_rng(7), int(seconds * RATE), reading()
    while left > 0:
        for part in (hiss(chance, chance.uniform(2, 20)), spoken):
            yield part[:left]
            left -= min(left, len(part))


def hiss(chance: np.random.Generator, seconds: float) -> Sound:
    """Noise that nobody notices."""
    return chance.normal(0, 40, int(seconds * RATE)).astype(np.int16)


def tape(path: Path, sound: Iterator[Sound], codec: str = "libmp3lame") -> None:
    """Write sound, however long, into a file of one track."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        at = 0
        for part in sound:
            for begin in range(0, len(part), RATE):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part[None, begin : begin + RATE]), format="s16", layout="mono")
                frame.sample_rate, frame.pts, at = RATE, at, at + frame.samples
                out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def repeated(source: Path, target: Path, times: int) -> None:
    """The packets of a recording over and over, without encoding them anew."""
    with av.open(str(source)) as file, av.open(str(target), "w") as out:
        track = file.streams.audio[0]
        stream = out.add_stream_from_template(track)
        length = int(track.duration or 0)
        packets = [(packet.pts or 0, bytes(packet)) for packet in file.demux(track) if packet.size]
        for round_ in range(times):
            for pts, content in packets:
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, track.time_base
                packet.pts = packet.dts = pts + round_ * length
                out.mux(packet)


def footage(path: Path, seconds: int, width: int = 640, height: int = 360, fps: int = 25) -> int:
    """Write H.264 whose picture drifts and shivers, with a cut every four seconds; gives how many frames there are."""
    chance = np.random.default_rng(3)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "26"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        scene = np.zeros((height, width, 3), np.uint8)
        for number in range(seconds * fps):
            if number % (4 * fps) == 0:
                small = chance.integers(0, 255, (9, 16, 3), np.uint8)
                scene = np.kron(small, np.ones((height // 9, width // 16, 1), np.uint8))
            picture = np.roll(scene, number * 2, axis=1) // 2 + chance.integers(0, 12, scene.shape, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return seconds * fps


@asynccontextmanager
async def watched(pids: Callable[[], list[int]], every: float = 0.25) -> AsyncIterator[dict[str, float]]:
    """The most MiB that each kind of child, and this process as `""`, holds of its own while the block runs (resident set)."""
    peaks: dict[str, float] = {}

    async def look() -> None:
        while True:
            for pid in [os.getpid(), *pids()]:
                try:
                    process = psutil.Process(pid)
                    command = process.cmdline()
                    name = next((word for word in reversed(command) if word.startswith("heliograph.")), "") if pid != os.getpid() else ""
                    peaks[name] = max(peaks.get(name, 0.0), process.memory_info().rss / 2**20)
                except psutil.Error:
                    continue
            await asyncio.sleep(every)

    task = asyncio.create_task(look())
    try:
        yield peaks
    finally:
        task.cancel()


def used(pids: list[int]) -> float:
    """Processor seconds of these processes so far."""
    total = 0.0
    for pid in pids:
        try:
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
        except psutil.Error:
            continue
    return total
