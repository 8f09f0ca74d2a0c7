"""What is beyond words and tools: what needs a model that writes, sees or paints, and what nobody should do for a sentence."""

from __future__ import annotations

import re

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Decline, Move

_MAKE_PICTURE = re.compile(
    r"\b(?:make|create|generate|draw|paint|design|imagine|give)\s+(?:me\s+)?(?:an?|some)\s+(?:\w+\s+){0,3}(?:picture|image|photo|drawing|painting|logo|illustration|"
    r"video)s?\s+(?:of|with|showing|that)\b",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\s*what(?:'s|’s|s|\s+is|\s+are|\s+do\s+you\s+see)\b.*\b(?:in|on)\s+(?:the|this|that|my)\s+(?:image|picture|photo|pic)\b",
    re.IGNORECASE,
)
"""`what is in this picture?`"""


def beyond(clause: Clause) -> Move | None:
    """`translate it`, `write a poem`, `why is it so high?`, `paint a castle`, `mail it to Bob`."""
    if clause.has("translate"):
        return Decline("Translating", "language model")
    if _MAKE_PICTURE.search(clause.text) and not clause.has("chart", "bar", "pie"):
        return Decline("Making new pictures", "image model")
    if re.search(r"\bcolou?ri[sz]|\b(?:remove|replace|change)\b.*\bbackground\b|\binpaint|\banimate", clause.text, re.IGNORECASE):
        return Decline("Painting into pictures", "image model")
    if clause.has("generate") and re.match(r"\s*(?:paint|imagine|generate)\b", clause.text, re.IGNORECASE):
        return Decline("Making new pictures", "image model")
    if _begins(clause, "send"):
        return Decline("Sending, buying or deleting things", "no tool")
    if _begins(clause, "compose"):
        return Decline("Writing texts", "language model")
    if re.match(
        r"\s*(?:why|how\s+(?:come|does|do|did|can|should|would)\b|should|would|could|do\s+you\s+think|explain|compare|is\b|are\b|was\b|were\b|does\b|did\b|has\b|have\b)",
        clause.text,
        re.IGNORECASE,
    ) and not (clause.has("count", "search") or re.match(r"is\s+there\s+(?:an?|any)\s+(?:qr|bar)", clause.text, re.IGNORECASE)):
        return Decline(
            "Judging, comparing and giving reasons",
            "vision model" if clause.has("image", "person", "thing", "feature") else "language model",
        )
    if clause.has("reason"):
        return Decline("Judging, comparing and giving reasons", "language model")
    if clause.has("feature"):
        return Decline("Telling what people and things in a picture do or look like", "vision model")
    return None


def _begins(clause: Clause, concept: str) -> bool:
    """Whether that is what is to be done, and not spoken of beside it."""
    return any(found.concept == concept and found.first <= 1 for found in clause.found)


def picture_words(clause: Clause) -> Move | None:
    """Descriptions, and things that only a model or a detector can find: `what is in the picture?`, `find the dogs`."""
    shown = _SHOWN.match(clause.text)
    if (clause.has("describe") or shown) and not clause.has("face", "code", "read", "word", "blur", "crop"):
        return Decline("Describing what a picture shows", "vision model")
    seeing = clause.has("detect", "count", "draw", "blur", "crop", "anonymise", "extract", "tell", "ask", "redact")
    if clause.has("thing") and seeing:
        return Decline("Finding things other than faces, text and barcodes in a picture", "vision model")
    if clause.has("person") and seeing and not clause.has("face"):
        return Decline("Finding people (their faces I do find)", "vision model")
    return None
