"""Spans to fields: each goes to the field that it fits best, and the winners become leaves of the answer."""

from __future__ import annotations

from typing import cast

from heliograph.extraction.candidates import Candidate
from heliograph.extraction.confidence import probability
from heliograph.extraction.fields import Ask
from heliograph.extraction.gathering import Pool
from heliograph.extraction.normalise import instant, times
from heliograph.extraction.reading import Reading
from heliograph.extraction.result import Evidence, Leaf, Match
from heliograph.extraction.traits import of_absence, of_answer

ANSWER = 0.0
"""Least score of a candidate that is answered (a logit before calibration)."""
_DECODED = 0.97
"""Probability of a barcode's text: check digits hold, but a page may have another one that was meant."""
_UNREADABLE = 0.3
"""Reader's score of a word under which it is not answered but called unreadable."""


def assign(reading: Reading, pools: list[Pool]) -> list[tuple[Leaf, dict[str, float]]]:
    """A leaf for every pool, and the features that its probability came from.

    Spans go to fields, best first; a span answers two fields only when they ask for amounts or dates that can be the same.
    """
    owners: dict[tuple[int, int, int], Ask] = {}
    chosen: list[Candidate | None] = [None] * len(pools)
    queue = sorted(
        ((candidate.score, -index, candidate) for index, pool in enumerate(pools) for candidate in pool.candidates[:8]),
        key=lambda entry: (-entry[0], -entry[1]),
    )
    for score, negative, candidate in queue:
        index = -negative
        if chosen[index] is not None:
            continue
        owner = owners.get(candidate.key)
        if owner is not None and not _may_share(owner, pools[index].ask, candidate):
            continue
        if score < ANSWER:
            continue
        chosen[index] = candidate
        owners[candidate.key] = pools[index].ask
    leaves: list[tuple[Leaf, dict[str, float]]] = []
    for pool, candidate in zip(pools, chosen, strict=True):
        if _is_barcode(pool.ask) and reading.barcodes:
            code = reading.barcodes[0]
            leaves.append((Leaf(code.text, "found", "exact", _DECODED, [Evidence(code.text, code.box, 1.0)]), {}))
        elif candidate is None:
            why = of_absence(reading, pool)
            if reading.may_hide(pool.label):
                leaves.append((Leaf(None, "unreadable", "none", 0.0), {}))
            else:
                leaves.append((Leaf(None, "absent", "none", probability(why)), why))
        else:
            leaves.append(_leaf(reading, pools, pool, candidate))
    return leaves


def _may_share(owner: Ask, ask: Ask, candidate: Candidate) -> bool:
    if candidate.features.get("part"):
        return True
    if owner.role and ask.role:
        return {owner.role, ask.role} != {"net", "tax"} and {owner.role, ask.role} != {"gross", "tax"}
    if owner.kind == ask.kind and owner.kind in ("date", "datetime"):
        return owner.concept is not ask.concept or owner.range == ask.range
    if owner.concept is not None and owner.concept is ask.concept and owner.party == ask.party:
        return True
    if owner.concept is not None and ask.concept is not None and {owner.concept.id, ask.concept.id} == {"card.type", "payment.method"}:
        return True
    return (
        owner.kind in ("currency", "enum")
        or ask.kind in ("currency", "time", "enum")
        or owner.kind == "time"
        or candidate.features.get("fit", 0.0) > 0.97
    )


def _leaf(reading: Reading, pools: list[Pool], pool: Pool, candidate: Candidate) -> tuple[Leaf, dict[str, float]]:
    ask = pool.ask
    if ask.kind == "datetime" and "T" not in str(candidate.value):
        _join_time(candidate)
    evidence = [segment.evidence(start, end) for segment, start, end in candidate.parts]
    if min(part.score for part in evidence) < _UNREADABLE:
        return Leaf(None, "unreadable", "none", 0.0, evidence), {}
    reading.taken.append(candidate.parts)
    why = of_answer(reading, pools, pool, candidate)
    if ask.field.format == "date-time":
        candidate.value = instant(str(candidate.value))
    return Leaf(candidate.value, "found", cast("Match", candidate.match), probability(why), evidence), why


def _join_time(candidate: Candidate) -> None:
    """Add to a day the time of day that stands on its row."""
    segment = candidate.parts[0][0]
    for other in segment.sheet.rows[segment.row]:
        found = next(iter(times(other.text)), None)
        if found is not None:
            candidate.value = f"{candidate.value}T{found.value}"
            candidate.parts = [*candidate.parts, (other, found.start, found.end)]
            return


def _is_barcode(ask: Ask) -> bool:
    return ask.concept is not None and ask.concept.id == "barcode"
