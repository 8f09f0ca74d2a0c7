"""Watching: frames a second that shots are found in, beside bare decoding of the same file; and how long it takes to open a recording."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av

from bench import Row
from bench._tape import footage, talk, tape, watched
from heliograph.config import Settings
from heliograph.perception.reader import Reader
from heliograph.perception.scenes.watcher import Watching

SECONDS = 120
ROUNDS = 3
SHOTS = Watching(read=False, faces=False, barcodes=False)


def measure() -> Iterator[Row]:
    """Shots, then opening."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shots.mp4"
        frames = footage(path, SECONDS)
        yield from asyncio.run(shots(path, frames))
        yield from asyncio.run(opening(Path(folder), path))


async def shots(path: Path, frames: int) -> list[Row]:
    """The quietest of a few rounds in turns with bare decoding in this process."""
    ours: list[float] = []
    bare: list[float] = []
    async with Reader(Settings(workers=1)) as reader:
        recording = await reader.player.inspect(path)
        async with watched(lambda: reader.pids) as peaks:
            for _ in range(ROUNDS):
                started = time.perf_counter()
                viewing = await reader.watcher.viewing(path, recording, SHOTS)
                ours.append(frames / (time.perf_counter() - started))
                bare.append(frames / await asyncio.to_thread(decoded, path))
    found = len(viewing.shots)
    peak = max((size for role, size in peaks.items() if role), default=0.0)
    load = f"load {os.getloadavg()[0]:.1f}"
    return [
        Row("shots found at 360p", max(ours), "frames/s", ">= 300", f"{found} of {SECONDS // 4} shots in {frames} frames of H.264; {load}"),
        Row("bare decoding of the same, PyAV", max(bare), "frames/s", "", "as many threads as it likes, pictures thrown away"),
        Row("share of bare decoding's speed", max(ours) / max(bare), "", "", f"quietest of {ROUNDS} each, in turns"),
        Row("memory of the child that watches", peak, "MiB", "< 600", "most while it runs"),
    ]


def decoded(path: Path) -> float:
    """Wall seconds to decode every frame."""
    started = time.perf_counter()
    with av.open(str(path)) as file:
        file.streams.video[0].thread_type = "AUTO"
        for _ in file.decode(video=0):
            pass
    return time.perf_counter() - started


async def opening(folder: Path, video: Path) -> list[Row]:
    """`inspect`, once its child runs."""
    paths = [video]
    for name, codec in (("a.wav", "pcm_s16le"), ("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.ogg", "libopus")):
        paths.append(folder / name)
        tape(paths[-1], talk(120), codec)
    rows: list[Row] = []
    async with Reader(Settings(workers=1)) as reader:
        await reader.player.inspect(video)
        for path in paths:
            times: list[float] = []
            for _ in range(20):
                started = time.perf_counter()
                await reader.player.inspect(path)
                times.append((time.perf_counter() - started) * 1000)
            rows.append(Row(f"a recording opened, {path.suffix[1:]}", statistics.median(times), "ms", "", "median of 20, two minutes long"))
    return rows
