"""A schema that a model proposes from a file: named and described fields, each with the words of the file that it is for.

A field whose words are not on the pages is dropped: it is one that such documents usually have, and this one has not. What remains is
made into a JSON Schema here, in which every field may be null, so that any answer compiles.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, cast

from heliograph.errors import HeliographError, InvalidRequest
from heliograph.extraction import propose as embedded
from heliograph.extraction.alignment import Alignment
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.grid import snake
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.looking import Sight, entries
from heliograph.extraction.prompted.prompts import document_parts, messages, picture_side, shows_picture
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.windows import Budget, Cutter
from heliograph.extraction.schema import METADATA_SUFFIX, compile_schema
from heliograph.media.document import Document, Page
from heliograph.models.contract import Picture
from heliograph.models.errors import ModelLimit, ModelRefused

Json = dict[str, Any]

MOST_FIELDS = 200
_TYPES: dict[str, Json] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}
_NAMED: Json = {
    "name": {"type": "string", "description": "In snake_case, such as invoice_number"},
    "type": {"type": "string", "enum": list(_TYPES)},
    "description": {"type": "string", "description": "What it is, in a sentence"},
    "words": {
        "type": "string",
        "description": "Its value in this document, letter for letter as it is written; of a list, in its first row",
    },
}
_FIELD: Json = {"type": "object", "properties": _NAMED, "required": list(_NAMED)}
_PROPOSAL = compile_schema(
    {
        "type": "object",
        "properties": {
            "category": {
                "type": "string",
                "description": "The trade or subject that such documents belong to, in one word, such as finance",
            },
            "name": {"type": "string", "description": "What kind of document it is, such as purchase-order"},
            "description": {"type": "string", "description": "What the schema is for, in a sentence"},
            "fields": {"type": "array", "description": "Everything that is said once, in the order of the document", "items": _FIELD},
            "lists": {
                "type": "array",
                "description": "Everything that is said several times, such as the lines of a table",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "In snake_case, in the plural"},
                        "description": {"type": "string"},
                        "columns": {"type": "array", "items": _FIELD},
                    },
                    "required": ["name", "description", "columns"],
                },
            },
        },
        "required": ["category", "name", "description", "fields", "lists"],
    }
)
_WORDS = compile_schema({"type": "object", "properties": {"words": {"type": "string"}}})
_QUESTION = (
    "Propose the fields that should be extracted from documents like this one. Leave out what is the same on each such document: printed "
    "labels, headings, terms. A field is one value: an address or a name in parts is several. Answer with the JSON object."
)


async def propose(document: Document, plan: Plan, sight: Sight, today: date) -> tuple[Json, list[str]]:
    """The `SchemaResponse` for `document`, and warnings; the one that is made without a model where the model's is no use.

    Raises `ModelUnavailable` where another try later may help.
    """
    try:
        said, warnings = await _asked(document, plan, sight)
        schema = await asyncio.to_thread(schema_of, said, document, warnings)
        return embedded.proposal(schema, category=_word(said.get("category"), "general"), name=_word(said.get("name"), "document"),
                        description=_sentence(said.get("description")) or embedded.DESCRIPTION, today=today), warnings  # fmt: skip
    except (Unusable, ModelRefused, ModelLimit) as problem:
        made = await asyncio.to_thread(embedded.propose, document, today)
        return made, [f"schema_without_model: {problem.message}; the schema was made from labels and tables alone"]


class Unusable(HeliographError):
    """The model's proposal is no use."""


async def _asked(document: Document, plan: Plan, sight: Sight) -> tuple[Json, list[str]]:
    profile = await sight.backend.profile()
    request = Request.of(plan)
    budget = Budget.of(profile, _PROPOSAL, request, _QUESTION)
    shown = _first(document.pages, Cutter(budget))
    side = picture_side(plan.detail, profile)
    seen: dict[int, Picture] = {}
    for page in shown:
        if shows_picture(page, plan.detail, profile):
            seen[page.index] = await sight.pictures.picture(page.index, side)
    question = f"{plan.instructions}\n\n{_QUESTION}" if plan.instructions else _QUESTION
    said = await converse(sight.backend, messages(document_parts(shown, seen, longest=budget.longest_text), question), _PROPOSAL, request)
    if said.refused is not None:
        raise Unusable(f"the model would not propose one: {said.refused[:300]}")
    if not isinstance(said.value, dict):
        raise Unusable("the model proposed none")
    warnings = list(said.warnings)
    if len(shown) < len(document.pages):
        warnings.append(f"the model proposed from the first {len(shown)} of {len(document.pages)} pages")
    return cast("Json", said.value), warnings


