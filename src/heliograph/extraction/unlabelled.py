"""What documents show without a label: names, addresses, their own date, currency, title and means of payment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from heliograph.extraction.addresses import Name, places
from heliograph.extraction.candidates import BOXES, Candidate, Part, read_as
from heliograph.extraction.fields import Ask
from heliograph.extraction.identifiers import patterned
from heliograph.extraction.labels import address_likely
from heliograph.extraction.normalise import Span, amounts, dates, times
from heliograph.extraction.reading import Reading
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import WORD, Tokens, tokens_of, vocabulary

Json = Any

PLACES = frozenset({"street", "city", "state", "postal", "country"})
"""Kinds of values that are parts of an address."""
_MASK = re.compile(r"(?:[*xX•#]|\b(?:ending(?: in)?|ends in|endet auf))[\s-]*$")
_HEAD = re.compile(r"[^\W\d_][\w\s-]{3,30}?(?=\s+(?:to|zum|zur|au|aux|alla|al)\s)")


def unlabelled(reading: Reading, ask: Ask) -> list[Candidate]:
    """What a document shows of a field without a label."""
    concept = ask.concept
    made: list[Candidate] = []
    if concept is not None and concept.kind in PLACES and ask.party:
        return _place(reading, ask, concept.kind)
    if ask.role == "gross":
        return list(_settled(reading, ask))
    if concept is None or not concept.unlabelled:
        return made
    if ask.party == "delivery" and concept.kind not in ("address", *PLACES) and concept.id != "customer.name":
        return made
    if concept.id in ("issuer.name", "customer.name"):
        made += [_named(name, "name") for name in reading.parties.names(ask.party or concept.party) if not _printed(name)]
    elif concept.kind == "address" and ask.party:
        names = reading.parties.names(ask.party)
        made += [
            _named(address, "address")
            for address in reading.parties.addresses(ask.party, names[0] if names else None)
            if not _printed(address)
        ]
    elif concept.id == "issue.date":
        made += _dates(reading, ask)
    elif concept.kind == "currency":
        made += _currency(reading)
    elif concept.kind == "time":
        for segment in reading.segments():
            for found in times(segment.text):
                near_date = bool(dates(segment.text)) or any(dates(other.text) for other in segment.sheet.rows[segment.row])
                value = found.value if ask.field.format == "time" else found.raw
                made.append(
                    Candidate(
                        value,
                        [(segment, found.start, found.end)],
                        {"unlabelled": 1.0, "likeness": 1.0 if near_date else 0.0, "reading": segment.score},
                    )
                )
    elif concept.kind in ("phone", "email", "url", "iban", "bic", "vat"):
        for segment in reading.segments():
            for found in patterned(concept.kind, segment.text):
                if concept.kind == "phone" and not _phone_like(segment.text, found):
                    continue
                if concept.kind == "bic" and not _beside_account(segment, found):
                    continue
                party = reading.parties.party(segment)
                right = (
                    1.0
                    if party == ask.party and party
                    else 0.4
                    if not party and ask.party != "customer"
                    else 0.6
                    if not ask.party
                    else -1.0
                )
                made.append(
                    Candidate(
                        found.value, [(segment, found.start, found.end)], {"unlabelled": 1.0, "likeness": right, "reading": segment.score}
                    )
                )
                break
    elif concept.id == "filing.date":
        made += _stamped(reading, ask)
    elif concept.id in ("doc.type", "title"):
        made += _titles(reading, ask if concept.id == "doc.type" else None)
    elif concept.id in ("card.last4", "card.type", "payment.method"):
        made += _paid(reading, ask, concept.id)
    elif concept.kind == "text" and concept.pattern:
        made += _sentences(reading, concept.pattern)
    return made


def _settled(reading: Reading, ask: Ask) -> Iterator[Candidate]:
    """The amount that was paid, less the change."""
    for segment in reading.segments() if reading.sums.settled else ():
        for found in read_as(ask, segment.text, reading.conventions):
            value = found.value if isinstance(found.value, (int, float)) else None
            if value is not None and Decimal(str(round(value, 2))) in reading.sums.settled:
                yield _shown(found.value, segment, found.start, found.end, 0.9 + 0.2 * segment.cy / max(1.0, segment.sheet.page.height))


def _paid(reading: Reading, ask: Ask, what: str) -> Iterator[Candidate]:
    """Means of payment as receipts print them: `VISA **** **** 4821`, `CASH 20.00`, its words close or far apart."""
    brands = (ask.concept.words if ask.concept is not None else "").split("|")
    for sheet in reading.sheets:
        for row in sheet.rows:
            masked = next((found for at in range(len(row)) if (found := _masked(row, at))), None)
            if what == "card.last4":
                if masked is not None:
                    segment, start, end = masked
                    yield _shown(segment.text[start:end], segment, start, end, 1.0)
                continue
            segment, lowered = row[0], row[0].text.casefold()
            brand = next((word for word in brands if re.match(rf"{re.escape(word)}(?!\w)", lowered)), None)
            priced = any(a.decimals == 2 for other in row for a in amounts(other.text, reading.conventions.decimal))
            if brand and (masked or (what == "payment.method" and priced and segment.cy > 0.4 * sheet.page.height)):
                yield _shown(segment.text[: len(brand)], segment, 0, len(brand), 1.0 if masked else 0.8)


def _masked(row: list[Segment], at: int) -> Part | None:
    """The last four digits of a card in a segment, with its masked ones before them there or in the segment to the left."""
    text = row[at].text
    number = next(iter(patterned("card4", text)), None)
    if number is not None and _MASK.search(text[: number.start]):
        return row[at], number.start, number.end
    if at and re.fullmatch(r"\d{4}", text) and _MASK.search(row[at - 1].text):
        return row[at], 0, 4
    return None


def _sentences(reading: Reading, pattern: str) -> Iterator[Candidate]:
    """Lines that say what the concept is about, in a sentence."""
    for segment in reading.segments():
        if 4 <= len(segment.text.split()) <= 25 and re.search(pattern, segment.text):
            yield _shown(segment.text.strip(), segment, 0, len(segment.text), 0.4)


def _shown(value: Json, segment: Segment, start: int, end: int, likeness: float) -> Candidate:
    return Candidate(value, [(segment, start, end)], {"unlabelled": 1.0, "likeness": likeness, "reading": segment.score})


def _place(reading: Reading, ask: Ask, kind: str) -> list[Candidate]:
    """A part of a party's address."""
    names = reading.parties.names(ask.party)
    for address in reading.parties.addresses(ask.party, names[0] if names else None)[:1]:
        part = places(address).get(kind)
        if part is not None:
            return [_named(part, "address")]
    return []


