"""A model asked which of several schemas a document is for. The question stands behind the pages, so that what is asked next about the same
pages shares all but its end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

import heliograph
from heliograph.errors import HeliographError
from heliograph.extraction.choosing import Chosen, kind_of
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.prompts import document_parts, messages, picture_side, shows_picture
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.windows import Budget, Cutter
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document, Page
from heliograph.models.contract import Picture

_PAGES = 8
"""Pages that are shown: the first ones say what a document is."""
_FIELDS = 30
"""Fields of a schema that are named."""
_LONGEST = 500
"""Characters of a rationale."""
_WRITTEN = 1_024
"""Tokens of the answer."""


class Unusable(HeliographError):
    """The model's choice is no use."""


async def choose(document: Document, schemas: Mapping[str, Schema], request: Request, sight: Sight) -> tuple[Chosen, list[str]]:
    """What the model chose, and warnings. What an earlier run was answered is not asked again.

    Raises `Unusable` where the model would not say, `ModelRefused` and `ModelLimit` as it does, `ModelUnavailable` where another try later
    may help.
    """
    profile = await sight.backend.profile()
    request = msgspec.structs.replace(request, max_tokens=min(request.max_tokens, _WRITTEN))
    asked, schema = question(schemas, request.instructions), _answer(list(schemas))
    budget = Budget.of(profile, schema, request, asked)
    shown = _first(document.pages[:_PAGES], Cutter(budget))
    side = picture_side(request.detail, profile)
    named = [page.index for page in shown if shows_picture(page, request.detail, profile)]
    parts = [heliograph.__version__, sight.backend.name, profile.model, request, asked, side, named, [page.text for page in shown]]
    step = f"choose:{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]}"
    if (kept := await sight.steps.known(step)) is not None:
        return msgspec.msgpack.decode(kept, type=tuple[Chosen, list[str]])
    seen: dict[int, Picture] = {}
    for index in named:
        seen[index] = await sight.pictures.picture(index, side)
    ask = messages(document_parts(shown, seen, longest=budget.longest_text), asked, examples=request.examples)
    said = await converse(sight.backend, ask, schema, request)
    if said.refused is not None:
        raise Unusable(f"the model would not choose: {said.refused[:300]}")
    if said.problems:
        raise Unusable(f"the model named none of the kinds: {said.problems[0][:300]}")
    chosen = _chosen(said.value, schemas)
    await sight.steps.keep(step, msgspec.msgpack.encode((chosen, said.warnings)))
    return chosen, said.warnings


def question(schemas: Mapping[str, Schema], instructions: str | None) -> str:
    """What is asked about the pages: which kind they are of, each with what it is for and what it asks."""
    said = [f"Instructions:\n{instructions.strip()}"] if instructions and instructions.strip() else []
    listed = [f"- {name}: {_about(name, schema)}" for name, schema in schemas.items()]
    said.append("Which of these kinds is the document?\n" + "\n".join(listed))
    said.append(
        "Answer with the JSON object alone: first why, in a sentence that names what on the pages says so, then the kind. Where the "
        "document is of none of them, the kind is null."
    )
    return "\n\n".join(said)


def _about(name: str, schema: Schema) -> str:
    root = schema.root
    kind = kind_of(name, schema)
    said = " ".join(part for part in (f"{kind}." if kind != name else "", " ".join(root.description.split())) if part)
    names = list(dict.fromkeys(field.dotted for field in root.leaves() if field.dotted))
    more = ", ..." if len(names) > _FIELDS else ""
    return f"{said} Asks for {', '.join(names[:_FIELDS])}{more}".strip()


def _answer(names: Sequence[str]) -> Schema:
    return compile_schema(
        {
            "type": "object",
            "properties": {
                "rationale": {"type": "string", "description": "What on the pages says which kind it is"},
                "kind": {"type": ["string", "null"], "enum": [*names, None], "description": "Null where the document is of none of them"},
            },
            "required": ["rationale", "kind"],
        }
    )


def _chosen(value: object, schemas: Mapping[str, Schema]) -> Chosen:
    table = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "kind" not in table:
        raise Unusable("the model named none")
    name = table["kind"]
    known = name if isinstance(name, str) and name in schemas else None
    rationale = " ".join(str(table.get("rationale") or "").split())[:_LONGEST]
    return Chosen(name=known, kind=kind_of(known, schemas[known]) if known is not None else None, rationale=rationale)


def _first(pages: Sequence[Page], cutter: Cutter) -> list[Page]:
    """The pages that are shown together."""
    for page in pages:
        if windows := cutter.add(page):
            return windows[0].pages
    return [page for window in cutter.close() for page in window.pages]
