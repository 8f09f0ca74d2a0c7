"""Possible answers: what a stretch of text says when it is read as the kind that a field asks for."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from heliograph.extraction.fields import Ask
from heliograph.extraction.identifiers import identifiers, patterned, postal_codes
from heliograph.extraction.labels import Occurrence
from heliograph.extraction.normalise import Conventions, amounts, currency_code, dates, times
from heliograph.extraction.parties import clean_name
from heliograph.extraction.parties import name_likeness as likeness_of_name
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary

Part = tuple[Segment, int, int]
"""A stretch of a segment's text."""

PATTERNED = frozenset({"iban", "bic", "email", "url", "vat", "vin", "isbn", "blood", "flight", "card4", "phone"})
BOXES = frozenset("☐☑☒□⊠■")
"""Characters that are boxes to tick."""
FREE = frozenset(
    {"text", "org", "person", "person1", "name", "address", "street", "city", "state", "country", "enumtext", "doctype", "title"}
)


class Candidate(msgspec.Struct):
    """A possible answer to a field: `value` as the schema wants it, `parts` the words it stands on, `features` why."""

    value: Any
    parts: list[Part]
    features: dict[str, float]
    match: str = "exact"
    score: float = 0.0
    occurrence: Occurrence | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        """The span it stands on."""
        segment, start, _ = self.parts[0]
        return (segment.page, segment.index, start)

    @property
    def text(self) -> str:
        """Its words as the document has them."""
        return " ".join(segment.text[start:end].strip() for segment, start, end in self.parts)


class Found(msgspec.Struct, frozen=True):
    """A value of a kind in a text: its place, itself, and how much it looks like one (0-1)."""

    start: int
    end: int
    value: Any
    quality: float


def read_as(ask: Ask, text: str, conventions: Conventions, *, start: int = 0, end: int | None = None) -> list[Found]:
    """What `text[start:end]` holds that could answer `ask`, in order."""
    end = len(text) if end is None else end
    piece = text[start:end]
    found = _read(ask, piece, conventions)
    return [Found(f.start + start, f.end + start, f.value, f.quality) for f in found]


