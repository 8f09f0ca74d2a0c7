"""Where finished parts of long work are kept, so that a rerun goes on from the last of them; and who is told how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class Steps(Protocol):
    """Where finished parts of a request are kept, so that a killed worker's request goes on from the last of them."""

    async def known(self, step: str) -> bytes | None:
        """What an earlier run kept under this name."""
        ...

    async def keep(self, step: str, content: bytes) -> None:
        """Keep a finished part. Raises what ends the run when it may not go on (handed back, cancelled)."""
        ...


class NoSteps:
    """Keeps nothing: for the command line and the evaluation."""

    async def known(self, step: str) -> bytes | None:  # noqa: D102
        return None

    async def keep(self, step: str, content: bytes) -> None: ...  # noqa: D102


Progress = Callable[[str, float, float], Awaitable[None]]
"""Told how far a request is: the step's name for people (`reading`, `listening`, `watching`, `answering`), how much of it is done, and
how much there is in all: seconds of a recording, pages of a document."""
