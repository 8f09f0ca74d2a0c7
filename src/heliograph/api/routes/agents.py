"""`/v1/agent`: stored agents, and executions: what an agent did with inputs, how far it is, and what came of it."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from heliograph.api import agents
from heliograph.api.agents import Definition
from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.executions import Asked, submit
from heliograph.api.openapi import answers
from heliograph.api.paging import LimitOf, SkipOf
from heliograph.api.routes.generate import KeyHeader, delivering
from heliograph.api.routes.predictions import EnvironmentOf, MetadataOf, SessionOf, StatusesOf, filtered
from heliograph.api.server import ServerOf
from heliograph.api.submit import check_callback
from heliograph.api.waiting import left
from heliograph.errors import InvalidRequest, NotFound
from heliograph.extraction.options import bare_schema
from heliograph.extraction.schema import compile_schema
from heliograph.jobs import retention
from heliograph.jobs.bodies import execution_body
from heliograph.store import agents as stored
from heliograph.store import deliveries, predictions
from heliograph.store.agents import Agent
from heliograph.wire.agents import (
    AgentCreationRequest,
    AgentCreationResponse,
    AgentExecutionRequest,
    AgentExecutionResponse,
    AgentInfo,
    AgentLookupRequest,
)
from heliograph.wire.predictions import DeliveryResponse

router = APIRouter(prefix="/v1", tags=["agent"], route_class=Guarded)

EXECUTIONS = ("execution",)


@router.get("/agent", response_model=list[AgentInfo], responses=answers(401, 422))
async def list_agents(server: ServerOf, caller: CallerOf, *, skip: SkipOf = 0, limit: LimitOf = 1000) -> Response:
    """The tenant's agents, every version, newest first."""
    async with server.database.begin() as conn:
        found = await stored.list_(conn, caller.tenant, skip=skip, limit=limit)
    return _json([_info(agent) for agent in found])


@router.post("/agent/lookup", response_model=AgentInfo, responses=answers(400, 401, 404, 413, 422))
async def lookup_agent(body: AgentLookupRequest, server: ServerOf, caller: CallerOf) -> Response:
    """An agent by its id, its name or its prompt."""
    given = [name for name in ("id", "name", "prompt") if getattr(body, name) is not None]
    if len(given) != 1:
        raise InvalidRequest("Give exactly one of `id`, `name` and `prompt`.", param="id")
    async with server.database.begin() as conn:
        if body.name is not None:
            found = await agents.named(conn, caller.tenant, body.name)
        elif body.prompt is not None:
            found = await stored.with_prompt(conn, caller.tenant, body.prompt)
        else:
            found = await stored.get(conn, caller.tenant, body.id or "")
    if found is None:
        raise NotFound(f"There is no agent with this {given[0]}.", param=given[0])
    return _json(_info(found))


