"""`document`, for what pages say: fields, Markdown, layout, kinds, and copies without what identifies people."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal, cast

import msgspec
from pydantic import Field

from heliograph.agents import cards, questions
from heliograph.agents.asides import Asides
from heliograph.agents.context import Context
from heliograph.agents.task import SkillRef
from heliograph.agents.tools import DocumentRef, ImageRef, tool
from heliograph.agents.toolsets.core import LONGEST, made
from heliograph.agents.toolsets.document import PageIndices
from heliograph.errors import InvalidRequest, NotFound
from heliograph.extraction.answer import Answer, answer
from heliograph.extraction.confidence import label
from heliograph.extraction.plan import Kind, Plan, Skill, SkillUse, resolve
from heliograph.extraction.result import Label, Leaf, Match, State
from heliograph.models.routes import Route
from heliograph.skills.attach import skill as attached
from heliograph.skills.wording import schema_from

Json = Any
Domain = Annotated[str | None, Field(description="A kind of document with a ready schema, such as document.invoice.", max_length=200)]
JsonSchema = Annotated[dict[str, Json] | None, Field(description="A JSON Schema of what to extract, instead of a domain.")]
SkillName = Annotated[str | None, Field(description="The name of one of the conversation's skills, instead of a domain.")]
Prompt = Annotated[str | None, Field(description="What to heed, or in words which fields to extract.", max_length=20_000)]
Grounding = Annotated[bool, Field(description="Give page and box of every value, in <field>_metadata beside it.")]
Confidence = Annotated[bool, Field(description="Give how sure every value is, in <field>_metadata beside it.")]


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says. `response`: in the shape of the schema; `pages`: how many were read."""

    response: Json
    pages: int
    warnings: list[str] = []


class MarkdownPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page as Markdown; `tables`: those of it as rows by column."""

    page: int
    markdown: str
    tables: list[list[dict[str, Json]]] = []


class MarkdownDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document as Markdown. `next_page`: the page to go on from, where there was too much to answer with at once."""

    pages: list[MarkdownPage]
    next_page: int | None = None
    warnings: list[str] = []


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a page: a title, text, a table, a picture. `xywh`: fractions of the page."""

    category: str
    text: str
    xywh: list[float]
    page: int
    confidence: float


class Layout(msgspec.Struct, frozen=True):
    """The parts of pages, in the order of reading."""

    elements: list[Element]
    warnings: list[str] = []


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """A copy, and what was painted over or replaced in it: how often of each category, and where. A person must look at it."""

    id: str
    pages: int | None
    counts: dict[str, int]
    findings: list[dict[str, Json]]
    warnings: list[str] = []


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value stands: the page counted from 0, the box as fractions of it, the words as they are written there."""

    page: int
    xywh: list[float]
    text: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a document and how it is known. `value` is null where the document does not say it.

    `match`: how the page supports it; `confidence`: `hi`, `med` or `lo`; `probability`: the share of such values that are right;
    `places`: where it stands, the page and box of the first one also in `page` and `xywh`.
    """

    field: str
    value: Json
    state: State
    match: Match
    confidence: Label | None
    probability: float
    page: int | None = None
    xywh: list[float] | None = None
    places: list[Place] = []
    warnings: list[str] = []


@tool("document")
async def parse_document(
    at: Context,
    document: DocumentRef,
    domain: Domain = None,
    json_schema: JsonSchema = None,
    skill: SkillName = None,
    prompt: Prompt = None,
    pages: PageIndices = None,
    grounding: Grounding = False,
    confidence: Confidence = False,
) -> Parsed:
    """Extract the fields of a document as JSON: of a domain, a JSON Schema, a skill or a prompt; what it labels when none is given."""
    config = {"json_schema": json_schema, "prompt": prompt, "page_indices": pages, "grounding": grounding, "confidence": confidence}
    plan = await _planned(at, document, domain, skill, config)
    got = await run(at, document, plan)
    await at.show("preview.json", cards.json(got.response))
    return Parsed(response=got.response, pages=got.elements, warnings=got.warnings)


@tool("document")
async def parse_document_image(
    at: Context,
    image: ImageRef,
    domain: Domain = None,
    json_schema: JsonSchema = None,
    skill: SkillName = None,
    prompt: Prompt = None,
    grounding: Grounding = False,
    confidence: Confidence = False,
) -> Parsed:
    """Extract the fields of the picture of a document, such as a photographed receipt, as parse_document does."""
    return await parse_document(at, image, domain, json_schema, skill, prompt, None, grounding, confidence)


@tool("document")
async def parse_document_markdown(
    at: Context,
    document: DocumentRef,
    pages: PageIndices = None,
    characters: Annotated[int, Field(description="Most letters to answer with; whole pages, the first one always.", ge=1)] = LONGEST,
) -> MarkdownDocument:
    """Turn a document into Markdown page by page, with its headings, lists and tables."""
    got = await run(at, document, await _of_domain(at, document, "document.markdown", pages))
    read = cast("list[dict[str, Json]]", got.response["pages"])
    told: list[MarkdownPage] = []
    length = 0
    for page in read:
        length += len(page["markdown_content"])
        if told and length > characters:
            break
        tables = [table["data"] for table in page["tables"]]
        told.append(MarkdownPage(page=page["metadata"]["page_number"], markdown=page["markdown_content"], tables=tables))
    rest = read[len(told) :]
    return MarkdownDocument(pages=told, next_page=rest[0]["metadata"]["page_number"] if rest else None, warnings=got.warnings)


@tool("document")
async def detect_document_layout(at: Context, document: DocumentRef, pages: PageIndices = None) -> Layout:
    """Find the parts of a document's pages: titles, text, lists, tables, pictures, headers and footers, with their boxes and words."""
    got = await run(at, document, await _of_domain(at, document, "document.layout-detection", pages))
    return Layout([msgspec.convert(element, Element) for element in got.response["elements"]], got.warnings)


