"""What a model answered inside a tool's call, kept in the run's journal: a call that is done again after a crash asks for the rest only."""

from __future__ import annotations

import hashlib

from heliograph.agents.workspace import Workspace


class Asides:
    """The `Steps` of extraction in a run's journal. `about`: what is asked about what; the same again is answered from the journal."""

    def __init__(self, workspace: Workspace, *about: bytes) -> None:
        digest = hashlib.sha256()
        for part in about:
            digest.update(len(part).to_bytes(8, "big") + part)
        self._workspace, self._prefix = workspace, f"aside:{digest.hexdigest()[:24]}"

    async def known(self, step: str) -> bytes | None:
        """What the run kept under this name."""
        return (await self._workspace.known(f"{self._prefix}:{step}")).output

    async def keep(self, step: str, content: bytes) -> None:
        """Keep a finished part."""
        await self._workspace.keep(f"{self._prefix}:{step}", content)
