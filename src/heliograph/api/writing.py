"""Skills written from a prompt, in a killable child: understanding words takes time with some of them, and models bring packages along."""

from __future__ import annotations

from typing import Any

from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import CorruptMedia, MediaLimitExceeded, Unavailable
from heliograph.skills.archive import Files

TIMEOUT = 20.0
"""Seconds for the template."""
MEMORY = 1 << 30


class Writer:
    """One child, started by the first skill that is written."""

    def __init__(self, settings: Settings) -> None:
        self._pool = ChildPool("heliograph.api._writing", size=1, memory=MEMORY, recycle_after=settings.child_recycle)

    async def write(self, prompt: str, json_schema: dict[str, Any] | None = None, name: str | None = None) -> Files:
        """The files of a skill that does what `prompt` says, by their paths in its folder. `json_schema` becomes its schema.json.

        Raises InvalidRequest for a prompt or schema that is no use, Unavailable when it could not be written for now.
        """
        try:
            return await self._pool.call("template", prompt, json_schema, name, timeout=TIMEOUT, returns=Files)
        except (MediaLimitExceeded, CorruptMedia):
            raise Unavailable("The skill could not be written: the process that does so took too long, or died.") from None

    async def close(self) -> None:
        """Stop the child."""
        await self._pool.close()