@tool("document")
async def detect_document_image_layout(at: Context, image: ImageRef) -> Layout:
    """Find the parts of the picture of a page, as detect_document_layout does."""
    return await detect_document_layout(at, image)


@tool("document")
async def redact_document(
    at: Context,
    document: DocumentRef,
    mode: Annotated[
        Literal["redact", "replace"], Field(description="redact: paint over what identifies people; replace: put invented data there.")
    ] = "redact",
    pages: PageIndices = None,
) -> Redacted:
    """Make a copy of a document without what identifies people: names, addresses, dates, numbers, contacts, pictures."""
    domain = "healthcare.phi-redaction" if mode == "redact" else "healthcare.phi-edit-replace"
    got = await run(at, document, await _of_domain(at, document, domain, pages))
    copy = got.made
    if copy is None:
        raise InvalidRequest("No copy was made.", param="document")
    try:
        drawn = copy.media_type.startswith("image/")
        facts: dict[str, int | float | str] = {} if drawn else {"pages": got.elements}
        kept = await at.artifacts.put(copy.path, kind="img" if drawn else "doc", media_type=copy.media_type, facts=facts)
    finally:
        copy.close()
    report: dict[str, Json] = got.response
    await at.show(
        "preview.image" if drawn else "preview.document", cards.image(kept.ref) if drawn else cards.document(kept.ref, pages=got.elements)
    )
    return Redacted(
        id=kept.ref, pages=made(kept).pages, counts=report["counts"], findings=report["findings"], warnings=got.warnings
    )  # fmt: skip


