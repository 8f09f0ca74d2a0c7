"""Which engine hears: the one that is configured, else the embedded one."""

from __future__ import annotations

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.perception.speech.hearing import Engine, Heard, Hearing

HEAR_TIMEOUT = 300.0
"""Seconds that half a minute of sound may take on a busy machine."""


class Embedded:
    """Moonshine in a child, English only."""

    name = "moonshine-tiny"

    def __init__(self, pool: ChildPool, threads: int) -> None:
        """`threads`: of each child."""
        self._pool, self._threads = pool, threads

    async def hear(self, sound: bytes, hearing: Hearing) -> Heard:  # noqa: D102
        call = ("hear_embedded", sound, self._threads, hearing.words)
        return await self._pool.call(*call, timeout=HEAR_TIMEOUT, returns=Heard)


def engine(settings: Settings, pool: ChildPool, threads: int) -> Engine:
    """The engine of this server."""
    del settings
    return Embedded(pool, threads)
