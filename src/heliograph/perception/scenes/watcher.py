"""The door to watching: a recording's pictures become a `Viewing`.

The pictures are decoded twice. The first time all of them are measured small, block by block; the second time only the frames that are
worth reading are handed over, whole, and go to the reading engine one by one. Both passes are journalled as they go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from heliograph.children import ChildFailed, ChildPool
from heliograph.config import Settings
from heliograph.errors import CorruptMedia, MediaLimitExceeded
from heliograph.media.content import Limits, Playable
from heliograph.media.document import Barcode, Face, Page, PageImage
from heliograph.media.recording import Frame, Recording, VideoTrack, Viewing
from heliograph.perception.options import Detail
from heliograph.perception.scenes.texts import Read, settle, together
from heliograph.perception.scenes.watched import Block, Choice, Moments, Sensitivity, Turn, Wanted
from heliograph.perception.steps import NoSteps, Steps

log = logging.getLogger(__name__)

BLOCK = 60.0
"""Seconds of pictures that are measured and journalled at a time."""
READ_SIDE = 960
"""Pixels of the longer side to which smaller frames are enlarged for reading, at most twice. At 640 a clock of 22 pixels was read as a
whole once in six frames, at 960 always, in 1.4 times the time (2026-11-22)."""
CHOOSING = 100.0
"""Seconds of a recording for which choosing among its frames may take one second more."""
MEASURING = 0.2
"""Share of the work, as progress counts it, that is done when all frames are measured and none is read."""
FAILURES = (MediaLimitExceeded, CorruptMedia, ChildFailed)

Seen = Callable[[float], Awaitable[None]]
"""Told how many seconds of the recording are done."""


class Watching(msgspec.Struct, frozen=True):
    """What to look for. `read`: words on the chosen frames; `faces`: how many there are; `barcodes`: also where nothing is read;
    `detail`: how closely words are looked at; `sensitivity`: what counts as a new shot; `most`: frames looked at, at most,
    where that is fewer than the setting `max_frames`."""

    read: bool = True
    faces: bool = False
    barcodes: bool = True
    detail: Detail = "auto"
    sensitivity: Sensitivity = Sensitivity()
    most: int | None = None


EVERYTHING = Watching()


class Eyes(Protocol):
    """Who looks at single pictures: the `Reader`."""

    async def read_image(self, image: PageImage, detail: Detail = "auto") -> Page:
        """What stands on an upright picture."""
        ...

    async def image_faces(self, image: PageImage) -> list[Face]:
        """The faces on an upright picture."""
        ...

    async def image_barcodes(self, image: PageImage) -> list[Barcode]:
        """The barcodes on an upright picture."""
        ...


class Watcher:
    """Watches recordings. One per process. Each viewing has a child of its own, which ends with it."""

    def __init__(self, settings: Settings, eyes: Eyes, threads: int) -> None:
        self._settings = settings
        self._eyes = eyes
        self._threads = threads
        self._children: set[ChildPool] = set()

    async def viewing(
        self, path: Path, recording: Recording, watching: Watching = EVERYTHING, *, steps: Steps | None = None, seen: Seen | None = None
    ) -> Viewing:
        """All that can be seen without a model: shots, frames with what stands on them, texts with the times at which they are shown.

        A recording without pictures gives an empty viewing that says so; one that breaks off, what is there up to then, with a warning.
        Raises what `steps` raises, Unavailable, NotConfigured.
        """
        viewing = Viewing(recording.duration)
        track = recording.video
        if track is None:
            viewing.warnings.append("no_video: The recording has no moving pictures.")
            return viewing
        child = ChildPool("heliograph.perception.scenes.watching", memory=self._settings.child_memory, recycle_after=1 << 30)
        self._children.add(child)
        try:
            limits = Limits(max_pixels=self._settings.max_pixels, max_duration=self._settings.max_duration)
            played = Playable(str(path), recording.duration, recording.even, self._threads, limits)
            await _Work(self._settings, self._eyes, child, played, track, watching, steps or NoSteps(), seen).run(viewing)
        finally:
            self._children.discard(child)
            await child.close()
        return viewing

    @property
    def pids(self) -> list[int]:
        """Process ids of its children."""
        return [pid for child in self._children for pid in child.pids]

    async def close(self) -> None:
        """End the children; viewings under way fail with Unavailable."""
        await asyncio.gather(*(child.close() for child in list(self._children)))


@dataclass(slots=True)
class _Work:
    """One viewing under way."""

    settings: Settings
    eyes: Eyes
    child: ChildPool
    played: Playable
    track: VideoTrack
    watching: Watching
    steps: Steps
    seen: Seen | None

    async def run(self, viewing: Viewing) -> None:
        blocks = await self._measured(viewing)
        if not any(block.count for block in blocks):
            viewing.warnings.append("no_video: None of the recording's pictures can be decoded.")
            return
        end = max(block.end for block in blocks if block.count)
        most = min(self.settings.max_frames, self.watching.most or self.settings.max_frames)
        timeout = self.settings.open_timeout + viewing.duration / CHOOSING
        rows = [block.rows for block in blocks]
        choice = await self.child.call("choose", rows, end, self.watching.sensitivity, most, timeout=timeout, returns=Choice)
        viewing.shots = choice.shots
        if choice.left_out:
            viewing.warnings.append(
                f"frames_left_out: {choice.left_out} more frames were worth a look; this server looks at {most} of one recording."
            )
        read = [await self._look(wanted, number, len(choice.frames), viewing) for number, wanted in enumerate(choice.frames)]
        put = together([frame for frame in read if frame is not None], choice.shots, end)
        for turn in put.turns:
            settle(put, turn.number, await self._moments(turn))
        viewing.frames, viewing.texts, viewing.codes = put.frames, put.texts, put.codes

    async def _measured(self, viewing: Viewing) -> list[Block]:
        """All frames' measures, in blocks; up to where decoding fails, with a warning."""
        blocks: list[Block] = []
        after: float | None = None
        while not blocks or not blocks[-1].done:
            try:
                block = await self._block(after)
            except FAILURES as error:
                log.warning("pictures could not be watched further: %s", error)
                at = f" after {blocks[-1].end:.1f} seconds" if blocks else ""
                viewing.warnings.append(f"video_damaged: The pictures could not be watched further{at}: {_sentence(error)}")
                break
            blocks.append(block)
            after = block.last
            await self._tell(block.end * (MEASURING if self._looks else 1.0), viewing.duration)
        if broken := sum(block.broken for block in blocks):
            viewing.warnings.append(f"video_damaged: The pictures could not be decoded at {broken} places.")
        return blocks

    async def _block(self, after: float | None) -> Block:
        """The block of frames after that time."""
        step = f"scenes:measured:{round(1000 * (after or 0.0))}"
        known = await self.steps.known(step)
        if known is not None:
            return msgspec.msgpack.decode(known, type=Block)
        timeout = self.settings.open_timeout
        block = await self.child.call("measure", self.played, after, BLOCK, timeout / 2, timeout=timeout, returns=Block)
        await self.steps.keep(step, msgspec.msgpack.encode(block))
        return block

    @property
    def _looks(self) -> bool:
        return self.watching.read or self.watching.faces or self.watching.barcodes

    async def _look(self, wanted: Wanted, number: int, count: int, viewing: Viewing) -> Read | None:
        """A chosen frame and what is on it; None where it cannot be decoded again."""
        watching = self.watching
        step = f"scenes:seen:{watching.detail}:{watching.read:d}{watching.faces:d}{watching.barcodes:d}:{round(1000 * wanted.time)}"
        known = await self.steps.known(step)
        if known is not None:
            frame = msgspec.msgpack.decode(known, type=Frame)
        else:
            try:
                frame = await self._frame(wanted)
            except FAILURES as error:
                log.warning("the frame at %.2f s could not be looked at: %s", wanted.time, error)
                viewing.warnings.append(f"frame_unread: The frame at {wanted.time:.2f} seconds could not be looked at: {_sentence(error)}")
                return None
            await self.steps.keep(step, msgspec.msgpack.encode(frame))
        frame.shot = wanted.shot
        done = MEASURING + (1 - MEASURING) * (number + 1) / count
        await self._tell(done * viewing.duration, viewing.duration)
        return Read(frame, wanted.since, wanted.best)

    async def _frame(self, wanted: Wanted) -> Frame:
        watching, track = self.watching, self.track
        if not self._looks:
            return Frame(wanted.time, Page(0, track.width, track.height))
        scale = min(2.0, max(1.0, READ_SIDE / max(track.width, track.height)))
        size = round(track.width * scale), round(track.height * scale)
        call = (self.played, wanted.time, *size)
        image = await self.child.call("picture", *call, timeout=self.settings.open_timeout, returns=PageImage)
        if watching.read:
            page = await self.eyes.read_image(image, watching.detail)
        else:
            page = Page(0, image.width / image.dpi * 72, image.height / image.dpi * 72)
            if watching.barcodes:
                page.barcodes = await self.eyes.image_barcodes(image)
        return Frame(wanted.time, page, faces=len(await self.eyes.image_faces(image)) if watching.faces else 0)

    async def _moments(self, turn: Turn) -> Moments:
        """When exactly texts came and went."""
        step = f"scenes:moments:{round(1000 * turn.before)}:{round(1000 * turn.after)}"
        known = await self.steps.known(step)
        if known is not None:
            return msgspec.msgpack.decode(known, type=Moments)
        call = (self.played, turn)
        try:
            moments = await self.child.call("moments", *call, timeout=self.settings.open_timeout, returns=Moments)
        except FAILURES as error:
            log.warning("the moment about %.2f s could not be found: %s", turn.since, error)
            moments = Moments([None] * len(turn.came), [None] * len(turn.went))
        await self.steps.keep(step, msgspec.msgpack.encode(moments))
        return moments

    async def _tell(self, seconds: float, duration: float) -> None:
        if self.seen is not None:
            await self.seen(max(0.0, min(seconds, duration)))


def _sentence(error: Exception) -> str:
    return "their reader failed." if isinstance(error, ChildFailed) else str(error)
