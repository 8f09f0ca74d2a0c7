"""Looking into files before their request is accepted: who waits for a result on `failed` is better told at once.

A worker would find the same and fail the prediction; the official clients' `wait` does not notice that. Files are opened in
a killable child, as everywhere. What is large, slow, not here yet, or may go better elsewhere is left to the worker. A request that
is only queued is looked into when nobody else's is, so many of them at once cost no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from heliograph.children import ChildFailed, ChildPool
from heliograph.config import Settings
from heliograph.errors import HeliographError, MediaLimitExceeded, NotConfigured, NotFound, Unavailable
from heliograph.extraction.plan import Plan
from heliograph.media.content import Limits
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
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels)
        self._pool = ChildPool("heliograph.api._checking", size=1, memory=settings.child_memory, recycle_after=settings.child_recycle * 20)
        self._starting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def check(self, reads: Sequence[tuple[str, Input]], plan: Plan | None, *, queued: bool) -> None:
        """Raise MediaError or InvalidRequest for what is certain to fail.

        `reads`: the inputs, each with the parameter that it came in. `queued`: nobody waits for the result.
        `plan`: None where the files' pages are not chosen.
        """
        recording = plan is not None and plan.recorded is not None
        if recording or not self._longest or (queued and self._turn.locked()):
            return
        try:
            async with asyncio.timeout(self._longest):
                await self._started()
                async with self._turn:
                    counts = [await self._pages(param, read) for param, read in reads]
        except (TimeoutError, *UNSURE):
            return
        known = [count for count in counts if count is not None]
        if plan is not None and len(known) == len(counts):
            plan.check_pages(sum(known))

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

    async def _pages(self, param: str, read: Input) -> int | None:
        if read.blob is None or read.bytes is None or read.bytes > LARGEST:
            return None
        try:
            async with self._blobs.local(read.blob) as path:
                return await self._pool.call("pages", path, self._limits, timeout=self._longest, returns=int | None)
        except HeliographError as error:
            error.param = param
            raise
