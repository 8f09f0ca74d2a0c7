"""Pictures of pages for people, drawn in a killable child: this process never decodes a file."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import NotFound
from heliograph.media.content import Limits
from heliograph.store.blobs import Blobs

DPI = 100.0
LEAST_DPI, MOST_DPI = 36.0, 200.0


class Pictures:
    """One child, started by the first picture that is asked for."""

    def __init__(self, settings: Settings, blobs: Blobs) -> None:
        self._blobs = blobs
        self._limits = Limits(max_pages=settings.max_pages, max_pixels=settings.max_pixels)
        self._timeout = settings.open_timeout + settings.page_timeout
        self._pool = ChildPool("heliograph.api._drawing", size=1, memory=settings.child_memory, recycle_after=settings.child_recycle)

    async def draw(self, blobs: Sequence[str], index: int, dpi: float) -> bytes:
        """Page `index`, counted over all `blobs` in order, as JPEG. Raises NotFound when there is no such page, and MediaError."""
        left = index
        for blob in blobs:
            if not await self._blobs.exists(blob):
                raise NotFound(f"There is no page {index} any more: its file has been removed.")
            async with self._blobs.local(blob) as path:
                count = await self._pool.call("pages", path, self._limits, timeout=self._timeout, returns=int)
                if left < count:
                    return await self._pool.call("jpeg", path, left, dpi, self._limits, timeout=self._timeout, returns=bytes)
            left -= count
        raise NotFound(f"There is no page {index}.")

    async def close(self) -> None:
        """Stop the child."""
        await self._pool.close()