def _phone_like(text: str, found: Span) -> bool:
    """A number after a word for phones, one with its country, or one that is all of its line and in three groups or more."""
    before = tokens_of(text[: found.start])
    if (bool(before) and before[-1] in ("phone", "hotline", "call")) or text[max(0, found.start - 1) : found.start + 1].strip().startswith(
        "+"
    ):
        return True
    groups = re.findall(r"\d+", found.raw)
    return found.raw == text.strip() and len(groups) >= 3 and 9 <= sum(map(len, groups)) <= 12 and all(2 <= len(g) <= 4 for g in groups)


def _beside_account(segment: Segment, found: Span) -> bool:
    """Whether a bank's code shows that it is one: it has a digit, or stands by an account number."""
    near = segment.sheet.rows[max(0, segment.row - 2) : segment.row + 3]
    return any(c.isdigit() for c in found.raw) or any(next(iter(patterned("iban", other.text)), None) for row in near for other in row)


def _printed(name: Name) -> bool:
    """Whether a name or an address is a form's own print: what a box to tick stands for, or a numbered caption."""
    segment = name.parts[0][0]
    if set(segment.text) & BOXES or {"address", "zip"} & set(tokens_of(name.text)):
        return True
    return segment.sheet.numbered(segment) and not address_likely(segment.text)


def _named(name: Name, what: str) -> Candidate:
    return Candidate(
        name.text,
        name.parts,
        {"unlabelled": 1.0, what: name.score, "likeness": name.score, "reading": min(s.score for s, _, _ in name.parts)},
    )


