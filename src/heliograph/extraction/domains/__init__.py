"""The domains: names that stand for a prompt and a schema, such as `document.invoice`.

`hub/` is written by `make hub` from the vlmrun-hub package; `own/` holds what the hub lacks, written by hand, one file a domain.
To add a domain, add a file to `own/`; a name that is in both is taken from `own/`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.extraction import gql

HUB_VERSION = "0.1.35"
"""The vlmrun-hub that `hub/` was written from; `make hub` refuses another."""

Mode = Literal["extract", "markdown", "layout", "detect", "redact", "replace", "transcribe"]
Medium = Literal["image", "document", "audio", "video"]


class Domain(msgspec.Struct, kw_only=True, dict=True):
    """A name, and what stands behind it. `needs` says what this server lacks for it, as the end of a sentence."""

    domain: str
    description: str
    prompt: str
    json_schema: dict[str, Any]
    supported_inputs: list[Medium] = msgspec.field(default_factory=lambda: ["image", "document"])
    tags: list[str] = []
    sample_data: list[str] = []
    mode: Mode = "extract"
    vision: Literal["needed", "helps"] | None = None
    """Whether it asks for what a picture shows: all of it, or beside what is written in it."""
    needs: str | None = None
    note: str | None = None
    """What a caller should know of every answer; goes with it as a warning."""

    @cached_property
    def schema_hash(self) -> str:
        """As the hub makes it: the first 8 hex digits of SHA-256 over the schema with sorted keys."""
        return schema_hash(self.json_schema)

    @cached_property
    def gql_stmt(self) -> str:
        """The GraphQL selection of all its leaves."""
        return gql.statement(self.json_schema)


def schema_hash(schema: dict[str, Any]) -> str:
    """The first 8 hex digits of SHA-256 over `schema` with sorted keys."""
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:8]


@cache
def catalog() -> dict[str, Domain]:
    """Every domain by name, sorted."""
    here = Path(__file__).parent
    decoder = msgspec.json.Decoder(Domain)
    domains = [decoder.decode(path.read_bytes()) for folder in ("hub", "own") for path in sorted((here / folder).glob("*.json"))]
    return {domain.domain: domain for domain in sorted(domains, key=lambda domain: domain.domain)}


def find(name: str) -> Domain:
    """The domain called `name`, written with a dot or with the slash of older clients. Raises `InvalidRequest` with the nearest names."""
    domains = catalog()
    domain = domains.get(name) or domains.get(name.strip().lower().replace("/", "."))
    if domain is None:
        near = nearest(name)
        hint = f"; did you mean {', '.join(near)}?" if near else "; GET /v1/domains lists those there are."
        raise InvalidRequest(f"There is no domain {name[:100]!r}{hint}", param="domain")
    return domain


def nearest(name: str, count: int = 3) -> list[str]:
    """The domains whose names, or whose names' last parts, are most like `name`."""
    asked = name.strip().lower().replace("/", ".").replace("_", "-")[:200]
    tail = asked.rpartition(".")[2]

    def likeness(candidate: str) -> float:
        whole = difflib.SequenceMatcher(None, asked, candidate).ratio()
        return max(whole, difflib.SequenceMatcher(None, tail, candidate.rpartition(".")[2]).ratio() * 0.95)

    scored = sorted(((likeness(candidate), candidate) for candidate in catalog()), reverse=True)
    return [candidate for score, candidate in scored[:count] if score >= 0.6]
