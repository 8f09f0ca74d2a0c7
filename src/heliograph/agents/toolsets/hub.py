"""`core`, for schemas: the domains that are known by name, and schemas of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field

import heliograph
from heliograph.agents.context import Context
from heliograph.agents.tools import DocumentRef, tool
from heliograph.errors import InvalidRequest
from heliograph.extraction import domains
from heliograph.extraction.propose import proposal, propose
from heliograph.skills.wording import schema_from

Json = Any


class Hub(msgspec.Struct, frozen=True, kw_only=True):
    """Which schemas there are: the version of the hub they come from, and how many."""

    name: str
    version: str
    domains: int


class Listed(msgspec.Struct, frozen=True):
    """A domain and what it is for."""

    domain: str
    description: str


class Domains(msgspec.Struct, frozen=True):
    """Domains by name."""

    domains: list[Listed]


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema under a name."""

    domain: str
    description: str
    json_schema: dict[str, Json]


@tool("core", group="hub")
async def get_hub_info(at: Context) -> Hub:
    """Say which collection of schemas this server has."""
    return Hub(name=f"heliograph {heliograph.__version__}", version=domains.HUB_VERSION, domains=len(domains.catalog()))


@tool("core", group="hub")
async def list_domains(
    at: Context,
    query: Annotated[str | None, Field(description="Only those whose name or description has all these words.")] = None,
) -> Domains:
    """List the kinds of documents that there are ready schemas for, such as document.invoice."""
    words = (query or "").casefold().split()
    return Domains(
        [
            Listed(domain.domain, domain.description)
            for domain in domains.catalog().values()
            if all(word in f"{domain.domain} {domain.description}".casefold() for word in words)
        ]
    )


@tool("core", group="hub")
async def get_schema(at: Context, domain: Annotated[str, Field(description="Such as document.invoice.")]) -> Schema:
    """Get the JSON Schema of a domain."""
    found = domains.find(domain)
    return Schema(domain=found.domain, description=found.description, json_schema=found.json_schema)


@tool("core", group="hub")
async def create_schema(
    at: Context,
    prompt: Annotated[str | None, Field(description="What shall be extracted, in words that name the fields.", max_length=20_000)] = None,
    document: Annotated[DocumentRef | None, Field(description="A document like those that it is for, instead of words.")] = None,
) -> Schema:
    """Make a JSON Schema: from words that name the fields, or from a document's own labels and tables."""
    today = datetime.now(UTC).date()
    if prompt:
        schema = schema_from(prompt)
        if schema is None:
            raise InvalidRequest("The prompt names no fields. Name each: extract the invoice number, date and total.", param="prompt")
        made = proposal(schema, category="agent", name="schema", description=prompt.strip()[:300], today=today)
    elif document:
        made = propose(await at.readings.read(at.reader, at.artifacts, document), today)
    else:
        raise InvalidRequest("A schema is made from a prompt or a document; give one.", param="prompt")
    return Schema(domain=made["domain"], description=made["description"], json_schema=made["json_schema"])