def _dates(reading: Reading, ask: Ask) -> list[Candidate]:
    """Dates that no other label claims; the document's own date tends to head it and to have a time beside it."""
    other = vocabulary()
    claims = {
        t for cid in ("due.date", "delivery.date", "birth.date", "expiration.date", "period.start", "period.end") for t in other.labels[cid]
    }
    made: list[Candidate] = []
    for sheet in reading.sheets[:3]:
        for segment in sheet.segments:
            for found in read_as(ask, segment.text, reading.conventions):
                before = tokens_of(segment.text[: found.start])
                left = [o for o in sheet.rows[segment.row] if o.x1 <= segment.x0 + 1]
                label = before or (tokens_of(left[-1].text) if left else ())
                claimed = any(label[-len(t) :] == t for t in claims if t and len(t) <= len(label))
                timed = any(True for _ in times(segment.text)) or any(any(True for _ in times(o.text)) for o in sheet.rows[segment.row])
                likeness = (
                    0.5
                    + 0.4 * timed
                    + 0.3 * ("date" in label)
                    - 1.2 * claimed
                    - 0.5 * (segment.y0 / max(1.0, sheet.page.height))
                    - 0.3 * sheet.page.index
                )
                if len(segment.text) > found.end - found.start + 45:
                    likeness -= 0.4
                made.append(
                    Candidate(
                        found.value,
                        [(segment, found.start, found.end)],
                        {"unlabelled": 1.0, "likeness": likeness, "reading": segment.score},
                    )
                )
    distinct = {candidate.value for candidate in made}
    for candidate in made:
        candidate.features["only"] = 1.0 if len(distinct) == 1 else 0.0
        candidate.features["repeated"] = float(sum(c.value == candidate.value for c in made) > 1)
    return made


def _currency(reading: Reading) -> list[Candidate]:
    writing = reading.conventions
    if writing.currency is None:
        return []
    known = vocabulary()
    for segment in reading.segments():
        for amount in amounts(segment.text, writing.decimal):
            if amount.currency == writing.currency:
                mark = next(
                    (i for i in range(amount.start, amount.end) if not segment.text[i].isdigit() and segment.text[i] not in " .,-()"),
                    amount.start,
                )
                last = mark
                while last < amount.end and not segment.text[last].isdigit() and segment.text[last] not in " .,-()":
                    last += 1
                return [
                    Candidate(
                        writing.currency,
                        [(segment, mark, last)],
                        {"unlabelled": 1.0, "likeness": 0.5 + writing.currency_share, "reading": segment.score},
                    )
                ]
    for segment in reading.segments():
        at = 0
        for word in segment.text.split(" "):
            if known.currencies.get(word.strip("()[]:.,").casefold()) == writing.currency:
                return [
                    Candidate(
                        writing.currency,
                        [(segment, at, at + len(word))],
                        {"unlabelled": 1.0, "likeness": 0.3 + writing.currency_share, "reading": segment.score},
                    )
                ]
            at += len(word) + 1
    return []


def _stamped(reading: Reading, ask: Ask) -> Iterator[Candidate]:
    """Dates as they are stamped on what comes in: with a time of day, or on end across the page, and without a label."""
    known = vocabulary().every_label
    for segment in (segment for sheet in reading.sheets[:3] for segment in sheet.segments):
        timed = bool(_HALF.search(segment.text)) or any(True for _ in times(segment.text))
        left = [other for other in segment.sheet.rows[segment.row] if other.x1 <= segment.x0 + 1]
        for found in read_as(ask, segment.text, reading.conventions):
            label = tokens_of(segment.text[: found.start]) or (tokens_of(left[-1].text) if left else ())
            if (timed or segment.on_end) and label not in known and len(segment.text) < found.end - found.start + _STAMP:
                yield _shown(found.value, segment, found.start, found.end, _STAMPED)


