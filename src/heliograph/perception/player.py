"""The door to recordings: what they are, their sound and their frames, each at a time in seconds from the beginning.

A decoder stays open between calls, in a child of its own for each file and each of sound and pictures (a *seat*), so that pieces one
after the other are decoded once however many recordings are played at a time. A seat that nobody used for a while is given up.
"""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import InvalidRequest
from heliograph.media.content import Limits, PagePicture, Playable
from heliograph.media.document import PageImage
from heliograph.media.recording import SAMPLE_RATE, Piece, Recording

SEATS = 8
"""Files that are played at a time, sound and pictures of one counted apart; a further one waits for the one that is unused longest."""
IDLE = 120.0
"""Seconds after which an unused seat is given up. Hearing a piece, or asking a model about a frame, takes less."""
PIECE = 60 * SAMPLE_RATE
"""Samples that cross from the child at a time."""

AudioFormat = Literal["mp3", "wav", "flac"]
What = Literal["sound", "frames"]


MISSING = "Some of the sound is missing or damaged, first at"
"""How the warning of it begins."""


class Player:
    """Plays recordings. One per process, shared by all calls. Close it."""

    def __init__(self, settings: Settings, threads: int) -> None:
        self._settings = settings
        self._threads = threads
        self._limits = Limits(max_pixels=settings.max_pixels, max_duration=settings.max_duration)
        self._looking = self._children(size=2)
        self._seats: list[_Seat] = []
        self._freed = asyncio.Event()
        self._tidying: asyncio.Task[None] | None = None

    async def inspect(self, path: Path) -> Recording:
        """What the recording is, how long it lasts and which of its tracks are heard and watched.

        Raises EmptyMedia, UnsupportedMedia, EncryptedMedia, CorruptMedia, MediaLimitExceeded.
        """
        timeout = self._settings.open_timeout
        return await self._looking.call("inspect", path, self._limits, timeout=timeout, returns=Recording)

    async def sound(self, path: Path, recording: Recording, start: float, seconds: float) -> bytes:
        """Sound from `start` on: s16le, one channel, 16 kHz, shorter at the end. Sample `n` of the file is time `n / 16000` of it.

        What is missing or cannot be decoded is silent, and told once in `recording.warnings`. Raises a MediaError.
        """
        first, last = round(max(0.0, start) * SAMPLE_RATE), round(max(0.0, start + seconds) * SAMPLE_RATE)
        data, played = bytearray(), self._played(path, recording)
        async with self._seat(path, "sound") as children:
            while first < last:
                count = min(last - first, PIECE)
                piece = await children.call("sound", played, first, count, timeout=self._settings.page_timeout, returns=Piece)
                if piece.damage and not any(warning.startswith(MISSING) for warning in recording.warnings):
                    recording.warnings.append(f"{MISSING} {piece.damage[0]:.1f} seconds; it is silent there.")
                if piece.data is None:
                    continue
                data += piece.data
                first += count
                if len(piece.data) < count * 2:
                    break
        return bytes(data)

    async def frame(self, path: Path, recording: Recording, time: float, longest_side: int | None = None) -> PageImage:
        """The upright pixels of the frame shown at `time`: the last one for times after the end. Raises a MediaError."""
        async with self._seat(path, "frames") as children:
            call = ("frame", self._played(path, recording), time, longest_side)
            return await children.call(*call, timeout=self._settings.page_timeout, returns=PageImage)

    async def jpeg(self, path: Path, recording: Recording, time: float, longest_side: int) -> PagePicture:
        """The frame shown at `time` as an upright JPEG, no side longer than `longest_side` pixels. Raises a MediaError."""
        async with self._seat(path, "frames") as children:
            call = ("jpeg", self._played(path, recording), time, longest_side)
            return await children.call(*call, timeout=self._settings.page_timeout, returns=PagePicture)

    async def clip(
        self, path: Path, recording: Recording, start: float, end: float, longest_side: int | None = None, sound: bool = True
    ) -> bytes:
        """What is shown, and with `sound` heard, from `start` to `end` as a small MP4 (H.264, AAC of one channel at 16 kHz) that begins
        at 0, no side longer than `longest_side` pixels. Raises a MediaError, and InvalidRequest for a time that is none."""
        start, end = _within(recording, start, end)
        async with self._seat(path, "frames") as children:
            call = ("clip", self._played(path, recording), start, end, longest_side, sound and recording.audio is not None)
            return await children.call(*call, timeout=self._encoding(start, end), returns=bytes)

    async def audio_clip(
        self,
        path: Path,
        recording: Recording,
        start: float,
        end: float,
        format: AudioFormat = "mp3",
    ) -> bytes:
        """What is heard from `start` to `end` as a file of one channel at 16 kHz. Raises as `clip`."""
        start, end = _within(recording, start, end)
        async with self._seat(path, "sound") as children:
            call = ("audio_clip", self._played(path, recording), start, end, format)
            return await children.call(*call, timeout=self._encoding(start, end), returns=bytes)

    def _played(self, path: Path, recording: Recording) -> Playable:
        return Playable(str(path), recording.duration, recording.even, self._threads, self._limits)

    def _encoding(self, start: float, end: float) -> float:
        """How long making a clip may take: decoding up to it, and then it."""
        return self._settings.page_timeout + start / 20 + (end - start) * 2

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return [*self._looking.pids, *(pid for seat in self._seats for pid in seat.children.pids)]

    async def close(self) -> None:
        """End the children; calls under way fail with Unavailable."""
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await asyncio.gather(self._looking.close(), *(seat.children.close() for seat in self._seats))

    def _children(self, size: int = 1) -> ChildPool:
        settings = self._settings
        return ChildPool("heliograph.media.playing", size=size, memory=settings.child_memory, recycle_after=settings.child_recycle * 1000)

    @asynccontextmanager
    async def _seat(self, path: Path, what: What) -> AsyncGenerator[ChildPool]:
        """The child that has this open, or one that will."""
        key = (str(path), what)
        while (seat := self._found(key)) is None:
            self._freed.clear()
            await self._freed.wait()
        seat.key = key
        seat.users += 1
        try:
            yield seat.children
        finally:
            seat.users -= 1
            seat.used = clock.monotonic()
            self._freed.set()
            if self._tidying is None or self._tidying.done():
                self._tidying = asyncio.create_task(self._tidy())

    def _found(self, key: tuple[str, What]) -> _Seat | None:
        seat = next((seat for seat in self._seats if seat.key == key), None)
        if seat is None and len(self._seats) < SEATS:
            seat = _Seat(self._children())
            self._seats.append(seat)
        unused = [seat for seat in self._seats if not seat.users]
        return seat or min(unused, key=lambda seat: seat.used, default=None)

    async def _tidy(self) -> None:
        """Give up seats that nobody uses any more; files that were deleted take up room as long as a child has them open."""
        while self._seats:
            await asyncio.sleep(IDLE / 4)
            old = [seat for seat in self._seats if not seat.users and seat.used < clock.monotonic() - IDLE]
            self._seats = [seat for seat in self._seats if seat not in old]
            await asyncio.gather(*(seat.children.close() for seat in old))


def _within(recording: Recording, start: float, end: float) -> tuple[float, float]:
    first, last = max(0.0, start), min(end, recording.duration)
    if not first < last:
        raise InvalidRequest(f"There is nothing from {start:g} to {end:g} seconds; the recording lasts {recording.duration:.1f}.")
    return first, last


class _Seat:
    """A child with the file that it has open, or None. `users`: calls under way or waiting; `used`: when the last one ended."""

    def __init__(self, children: ChildPool) -> None:
        self.children = children
        self.key: tuple[str, What] | None = None
        self.users = 0
        self.used = clock.monotonic()
