"""Deciding what a request asks for. Beside the event loop; in a killable child when it brings a skill, since that is a stranger's zip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heliograph.api import _planning
from heliograph.api._planning import Stored
from heliograph.api.skills import Skills
from heliograph.children import ChildPool
from heliograph.config import Settings
from heliograph.errors import InvalidRequest, NotFound
from heliograph.extraction import domains
from heliograph.extraction.plan import Kind, Operation, Plan, SkillUse, is_skill
from heliograph.models.routes import Routes
from heliograph.skills import attach
from heliograph.skills.package import Package
from heliograph.skills.shelf import Shelf
from heliograph.store.blobs import Blobs

TIMEOUT = 20.0
MEMORY = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A skill of an agent's request: a kept one's `blob`, `id` and `version`, or the zip (`data`) of one that came inline."""

    name: str
    package: Package
    description: str | None
    blob: str | None = None
    data: bytes | None = None
    id: str | None = None
    version: str | None = None


class Planner:
    """One child, started by the first skill that is read; the kept skills that were asked for, read; and `routes`, the models that
    requests may name."""

    def __init__(self, settings: Settings, skills: Skills, blobs: Blobs) -> None:
        self.routes = Routes(settings)
        self._skills = skills
        self._shelf = Shelf(blobs, settings.data_dir / "skills", read=self._read)
        self._pool = ChildPool("heliograph.api._planning", size=1, memory=MEMORY, recycle_after=settings.child_recycle)

    async def plan(
        self,
        tenant: str,
        kind: Kind,
        operation: Operation,
        domain: str | None,
        config: dict[str, Any],
        *,
        version: int | str = "latest",
        model: str | None = None,
    ) -> Plan:
        """What shall be done, and by whom. `model`: the name that the request gives. `version`: of what `execute` names.

        Raises InvalidRequest, NotConfigured, NotFound or ModelNotFound, with the parameter at fault.
        """
        self.routes.find(model)
        known = self.routes.known
        stored = await self._named(tenant, domain, operation, version) if operation != "schema" else []
        stored += await self._stored(tenant, _items(config)) if operation != "schema" else []
        if _brings_a_skill(config):
            asked = kind, operation, domain, version, config, stored, model, known
            return await self._pool.call("plan", *asked, timeout=TIMEOUT, returns=Plan)
        return await asyncio.to_thread(_planning.plan, kind, operation, domain, version, config, stored, model, known)

    async def schema(self, tenant: str, domain: str | None, config: dict[str, Any]) -> tuple[str | None, str | None, dict[str, Any]]:
        """The domain's name and description, and the schema that is answered in. Raises as `plan`."""
        stored = await self._stored(tenant, _items(config))
        if _brings_a_skill(config):
            returns = tuple[str | None, str | None, dict[str, Any]]
            return await self._pool.call("schema", domain, config, stored, timeout=TIMEOUT, returns=returns)
        return await asyncio.to_thread(_planning.schema, domain, config, stored)

    async def attached(self, tenant: str, items: Sequence[dict[str, Any]]) -> list[Attached]:
        """The skills that an agent is given, in order. Raises InvalidRequest and NotFound, naming `config.skills`."""
        made: list[Attached] = []
        for item, row in zip(items, await self._skills.resolve(tenant, items), strict=True):
            if row is None:
                try:
                    package, data = await self._pool.call("bundled", item, timeout=TIMEOUT, returns=tuple[Package, bytes])
                except InvalidRequest as error:
                    error.param = "config.skills"
                    raise
                name = item.get("name") or package.name or "inline"
                made.append(Attached(name=name, package=package, description=item.get("description") or package.description, data=data))
            else:
                package = await self._shelf.package(row.hash, row.blob)
                made.append(
                    Attached(
                        name=row.name, package=package, description=row.description or package.description, blob=row.blob, id=row.id,
                        version=row.version,
                    )
                )  # fmt: skip
        return made

    async def close(self) -> None:
        """Stop the child."""
        await self._pool.close()

    async def _named(self, tenant: str, name: str | None, operation: Operation, version: int | str) -> list[Stored]:
        """The skill that `execute` names, if it is one."""
        if not name or not await asyncio.to_thread(is_skill, name, operation):
            return []
        try:
            return await self._stored(tenant, [attach.named(name, version)])
        except NotFound as error:
            near = domains.nearest(name)
            hint = f" (did you mean {', '.join(near)}?)" if near else ""
            raise NotFound(f"{name[:100]!r} is no domain{hint}. {error.message}", param="name") from None

    async def _stored(self, tenant: str, items: Sequence[dict[str, Any]]) -> list[Stored]:
        """The kept skills that the items refer to, each beside what was asked for."""
        made: list[Stored] = []
        for item, row in zip(items, await self._skills.resolve(tenant, items), strict=True):
            if row is None or (reference := attach.reference(item)) is None:
                continue
            package = await self._shelf.package(row.hash, row.blob)
            use = SkillUse(name=row.name, version=row.version, hash=row.hash, id=row.id)
            if package.schema is not None or package.choices:
                skill = attach.skill(package, use, row.description)
            else:
                skill = await asyncio.to_thread(attach.skill, package, use, row.description)  # reads its fields out of its text
            made.append((*reference, skill))
        return made

    async def _read(self, data: bytes, hash: str) -> Package:
        return await self._pool.call("package", data, hash, timeout=TIMEOUT, returns=Package)


def _items(config: dict[str, Any]) -> list[dict[str, Any]]:
    return config.get("skills") or []


def _brings_a_skill(config: dict[str, Any]) -> bool:
    return any(skill.get("source") or skill.get("bundle") for skill in _items(config))
