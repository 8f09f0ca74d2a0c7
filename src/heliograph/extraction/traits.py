"""What is known of an answer, or of a field that stays empty, when it is asked how sure it is.

Every trait is a number of a size around one, so that a linear model and a tree can both use it; a trait that does not apply is left out and
counts as 0. None of them is a word of the document or the name of a field.
"""

from __future__ import annotations

import re
from math import log2

from heliograph.extraction.addresses import address_likeness
from heliograph.extraction.candidates import FREE, PATTERNED, Candidate, read_as
from heliograph.extraction.fields import Ask
from heliograph.extraction.gathering import Pool
from heliograph.extraction.normalise import dates
from heliograph.extraction.parties import name_likeness
from heliograph.extraction.reading import Reading
from heliograph.extraction.segments import Sheet

NOTHING = -4.0
"""Score of the best candidate where there is none."""
_NAMES = frozenset({"org", "name", "person", "person1"})
_NUMBERS = frozenset({"money", "number", "integer", "percent"})


def of_answer(reading: Reading, pools: list[Pool], pool: Pool, candidate: Candidate) -> dict[str, float]:
    """The traits of a field's answer. `pools` are those of all fields, `pool` is the field's own."""
    f, ask = candidate.features, pool.ask
    segment = candidate.parts[0][0]
    page = segment.sheet.page
    others = [other for other in pool.candidates if other.value != candidate.value]
    rival = max((other.score for other in others), default=NOTHING)
    evidence = [part.evidence(start, end) for part, start, end in candidate.parts]
    text = candidate.text
    kind = group(ask)
    wanted = max((c.score for p in pools if p is not pool for c in p.candidates[:8] if c.key == candidate.key), default=NOTHING)
    made = {
        "score": min(4.0, candidate.score),
        "margin": max(0.0, min(4.0, candidate.score - rival)),
        "close": min(4.0, len({str(other.value) for other in others if other.score > candidate.score - 1.0})) / 2,
        "agreeing": min(3.0, sum(other.value == candidate.value and other.key != candidate.key for other in pool.candidates)) / 2,
        "wanted": max(-2.0, min(2.0, wanted - candidate.score)) / 2 if wanted > NOTHING else -1.0,
        "label": pool.label,
        "fit": min(1.0, f.get("fit", 0.0)),
        "likeness": max(-1.0, min(4.0, f.get("likeness", 0.0))) if f.get("unlabelled") else 0.0,
        "unread": max(0.0, 0.95 - min(part.score for part in evidence)),
        "slips": min(1.5, _slips(candidate)),
        "scan": float(page.source in ("ocr", "mixed")),
        "lines": float(len(candidate.parts) > 1),
        "length": min(2.0, len(text) / 40),
        "digits": sum(c.isdigit() for c in text) / max(1, len(text)),
        "height": segment.cy / max(1.0, page.height),
        "size": max(-1.0, min(1.0, segment.height / segment.sheet.height - 1)),
        "later": float(page.index > 0),
        "concept": float(ask.concept is not None),
        "repeated": min(2.0, log2(max(1, _repeated(reading, text)))) / 2,
        f"kind:{kind}": 1.0,
    }
    for name in ("colon", "below", "right", "same", "above", "box", "heading", "quality", "unlabelled", "sums", "party", "gap", "only"):
        if f.get(name):
            made[name] = f[name]
    made["order"] = min(4.0, f.get("order", 0.0)) / 2
    if kind == "name":
        made["named"] = max(-3.0, min(3.0, name_likeness(text))) / 2
        made["named:odd"] = float(not text[:1].isupper() or text.rstrip()[-1:] in ",:;-" or "  " in text)
    elif kind == "address":
        made["placed"] = max(-1.0, min(2.0, address_likeness(text)))
    elif kind == "date":
        made["date:others"] = min(3.0, len({str(other.value) for other in others})) / 2
        made["date:year"] = float(bool(re.match(r"(?:19[5-9]|20[0-9])\d", str(candidate.value))))
    elif kind == "number" and isinstance(candidate.value, (int, float)):
        made["number:whole"] = float("." not in text and "," not in text)
        made["number:small"] = float(abs(candidate.value) < 10)
    return made


def of_absence(reading: Reading, pool: Pool) -> dict[str, float]:
    """The traits of a field that stays empty: the probability is that the document does not hold it."""
    ask = pool.ask
    best = pool.candidates[0] if pool.candidates else None
    scan = any(sheet.page.source in ("ocr", "mixed") for sheet in reading.sheets)
    kind = group(ask)
    place = pool.place
    segment = place.segment if place is not None else None
    boxed = segment is not None and (segment.sheet.numbered(segment) or segment.sheet.cell_of(segment, least=0.9) is not None)
    return {
        "absent": 1.0,
        "absent:best": max(NOTHING, best.score) / 4 if best is not None else -1.0,
        "absent:candidates": min(8.0, len(pool.candidates)) / 4,
        "absent:label": pool.label,
        "absent:labelled": float(pool.label >= 0.6),
        "absent:ignored": float(pool.label >= 0.6 and best is None),
        "absent:boxed": float(boxed),
        "absent:heading": float(place is not None and place.heading),
        "absent:colon": float(place is not None and place.colon),
        "absent:words": min(2.0, len(segment.text.split()) / 8) if segment is not None else 0.0,
        "absent:concept": float(ask.concept is not None),
        "absent:unlabelled": float(ask.concept is not None and ask.concept.unlabelled),
        "absent:scan": float(scan),
        "absent:numbers": float(any(sheet.numbers for sheet in reading.sheets)),
        "absent:readable": float(_readable(reading, ask)),
        "absent:slips": min(1.0, 5 * _unread(reading.sheets)),
        f"absent:{kind}": 1.0,
    }


def group(ask: Ask) -> str:
    """The kinds of values that go wrong in like ways."""
    kind = ask.concept.kind if ask.concept is not None else ask.kind
    if ask.kind in ("boolean", "enum"):
        return ask.kind
    if kind in _NAMES:
        return "name"
    if kind in PATTERNED:
        return "pattern"
    if kind in _NUMBERS:
        return "number"
    if kind in ("date", "datetime", "time"):
        return "date"
    if kind in ("address", "id", "currency", "doctype", "title"):
        return "title" if kind == "doctype" else kind
    return "place" if kind in ("street", "city", "state", "postal", "country") else "text"


def _slips(candidate: Candidate) -> float:
    """How many words of an answer are expected to be misread, by their reader's own scores."""
    doubt = 0.0
    for segment, start, end in candidate.parts:
        words = segment.sheet.page.words
        for index, at in zip(segment.words, segment.offsets, strict=True):
            if at < end and at + len(words[index].text) > start:
                doubt += 1 - words[index].score
    return doubt


def _repeated(reading: Reading, text: str) -> int:
    """In how many segments the text of an answer stands."""
    wanted = text.casefold()
    return sum(wanted in text for text in reading.folded) if len(wanted) >= 3 else 1


def _readable(reading: Reading, ask: Ask) -> bool:
    """Whether anything in the document reads as the kind of value that is asked for."""
    if ask.kind in FREE:
        return True
    if ask.kind in ("date", "datetime"):
        return any(dates(segment.text) for segment in reading.segments())
    return any(read_as(ask, segment.text, reading.conventions) for segment in reading.segments())


def _unread(sheets: list[Sheet]) -> float:
    scores = [word.score for sheet in sheets for word in sheet.page.words]
    return 1 - sum(scores) / len(scores) if scores else 1.0
