"""Questions that a document answers, and fields that are taken from it."""

from __future__ import annotations

import re

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Act, Move
from heliograph.agents.questions import meant

_DATED = re.compile(r"(?:\w+\s+)?(?:bought|purchased|issued|made|written|printed|created|dated|from)", re.IGNORECASE)
"""What happened on the day that a document bears: `when was it bought?`"""
_CHARGED = re.compile(
    r"(?!do\b|does\b|did\b|is\b|was\b|are\b|were\b|have\b)([\w ]{2,30}?)\s+(?:is|was|are|were|do|does|did|has|have)\b", re.IGNORECASE
)
"""`how much VAT is being charged` asks for the VAT."""
_ASKED = re.compile(r"\s*(?:(?:by|until|from|to|for)\s+)?(?:what|who|whom|when|which|where|how\s+much)\b", re.IGNORECASE)
_ONE = re.compile(r"\s*(?:tell|give|show|get)\s+me\b", re.IGNORECASE)
"""How a request for one value may begin, which `ask` answers with where it stands."""


def extract(clause: Clause) -> Move | None:
    """`extract the invoice number, date and total as JSON`."""
    if _ASKED.match(clause.text) and "," not in clause.text:
        return None
    if clause.slots.pages and clause.has("page"):
        return None
    if not clause.has("extract", "json", "tell") or clause.has("image", "person") or not clause.unknown:
        return None
    if _ONE.match(clause.text) and not re.search(r",|\band\b|\bjson\b", clause.text, re.IGNORECASE):
        return None
    listed = re.search(r"\bjson\b\s*(?:with|of|:)\s*(.+)", clause.text, re.IGNORECASE)
    return Act("extract", "document", {"request": f"Extract {listed[1]}" if listed else clause.text})


def ask(clause: Clause) -> Move | None:
    """`what is the total?`, `when is it due?`, or a bare `due date`."""
    asked = re.match(
        r"\s*(?:(?:(?:by|until|from|to|for)\s+)?(?:what|who|whom|when|which|where)(?:'s|’s|s)?\b|how\s+much\b|(?:tell|give|show|get)\s+me\b|read\b|find\b|(?=\w+(?:\s+\w+){0,3}\s*\??$))",
        clause.text, re.IGNORECASE,
    )  # fmt: skip
    if asked is None or not _stands_alone(clause, asked) or clause.has("image", "person", "thing", "you", "greeting"):
        return None
    field = meant(clause.text.strip(" ?.!")) or field_of(clause.text[asked.end() :], asked[0].strip().lower())
    return Act("answer", "document", {"field": field, "question": clause.text}) if field else None


_LEAD = re.compile(
    r"^(?:(?:is|are|was|were|does|do|did|the|a|an|my|our|your|this|that|exact|me|what|who|when|it|i|we|amount\s+of)\b\s*)+", re.IGNORECASE
)
_TAIL = re.compile(
    r"\s*\b(?:on|in|of|from|for|at|to)\s+(?:the\s+|this\s+|that\s+|my\s+|our\s+|these\s+|attached\s+)*(?:invoice|receipt|document|pdf|file|bill|contract|form|scan|page|letter|report|statement|it|here|order|paper)\b"
    r"(?!\s+(?:number|date|total|no|id))\.?\s*$|\s*\b(?:on\s+it|in\s+it|before\s+it|after\s+it|here|please|again|exactly)\s*$",
    re.IGNORECASE,
)


def _stands_alone(clause: Clause, asked: re.Match[str]) -> bool:
    """Whether what has no asking word is the name of a field, and not something to be done."""
    if asked[0].strip():
        return True
    bare = not re.search(r"\b(?:the|a|an|it|this|that|me|my|please)\b", clause.text, re.IGNORECASE)
    return (
        bare
        and not clause.slots.pages
        and not clause.slots.numbers
        and not clause.concepts - {"document", "ask", "page", "line item", "add"}
    )


def field_of(text: str, asked: str = "") -> str | None:
    """What a question asks for, as the name of a field.

    `the total on this invoice` is `total`; `is the invoice due`, asked `when`, is `invoice due date`.
    """
    text = text.strip(" ?.!,:")
    if asked.startswith("how much") and (charged := _CHARGED.match(text)) is not None:
        text = charged[1]
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
