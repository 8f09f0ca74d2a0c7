"""Questions that a document answers, and fields that are taken from it."""

from __future__ import annotations

import re

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Move

_DATED = re.compile(r"(?:\w+\s+)?(?:bought|purchased|issued|made|written|printed|created|dated|from)", re.IGNORECASE)
"""What happened on the day that a document bears: `when was it bought?`"""
_ONE = re.compile(r"\s*(?:tell|give|show|get)\s+me\b", re.IGNORECASE)
"""How a request for one value may begin, which `ask` answers with where it stands."""


def extract(clause: Clause) -> Move | None:
    """`extract the invoice number, date and total as JSON`."""
    if not clause.has("extract", "json", "tell") or clause.has("image", "person") or not clause.unknown:
        return None
    if _ONE.match(clause.text) and not re.search(r",|\band\b|\bjson\b", clause.text, re.IGNORECASE):
        return None
    return Act("extract", "document", {"request": clause.text})


def ask(clause: Clause) -> Move | None:
    """`what is the total?`, `when is it due?`, or a bare `due date`."""
    asked = re.match(
        r"\s*(?:(?:what|who|whom|when|which|where)(?:'s|’s|s)?\b|how\s+much\b|(?:tell|give|show|get)\s+me\b|read\b|find\b|(?:the\s+)?(?=\w+(?:\s+\w+){0,3}\s*\??$))",
        clause.text, re.IGNORECASE,
    )  # fmt: skip
    if asked is None or clause.has("image", "person", "thing", "you", "greeting"):
        return None
    field = field_of(clause.text[asked.end() :], asked[0].strip().lower())
    return Act("answer", "document", {"field": field, "question": clause.text}) if field else None


_LEAD = re.compile(
    r"^(?:(?:is|are|was|were|does|do|did|the|a|an|my|our|your|this|that|exact|me|what|who|when|it|i|we|amount\s+of)\b\s*)+", re.IGNORECASE
)
_TAIL = re.compile(
    r"\s*\b(?:on|in|of|from|for|at|to)\s+(?:the\s+|this\s+|that\s+|my\s+|our\s+|these\s+|attached\s+)*(?:invoice|receipt|document|pdf|file|bill|contract|form|scan|page|letter|report|statement|it|here|order|paper)\b"
    r"(?!\s+(?:number|date|total|no|id))\.?\s*$|\s*\b(?:on\s+it|in\s+it|here|please|again|exactly)\s*$",
    re.IGNORECASE,
)


def field_of(text: str, asked: str = "") -> str | None:
    """What a question asks for, as the name of a field.

    `the total on this invoice` is `total`; `is the invoice due`, asked `when`, is `invoice due date`.
    """
    text = text.strip(" ?.!,:")
    before = None
    while before != text:
        before = text
        text = _TAIL.sub("", _LEAD.sub("", text)).strip(" ?.!,:")
    if not text or len(text.split()) > 6:
        return None
    if asked.startswith("when") and _DATED.fullmatch(text):
        return "date"
    if asked.startswith("when") and not re.search(r"\b(?:date|day|time)\b", text, re.IGNORECASE):
        text = f"{text} date"
    if asked.startswith("how much"):
        text = re.sub(r"\b(?:do|does|did|must|have)\b.*\b(?:pay|owe|cost)\b.*", "total amount", text, flags=re.IGNORECASE)
    return text
