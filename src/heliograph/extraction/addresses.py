"""Addresses: how much a line looks like part of one, where it ends, and which parts it has."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from heliograph.extraction.identifiers import postal_codes
from heliograph.extraction.normalise import amounts, dates
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary

_CONTACT = re.compile(
    r"(?<![^\W\d_])(?:te[l1I]|fax|phone|telefon|mobile|hotline|e-?mail|www|http|gst|sst|vat|ust|reg(?:istration)?"
    r"|co\.? ?no|company no|roc|invoice|inv|bill|receipt|date|cashier|iban|bic|gln|hours?|hrs|tin|abn"
    r"|website)(?![^\W\d_])",
    re.I,
)
REGISTRATION = re.compile(
    r"\s*[(\[]\s?(?:co(?:mpany)?\.? ?(?:reg)?\.? ?(?:no)?\.?:? ?)?[A-Z]{0,3}\d[\w\s\-./]*[)\]]?\s*$"
    r"|\s+\(?(?:co\.? ?(?:reg)?\.? ?no|company ?(?:reg)?\.? ?no|reg\.? ?no|roc(?: ?no)?)\b.*$|\s+\(?\d{4,}-[A-Z]\)?$"
    r"|\s+\(?(?=[A-Z]*\d)[A-Z\d]{5,9}-[A-Z\d]\)?$",
    re.I,
)
"""The number under which a company is registered, behind its name."""
_COUNTRIES = frozenset(
    {
        *(
            "malaysia",
            "singapore",
            "germany",
            "deutschland",
            "france",
            "spain",
            "espana",
            "italy",
            "italia",
            "netherlands",
            "the netherlands",
        ),
        *("nederland", "portugal", "brazil", "brasil", "austria", "oesterreich", "switzerland", "schweiz", "suisse", "belgium", "belgique"),
        *("canada", "australia", "india", "mexico", "japan", "china", "ireland", "united kingdom", "uk", "great britain", "england"),
        *("scotland", "wales", "united states", "united states of america", "usa", "u.s.a"),
    }
)
_CODE = 8
"""Digits of a word from which on it is a number of something, not of a house, a town or a street."""


class Name(msgspec.Struct):
    """A name or an address, the words it stands on, and how much it looks like one."""

    text: str
    parts: list[tuple[Segment, int, int]]
    score: float


@lru_cache(maxsize=32768)
def address_likeness(text: str) -> float:
    """How much a line looks like part of an address; about 0 for other text, 1 and more for an address."""
    words = vocabulary()
    text = REGISTRATION.sub("", text)
    tokens = [plain(t) for t in re.findall(r"[^\W\d_]+\.?|\d+", text)]
    bare = [t.rstrip(".") for t in tokens]
    street = sum(
        1
        for t in bare
        if t in words.street or (len(t) > 6 and t.endswith(("strasse", "str", "weg", "platz", "allee", "gasse", "straat", "laan")))
    )
    region = sum(1 for t in bare if t in words.region)
    score = 0.55 * min(street, 2) + 0.5 * min(region, 2)
    postal = [p for p in postal_codes(text) if _telling(p.raw)]
    if postal:
        score += 0.6 if any(len(re.sub(r"\D", "", p.raw)) >= 5 or re.search("[A-Z]", p.raw) for p in postal) else 0.3
    if re.search(r"(?<!\w)\d{1,4}[A-Za-z]?(?:[-/]\d{1,4})?(?!\w)", text):
        score += 0.25
    score += 0.15 * min(text.count(","), 2)
    if re.match(r"\s*(?:no\.?\s*|lot\s*|#)?\d+[\w\-/]*[\s,]+[^\W\d_]{2,}", text, re.I):
        score += 0.25
    if re.fullmatch(r"[^\W\d_][^\d]{2,30}\s\d{1,4}\s?[a-zA-Z]?", text.strip()):
        score += 0.45
    if _CONTACT.search(text):
        score -= 1.2
    if any(sum(c.isdigit() for c in word) >= _CODE for word in text.split()):
        score -= 1.0
    if dates(text) or any(a.decimals == 2 and " " not in a.raw for a in amounts(text)) or "@" in text:
        score -= 1.2
    if len(tokens) > 16 or not any(c.isalpha() for c in text):
        score -= 0.8
    if any(t in words.legal for t in bare):
        score -= 0.7
    if not any(c.isdigit() for c in text) and {tokens_of(text)[:1], tokens_of(text)[:2]} & words.every_label:
        score -= 0.8  # `Street address (including apt. no.)`: a form asks for it
    if ":" in text or text.lstrip().startswith("("):
        score -= 0.6
    return score


def places(address: Name) -> dict[str, Name]:
    """An address taken apart: `street`, `city`, `state`, `postal`, `country`, those that can be told.

    The postal code is the hinge: what follows it is the city (`20457 Hamburg`), else what stands before it (`Dover CT16 1AA`,
    `Astoria, OR 97103`).
    """
    pieces = [
        (segment, start + m.start() + len(m.group()) - len(m.group().lstrip()), start + m.end() - len(m.group()) + len(m.group().rstrip()))
        for segment, start, end in address.parts
        for m in re.finditer(r"[^,]+", segment.text[start:end])
        if m.group().strip()
    ]
    hinge, code = -1, None
    for index in range(len(pieces) - 1, -1, -1):
        segment, start, end = pieces[index]
        codes = [span for span in postal_codes(segment.text[start:end]) if _telling(span.raw)]
        if codes and (index or len(pieces) == 1):
            hinge, code = index, codes[-1]
            break
    if code is None:
        return {}
    made: dict[str, Name] = {}

    def keep(name: str, parts: list[tuple[Segment, int, int]]) -> None:
        text = " ".join(segment.text[start:end].strip() for segment, start, end in parts)
        if text:
            made[name] = Name(text, parts, address.score)

    segment, start, end = pieces[hinge]
    keep("postal", [(segment, start + code.start, start + code.end)])
    before, after = segment.text[start : start + code.start].strip(), segment.text[start + code.end : end].strip()
    city = hinge
    if any(c.isalpha() for c in after):
        first = end - len(segment.text[start + code.end : end].lstrip())
        keep("city", [(segment, first, end)])
    elif re.fullmatch(r"[A-Z]{2,3}", before) and hinge > 0:
        keep("state", [(segment, start, start + len(before))])
        city = hinge - 1
        keep("city", [pieces[city]])
    elif region := re.fullmatch(r"(.{2,}?)\s+([A-Z]{2})", before):
        keep("city", [(segment, start, start + region.end(1))])
        keep("state", [(segment, start + region.start(2), start + region.end(2))])
    elif before:
        keep("city", [(segment, start, start + len(before))])
    elif hinge + 1 < len(pieces):
        keep("city", [pieces[hinge + 1]])
    keep("street", _joined(pieces[:city]))
    for piece in pieces[hinge + 1 :]:
        text = plain(piece[0].text[piece[1] : piece[2]]).strip(" .")
        if text in _COUNTRIES:
            keep("country", [piece])
        elif "state" not in made and (made.get("city") is None or made["city"].parts[0] != piece) and not any(c.isdigit() for c in text):
            keep("state", [piece])
    return made


def _joined(pieces: list[tuple[Segment, int, int]]) -> list[tuple[Segment, int, int]]:
    """Neighbouring pieces of one line as one, with what stands between them."""
    made: list[tuple[Segment, int, int]] = []
    for segment, start, end in pieces:
        if made and made[-1][0] is segment:
            made[-1] = (segment, made[-1][1], end)
        else:
            made.append((segment, start, end))
    return made


def _telling(code: str) -> bool:
    """Whether a postal code is more than a small number or a year: four digits, or letters among digits as in Britain and Canada."""
    if re.fullmatch(r"(?:19|20)\d\d", code):
        return False
    return sum(c.isdigit() for c in code) >= 4 or re.search(r"[A-Z]\w*\s?\d[A-Z]{2}$|[A-Z]\d[A-Z]", code) is not None


def postal_codes_in(text: str) -> bool:
    """Whether a line has a postal code with a place: four or five digits beside letters."""
    return any(_telling(p.raw) for p in postal_codes(text)) and any(c.isalpha() for c in text)


def goes_on(parts: list[tuple[Segment, int, int]]) -> bool:
    """Whether the last line of an address ends in a comma, so that one more belongs to it."""
    return bool(parts) and parts[-1][0].text.rstrip().endswith(",")


def beside_on_row(line: Segment) -> Segment | None:
    """What an address goes on with on the same row, after a comma and a wide space."""
    beside = next(line.sheet.right_of(line), None)
    near = beside is not None and beside.x0 - line.x1 < 3 * max(line.size, line.height)
    return beside if beside is not None and near and address_likeness(beside.text) > 0.3 else None


def address_end(text: str, start: int) -> int:
    """Where an address ends in its line: before a phone, a tax number or another label."""
    found = _CONTACT.search(text, start + 3)
    return found.start() if found else len(text)