@tool("document")
async def answer_from_document(
    at: Context,
    document: DocumentRef,
    field: Annotated[
        str,
        Field(description="What to look for, as a label or in plain words: total, due date, patient's name.", min_length=1, max_length=500),
    ],
    pages: PageIndices = None,
) -> Found:
    """Look one value up in a document and say where it stands and how sure that is. Nothing is invented: what is not there is null."""
    name, schema = questions.schema_of(field, model=at.route is not None)
    plan = await _planned(at, document, None, None, {"json_schema": schema, "page_indices": pages, "grounding": True})
    got = await run(at, document, plan)
    leaves = {path: leaf for path, leaf in (got.extraction.leaves if got.extraction else {}).items() if path[:1] == (name,)}
    return _found(name, got.response.get(name), list(leaves.values()), got.warnings)


async def run(at: Context, document: str, plan: Plan) -> Answer:
    """Answer `plan` from one document; pages that the run has read are not read again."""
    structure = "full" if plan.mode in ("markdown", "layout", "redact", "replace") else "light"
    # where a model answers, several questions about one document are asked side by side, and reading is the smaller part
    alone = plan.route is None
    async with at.readings.open(at.artifacts, document, detail=plan.detail, structure=structure, say=at.say, alone=alone) as opened:
        steps = Asides(at.workspace, opened.artifact.sha256.encode(), msgspec.json.encode(plan))
        return await answer(at.reader, [opened.path], plan, known=opened.known, on_page=opened.on_page, models=at.models, steps=steps)


async def _of_domain(at: Context, document: str, domain: str, pages: list[int] | None) -> Plan:
    return await _planned(at, document, domain, None, {"page_indices": pages})


async def _planned(at: Context, document: str, domain: str | None, skill: str | None, config: dict[str, Json]) -> Plan:
    """What to do with a document. Without domain, schema, skill and a prompt that names fields, the document's own labels say it."""
    kind: Kind = "image" if (await at.artifacts.get(document)).kind == "img" else "document"
    given = {name: value for name, value in config.items() if value is not None}
    skills: list[Skill] = []
    if skill is not None:
        given["skills"] = [{"skill_name": skill}]
        skills = [await _skill(at, skill)]
    route = Route(asked=at.task.model, name=at.route)
    if domain is None and skill is None and "json_schema" not in given:
        schema = schema_from(given["prompt"]) if "prompt" in given else None
        if schema is None:
            plan = await asyncio.to_thread(resolve, kind, "schema", None, given, route=route)
            return msgspec.structs.replace(plan, mode="extract", operation="generate")
        given["json_schema"] = schema
    return await asyncio.to_thread(resolve, kind, "generate", domain, given, skills=lambda _item: skills[0], route=route)


async def _skill(at: Context, name: str) -> Skill:
    ref: SkillRef | None = next((each for each in at.task.skills if name in (each.name, each.id)), None)
    if ref is None:
        there = ", ".join(each.name for each in at.task.skills) or "none"
        raise NotFound(f"There is no skill {name!r} in this conversation; there are: {there}.", param="skill")
    package = await at.workspace.package(ref)
    return attached(package, SkillUse(name=ref.name, version=ref.version, hash=ref.hash, id=ref.id), ref.description)


def _found(field: str, value: Json, leaves: list[Leaf], warnings: list[str]) -> Found:
    places = [
        Place(page=part.box.page, xywh=part.box.xywh(), text=part.content)
        for leaf in leaves
        for part in leaf.evidence
        if leaf.value is not None
    ]
    there = [leaf for leaf in leaves if leaf.value is not None]
    weakest = min(there, key=lambda leaf: leaf.probability, default=None)
    state: State = weakest.state if weakest else leaves[0].state if leaves else "absent"
    return Found(
        field=field,
        value=value,
        state=state,
        match=weakest.match if weakest else "none",
        confidence=label(weakest.probability, weakest.match) if weakest else None,
        probability=round(weakest.probability, 4) if weakest else 0.0,
        page=places[0].page if places else None,
        xywh=places[0].xywh if places else None,
        places=places,
        warnings=[warning for warning in warnings if not warning.startswith("required_missing")],
    )
