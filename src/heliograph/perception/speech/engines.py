"""Which engine hears: an endpoint when one is configured, else Whisper from a folder, else the embedded one."""

from __future__ import annotations

from pathlib import Path

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.perception.speech.endpoint import Endpoint
from heliograph.perception.speech.hearing import Engine, Heard, Hearing

HEAR_TIMEOUT = 300.0
"""Seconds that half a minute of sound may take on a busy machine."""
WHISPER_TIMEOUT = 1800.0
"""The same for Whisper, whose largest models take as long on a few cores."""
WHISPER_MEMORY = 12 << 30
"""Address space of a child with Whisper; its largest model holds 3 GiB."""
MODULE = "heliograph.perception.speech.engine"


class Embedded:
    """Moonshine, English only, in the children that find voices too."""

    name = "moonshine-tiny"
    languages = frozenset({"en"})

    def __init__(self, pool: ChildPool, size: int, threads: int) -> None:
        """`size`: of the pool; `threads`: of each child."""
        self._pool, self._threads = pool, threads
        self.parallel = size
        self.pids: list[int] = []

    async def hear(self, sound: bytes, hearing: Hearing, guess: str | None) -> Heard:  # noqa: D102
        del hearing, guess
        call = ("hear_embedded", sound, self._threads)
        return await self._pool.call(*call, timeout=HEAR_TIMEOUT, returns=Heard)

    async def close(self) -> None:
        """The pool is not its own."""


class WhisperFolder:
    """Whisper in a child of its own, which has all threads: a second copy of the model would cost memory and win no time."""

    languages = None
    parallel = 1

    def __init__(self, folder: Path, threads: int, recycle: int) -> None:
        """`folder` is looked into when it is first needed."""
        self.name = f"whisper:{folder.name}"
        self._folder, self._threads = folder.absolute(), threads
        self._pool = ChildPool(MODULE, memory=WHISPER_MEMORY, recycle_after=recycle)

    async def hear(self, sound: bytes, hearing: Hearing, guess: str | None) -> Heard:
        """Raises NotConfigured for a folder without a model that loads, and a language that the model does not know."""
        call = ("hear_whisper", sound, self._folder, self._threads, hearing, guess)
        return await self._pool.call(*call, timeout=WHISPER_TIMEOUT, returns=Heard)

    @property
    def pids(self) -> list[int]:  # noqa: D102
        return self._pool.pids

    async def close(self) -> None:  # noqa: D102
        await self._pool.close()


def languages(settings: Settings) -> frozenset[str] | None:
    """The languages that this server's engine knows; None where it is the engine's to say."""
    return None if settings.speech_url or settings.whisper_model is not None else Embedded.languages


def engine(settings: Settings, pool: ChildPool, size: int, threads: int) -> Engine:
    """The engine of this server. `pool`: of `size` children that find voices; `threads`: of all children together.

    Raises NotConfigured for an endpoint whose address is none or may not be asked.
    """
    if settings.speech_url:
        return Endpoint(settings)
    if settings.whisper_model is not None:
        return WhisperFolder(settings.whisper_model, threads, settings.child_recycle * 20)
    return Embedded(pool, size, max(1, threads // size))