_HALF = re.compile(r"(?<![^\W\d_])[AP]\.?M(?![^\W\d_])")
_STAMPED = 0.3
"""Likeness of a stamp; of several it is the reader's score that decides."""
_STAMP = 30
"""Characters that a stamp may hold beside its date: a time of day, and who received it."""


def _titles(reading: Reading, ask: Ask | None) -> list[Candidate]:
    """The heading of the first page: large, near the top, in the words that name kinds of documents.

    With `ask`, which asks for the type of the document, of `Amendment to a statement` only what it is: `Amendment`; and, last of all,
    what a sentence calls it: `This amendment is filed ...`.
    """
    words = vocabulary()
    made: list[Candidate] = []
    for sheet in reading.sheets[:1]:
        boxes = min((segment.y0 for segment in sheet.segments if sheet.numbered(segment)), default=sheet.page.height)
        for segment in sheet.segments:
            if ask is not None and segment.y0 < sheet.page.height * 0.6 and (called := _ITSELF.search(segment.text)):
                start, end = called.span(1)
                if tokens_of(called[1]) in words.titles:
                    made.append(_shown(called[1], segment, start, end, _CALLED))
            if segment.on_end or segment.y0 > sheet.page.height * 0.5 or not 3 <= len(segment.text) <= 80:
                continue
            tokens = tokens_of(segment.text)
            telling = max((len(t) for t in words.titles if any(tokens[i : i + len(t)] == t for i in range(len(tokens)))), default=0)
            size = segment.height / sheet.height - 1
            likeness = (
                0.5 * min(2, telling) + min(1.0, max(-0.5, size)) - 0.4 * segment.y0 / sheet.page.height - 0.08 * max(0, len(tokens) - 7)
            )
            if dates(segment.text) or segment.text.rstrip().endswith((".", ":", ",")):
                likeness -= 0.6
            if segment.y0 > boxes:
                likeness -= 0.5  # a form is headed above its boxes
            if ask is not None and tokens in words.every_label and tokens not in words.titles:
                likeness -= 0.6
            first = re.search(r"[^\W\d_]{3}", segment.text)
            start = first.start() if first else 0
            end = _kind_of(segment.text, start, ask.subject) if ask is not None else len(segment.text)
            made.append(_shown(segment.text[start:end].strip(), segment, start, end, likeness))
    return made


_ITSELF = re.compile(
    r"\b(?:this|diese[rs]?|cette|ce|esta|este|questa|questo|deze|dit)\s+((?:[^\W\d_]+[\s-]){0,2}?[^\W\d_]+)"
    r"(?=\s+(?:(?:is|was|ist|wird|wurde|est|es|è|is)\s+(?:hereby\s+)?(?:filed|made|issued|dated|entered|submitted|given|signed"
    r"|eingereicht|ausgestellt|faite?|établie?|presentad[ao]|presentat[ao]|ingediend))\b)",
    re.I,
)
_LINK = 3
"""Letters of the longest word that only links a type to what follows it: `for`."""
_CALLED = 0.62
"""Likeness of what a sentence calls the document: less than a heading's in larger print."""


def _links(word: str) -> bool:
    """Whether a word only links a type to what follows it; a capital letter by itself is a part of the type (`Exhibit A`)."""
    known = vocabulary()
    empty = known.weight(known.token(word)) == 0 or word.casefold() == "to"
    return empty and len(word) <= _LINK and (len(word) > 1 or word.islower())


def _kind_of(text: str, start: int, subject: Tokens) -> int:
    """Where the type of document ends in a heading: before `to ...`, and before the kind that all documents of the schema have.

    A schema of registration statements asks with the type for the `Short-Form` in `Short-Form Registration Statement`.
    """
    words = vocabulary()
    short = _HEAD.match(text, start)
    if short and tokens_of(short.group()) in words.titles:
        return short.end()
    found = [word for word in WORD.finditer(text) if word.start() >= start]
    tokens = [words.token(word.group()) for word in found]
    rest = len(tokens) - len(subject)
    if not subject or rest < 1 or tuple(tokens[rest:]) != subject:
        return len(text)
    while rest and _links(found[rest - 1].group()):
        rest -= 1
    return found[rest - 1].end() if rest else len(text)
