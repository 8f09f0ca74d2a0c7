"""Looking into files before their request is accepted: who waits for a result on `failed` is better told at once.

A worker would find the same and fail the prediction; the official clients' `wait` does not notice that. Files are opened in
a killable child, as everywhere. What is large, slow, not here yet, or may go better elsewhere is left to the worker. A request that
is only queued is looked into when nobody else's is, so many of them at once cost no time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from heliograph.children import ChildFailed, ChildPool
from heliograph.config import Settings
from heliograph.errors import HeliographError, MediaLimitExceeded, NotConfigured, NotFound, Unavailable
from heliograph.extraction.plan import Plan
from heliograph.media.content import Limits
from heliograph.media.recording import Recording
from heliograph.store.blobs import Blobs
from heliograph.store.predictions import Input

LARGEST = 8 << 20
"""Bytes of a file above which it is left to the worker."""
UNSURE = (MediaLimitExceeded, NotConfigured, NotFound, ChildFailed, Unavailable)
"""What a worker may do better: it has more time, perhaps more programs, and tries again."""


class Checker:
    """One child, started by the first file that is looked into. The setting `check_at_submit` says how long that may take."""

    def __init__(self, settings: Settings, blobs: Blobs) -> None:
        self._blobs = blobs
        self._longest = settings.check_at_submit
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels, max_duration=math.inf)
        self._most = settings.max_duration
        self._pool = ChildPool("heliograph.api._checking", size=1, memory=settings.child_memory, recycle_after=settings.child_recycle * 20)
        self._starting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def check(self, reads: Sequence[tuple[str, Input]], plan: Plan | None, *, queued: bool) -> None:
        """Raise MediaError or InvalidRequest for what is certain to fail.

        `reads`: the inputs, each with the parameter that it came in. `queued`: nobody waits for the result.
        `plan`: None for chats and agents, which take any file and choose no pages.
        """
        if not self._longest or (queued and self._turn.locked()):
            return
        recorded = plan is not None and plan.recorded is not None
        try:
            async with asyncio.timeout(self._longest):
                await self._started()
                async with self._turn:
                    if recorded:
                        found = [await self._recording(param, read) for param, read in reads]
                    else:
                        found = [await self._pages(param, read, anything=plan is None) for param, read in reads]
        except (TimeoutError, *UNSURE):
            return
        for (param, _), recording in zip(reads, found, strict=True):
            if isinstance(recording, Recording) and plan is not None:
                with _naming(param):
                    self._check_recording(recording, plan)
        counts = [count for count in found if isinstance(count, int)]
        if plan is not None and len(counts) == len(found):
            plan.check_pages(sum(counts))

    async def close(self) -> None:
        """Stop the child."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self._pool.close()

    async def _started(self) -> None:
        # not the call's own affair: one that ran out of time would take the child with it
        if self._starting is None:
            self._starting = asyncio.create_task(self._pool.start())
        await asyncio.shield(self._starting)

    async def _pages(self, param: str, read: Input, *, anything: bool) -> int | None:
        if read.blob is None or read.bytes is None or read.bytes > LARGEST:
            return None
        with _naming(param):
            async with self._blobs.local(read.blob) as path:
                return await self._pool.call(
                    "anything" if anything else "pages", path, self._limits, timeout=self._longest, returns=int | None
                )

    async def _recording(self, param: str, read: Input) -> Recording | None:
        # of a recording hardly more than the beginning is read, however large it is, where that needs no copy of it
        if read.blob is None or read.bytes is None or (read.bytes > LARGEST and self._blobs.folder is None):
            return None
        with _naming(param):
            async with self._blobs.local(read.blob) as path:
                return await self._pool.call("recording", path, self._limits, timeout=self._longest, returns=Recording)

    def _check_recording(self, recording: Recording, plan: Plan) -> None:
        plan.check_recording(recording)
        if recording.duration > self._most:
            hours, most = recording.duration / 3600, self._most / 3600
            raise MediaLimitExceeded(f"The recording lasts {hours:.2f} hours, and this server takes {most:.2f}; cut it.")


@contextmanager
def _naming(param: str) -> Generator[None]:
    """Errors inside name `param`."""
    try:
        yield
    except HeliographError as error:
        error.param = param
        raise