@router.get("/agents/{agent_id}", response_model=AgentInfo, responses=answers(401, 404))
async def get_agent(agent_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """An agent by its id."""
    async with server.database.begin() as conn:
        found = await stored.get(conn, caller.tenant, agent_id)
    if found is None:
        raise NotFound(f"There is no agent {agent_id[:100]}.")
    return _json(_info(found))


@router.post("/agent/create", status_code=201, response_model=AgentCreationResponse, responses=answers(400, 401, 404, 413, 422, 429))
async def create_agent(body: AgentCreationRequest, server: ServerOf, caller: CallerOf) -> Response:
    """Store an agent under a name. The same content under a name is the version that is there; other content is a new one."""
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    config = body.config
    what = Definition(
        prompt=config.prompt,
        json_schema=config.json_schema,
        skills=[skill.model_dump(exclude_unset=True) for skill in config.skills or []],
        service_tier=config.service_tier,
        orchestration_mode=config.orchestration_mode,
    )
    name, version = (what.name, stored.LATEST) if body.name is None else agents.parsed(body.name)
    if what.json_schema is not None:
        try:
            compile_schema(bare_schema(what.json_schema)[0])
        except InvalidRequest as error:
            error.param = "config.json_schema"
            raise
    for row in await server.skills.resolve(caller.tenant, what.skills):
        if row is None:
            raise InvalidRequest(
                "An inline skill is kept nowhere; publish it with /v1/skills/create and name it here.", param="config.skills"
            )
    if body.callback_url is not None:
        await check_callback(body.callback_url, server.settings)
    async with server.database.begin() as conn:
        made = await agents.publish(conn, caller.tenant, name, what, body.inputs)
        if version not in (stored.LATEST, str(made.version)):
            raise InvalidRequest(f"Versions are counted here: this would be {made.title}. Leave the version out of the name.", param="name")
    return _json({name: value for name, value in _info(made).items() if name in AgentCreationResponse.model_fields}, 201)


@router.post(
    "/agent/execute",
    status_code=201,
    response_model=AgentExecutionResponse,
    responses=answers(400, 401, 402, 404, 409, 413, 422, 429),
)
async def execute_agent(
    body: AgentExecutionRequest, request: Request, server: ServerOf, caller: CallerOf, *, key: KeyHeader = None
) -> Response:
    """Have an agent work on inputs. With `batch: false` the call waits for the result, else it is polled for or sent to `callback_url`."""
    row = await submit(server, caller, Asked(body=body, idempotency_key=key))
    if body.batch:
        return Response(execution_body(row), 201, media_type="application/json")
    if row.status not in predictions.FINISHED:
        await server.waiter.wait((caller.tenant, row.id), server.settings.wait_timeout, left=left(request))
    async with server.database.begin() as conn:
        found = await predictions.get(conn, caller.tenant, row.id, kinds=EXECUTIONS)
    if found is None:
        raise NotFound("The execution was deleted while it was waited for.")
    return Response(execution_body(found), 201, media_type="application/json", background=await delivering(server, found, request))


@router.get("/agent/executions", response_model=list[AgentExecutionResponse], responses=answers(401, 422))
async def list_executions(
    server: ServerOf,
    caller: CallerOf,
    *,
    skip: SkipOf = 0,
    limit: LimitOf = 10,
    status: StatusesOf = None,
    environment: EnvironmentOf = None,
    session_id: SessionOf = None,
    metadata: MetadataOf = None,
    agent: Annotated[str | None, Query(description="Only those of this agent, `<name>:<version>`.", max_length=255)] = None,
) -> Response:
    """The tenant's executions, newest first."""
    wanted = filtered(metadata, environment, session_id, server.settings.json_depth)
    async with server.database.begin() as conn:
        rows = await predictions.list_(
            conn, caller.tenant, skip=skip, limit=limit, metadata=wanted, statuses=status or (), kinds=EXECUTIONS, agent=agent
        )
    return _json([msgspec.Raw(execution_body(row)) for row in rows])


# Ids are any string a client chose, slashes too, so the longer addresses stand first.


@router.get("/agent/executions/{execution_id:path}/deliveries", response_model=list[DeliveryResponse], responses=answers(401, 404))
async def list_deliveries(execution_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """The attempts to deliver the execution's webhook, first to last."""
    async with server.database.begin() as conn:
        if await predictions.get(conn, caller.tenant, execution_id, kinds=EXECUTIONS) is None:
            raise NotFound(f"There is no execution {execution_id[:100]}.")
        rows = await deliveries.list_(conn, caller.tenant, execution_id)
    return _json([{name: getattr(row, name) for name in DeliveryResponse.model_fields} for row in rows])


@router.get("/agent/executions/{execution_id:path}", response_model=AgentExecutionResponse, responses=answers(401, 404))
async def get_execution(execution_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """An execution, with its response once it is completed."""
    async with server.database.begin() as conn:
        row = await predictions.get(conn, caller.tenant, execution_id, kinds=EXECUTIONS)
    if row is None:
        raise NotFound(f"There is no execution {execution_id[:100]}.")
    return Response(execution_body(row), media_type="application/json")


@router.delete("/agent/executions/{execution_id:path}", response_model=AgentExecutionResponse, responses=answers(401, 404))
async def delete_execution(execution_id: str, server: ServerOf, caller: CallerOf) -> Response:
    """Cancel the execution if it is not finished, and remove it with its inputs, artifacts and results. Answers what it was."""
    row, _ = await retention.forget(server.database, server.blobs, caller.tenant, execution_id, kinds=EXECUTIONS)
    if row is None:
        raise NotFound(f"There is no execution {execution_id[:100]}.")
    return Response(execution_body(row), media_type="application/json")


def _info(agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "name": agent.title,
        "created_at": agent.created_at.astimezone(UTC),
        "updated_at": agent.updated_at.astimezone(UTC),
        "status": "completed",
        "description": agent.description,
        "prompt": agent.prompt,
        "json_schema": msgspec.Raw((agent.json_schema or "null").encode()),
        "json_sample": msgspec.Raw((agent.json_sample or "null").encode()),
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
