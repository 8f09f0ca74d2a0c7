"""How well a candidate answers a field."""

from __future__ import annotations

from decimal import Decimal

from heliograph.extraction.addresses import address_likeness
from heliograph.extraction.candidates import Candidate
from heliograph.extraction.fields import Ask
from heliograph.extraction.reading import Reading
from heliograph.extraction.unlabelled import PLACES
from heliograph.extraction.vocabulary import tokens_of, vocabulary

_EXTRAS = frozenset({"shipping.amount", "discount.amount"})
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
        + 0.4 * f.get("entry", 0.0)
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
        part, place = ask.role, (segment.page, segment.index)
        f["sums"] = float(reading.sums.plays(part, value))
        f["footed"] = float(part in ("gross", "net") and place in reading.sums.footed)
        settled = reading.sums.settled if part in ("gross", "due") else set[Decimal]()
        f["settled"] = 0.0 if not settled else 1.0 if abs(value) in settled else -1.0
        before = ask.concept is not None and ask.concept.id == "line.total.sum"  # charges and discounts come between it and the tax
        score += (0.35 if before else 0.7) * f["sums"] + 0.4 * f["footed"] + 0.9 * f["settled"]
        score -= 0.3 * (reading.sums.plays_other(part, value) and not f["sums"])
        if f.get("below") and (stacked := reading.sums.last.get((segment.page, segment.row))) is not None:
            score += 1.8 if stacked == segment.row else -1.0  # net, tax and gross side by side; the last row is their sum
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
        if ask.role in ("gross", "net") and (candidate.value == 0 or (candidate.value < 0 and not reading.sums.minus)):
            score -= 1.5
    if ask.concept is not None and ask.concept.id in _EXTRAS and f.get("right") and len(segment.sheet.rows[segment.row]) >= 4:
        score -= 3.0  # an item that is called shipping, with a quantity and a price
    if ask.concept is not None and ask.concept.id == "issue.date" and candidate.occurrence is not None:
        score += 0.4 * ("invoice" in tokens_of(candidate.occurrence.segment.text))
    if ask.kind == "id" and candidate.occurrence is not None and candidate.occurrence.start == 0 and f.get("same"):
        score += 0.8 * (segment.size > 1.25 * segment.sheet.size)  # a headline says which document this is
    street = ask.kind == "id" and address_likeness(segment.text) > 0.6 and any(c.isalpha() for c in segment.text[candidate.parts[0][2] :])
    if street and _weak(candidate):
        score -= 2.0  # `No 167, Station Road`
    if not ask.role:
        score -= 0.15 * min(6.0, page.index + segment.cy / max(1.0, page.height))
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
