"""One value asked for in plain words, as a schema with one field: `total`, `What is the due date?`, `How much do I owe?`.

What asks in a way that no field's name answers (`why was it sent back?`) is not guessed at: only a model can take it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from heliograph.errors import InvalidRequest
from heliograph.skills.naming import identifier
from heliograph.skills.wording import schema_from

Json = Any
ANSWER = "answer"
"""The field of a question that only a model understands."""

_THIS = r"(?:it|this|that|they|(?:(?:the|this|my|our)\s+)?(?:amount|bill|document|form|invoice|letter|order|payment|receipt|statement))"
_MEANT: tuple[tuple[str, str], ...] = (
    (r"what(?:'s| is) (?:due|owed)", "amount due"),
    (rf"how much (?:is|was) (?:{_THIS} )?(?:due|owed|outstanding|to be paid|still open)", "amount due"),
    (
        r"(?:how much|what) (?:do|does|did) (?:i|we|you|they|he|she|the customer) (?:have to pay|need to pay|owe)(?: them| him| her| you)?",
        "amount due",
    ),
    (rf"(?:how much|what) (?:does|did|do|will) {_THIS} (?:cost|come to|amount to)", "total"),
    (rf"how much (?:is|was) {_THIS}(?: for| in total| altogether)?", "total"),
    (r"how much (?:was|were) paid", "amount paid"),
    (r"how much did (?:i|we|you|they|he|she) (?:pay|spend)(?: (?:at|in|on|for) .{1,40})?", "total"),
    (r"(?:when|by when|until when) (?:is|was|must|should|do|does) .{1,30}(?:due|paid|pay)", "due date"),
    (rf"when (?:was|is) {_THIS} (?:issued|dated|written|made out|from)", "issue date"),
    (rf"when (?:was|were|did) {_THIS} (?:ordered|placed)", "order date"),
    (rf"when (?:was|were|is|will) {_THIS} (?:be )?(?:delivered|shipped|sent)", "delivery date"),
    (rf"when (?:does|did|do|will) {_THIS} (?:expire|end|run out)", "expiry date"),
    (r"when (?:was|were) .{1,40} born", "date of birth"),
    (rf"who (?:issued|sent|sold|wrote|made) {_THIS}", "issuer name"),
    (rf"(?:who|whom) (?:is|was) {_THIS} (?:from|by|issued by|sent by)|from whom (?:is|was) {_THIS}", "issuer name"),
    (rf"(?:who|whom) (?:is|was) {_THIS} (?:to|for|billed to|addressed to|sent to)", "customer name"),
    (rf"(?:to|for) whom (?:is|was) {_THIS}(?: addressed| sent)?", "customer name"),
    (rf"who (?:bought|ordered|owes|pays|has to pay)(?: {_THIS})?", "customer name"),
    (rf"(?:what|which) (?:number|no) (?:does|has|is) {_THIS}(?: have)?", "document number"),
)
_POLITE = re.compile(
    r"^(?:please\s+)?(?:(?:can|could) you\s+)?(?:(?:tell|give|show)\s+me\s+|find\s+|look\s+up\s+|extract\s+|read\s+)?", re.IGNORECASE
)
_BEING = re.compile(r"^(?:what|which|who|where|when|how much)(?:'s|\s+(?:is|are|was|were))\s+(?=(?:the|its|my|our|an?)\b|\w+\W*$)", re.I)
_ARTICLE = re.compile(r"^(?:the|its|my|our|an?)\s+", re.I)
_ASKING = re.compile(
    r"^(?:how|what|when|where|which|who|whom|whose|why|(?:to|for|from|by|in|on) (?:whom|which|what)|do|does|did|can|could|would|should)\b",
    re.IGNORECASE,
)


def schema_of(question: str, *, model: bool) -> tuple[str, dict[str, Json]]:
    """The name of the field that `question` asks for, and the schema that asks for it alone.

    `model`: whether a model answers, which is asked what no field's name says. Raises InvalidRequest otherwise, and for several fields.
    """
    words = _POLITE.sub("", re.sub(r"\.(?=\s|$)", "", " ".join(question.split()))).strip(" ?!:")
    if (field := meant(words)) is None:
        field = _ARTICLE.sub("", _BEING.sub("", words))
        if _ASKING.match(field):
            if model:
                return ANSWER, _asking(ANSWER, {"type": ["string", "null"], "description": question})
            raise InvalidRequest(
                f"Which value of the document {question.strip()[:100]!r} asks for cannot be told: name it as a label, such as total or due "
                "date. A language model understands questions: set HELIOGRAPH_MODEL_URL.",
                param="field",
            )
    schema = schema_from(f"Extract the {field}")
    properties: Mapping[str, Json] = (schema or {}).get("properties", {})
    if len(properties) > 1:
        named = ", ".join(properties)
        raise InvalidRequest(f"That asks for several values ({named}): look each up alone, or use parse_document.", param="field")
    if properties:
        name, kind = next(iter(properties.items()))
        return name, _asking(name, kind)
    name = identifier(field) or "value"
    return name, _asking(name, {"type": ["string", "null"], "description": field})


def meant(words: str) -> str | None:
    """The field that a question means without naming it: `how much do I owe` is `amount due`."""
    return next((field for pattern, field in _MEANT if re.fullmatch(pattern, words, re.IGNORECASE)), None)


def _asking(name: str, kind: Json) -> dict[str, Json]:
    return {"type": "object", "properties": {name: kind}}
