"""`core`, for schemas: the domains that are known by name, and schemas of one's own."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field

import heliograph
from heliograph.agents.context import Context
from heliograph.agents.tools import DocumentRef, Made, tool
from heliograph.agents.toolsets.core import made
from heliograph.errors import InvalidRequest
from heliograph.extraction import domains
from heliograph.extraction.propose import proposal, propose
from heliograph.extraction.schema import compile_schema
from heliograph.skills.wording import schema_from

Json = Any
_ADD = re.compile(r"^\s*(?:please\s+)?(?:(?:also|add|include|extract|with)\s+)+", re.IGNORECASE)


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
        said = proposal(schema, category="agent", name="schema", description=prompt.strip()[:300], today=today)
    elif document:
        said = propose(await at.readings.read(at.reader, at.artifacts, document), today)
    else:
        raise InvalidRequest("A schema is made from a prompt or a document; give one.", param="prompt")
    return Schema(domain=said["domain"], description=said["description"], json_schema=said["json_schema"])


@tool("core", group="hub")
async def update_schema(
    at: Context,
    json_schema: Annotated[dict[str, Json], Field(description="The JSON Schema to change: an object's.")],
    add: Annotated[str | None, Field(description="Fields to add, in words that name them.", max_length=20_000)] = None,
    remove: Annotated[list[str] | None, Field(description="Names of fields to leave out.", max_length=200)] = None,
) -> Schema:
    """Add fields to a JSON Schema, named in words, or take fields out of it. A field that is there already stays as it is."""
    before: dict[str, Json] = json_schema.get("properties") or {}
    if missing := [name for name in remove or [] if name not in before]:
        raise InvalidRequest(f"The schema has no {', '.join(missing)}; it has {', '.join(before) or 'no fields'}.", param="remove")
    added = schema_from(f"Extract {_ADD.sub('', add)}") if add else None
    if add and added is None:
        raise InvalidRequest("That names no fields to add. Name each: add the order number and the delivery date.", param="add")
    properties = {name: field for name, field in before.items() if name not in (remove or [])}
    properties |= {name: field for name, field in (added or {}).get("properties", {}).items() if name not in properties}
    changed = {**json_schema, "type": "object", "properties": properties}
    if "required" in changed:
        changed["required"] = [name for name in changed["required"] if name in properties]
    await asyncio.to_thread(compile_schema, changed)
    said = proposal(changed, category="agent", name="schema", description="A changed schema", today=datetime.now(UTC).date())
    return Schema(domain=said["domain"], description=said["description"], json_schema=changed)


@tool("core", group="hub")
async def save_schema(
    at: Context,
    json_schema: Annotated[dict[str, Json], Field(description="The JSON Schema to keep.")],
    name: Annotated[str, Field(description="The file's name without its ending.", pattern=r"^[A-Za-z0-9][\w.-]{0,99}$")] = "schema",
) -> Made:
    """Keep a JSON Schema as a file that the person can download, named <name>.json."""
    await asyncio.to_thread(compile_schema, json_schema)
    content = msgspec.json.format(msgspec.json.encode(json_schema), indent=2)
    return made(await at.artifacts.put(content, kind="doc", media_type="application/json", filename=f"{name}.json", source="workspace"))
