"""Speech to text: how long hearing takes beside how long the recording is, and what an hour and half a day of sound need of memory.

`HELIOGRAPH_BENCH_WHISPER` names a folder with a Whisper model, to be measured too. `BENCH_HOURS` changes how long the long recordings are
(1 and 12).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench import Row
from bench._tape import hiss, repeated, talk, tape, used, watched
from heliograph.config import Settings
from heliograph.media.recording import Transcript
from heliograph.perception.reader import Reader
from heliograph.perception.speech.hearing import Hearing

MINUTES = 4
"""Of the recording that factors are measured on."""
HOURS, NIGHT = (float(hours) for hours in os.environ.get("BENCH_HOURS", "1,12").split(","))
LIMIT = "< 600"
"""MiB that one process may hold."""


class Shelf:
    """Steps in memory, as a job would keep them."""

    def __init__(self) -> None:
        self.steps: dict[str, bytes] = {}

    async def known(self, step: str) -> bytes | None:
        return self.steps.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        self.steps[step] = content


def measure() -> Iterator[Row]:
    """Factors on a few minutes, then the long recordings."""
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.flac"
        tape(short, talk(MINUTES * 60), "flac")
        yield from asyncio.run(factors(short, Settings(cpu_budget=1, workers=1), "embedded engine, one core", "<= 0.12"))
        whisper = os.environ.get("HELIOGRAPH_BENCH_WHISPER")
        if whisper:
            settings = Settings(cpu_budget=2, workers=1, whisper_model=Path(whisper))
            yield from asyncio.run(factors(short, settings, f"Whisper ({Path(whisper).name}), two cores", "<= 0.25"))
        else:
            yield Row("Whisper, two cores", 0, "", "<= 0.25", "not measured: HELIOGRAPH_BENCH_WHISPER names no folder")
        long = Path(folder) / "long.mp3"
        tape(long, talk(HOURS * 3600))
        yield from asyncio.run(hours(long))
        part, night = Path(folder) / "part.mp3", Path(folder) / "night.mp3"
        chance = np.random.default_rng(5)
        tape(part, (hiss(chance, 10) for _ in range(60)))
        repeated(part, night, round(NIGHT * 6))
        yield from asyncio.run(silence(night))


async def factors(path: Path, settings: Settings, what: str, goal: str) -> list[Row]:
    """Wall and processor seconds for each second of the recording, once warm."""
    async with Reader(settings) as reader:
        recording = await reader.player.inspect(path)
        await reader.listener.transcript(path, recording, Hearing(span=(0.0, 40.0)))
        before, started = used(reader.pids), time.perf_counter()
        made = await reader.listener.transcript(path, recording, Hearing())
        wall, cpu = time.perf_counter() - started, used(reader.pids) - before
    length = recording.duration
    note = f"{length / 60:.0f} min, {made.speech / length:.0%} speech; processor time {cpu / length:.3f}; load {os.getloadavg()[0]:.1f}"
    return [Row(f"seconds a second of sound, {what}", wall / length, "s", goal, note)]


async def hours(path: Path) -> list[Row]:
    """A long talk: how long it takes, the most that any process holds, and what is done again after a kill at the very end."""
    shelf = Shelf()
    async with Reader(Settings(workers=1)) as reader:
        recording = await reader.player.inspect(path)
        async with watched(lambda: reader.pids) as peaks:
            first, wall = await timed(reader, path, shelf)
        words = sum(len(segment.words) for segment in first.segments)
    async with Reader(Settings(workers=1)) as reader:
        again, resumed = await timed(reader, path, shelf)
    assert again == first
    name = f"{recording.duration / 3600:.3g} h of talk"
    note = f"{wall:.0f} s, {wall / recording.duration:.3f} a second; {words} words; load {os.getloadavg()[0]:.1f}"
    return [
        *(Row(f"{name}: most memory, {called(role)}", peak, "MiB", LIMIT, note) for role, peak in sorted(peaks.items())),
        Row(f"{name}: gone through again when every step was kept", resumed, "s", "", "the same transcript, to the word"),
    ]


async def silence(path: Path) -> list[Row]:
    """Decoding and finding that nobody speaks, for half a day."""
    async with Reader(Settings(workers=1)) as reader:
        recording = await reader.player.inspect(path)
        async with watched(lambda: reader.pids) as peaks:
            made, wall = await timed(reader, path, Shelf())
    assert not made.segments
    name = f"{recording.duration / 3600:.3g} h without speech"
    note = f"{wall:.0f} s; decoding and finding voices; load {os.getloadavg()[0]:.1f}"
    return [Row(f"{name}: most memory, {called(role)}", peak, "MiB", LIMIT, note) for role, peak in sorted(peaks.items())]


async def timed(reader: Reader, path: Path, shelf: Shelf) -> tuple[Transcript, float]:
    recording = await reader.player.inspect(path)
    started = time.perf_counter()
    made = await reader.listener.transcript(path, recording, Hearing(), steps=shelf)
    return made, time.perf_counter() - started


def called(role: str) -> str:
    return {"": "the process that asks", "heliograph.media.playing": "a decoder", "heliograph.perception.speech.engine": "an engine"}.get(
        role, role
    )
