"""From a request to an execution: which agent, doing what with what, and row, inputs and job in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents import providers
from heliograph.agents.task import PROVIDERS, TOOLSETS, Format, Provider, Sampling, Task, Toolset
from heliograph.api import agents, inputs, orion
from heliograph.api.agents import Definition
from heliograph.api.auth import Caller
from heliograph.api.intake import Intake
from heliograph.api.planning import Attached
from heliograph.api.repeats import Repeat
from heliograph.api.server import Server
from heliograph.api.submit import check_callback, check_created
from heliograph.api.taking import take
from heliograph.errors import Conflict, HeliographError, InvalidRequest, NotFound, Unavailable
from heliograph.extraction.envelopes import enveloped
from heliograph.extraction.merging import merge
from heliograph.extraction.options import bare_schema
from heliograph.extraction.schema import compile_schema
from heliograph.jobs import queue, tasks
from heliograph.store import agents as stored
from heliograph.store import predictions, skills
from heliograph.store.agents import Agent
from heliograph.store.predictions import Input, Prediction
from heliograph.wire.agents import AgentExecutionRequest

Json = Any


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as its route understood it."""

    body: AgentExecutionRequest
    idempotency_key: str | None = None

    def repeat(self) -> Repeat:
        """What the request has in common with an equal one."""
        body = self.body.model_dump(mode="json", exclude_unset=True, exclude={"id", "created_at"})
        digest = hashlib.sha256(b"execution " + msgspec.json.encode(body, order="sorted")).hexdigest()
        named = "id" in self.body.model_fields_set
        return Repeat(id=self.body.id, digest=digest, named=named, waits=not self.body.batch, key=self.idempotency_key)

    @property
    def name(self) -> str | None:
        """The name that was asked for, with its version."""
        name, version = self.body.name, self.body.version
        return name if name is None or version is None or ":" in name else f"{name}:{version}"

    @property
    def inputs(self) -> dict[str, Json]:
        """The inputs, those of older clients too."""
        given = dict(self.body.inputs or {})
        for name, files in (("urls", self.body.urls), ("file_ids", self.body.file_ids)):
            if files:
                if name in given:
                    raise InvalidRequest(f"{name} stands in the body and in inputs; give it once.", param=name)
                given[name] = files
        return given


@dataclass(frozen=True, kw_only=True)
class _Meant:
    """The agent that is meant. `new`: to be stored under this name when the execution is. `name`: of one that is not stored."""

    what: Definition
    agent: Agent | None = None
    new: str | None = None
    name: str = ""


async def submit(server: Server, caller: Caller, asked: Asked) -> Prediction:
    """The execution that answers `asked`: a new one, or the one there is when the same was asked before.

    Raises InvalidRequest, NotConfigured, NotFound, ModelNotFound, Conflict, PayloadTooLarge, RateLimited, BudgetExceeded, Unavailable,
    FetchError and MediaError.
    """
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    repeat = await asyncio.to_thread(asked.repeat)
    async with server.database.begin() as conn:
        known = await repeat.find(server, conn, caller)
        if known is not None:
            return known
        await server.admission.check_budget(conn, caller)
        meant = await _meant(conn, caller, asked)
    body = asked.body
    check_created(body.created_at)
    providers.check(body.models or [], server.settings)
    given = inputs.read(asked.inputs)
    if not meant.what.says_anything and not given.inputs:
        raise InvalidRequest(
            "Say what to do: give `name`, `config.prompt`, `config.json_schema` or `config.skills`.", param="config.prompt"
        )
    attached = await server.planner.attached(caller.tenant, meant.what.skills)
    task = await asyncio.to_thread(_task, server, body, meant.what, attached)
    if body.callback_url is not None:
        await check_callback(body.callback_url, server.settings)
    intake = Intake(server, caller.tenant, body.id, takes="anything")
    try:
        task, reads = await take(intake, msgspec.structs.replace(task, inputs=given.inputs), given.brought, attached)
        params = [each.source.param for each in given.brought]
        await server.checker.check(list(zip(params, reads, strict=False)), None, queued=body.batch)
        row, is_new = await _write(server, caller, asked, repeat, meant, task, reads)
    except Unavailable:
        raise  # a database that went away may have committed; what nobody names is collected later
    except HeliographError:
        await intake.undo()
        raise
    if not is_new:
        await intake.undo()
    return row


async def _meant(conn: AsyncConnection, caller: Caller, asked: Asked) -> _Meant:
    """The agent by its name, else by its prompt, with what the request says otherwise."""
    config = asked.body.config
    said: dict[str, Json] = {
        name: value
        for name, value in config.model_dump(exclude_unset=True, include=set(Definition.__struct_fields__)).items()
        if value is not None
    }
    own = Definition(**said)
    kept = asked.body.metadata.allow_retention and not any(_comes_along(skill) for skill in own.skills)
    if asked.name is not None:
        name, version = agents.parsed(asked.name)
        found = await stored.named(conn, caller.tenant, name, version)
        if found is not None:
            return _Meant(what=msgspec.structs.replace(agents.definition(found), **said), agent=found)
        if version != stored.LATEST or not own.says_anything:
            raise NotFound(f"There is no agent {name[:100]!r}; create it, or say in config what it is to do.", param="name")
        return _Meant(what=own, new=name if kept else None, name=name)
    if not own.prompt.strip():
        return _Meant(what=own, name=own.name if own.says_anything else "agent")
    found = await stored.with_digest(conn, caller.tenant, msgspec.structs.replace(own, service_tier=None).digest)
    if found is None and not (own.json_schema or own.skills):
        found = await stored.with_prompt(conn, caller.tenant, own.prompt)
    if found is not None:
        return _Meant(what=msgspec.structs.replace(agents.definition(found), **said), agent=found)
    return _Meant(what=own, new=own.name if kept else None, name=own.name)


