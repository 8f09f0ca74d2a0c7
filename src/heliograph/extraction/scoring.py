"""How well a candidate answers a field."""

from __future__ import annotations

from decimal import Decimal

from heliograph.extraction.candidates import Candidate
from heliograph.extraction.fields import Ask
from heliograph.extraction.reading import Reading
from heliograph.extraction.unlabelled import PLACES
from heliograph.extraction.vocabulary import tokens_of, vocabulary

_OF_PLACE = PLACES | {"address", "org", "person", "name"}


def score_of(reading: Reading, ask: Ask, candidate: Candidate) -> float:
    """How well a candidate answers a field, as a logit; 0 is the line between answering and not."""
    f = candidate.features
    segment = candidate.parts[0][0]
    page = segment.sheet.page
    low = f.get("reading", 1.0)
    score = -0.8 * max(0.0, 0.8 - low)
    if f.get("unlabelled"):
        kind = ask.concept.kind if ask.concept else ""
        bias = {
            "org": -1.3,
            "address": -1.5,
            **dict.fromkeys(PLACES, -1.5),
            "date": 0.3,
            "currency": 0.3,
            "phone": -0.4,
            "time": -0.7,
            "doctype": -0.6,
            "title": -0.4,
        }.get(kind, 0.2)
        slope = {"org": 0.9, "address": 0.9, **dict.fromkeys(PLACES, 0.9), "date": 1.3, "currency": 1.0}.get(kind, 1.0)
        return score + bias + slope * f.get("likeness", 0.0) + 0.4 * f.get("only", 0.0) + 0.2 * f.get("repeated", 0.0)
    score += (
        4.2 * f.get("fit", 0.0)
        + 0.55 * f.get("same", 0.0)
        + 0.5 * f.get("right", 0.0)
        + 0.15 * f.get("below", 0.0)
        + 0.3 * f.get("colon", 0.0)
        + 0.7 * f.get("box", 0.0)
    )
    score += (
        1.4 * f.get("quality", 0.0)
        - 0.8 * f.get("gap", 0.0)
        - 0.25 * min(4.0, f.get("order", 0.0))
        - 1.0 * f.get("beyond", 0.0)
        - 0.5 * f.get("busy", 0.0)
    )
    score += 0.4 * f.get("aligned", 0.0) * f.get("below", 0.0)
    if f.get("below"):
        score -= (
            0.7 * (not f.get("heading"))
            + 0.7 * bool(ask.role)
            + 0.8 * (bool(ask.role) and len(segment.sheet.rows[candidate.occurrence.segment.row if candidate.occurrence else 0]) >= 3)
        )
    if ask.kind == "address":
        score += 1.0 * f.get("likeness", 0.0)
    score -= 3.9
    if ask.kind == "percent" and f.get("quality", 0.0) < 1.0 and not _rate(candidate):
        score -= 2.5  # a bare number beside `VAT` is no rate
    if ask.party:
        whose = reading.parties.party(candidate.occurrence.segment if candidate.occurrence else segment)
        if whose == "delivery" and ask.party != whose and ask.kind not in _OF_PLACE:
            whose = ""  # where goods go says nothing of dates and numbers beside it
        f["party"] = 1.0 if whose == ask.party else 0.0 if not whose else -1.0
        own = candidate.occurrence is not None and bool(
            set(tokens_of(candidate.occurrence.segment.text[candidate.occurrence.start : candidate.occurrence.end]))
            & (vocabulary().issuer | vocabulary().customer)
        )
        score += 0.9 * f["party"] if whose == ask.party or not own else 0.0
        if not whose and not own and ask.party == "customer":
            score -= 1.2
    if ask.role and isinstance(candidate.value, (int, float)):
        value = Decimal(str(round(candidate.value, 2)))
        part = ask.role
        f["sums"] = 1.0 if value.quantize(Decimal("0.01")) in {v.quantize(Decimal("0.01")) for v in reading.sums.get(part, set())} else 0.0
        others = any(value in reading.sums[role] for role in ("gross", "net", "tax") if role != part)
        score += 0.7 * f["sums"] - (0.3 if others and not f["sums"] else 0.0)
        f["late"] = segment.cy / max(1.0, page.height)
        score += 0.25 * f["late"]
        f["large"] = segment.height / segment.sheet.height - 1
        score += 0.4 * max(0.0, min(1.0, f["large"]))
        if (
            ask.role == "gross"
            and candidate.occurrence is not None
            and any(t.startswith("round") for t in tokens_of(candidate.occurrence.segment.text))
        ):
            score += 0.8  # what is paid, after rounding to coins
        score += 0.6 * f.get("crossing", 0.0)
        if candidate.value <= 0 and ask.role in ("gross", "net"):
            score -= 1.5
    if ask.concept is not None and ask.concept.id == "issue.date" and candidate.occurrence is not None:
        score += 0.4 * ("invoice" in tokens_of(candidate.occurrence.segment.text))
    if not ask.role:
        score -= 0.15 * min(6, page.index)
    if not ask.party and ask.kind in ("id", "date", "org", "name") and _weak(candidate):
        score -= 1.5 * float(reading.parties.party(segment) in ("issuer", "customer"))
    return score


def _rate(candidate: Candidate) -> bool:
    """Whether the label itself asks for a rate."""
    at = candidate.occurrence
    return at is not None and bool({"rate", "percentage", "satz", "taux", "aliquota"} & set(tokens_of(at.segment.text[at.start : at.end])))


def _weak(candidate: Candidate) -> bool:
    """Whether the label is one that says little by itself, such as `No.` or `Name`."""
    if candidate.occurrence is None:
        return False
    words = vocabulary()
    at = candidate.occurrence
    return all(words.weight(token) < 1.0 for token in tokens_of(at.segment.text[at.start : at.end]))
