"""The door to watching: a recording's pictures become a `Viewing`.

The pictures are decoded twice. The first time all of them are measured small, block by block; the second time only the frames that are
worth reading are handed over, whole, and go to the reading engine one by one. Both passes are journalled as they go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from heliograph.children import ChildFailed, ChildPool
from heliograph.config import Settings
from heliograph.errors import CorruptMedia, MediaLimitExceeded
from heliograph.media.document import Barcode, Face, Page, PageImage
from heliograph.media.recording import Frame, Recording, VideoTrack, Viewing
from heliograph.perception.options import Detail
from heliograph.perception.scenes.texts import Read, together
from heliograph.perception.scenes.watched import Block, Choice, Sensitivity, Wanted
from heliograph.perception.steps import NoSteps, Steps

log = logging.getLogger(__name__)

BLOCK = 60.0
"""Seconds of pictures that are measured and journalled at a time."""
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
            work = _Work(self._settings, self._eyes, self._threads, child, path, track, watching, steps or NoSteps(), seen)
            await work.run(viewing)
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


class _Work:
    """One viewing under way."""

    def __init__(
        self,
        settings: Settings,
        eyes: Eyes,
        threads: int,
        child: ChildPool,
        path: Path,
        track: VideoTrack,
        watching: Watching,
        steps: Steps,
        seen: Seen | None,
    ) -> None:
        self._settings = settings
        self._eyes = eyes
        self._threads = threads
        self._child = child
        self._path = path
        self._track = track
        self._watching = watching
        self._steps = steps
        self._seen = seen

    async def run(self, viewing: Viewing) -> None:
        blocks = await self._measured(viewing)
        if not any(block.count for block in blocks):
            viewing.warnings.append("no_video: None of the recording's pictures can be decoded.")
            return
        end = max(block.end for block in blocks if block.count)
        most = min(self._settings.max_frames, self._watching.most or self._settings.max_frames)
        timeout = self._settings.open_timeout
        rows = [block.rows for block in blocks]
        choice = await self._child.call("choose", rows, end, self._watching.sensitivity, most, timeout=timeout, returns=Choice)
        viewing.shots = choice.shots
        if choice.left_out:
            viewing.warnings.append(
                f"frames_left_out: {choice.left_out} more frames were worth a look; this server looks at {most} of one recording."
            )
        read = [await self._look(wanted, number, len(choice.frames), viewing) for number, wanted in enumerate(choice.frames)]
        viewing.frames, viewing.texts, viewing.codes = together([frame for frame in read if frame is not None], choice.shots, end)

    async def _measured(self, viewing: Viewing) -> list[Block]:
        """All frames' measures, in blocks; up to where decoding fails, with a warning."""
        blocks: list[Block] = []
        after: int | None = None
        patience = self._settings.open_timeout / 2
        while not blocks or not blocks[-1].done:
            step = f"scenes:measured:{'' if after is None else after}"
            known = await self._steps.known(step)
            if known is not None:
                block = msgspec.msgpack.decode(known, type=Block)
            else:
                call = (self._path, self._track.index, after, BLOCK, patience, self._threads, self._settings.max_pixels)
                try:
                    block = await self._child.call("measure", *call, timeout=self._settings.open_timeout, returns=Block)
                except FAILURES as error:
                    log.warning("pictures could not be watched further: %s", error)
                    at = f" after {blocks[-1].end:.1f} seconds" if blocks else ""
                    viewing.warnings.append(f"video_damaged: The pictures could not be watched further{at}: {_sentence(error)}")
                    break
                await self._steps.keep(step, msgspec.msgpack.encode(block))
            blocks.append(block)
            after = block.stamp
            await self._tell(block.end * (MEASURING if self._looks else 1.0), viewing.duration)
        if broken := sum(block.broken for block in blocks):
            viewing.warnings.append(f"video_damaged: {broken} packets of pictures could not be decoded.")
        return blocks

    @property
    def _looks(self) -> bool:
        return self._watching.read or self._watching.faces or self._watching.barcodes

    async def _look(self, wanted: Wanted, number: int, count: int, viewing: Viewing) -> Read | None:
        """A chosen frame and what is on it; None where it cannot be decoded again."""
        watching = self._watching
        step = f"scenes:seen:{watching.detail}:{watching.read:d}{watching.faces:d}{watching.barcodes:d}:{wanted.stamp}"
        known = await self._steps.known(step)
        if known is not None:
            frame = msgspec.msgpack.decode(known, type=Frame)
        else:
            try:
                frame = await self._frame(wanted)
            except FAILURES as error:
                log.warning("the frame at %.2f s could not be looked at: %s", wanted.time, error)
                viewing.warnings.append(f"frame_unread: The frame at {wanted.time:.2f} seconds could not be looked at: {_sentence(error)}")
                return None
            await self._steps.keep(step, msgspec.msgpack.encode(frame))
        frame.shot = wanted.shot
        done = MEASURING + (1 - MEASURING) * (number + 1) / count
        await self._tell(done * viewing.duration, viewing.duration)
        return Read(frame, wanted.since, wanted.best)

    async def _frame(self, wanted: Wanted) -> Frame:
        watching, track = self._watching, self._track
        if not self._looks:
            return Frame(wanted.time, Page(0, track.width, track.height))
        call = (self._path, track.index, wanted.stamp, track.width, track.height, track.rotation, self._threads)
        image = await self._child.call("picture", *call, timeout=self._settings.open_timeout, returns=PageImage)
        if watching.read:
            page = await self._eyes.read_image(image, watching.detail)
        else:
            page = Page(0, image.width / image.dpi * 72, image.height / image.dpi * 72)
            if watching.barcodes:
                page.barcodes = await self._eyes.image_barcodes(image)
        return Frame(wanted.time, page, faces=len(await self._eyes.image_faces(image)) if watching.faces else 0)

    async def _tell(self, seconds: float, duration: float) -> None:
        if self._seen is not None:
            await self._seen(max(0.0, min(seconds, duration)))


def _sentence(error: Exception) -> str:
    return "their reader failed." if isinstance(error, ChildFailed) else str(error)
