"""Deciding what a request asks for. Beside the event loop; in a killable child when it brings a skill, since that is a stranger's zip."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph.api import _planning
from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.extraction.plan import Kind, Operation, Plan
from heliograph.models.routes import Routes

TIMEOUT = 20.0
MEMORY = 1 << 30


class Planner:
    """One child, started by the first skill that comes with a request; and `routes`, the models that requests may name."""

    def __init__(self, settings: Settings) -> None:
        self.routes = Routes(settings)
        self._pool = ChildPool("heliograph.api._planning", size=1, memory=MEMORY, recycle_after=settings.child_recycle)

    async def plan(self, kind: Kind, operation: Operation, domain: str | None, config: dict[str, Any], *, model: str | None = None) -> Plan:
        """What shall be done, and by whom. `model`: the name that the request gives.

        Raises InvalidRequest, NotConfigured, NotFound or ModelNotFound, with the parameter at fault.
        """
        self.routes.find(model)
        known = self.routes.known
        if _brings_a_skill(config):
            return await self._pool.call("plan", kind, operation, domain, config, model, known, timeout=TIMEOUT, returns=Plan)
        return await asyncio.to_thread(_planning.plan, kind, operation, domain, config, model, known)

    async def schema(self, domain: str | None, config: dict[str, Any]) -> tuple[str | None, str | None, dict[str, Any]]:
        """The domain's name and description, and the schema that is answered in. Raises as `plan`."""
        if _brings_a_skill(config):
            returns = tuple[str | None, str | None, dict[str, Any]]
            return await self._pool.call("schema", domain, config, timeout=TIMEOUT, returns=returns)
        return await asyncio.to_thread(_planning.schema, domain, config)

    async def close(self) -> None:
        """Stop the child."""
        await self._pool.close()


def _brings_a_skill(config: dict[str, Any]) -> bool:
    skills: list[dict[str, Any]] = config.get("skills") or []
    return any(skill.get("source") or skill.get("bundle") for skill in skills)