def _read(ask: Ask, piece: str, conventions: Conventions) -> list[Found]:
    kind = ask.kind
    wants_text = ask.field.kind in ("string", "any")
    if kind in ("date", "datetime"):
        made: list[Found] = []
        for span in dates(piece, compact=True):
            day = span.settle(day_first=conventions.day_first)
            if day is None:
                continue
            value: Any = day.isoformat()
            if kind == "datetime":  # without a time on the page the answer is the day alone: midnight would be invented
                after = next((t for t in times(piece[span.end : span.end + 14])), None)
                value = f"{value}T{after.value}" if after else value
            elif wants_text and ask.field.format not in ("date", "date-time"):
                value = piece[span.start : span.end]
            made.append(Found(span.start, span.end, value, 1.0))
        return made
    if kind == "time":
        return [Found(t.start, t.end, t.value if ask.field.format == "time" else t.raw, 1.0) for t in times(piece)]
    if kind in ("money", "number", "integer", "percent"):
        return _numbers(ask, piece, conventions)
    if kind in PATTERNED:
        made = [Found(s.start, s.end, s.value, 1.0) for s in patterned(kind, piece)]
        if not made and kind == "vat":
            made = [
                Found(f.start, f.end, f.value, 0.85 * f.quality)
                for f in _grouped(piece) or _ids(ask, piece)
                if len(str(f.value)) >= _TAX_NUMBER
            ]
        return made
    if kind == "id":
        return _ids(ask, piece)
    if kind == "postal":
        return [Found(s.start, s.end, s.raw, 1.0) for s in postal_codes(piece)]
    if kind == "currency":
        for word in re.finditer(r"[^\s()\[\]:]+", piece):
            code = currency_code(word.group())
            if code:
                return [Found(word.start(), word.end(), code, 1.0)]
        return []
    if kind == "uuid":
        return [
            Found(m.start(), m.end(), m.group(), 1.0) for m in re.finditer(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", piece)
        ]
    if kind == "enum":
        return _enum(ask, piece)
    if kind == "boolean":
        return _boolean(piece)
    if ask.concept is not None and ask.concept.words:
        listed = _listed(ask.concept.words, piece)
        if listed:
            return listed
    return _free(ask, piece)


def _numbers(ask: Ask, piece: str, conventions: Conventions) -> list[Found]:
    made: list[Found] = []
    for amount in amounts(piece, conventions.decimal):
        digits = re.sub(r"\D", "", amount.raw)
        if ask.kind == "percent":
            quality = 1.0 if amount.percent else 0.45 if abs(amount.value) <= 100 else 0.0
        elif amount.percent:
            continue
        elif ask.kind == "money":
            quality = 1.0 if amount.decimals == 2 or amount.currency else 0.75 if amount.grouped else 0.5
            if (
                not amount.decimals
                and not amount.currency
                and not amount.grouped
                and (len(digits) >= 7 or (digits.startswith("0") and len(digits) > 1))
            ):
                quality = 0.0
        else:
            quality = 0.9 if len(digits) < 9 else 0.3
            if ask.kind == "integer" and amount.value != amount.value.to_integral_value():
                quality = 0.0
        if quality <= 0:
            continue
        if ask.field.kind == "integer":
            if amount.value != amount.value.to_integral_value():
                continue
            value: Any = int(amount.value)
        elif ask.field.kind == "number":
            value = as_number(amount.value)
        else:
            value = amount.raw
        if not within(ask, amount.value):
            continue
        made.append(Found(amount.start, amount.end, value, quality))
    if not made and ask.kind in ("money", "number") and re.fullmatch(r"\s*(?:[A-Z$€£]{0,3}\s?)?(?:nil|none|[-–—])\s*", piece, re.I) is None:
        return []
    return made


def as_number(value: Decimal) -> float | int:
    """A JSON number: whole ones as integers only when they were written so."""
    return float(value)


def within(ask: Ask, value: Decimal) -> bool:
    """Whether a number keeps to the schema's bounds."""
    low, high = ask.field.minimum, ask.field.maximum
    return (low is None or float(value) >= low) and (high is None or float(value) <= high)


_TAX_NUMBER = 6
"""Least characters of a number that a tax office gives."""
_GROUPED = re.compile(r"[\s:#.\-–=)]*(\d{2,}(?:[ /.-]\d{2,}){1,5})(?![\w,])")


def _grouped(piece: str) -> list[Found]:
    """A number of tax that is printed in groups of digits: `044 241 601 03`, `133/8150/8159`."""
    m = _GROUPED.match(piece)
    return [Found(m.start(1), m.end(1), m[1], 1.0)] if m and sum(c.isdigit() for c in m[1]) >= 8 and not dates(m[1]) else []


def _ids(ask: Ask, piece: str) -> list[Found]:
    if ask.concept is not None and ask.concept.pattern:
        m = re.search(ask.concept.pattern, piece)
        return [Found(m.start(), m.end(), _id_value(ask, m.group()), 1.0)] if m else []
    stripped = re.match(r"[\s:#.\-–=)]*", piece)
    first = stripped.end() if stripped else 0
    rest = piece[first:].rstrip(" .,;:")
    made: list[Found] = []
    words = rest.split()
    if (
        1 < len(words) <= 5
        and all(re.fullmatch(r"[A-Z0-9][A-Z0-9./\-]*", w) for w in words)
        and sum(any(c.isdigit() for c in w) for w in words) >= len(words) - 1
        and not dates(rest)
    ):
        made.append(Found(first, first + len(rest), _id_value(ask, rest), 0.9))
    for span in identifiers(rest):
        if any(day.order == "named" and day.start <= span.start < day.end for day in dates(rest)):
            continue
        if dates(span.raw) and span.raw in [rest[d.start : d.end] for d in dates(rest)]:
            continue
        if (
            re.fullmatch(r"\d+[.,]\d{2}", span.raw)
            or rest[span.end : span.end + 1] == "%"
            or re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", rest[span.start : span.end + 3])
        ):
            continue
        digits = sum(c.isdigit() for c in span.raw)
        quality = 1.0 if digits >= 3 else 0.7
        if re.search(r"(?<![^\W\d_])(?:nr|no|n[°º]|num|number|nummer)[.:]?\s*$|#\s*$", rest[: span.start], re.I):
            quality = 1.0
        elif span.start > 0:
            quality *= 0.5 if rest[span.start - 1] == "(" else 0.75
        made.append(Found(first + span.start, first + span.end, _id_value(ask, span.raw), quality))
    made.sort(key=lambda found: -found.quality)
    if not made and rest and len(words) == 1 and re.fullmatch(r"[A-Z0-9\-]{4,}", rest):
        made.append(Found(first, first + len(rest), _id_value(ask, rest), 0.4))
    return [f for f in made if f.value is not None]


def _id_value(ask: Ask, raw: str) -> Any:
    if ask.field.kind == "integer":
        digits = re.sub(r"\D", "", raw)
        return int(digits) if digits else None
    if ask.field.kind == "number":
        return None
    return raw


def _enum(ask: Ask, piece: str) -> list[Found]:
    made: list[Found] = []
    text = plain(piece)
    for option in ask.field.enum or []:
        if not isinstance(option, str):
            if isinstance(option, (int, float)) and not isinstance(option, bool):
                m = re.search(rf"(?<![\w.]){re.escape(str(option))}(?![\w.])", piece)
                if m:
                    made.append(Found(m.start(), m.end(), option, 0.9))
            continue
        words = re.escape(plain(option)).replace("_", r"[\s_-]").replace(r"\-", r"[\s_-]").replace(r"\ ", r"[\s_-]")
        m = re.search(rf"(?<!\w){words}(?!\w)", text)
        if m and len(text) == len(piece):
            made.append(Found(m.start(), m.end(), option, 1.0))
        elif m:
            made.append(Found(0, len(piece), option, 0.9))
    made.sort(key=lambda f: (-(f.end - f.start), f.start))
    return made[:1]


def _boolean(piece: str) -> list[Found]:
    words = vocabulary()
    stripped = piece.strip(" :.-")
    if set(stripped[:1]) & BOXES and len(stripped) > 1:
        return []  # what a box to tick stands for is no answer by itself
    token = plain(stripped.split(" ")[0]) if stripped else ""
    at = piece.find(stripped) if stripped else 0
    if token in words.yes:
        return [Found(at, at + len(token), True, 1.0)]
    if token in words.no:
        return [Found(at, at + len(token), False, 1.0)]
    return []


def _listed(words: str, piece: str) -> list[Found]:
    text = plain(piece)
    for word in words.split("|"):
        m = re.search(rf"(?<!\w){re.escape(plain(word))}(?!\w)", text)
        if m and len(text) == len(piece):
            return [Found(m.start(), m.end(), piece[m.start() : m.end()], 1.0)]
    return []


def _free(ask: Ask, piece: str) -> list[Found]:
    stripped = re.match(r"[\s:#.\-–=)▶•|*]*", piece)
    first = stripped.end() if stripped else 0
    rest = piece[first:].rstrip(" :;|*_")
    if not rest or (ask.kind not in ("text", "enumtext") and not any(c.isalpha() for c in rest)):
        return []
    if len(re.sub(r"\W", "", rest)) < 1:
        return []
    quality = 0.8
    if ask.kind in ("org", "person", "name", "person1", "city", "country", "state"):
        digits = sum(c.isdigit() for c in rest)
        quality = 0.9 if digits == 0 else 0.6 if digits < len(rest) * 0.25 else 0.2
        if len(rest) > 70 or rest.endswith((".", "?")):
            quality *= 0.5
        if tokens_of(rest) in vocabulary().titles:
            return []
    if ask.kind == "address":
        quality = 0.8
    if ask.kind in ("org", "person", "name"):
        before, after = clean_name(rest)
        words = [t for t in tokens_of(rest) if not t.isdigit()]
        if words and all(t in vocabulary().legal for t in words):
            return []  # `Lieferant GmbH` is a name, not a label and a legal form
        if words[:1] == ["address"]:
            return []  # the next box of a form: `Address 19 Harbour Street`
        if (words and all(t in vocabulary().label_tokens for t in words)) or likeness_of_name(rest) < -2.6:
            return []
        first, rest = first + before, rest[before:after]
        if ask.kind == "org":
            quality *= 0.8 + 0.1 * max(-2.0, min(1.6, likeness_of_name(rest)))
    limit = ask.field.max_length
    if limit is not None and len(rest) > limit:
        return []
    return [Found(first, first + len(rest), rest, quality)]
