"""A model asked what identifies people in a document, beside the rules: it names strings, and every place of each is then found on the
words that were read. It never decides that something stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.redaction.finding import Suspect
from heliograph.extraction.redaction.found import CATEGORIES
from heliograph.extraction.redaction.people import lists
from heliograph.extraction.schema import compile_schema
from heliograph.extraction.vocabulary import plain
from heliograph.media.document import Document
from heliograph.models.contract import Backend, Profile, Text, system, user
from heliograph.perception.steps import NoSteps, Steps

ASKED = (
    "You help to remove everything that identifies people from medical documents. List every string in the text below that is one of the"
    " eighteen identifiers of the HIPAA Safe Harbor rule: names of patients, relatives, employers, household members and clinicians, also"
    " nicknames and initials; places smaller than a state; every date except a year by itself; ages over 89; telephone and fax numbers;"
    " addresses of mail and web; social security, medical record, health plan, account and licence numbers; vehicle and device"
    " identifiers; internet addresses; any other number or code of one person. Copy each string exactly as it is written. Leave nothing"
    " out; do not list diagnoses, medications, results, or names of hospitals and insurers."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "identifiers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "category": {"type": "string", "enum": [name for name in CATEGORIES if name not in ("photo", "unreadable")]},
                    "text": {"type": "string", "description": "The string exactly as written"},
                },
                "required": ["category", "text"],
            },
        }
    },
    "required": ["identifiers"],
}
LONGEST = 8_000
"""Characters of a document that are asked about at once, where the model's context allows: short enough to leave nothing out."""


async def suspected(backend: Backend, document: Document, plan: Plan, warnings: list[str], *, steps: Steps | None = None) -> list[Suspect]:
    """What the model behind `backend` names, each once. Adds a warning where it refused or was cut off; raises `ModelError`s."""
    profile = await backend.profile()
    request = Request(temperature=plan.temperature, max_tokens=plan.max_tokens, max_retries=plan.max_retries)
    turns = asyncio.Semaphore(max(profile.concurrency, 1))
    kept = steps or NoSteps()
    schema = compile_schema(SCHEMA)

    async def ask(number: int, text: str) -> list[Suspect]:
        step = f"suspects:{number}"
        known = await kept.known(step)
        if known is not None:
            return msgspec.json.decode(known, type=list[Suspect])
        async with turns:
            said = await converse(backend, [system(ASKED), user(Text(text))], schema, request)
        if said.refused is not None or said.truncated:
            warnings.append("model_incomplete: the model did not go through all of the text; what it would have named was not looked for")
        named = list(_named(said.value))
        await kept.keep(step, msgspec.json.encode(named))
        return named

    tasks = [asyncio.create_task(ask(number, text)) for number, text in enumerate(_windows(document, profile))]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return list(dict.fromkeys(suspect for answer in answers for suspect in answer))


def _windows(document: Document, profile: Profile) -> Iterator[str]:
    """The document's lines, in pieces that the model takes."""
    most = max(min(LONGEST, profile.context), 500)
    lines: list[str] = []
    size = 0
    for page in document.pages:
        for line in page.lines:
            if lines and size + len(line.text) > most:
                yield "\n".join(lines)
                lines, size = lines[-1:], len(lines[-1])  # what goes on from one line to the next is seen whole
            lines.append(line.text)
            size += len(line.text) + 1
    if lines:
        yield "\n".join(lines)


def _named(value: object) -> Iterator[Suspect]:
    """The suspects in an answer, without words that are nobody's."""
    rows = cast("dict[str, Any]", value).get("identifiers") if isinstance(value, dict) else None
    for row in cast("list[Any]", rows) if isinstance(rows, list) else []:
        try:
            suspect = msgspec.convert(row, Suspect)
        except msgspec.ValidationError:
            continue
        words = suspect.text.split()
        if 0 < len(words) <= 20 and not all(plain(word.strip(".,:;()")) in lists().never for word in words):
            yield suspect
