"""`/hub`, `/domains` and `/schema`: the catalogue of domains and their schemas."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from heliograph.api.auth import CallerOf, Guarded
from heliograph.api.openapi import answers
from heliograph.api.server import ServerOf
from heliograph.errors import NotFound
from heliograph.extraction import domains, gql
from heliograph.wire.schemas import DomainResponse, HubInfoResponse, HubSchemaRequest, SchemaRequest, SchemaResponse

router = APIRouter(prefix="/v1", tags=["hub"], route_class=Guarded)


@router.get("/domains", response_model=list[DomainResponse], responses=answers(401))
async def list_domains() -> Response:
    """Every domain that a request may name."""
    return _json([_domain(domain) for domain in domains.catalog().values()])


@router.post("/schema", response_model=SchemaResponse, responses=answers(401, 404, 413, 422))
async def get_schema(body: SchemaRequest, server: ServerOf, caller: CallerOf) -> Response:
    """The schema that a request with this domain and config is answered in."""
    config = body.config.model_dump(exclude_unset=True)
    domain, description, schema = await server.planner.schema(caller.tenant, body.domain, config)
    return _schema(domain or "custom", description, schema)


@router.get("/hub/info", response_model=HubInfoResponse, responses=answers(401))
async def hub_info() -> Response:
    """The version of the catalogue."""
    return _json({"version": domains.HUB_VERSION})


@router.get("/hub/domains", response_model=list[DomainResponse], responses=answers(401))
async def hub_domains() -> Response:
    """Every domain of the catalogue."""
    return await list_domains()


@router.get("/hub/domains/{domain:path}", response_model=bool, responses=answers(401, 422))
async def hub_domain(domain: str) -> Response:
    """Whether the catalogue has this domain."""
    return _json(domain in domains.catalog())


@router.post("/hub/schema", response_model=SchemaResponse, responses=answers(401, 404, 413, 422))
async def hub_schema(body: HubSchemaRequest) -> Response:
    """A domain's schema, or what `gql_stmt` selects from it."""
    found = domains.catalog().get(body.domain)
    if found is None:
        near = domains.nearest(body.domain)
        raise NotFound(f"Schema '{body.domain}' not found" + (f"; did you mean {', '.join(near)}?" if near else "."), param="domain")
    schema = found.json_schema if body.gql_stmt is None else gql.select(found.json_schema, body.gql_stmt)
    return _schema(found.domain, found.description, schema)


def _domain(domain: domains.Domain) -> dict[str, object]:
    return {
        "domain": domain.domain,
        "name": domain.domain.rpartition(".")[2],
        "description": domain.description,
        "supported_inputs": domain.supported_inputs,
        "tags": domain.tags,
        "sample_data": domain.sample_data[0] if domain.sample_data else None,
    }


def _schema(domain: str, description: str | None, schema: dict[str, object]) -> Response:
    return _json(
        {
            "domain": domain,
            "description": description,
            "schema_version": domains.HUB_VERSION,
            "schema_hash": domains.schema_hash(schema),
            "gql_stmt": gql.statement(schema),
            "json_schema": _as_a_class(schema),
        }
    )


def _as_a_class(schema: dict[str, object]) -> dict[str, object]:
    """The schema under a title that a class can have: the official clients make a class of it, and fail on `Purchase Order`."""
    title = schema.get("title")
    if not isinstance(title, str) or title.isidentifier():
        return schema
    words = "".join(letter if f"_{letter}".isidentifier() else " " for letter in title).split()
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return schema | {"title": name if name.isidentifier() else f"Model{name}"}


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
