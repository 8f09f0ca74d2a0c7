"""`document`, for what kind of paper it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from pydantic import Field

from heliograph.agents.asides import Asides
from heliograph.agents.context import Context
from heliograph.agents.tools import DocumentRef, tool
from heliograph.errors import InvalidRequest
from heliograph.extraction import domains
from heliograph.extraction.choosing import Chosen, choose
from heliograph.extraction.prompted import choosing as prompted
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.pictures import ReadPictures
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.extraction.vocabulary import split_name, tokens_of
from heliograph.media.document import Document

FIRST = 3
"""Pages that say what a document is."""
SHOWN = 8
"""Pages that a model is shown."""

SURE = 0.25
"""Share of its fields that must be on the pages for a kind to be certain. Of 70 drawn documents of 10 kinds, half of which none of 8 kinds
asked about was for, and 15 real ones (2026-11-21): every invoice that was one is above .34; registrations taken for receipts have .20 and
.23, a laboratory's report taken for a referral .10."""

HEADED = 0.75
"""How much a heading must speak for a kind to make it certain: one with its whole name, among the largest of the page, does."""


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of document it is; `kind` is null where it is none of those asked about. `domain`: the one with the schema for it.

    `certain`: false where another kind is nearly as likely, which `rationale` says, or where little of what the kind has is there.
    """

    kind: str | None
    domain: str | None
    rationale: str
    certain: bool
    answered_by: str
    warnings: list[str] = []


@tool("document")
async def classify_document(
    at: Context,
    document: DocumentRef,
    kinds: Annotated[
        list[str] | None,
        Field(
            description="The kinds to choose among, as domains or in words: invoice, receipt, patient referral. All domains when left out.",
            min_length=1,
            max_length=64,
        ),
    ] = None,
) -> Classified:
    """Say which kind of document it is, and why: by the labels and headings on its first pages, or by a model where there is one."""
    named = {kind: domain_of(kind) for kind in kinds} if kinds else {name: name for name in _documents()}
    if any(not kind.strip() for kind in named):
        raise InvalidRequest("A kind needs a name.", param="kinds")
    schemas = {kind: _schema(kind, domain) for kind, domain in named.items()}
    wanted = list(range(SHOWN if at.route else FIRST))
    async with at.artifacts.local(document) as path:
        count = (await at.reader.inspect(path)).page_count
    read = await at.readings.read(at.reader, at.artifacts, document, say=at.say, pages=wanted[:count])
    warnings = [warning for page in read.pages for warning in page.warnings][:20]
    if at.route is None:
        chosen = await asyncio.to_thread(choose, read, schemas)
    else:
        chosen, said = await _asked(at, document, read, schemas)
        warnings += said
    return Classified(
        kind=chosen.name,
        domain=named.get(chosen.name) if chosen.name else None,
        rationale=" ".join(part for part in (chosen.rationale, _doubt(chosen)) if part),
        certain=chosen.name is not None and chosen.uncertain is None and _supported(chosen),
        answered_by=at.route or "embedded",
        warnings=warnings,
    )


def domain_of(kind: str) -> str | None:
    """The domain that `kind` names: by its own name, else the one whose last part says all its words in the fewest; None for none."""
    exact = kind.strip().lower().replace("/", ".")
    if exact in domains.catalog():
        return exact
    words = set(tokens_of(split_name(kind)))
    able = [name for name in _documents() if words and words <= set(tokens_of(split_name(name.rpartition(".")[2])))]
    return min(able, key=len, default=None)


def _documents() -> Sequence[str]:
    """Domains of papers, answered by what is written on them."""
    return [
        name
        for name, domain in domains.catalog().items()
        if domain.mode == "extract" and domain.needs is None and domain.vision is None and "document" in domain.supported_inputs
    ]


def _schema(kind: str, domain: str | None) -> Schema:
    """What tells a kind: the fields of its domain, else nothing but its name in a heading."""
    if domain is not None:
        return compile_schema(domains.catalog()[domain].json_schema)
    return compile_schema({"title": kind, "type": "object", "properties": {}})


async def _asked(at: Context, document: str, read: Document, schemas: dict[str, Schema]) -> tuple[Chosen, list[str]]:
    """What the run's model says."""
    route = at.route or ""
    steps = Asides(at.workspace, b"kinds", (await at.artifacts.get(document)).sha256.encode(), msgspec.json.encode(list(schemas)))
    async with at.artifacts.local(document) as path:
        pictures = ReadPictures(at.reader, [path], [read.page_count])
        for page in read.pages:
            pictures.add(page)
        sight = Sight(at.models.backend(route), pictures, steps, None, at.models.ends_embedded(route))
        try:
            return await prompted.choose(read, schemas, Request(), sight)
        except prompted.Unusable as problem:
            made = await asyncio.to_thread(choose, read, schemas)
            return made, [f"the kind was told by labels, since {problem.message}"]


def _supported(chosen: Chosen) -> bool:
    """Whether enough says so: a model, a fair part of the kind's fields, or a heading with its whole name."""
    return chosen.share is None or chosen.share >= SURE or chosen.headed >= HEADED


def _doubt(chosen: Chosen) -> str:
    return (chosen.uncertain or "").removeprefix("schema_uncertain: ")