def _comes_along(skill: dict[str, Json]) -> bool:
    return skill.get("type") == "inline" or bool(skill.get("source") or skill.get("bundle"))


def _task(server: Server, body: AgentExecutionRequest, what: Definition, attached: Sequence[Attached]) -> Task:
    """The run that is asked for, but for its inputs. What the skills' vlmrun.yaml say counts where the request says nothing."""
    manifests = [skill.package.manifest for skill in attached if skill.package.manifest is not None]
    model = body.model or next((manifest.model for manifest in manifests if manifest.model), None) or orion.MODEL
    route = server.planner.routes.find(model).name
    generation = orion.generation(model)
    has_program = any(skill.package.program for skill in attached)
    program = has_program and (what.mode == "program" or (what.mode is None and generation == "orion-2"))
    named = {name.replace("_", "-") for manifest in manifests for name in manifest.toolsets}
    toolsets: list[Toolset] | None = body.toolsets if body.toolsets is not None else [name for name in TOOLSETS if name in named] or None
    if toolsets is None and not program:
        toolsets = ["core"]
    named = {name for manifest in manifests for name in manifest.models}
    asked: list[Provider] = body.models if body.models is not None else [name for name in PROVIDERS if name in named]
    format = _format(what, attached, answered_by_model=route is not None and not program)
    grounding = body.config.grounding
    return Task(
        kind="execution",
        model=model,
        route=route,
        generation=generation,
        tier=orion.tier(model),
        prompt=what.prompt,
        format=format,
        grounding=grounding if grounding is not None else route is None,
        confidence=bool(body.config.confidence),
        toolsets=None if toolsets is None else list(dict.fromkeys(toolsets)),
        providers=list(dict.fromkeys(asked)),
        sampling=_sampling(body),
        mode="program" if program else "agent",
    )


def _format(what: Definition, attached: Sequence[Attached], *, answered_by_model: bool) -> Format | None:
    """What the response must be: the schema that was asked for; else, for a model that is told of it, the skills'."""
    if what.json_schema is not None:
        schema, strict = bare_schema(what.json_schema)
        try:
            compile_schema(schema)
        except InvalidRequest as error:
            error.param = "config.json_schema"
            raise
        return Format(schema=schema, strict=strict)
    several = next((skill.package for skill in attached if skill.package.choices), None)
    if not answered_by_model:
        return None
    if several is not None:
        return Format(schema=enveloped(several.choices, several.schema), strict=False) if len(attached) == 1 else None
    schemas = [(skill.name, skill.package.schema) for skill in attached if skill.package.schema is not None]
    return Format(schema=merge(schemas), strict=False) if schemas else None


def _sampling(body: AgentExecutionRequest) -> Sampling:
    limit, temperature = body.config.max_tokens, body.config.temperature
    return Sampling(
        max_tokens=limit if limit and limit > 0 else None, temperature=None if temperature is None else min(max(temperature, 0.0), 2.0)
    )


async def _write(
    server: Server, caller: Caller, asked: Asked, repeat: Repeat, meant: _Meant, task: Task, reads: list[Input]
) -> tuple[Prediction, bool]:
    """The new row and True; or, when an equal request was faster, its row and False."""
    body = asked.body
    tier = queue.tier_of(meant.what.service_tier)
    async with server.database.begin() as conn:
        known = await repeat.find_alone(server, conn, caller)
        if known is not None:
            return known, False
        agent = meant.agent
        if meant.new is not None:
            agent = await agents.publish(conn, caller.tenant, meant.new, msgspec.structs.replace(meant.what, service_tier=None))
        row = await predictions.create(
            conn, caller.tenant, id=body.id, kind="execution", operation="execute", domain=None, model=task.model,
            request=tasks.request_text(task), digest=repeat.digest, key_id=caller.key_id, metadata=body.metadata.model_dump_json(),
            callback_url=body.callback_url, tier=tier, retain=body.metadata.allow_retention, log=body.metadata.allow_logging,
            created_at=body.created_at if "created_at" in body.model_fields_set else None, reads=reads,
            agent=agent.title if agent is not None else meant.name,
        )  # fmt: skip
        if row is None:
            raise Conflict("This id was used for another request.", param="id")
        await skills.use(conn, caller.tenant, row.id, [skill.id for skill in task.skills if skill.id is not None])
        await repeat.remember(server, conn, caller, row.id)
        await queue.enqueue(conn, caller.tenant, row.id, tier, to=queue.RUNS)
        return row, True