def _first(pages: Sequence[Page], cutter: Cutter) -> list[Page]:
    """The pages that are shown together."""
    for page in pages:
        if windows := cutter.add(page):
            return windows[0].pages
    return [page for window in cutter.close() for page in window.pages]


def schema_of(said: Json, document: Document, warnings: list[str]) -> Json:
    """The schema of a model's proposal, without what the pages do not support. Raises `Unusable` when nothing is left."""
    fields, lists = _listed(said, "fields"), _listed(said, "lists")
    columns = [_listed(each, "columns") for each in lists]
    every = [*fields, *(column for each in columns for column in each)]
    there = dict(zip(map(id, every), _written(document, [str(one.get("words") or "") for one in every]), strict=True))
    properties: Json = {}
    for one in fields:
        if there[id(one)]:
            properties[_free(_name(one), properties)] = _leaf(one)
    for one, each in zip(lists, columns, strict=True):
        inner: Json = {}
        for column in each:
            if there[id(column)]:
                inner[_free(_name(column), inner)] = _leaf(column)
        if inner:
            items = {"type": "object", "properties": inner}
            described = {"description": text} if (text := _sentence(one.get("description"))) else {}
            properties[_free(_name(one), properties)] = {"type": "array", "items": items, "default": [], **described}
    schema: Json = {"type": "object", "properties": properties}
    dropped = sum(not found for found in there.values())
    if not properties:
        raise Unusable("nothing of what the model proposed stands in the document")
    try:
        compile_schema(schema)
    except InvalidRequest as error:
        raise Unusable(f"the model's schema is none: {error.message}") from None
    if dropped:
        warnings.append(f"{dropped} of {len(every)} proposed fields have no value in the document and were dropped")
    return schema


def _listed(said: Json, name: str) -> list[Json]:
    return [one for one in entries(said, name)[:MOST_FIELDS] if _name(one)]


def _written(document: Document, words: list[str]) -> list[bool]:
    """Whether each of `words` stands on the pages: letter for letter, or if they have letters, nearly so."""
    pages = [_folded(word.text for word in page.words) for page in document.pages]
    alignment = Alignment(document.pages)

    def there(text: str) -> bool:
        plain = _folded(text.split())
        if not plain.strip() or any(plain in page for page in pages):
            return bool(plain.strip())
        # one at a time: several fields may be for the same words
        return any(map(str.isalpha, plain)) and alignment.align({"words": text}, _WORDS)["words",].match in ("exact", "fuzzy")

    return [there(text) for text in words]


def _folded(words: Iterable[str]) -> str:
    return " ".join(["", *(folded for word in words if (folded := fold(word))), ""])


def _leaf(one: Json) -> Json:
    kind = _TYPES.get(str(one.get("type")), _TYPES["string"])
    described = {"description": text} if (text := _sentence(one.get("description"))) else {}
    return {"anyOf": [kind, {"type": "null"}], "default": None, **described}


def _name(one: Json) -> str:
    name = snake(str(one.get("name") or ""))[:60].removesuffix(METADATA_SUFFIX)
    return f"field_{name}" if name[:1].isdigit() else name


def _free(name: str, taken: Json) -> str:
    """`name`, numbered where there is one already."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _word(said: object, otherwise: str) -> str:
    """A part of a domain's name."""
    return re.sub(r"[^a-z0-9]+", "-", str(said or "").lower()).strip("-")[:40].strip("-") or otherwise


def _sentence(said: object) -> str:
    return " ".join(str(said or "").split())[:500]
