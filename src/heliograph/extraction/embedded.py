"""The embedded extractor: values for any schema from read words alone, no model, milliseconds a page.

    extraction = extract(document, compile_schema(schema))

What happens: every scalar field is understood (fields), its labels are looked for on every page (labels), the values they point
at are read as the field's kind (candidates), what documents show without a label is proposed from the page's shape (parties,
and below), every candidate is scored, spans go to the fields that fit them best, lists are read from tables and item lines
(arrays). Nothing is invented: a field without evidence stays null, and every value carries the words it was read from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

import msgspec

from heliograph.extraction.arrays import Row, Rows
from heliograph.extraction.candidates import Candidate, Part, near, read_as
from heliograph.extraction.confidence import weights
from heliograph.extraction.fields import Ask, Phrase, understand
from heliograph.extraction.instructions import Hints, hints
from heliograph.extraction.labels import Finder, Occurrence
from heliograph.extraction.normalise import Conventions, amounts, conventions, dates, instant, patterned, times
from heliograph.extraction.parties import Name, Parties, places
from heliograph.extraction.result import Evidence, Extraction, Leaf, Match, Path
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.segments import Segment, Sheet, sheets
from heliograph.extraction.vocabulary import split_name, tokens_of, vocabulary
from heliograph.media.document import Document

Json = Any

ANSWER = 0.0
"""Least score of a candidate that is answered (a logit before calibration)."""
_CENTS = tuple(Decimal(cent) / 100 for cent in (-2, -1, 1, 2))
"""Cash totals are rounded to five cents in many countries."""
_DECODED = 0.97
"""Probability of a barcode's text: check digits hold, but a page may have another one that was meant."""
_UNREADABLE = 0.3
"""Reader's score of a word under which it is not answered but called unreadable."""


def extract(document: Document, schema: Schema, *, instructions: str | None = None) -> Extraction:
    """Answer `schema` from a document's words.

    `instructions` (a prompt) is read for field names followed by the words a document uses for them; it never adds values.
    Raises nothing for documents without text: every field is then absent.
    """
    return explained(document, schema, instructions=instructions)[0]


def explained(document: Document, schema: Schema, *, instructions: str | None = None) -> tuple[Extraction, dict[Path, dict[str, float]]]:
    """An extraction, and for each answered leaf the features that its probability was computed from (for training)."""
    reading = _Reading(document)
    hinted = hints(instructions, schema.root)
    asked = _owned(list(_asked(schema.root, (), (), hinted)), hinted)
    _choices([ask for _, ask in asked if ask.kind == "boolean"])
    asks = [ask for _, ask in asked]
    reasons: dict[Path, dict[str, float]] = {}
    values: dict[Path, Leaf] = {}
    for (path, _), (leaf, why) in zip(asked, _answer(reading, asks), strict=True):
        values[path] = leaf
        if why:
            reasons[path] = why
    used = {part for leaf_parts in reading.taken for part in leaf_parts}
    rows = Rows(reading.sheets, reading.conventions, used, hinted)
    leaves: dict[Path, Leaf] = {}
    answer = _built(schema.root, (), values, leaves, rows)
    reasons.update(rows.reasons)
    _conform(schema, answer, leaves)
    extraction = Extraction(answer, leaves, list(schema.warnings))
    for path, leaf in leaves.items():
        field = _field_at(schema.root, path)
        if leaf.value is None and field is not None and field.required and not field.nullable:
            extraction.warnings.append(f"required_missing: {'.'.join(str(step) for step in path)}")
    return extraction, reasons


class _Reading:
    """A document prepared for questions."""

    def __init__(self, document: Document) -> None:
        self.sheets = sheets(document)
        texts = [segment.text for sheet in self.sheets for segment in sheet.segments]
        language = next((page.language for page in document.pages if page.language), None)
        self.conventions: Conventions = conventions(texts, language=language)
        self.parties = Parties(self.sheets)
        self.taken: list[list[Part]] = []
        self.sums = _sums(self.sheets, self.conventions)
        self.barcodes = [code for page in document.pages for code in page.barcodes]

    def segments(self) -> Iterator[Segment]:
        """Every segment of every page, in order."""
        for sheet in self.sheets:
            yield from sheet.segments


def _asked(field: Field, path: Path, parents: tuple[str, ...], hinted: Hints) -> Iterator[tuple[Path, Ask]]:
    """The scalar fields that are not in a list, each with its path in the answer."""
    if field.is_leaf:
        yield path, understand(field, parents, hints=hinted.get(field.path, ()))
        return
    for number, place in enumerate(field.places):
        if place.is_leaf:
            named = msgspec.structs.replace(place, name=place.title or f"{field.name} {number + 1}")
            yield (*path, number), understand(named, parents, hints=hinted.get(place.path, ()))
    if field.kind == "object":
        for child in field.fields:
            inner = (*parents, field.name) if field.name else parents
            yield from _asked(child, (*path, child.name), inner, hinted)


def _owned(asked: list[tuple[Path, Ask]], hinted: Hints) -> list[tuple[Path, Ask]]:
    """Beside a field for the issuer's name, and none for a customer's, an `address` or `phone` without an owner is the issuer's."""
    made: list[tuple[Path, Ask]] = []
    for path, ask in asked:
        beside = [other for where, other in asked if where[:-1] == path[:-1]]
        issuer = any(other.concept is not None and other.concept.id == "issuer.name" for other in beside)
        if issuer and not ask.party and ask.kind in _OWNED and not any(other.party == "customer" for other in beside):
            bare = ask.field.name
            field = msgspec.structs.replace(ask.field, name=f"issuer {bare}")
            ask = msgspec.structs.replace(understand(field, hints=hinted.get(field.path, ())), field=ask.field)  # noqa: PLW2901
        if ask.concept is not None and ask.concept.id == "bank.name" and len(path) == 1 and not issuer:
            bank = understand(msgspec.structs.replace(ask.field, name="issuer name", description=""))  # a bank's own statement
            ask = msgspec.structs.replace(bank, field=ask.field, phrases=[*ask.phrases, *bank.phrases])  # noqa: PLW2901
        made.append((path, ask))
    return made


def _choices(asks: list[Ask]) -> None:
    """Boxes to tick that begin alike (`entity_trust`, `entity_partnership`) are labelled by what differs."""
    names = [tokens_of(split_name(ask.field.name)) for ask in asks]
    for ask, name in zip(asks, names, strict=True):
        for length in range(len(name) - 1, 0, -1):
            if sum(other[:length] == name[:length] for other in names) >= _ALIKE:
                rest = name[length:]
                ask.phrases.append(Phrase(rest, 0.85, own=True))
                ask.strong |= {token for token in rest if vocabulary().weight(token) >= 1.0}
                break


_ALIKE = 3
"""Names with one beginning from which on it is no part of the label."""
_OWNED = frozenset({"address", "phone", "email", "url", "vat"})


def _sums(all_sheets: list[Sheet], writing: Conventions) -> dict[str, set[Decimal]]:
    """Amounts of the document by the part they can play in net + tax = gross."""
    values: set[Decimal] = set()
    for sheet in all_sheets[:6]:
        for segment in sheet.segments:
            for amount in amounts(segment.text, writing.decimal):
                if amount.decimals == 2 and amount.value > 0 and not amount.percent:
                    values.add(amount.value)
        if len(values) > 150:
            break
    roles: dict[str, set[Decimal]] = {"gross": set(), "net": set(), "tax": set()}
    ordered = sorted(values)
    for tax in ordered:
        for net in ordered:
            if net > tax and Decimal("0.02") <= tax / net <= Decimal("0.3"):
                exact = net + tax in values
                rounded = [net + tax + cent for cent in _CENTS if net + tax + cent in values] + [net + tax] * exact
                if rounded:
                    roles["gross"].update(rounded)
                    roles["net"].add(net)
                    roles["tax"].add(tax)
    return roles


def _answer(reading: _Reading, asks: list[Ask]) -> list[tuple[Leaf, dict[str, float]]]:
    """The best candidate of every field, spans given to the field that fits them best."""
    finder = Finder(asks)
    labels = [0.0] * len(asks)
    pools: list[list[Candidate]] = [[] for _ in asks]
    for sheet in reading.sheets:
        for occurrence in finder.find(sheet):
            ask = asks[occurrence.ask]
            labels[occurrence.ask] = max(labels[occurrence.ask], min(1.0, occurrence.fit))
            for candidate in near(finder, sheet, occurrence, ask, reading.conventions):
                _complete(reading, ask, candidate)
                pools[occurrence.ask].append(candidate)
            if ask.kind == "boolean":
                pools[occurrence.ask] += _ticked(occurrence)
    for index, ask in enumerate(asks):
        pools[index] += _unlabelled(reading, ask, pools[index])
        for candidate in pools[index]:
            candidate.score = _score(reading, ask, candidate)
        pools[index].sort(key=lambda candidate: -candidate.score)
    return _assigned(reading, asks, pools, labels)


def _complete(reading: _Reading, ask: Ask, candidate: Candidate) -> None:
    """Let a value run on over the lines it has: addresses and names."""
    segment, start, _ = candidate.parts[0]
    if ask.kind == "address" and not candidate.features.get("box"):
        made = reading.parties.address_from(segment, start)
        candidate.features["likeness"] = -1.0
        if made is not None:
            candidate.features["likeness"] = min(1.5, made.score)
            candidate.parts, candidate.value = made.parts, made.text
        else:
            block = reading.parties.block(segment)
            if block is not None:
                at = block.lines.index(segment)
                for line in block.lines[at + 1 : at + 3]:
                    following = reading.parties.address_from(line)
                    if following is not None and following.score > 0.6:
                        candidate.features["likeness"] = min(1.5, following.score)
                        candidate.parts, candidate.value = following.parts, following.text
                        break


_TICKS = frozenset("☐☑☒□✓✔✗⊠■")


def _ticked(occurrence: Occurrence) -> Iterator[Candidate]:
    """Whether the box before or after a label is ticked."""
    words = vocabulary()
    segment = occurrence.segment
    neighbours = [
        other
        for other in segment.sheet.rows[segment.row]
        if other is not segment and (abs(other.x1 - segment.x0) < 3 * segment.height or abs(other.x0 - segment.x1) < 3 * segment.height)
    ]
    cell = segment.sheet.cell_of(segment)
    if cell is not None:
        inside = [other for other in segment.sheet.cell_segments(segment, cell) if other.text.strip() in _TICKS and other not in neighbours]
        neighbours += inside[:1] if len(inside) == 1 else []
    before = segment.text[: occurrence.start].strip()
    places: list[tuple[str, Segment, int, int]] = []
    if before:
        at = segment.text.rfind(before.split()[-1], 0, occurrence.start)
        places.append((before.split()[-1], segment, at, at + len(before.split()[-1])))
    places += [(other.text.strip(), other, 0, len(other.text)) for other in neighbours if len(other.text.strip()) <= 3]
    for text, where, start, end in places:
        token = text.casefold()
        if token in words.yes or token in words.no:
            features = {"fit": occurrence.fit, "same": 1.0, "quality": 1.0, "reading": where.score, "box": float(token in _TICKS)}
            yield Candidate(token in words.yes, [(where, start, end)], features, occurrence=occurrence)


def _unlabelled(reading: _Reading, ask: Ask, labelled: list[Candidate]) -> list[Candidate]:
    """What a document shows without a label."""
    concept = ask.concept
    made: list[Candidate] = []
    if concept is not None and concept.kind in _PLACES and ask.party:
        return _place(reading, ask, concept.kind)
    if concept is None or not concept.unlabelled:
        return made
    if ask.party == "delivery" and concept.kind not in ("address", *_PLACES) and concept.id != "customer.name":
        return made
    if concept.id in ("issuer.name", "customer.name"):
        for name in reading.parties.names(ask.party or concept.party):
            made.append(_named(name, "name"))
    elif concept.kind == "address" and ask.party:
        names = reading.parties.names(ask.party)
        for address in reading.parties.addresses(ask.party, names[0] if names else None):
            made.append(_named(address, "address"))
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
    elif concept.kind in ("phone", "email", "url", "iban", "bic"):
        for segment in reading.segments():
            for found in patterned(concept.kind, segment.text):
                if concept.kind == "phone" and not _phone_like(segment.text, found.start):
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
    elif concept.id in ("doc.type", "title"):
        made += _titles(reading, head=concept.id == "doc.type")
    elif concept.id in ("card.last4", "card.type", "payment.method"):
        made += _paid(reading, ask, concept.id)
    elif concept.kind == "text" and concept.pattern:
        made += _sentences(reading, concept.pattern)
    return made


def _paid(reading: _Reading, ask: Ask, what: str) -> Iterator[Candidate]:
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


_MASK = re.compile(r"(?:[*xX•#]|\b(?:ending(?: in)?|ends in|endet auf))[\s-]*$")


def _sentences(reading: _Reading, pattern: str) -> Iterator[Candidate]:
    """Lines that say what the concept is about, in a sentence."""
    for segment in reading.segments():
        if 4 <= len(segment.text.split()) <= 25 and re.search(pattern, segment.text):
            yield _shown(segment.text.strip(), segment, 0, len(segment.text), 0.4)


def _shown(value: Json, segment: Segment, start: int, end: int, likeness: float) -> Candidate:
    return Candidate(value, [(segment, start, end)], {"unlabelled": 1.0, "likeness": likeness, "reading": segment.score})


_PLACES = frozenset({"street", "city", "state", "postal", "country"})
_OF_PLACE = _PLACES | {"address", "org", "person", "name"}


def _place(reading: _Reading, ask: Ask, kind: str) -> list[Candidate]:
    """A part of a party's address."""
    names = reading.parties.names(ask.party)
    for address in reading.parties.addresses(ask.party, names[0] if names else None)[:1]:
        part = places(address).get(kind)
        if part is not None:
            return [_named(part, "address")]
    return []


def _phone_like(text: str, start: int) -> bool:
    before = tokens_of(text[:start])
    return (bool(before) and before[-1] in ("phone", "hotline", "call")) or text[max(0, start - 1) : start + 1].strip().startswith("+")


def _named(name: Name, what: str) -> Candidate:
    return Candidate(
        name.text,
        name.parts,
        {"unlabelled": 1.0, what: name.score, "likeness": name.score, "reading": min(s.score for s, _, _ in name.parts)},
    )


def _dates(reading: _Reading, ask: Ask) -> list[Candidate]:
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


def _currency(reading: _Reading) -> list[Candidate]:
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


_HEAD = re.compile(r"[^\W\d_][\w\s-]{3,30}?(?=\s+(?:to|zum|zur|au|aux|alla|al)\s)")


def _titles(reading: _Reading, *, head: bool) -> list[Candidate]:
    """The heading of the first page: large, near the top, in the words that name kinds of documents.

    With `head`, of `Amendment to a statement` only what it is: `Amendment`.
    """
    words = vocabulary()
    made: list[Candidate] = []
    for sheet in reading.sheets[:1]:
        for segment in sheet.segments:
            if segment.y0 > sheet.page.height * 0.5 or not 3 <= len(segment.text) <= 80:
                continue
            tokens = tokens_of(segment.text)
            telling = max((len(t) for t in words.titles if any(tokens[i : i + len(t)] == t for i in range(len(tokens)))), default=0)
            size = segment.height / sheet.height - 1
            likeness = (
                0.5 * min(2, telling) + min(1.0, max(-0.5, size)) - 0.4 * segment.y0 / sheet.page.height - 0.08 * max(0, len(tokens) - 7)
            )
            if dates(segment.text) or segment.text.rstrip().endswith((".", ":", ",")):
                likeness -= 0.6
            first = re.search(r"[^\W\d_]{3}", segment.text)
            start, end = (first.start() if first else 0), len(segment.text)
            short = _HEAD.match(segment.text, start) if head else None
            if short and tokens_of(short.group()) in words.titles:
                end = short.end()
            made.append(_shown(segment.text[start:end].strip(), segment, start, end, likeness))
    return made


def _score(reading: _Reading, ask: Ask, candidate: Candidate) -> float:
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
            **dict.fromkeys(_PLACES, -1.5),
            "date": 0.3,
            "currency": 0.3,
            "phone": -0.4,
            "time": -0.7,
            "doctype": -0.6,
            "title": -0.4,
        }.get(kind, 0.2)
        slope = {"org": 0.9, "address": 0.9, **dict.fromkeys(_PLACES, 0.9), "date": 1.3, "currency": 1.0}.get(kind, 1.0)
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


def _assigned(reading: _Reading, asks: list[Ask], pools: list[list[Candidate]], labels: list[float]) -> list[tuple[Leaf, dict[str, float]]]:
    """Spans to fields, best first. A span answers two fields only when they ask for amounts or dates that can be the same."""
    owners: dict[tuple[int, int, int], Ask] = {}
    chosen: list[Candidate | None] = [None] * len(asks)
    rivals: list[float] = [-4.0] * len(asks)
    queue = sorted(
        ((candidate.score, -index, candidate) for index, pool in enumerate(pools) for candidate in pool[:8]),
        key=lambda entry: (-entry[0], -entry[1]),
    )
    for score, negative, candidate in queue:
        index = -negative
        if chosen[index] is not None:
            continue
        owner = owners.get(candidate.key)
        if owner is not None and not _may_share(owner, asks[index], candidate):
            continue
        if score < ANSWER:
            continue
        chosen[index] = candidate
        owners[candidate.key] = asks[index]
    leaves: list[tuple[Leaf, dict[str, float]]] = []
    for index, candidate in enumerate(chosen):
        if candidate is not None:
            rivals[index] = max((c.score for c in pools[index] if c.value != candidate.value), default=-4.0)
        if candidate is None and not (_is_barcode(asks[index]) and reading.barcodes):
            why = missing(reading, asks[index], pools[index][0].score if pools[index] else _NOTHING, labels[index])
            leaves.append((Leaf(None, "absent", "none", weights().probability(why)), why))
        else:
            leaves.append(_leaf(reading, asks[index], candidate, rivals[index]))
    return leaves


def _may_share(owner: Ask, ask: Ask, candidate: Candidate) -> bool:
    if owner.role and ask.role:
        return {owner.role, ask.role} != {"net", "tax"} and {owner.role, ask.role} != {"gross", "tax"}
    if owner.kind == ask.kind and owner.kind in ("date", "datetime"):
        return owner.concept is not ask.concept or owner.range == ask.range
    if owner.concept is not None and owner.concept is ask.concept and owner.party == ask.party:
        return True
    if owner.concept is not None and ask.concept is not None and {owner.concept.id, ask.concept.id} == {"card.type", "payment.method"}:
        return True
    return (
        owner.kind in ("currency",)
        or ask.kind in ("currency", "time", "enum")
        or owner.kind == "time"
        or candidate.features.get("fit", 0.0) > 0.97
    )


def _leaf(reading: _Reading, ask: Ask, candidate: Candidate | None, rival: float) -> tuple[Leaf, dict[str, float]]:
    if _is_barcode(ask) and reading.barcodes:
        code = reading.barcodes[0]
        return Leaf(code.text, "found", "exact", _DECODED, [Evidence(code.text, code.box, 1.0)]), {}
    if candidate is None:
        return Leaf(None, "absent"), {}
    if ask.kind == "datetime" and "T" not in str(candidate.value):
        _join_time(candidate)
    evidence = [segment.evidence(start, end) for segment, start, end in candidate.parts]
    if min(part.score for part in evidence) < _UNREADABLE:
        return Leaf(None, "unreadable", "none", 0.0, evidence), {}
    reading.taken.append(candidate.parts)
    why = traits(ask, candidate, rival)
    if ask.field.format == "date-time":
        candidate.value = instant(str(candidate.value))
    return Leaf(candidate.value, "found", cast("Match", candidate.match), weights().probability(why), evidence), why


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


_NOTHING = -4.0
"""Score of the best candidate where there is none."""


def missing(reading: _Reading, ask: Ask, best: float, label: float) -> dict[str, float]:
    """What calibration knows of a field that stays empty: the probability is that the document does not hold it.

    `best` is the score of the best candidate that was not answered, `label` how well the best label fits.
    """
    return {
        "absent": 1.0,
        "absent:best": max(_NOTHING, best) / 4,
        "absent:label": label,
        "absent:concept": 1.0 if ask.concept is not None else 0.0,
        "absent:unlabelled": float(ask.concept is not None and ask.concept.unlabelled),
        "absent:date": float(ask.kind in ("date", "datetime")),
        "absent:boolean": float(ask.kind == "boolean"),
        "absent:scan": float(any(sheet.page.source in ("ocr", "mixed") for sheet in reading.sheets)),
        "absent:numbers": float(any(sheet.numbers for sheet in reading.sheets)),
    }


def traits(ask: Ask, candidate: Candidate, rival: float) -> dict[str, float]:
    """What calibration knows of a winning candidate; `rival` is the score of the best other value."""
    f = candidate.features
    kind = ask.concept.kind if ask.concept is not None else ask.kind
    return {
        "score": min(4.0, candidate.score),
        "margin": max(0.0, min(4.0, candidate.score - rival)),
        "fit": min(1.0, f.get("fit", 0.0)),
        "colon": f.get("colon", 0.0),
        "below": f.get("below", 0.0),
        "box": f.get("box", 0.0),
        "quality": f.get("quality", 0.0),
        "unlabelled": f.get("unlabelled", 0.0),
        "sums": f.get("sums", 0.0),
        "concept": 1.0 if ask.concept is not None else 0.0,
        "likeness": max(-1.0, min(4.0, f.get("likeness", 0.0))) if f.get("unlabelled") else 0.0,
        "unread": max(0.0, 0.95 - min(segment.score for segment, _, _ in candidate.parts)),
        "lines": float(len(candidate.parts) > 1),
        f"kind:{kind}": 1.0,
    }


def _built(field: Field, path: Path, values: dict[Path, Leaf], leaves: dict[Path, Leaf], rows: Rows) -> Json:
    """The answer in the schema's shape, with its leaves recorded by path."""
    if field.is_leaf:
        leaf = values.get(path, Leaf(None, "absent"))
        leaves[path] = leaf
        return leaf.value
    if field.places:
        places = [values.get((*path, number), Leaf(None, "absent")) for number in range(len(field.places))]
        if any(leaf.value is None for leaf in places):
            return None if field.nullable else []  # places have their meaning by number, so there is no part of a tuple
        leaves.update({(*path, number): leaf for number, leaf in enumerate(places)})
        return [leaf.value for leaf in places]
    if field.kind == "array":
        return _list(field, path, leaves, rows)
    made = {child.name: _built(child, (*path, child.name), values, leaves, rows) for child in field.fields}
    if field.others is not None and field.others.is_leaf:
        for name, leaf in rows.others(field):
            if name not in made:
                made[name] = leaf.value
                leaves[(*path, name)] = leaf
    found = any(_holds(value) for value in made.values())
    for child in field.fields:
        if child.const is not msgspec.UNSET and child.is_leaf and found and child.const is not None:
            made[child.name] = child.const
            leaves[(*path, child.name)] = Leaf(child.const, "found", "computed", 1.0, [])
    if field.nullable and not found and path:
        for child in list(leaves):
            if child[: len(path)] == path:
                del leaves[child]
        return None
    return made


def _holds(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_holds(child) for child in cast("dict[str, Json]", value).values())
    return value is not None and value != []


def _list(field: Field, path: Path, leaves: dict[Path, Leaf], rows: Rows) -> Json:
    item = field.item
    found: list[Row] = rows.find(field) if item is not None else []
    if field.max_items is not None:
        found = found[: field.max_items]
    if not found:
        return None if field.nullable else []
    made: list[Json] = []
    for row in found:
        at = (*path, len(made))
        if item is not None and item.is_leaf:
            leaf = row.leaves.get((), Leaf(None, "absent"))
            if leaf.value is not None:
                leaves[at] = leaf
                made.append(leaf.value)
        elif item is not None:
            inner = {(*at, *where): leaf for where, leaf in row.leaves.items()}
            rows.reasons.update({(*at, *where): why for where, why in row.reasons.items()})
            made.append(_built(item, at, inner, leaves, rows.none()))
    return made


def _conform(schema: Schema, answer: Json, leaves: dict[Path, Leaf]) -> None:
    """Take back what the schema does not allow; an answer always fits `schema.nullable`."""
    for _ in range(3):
        wrong = schema.violations(answer)
        if not wrong:
            return
        for violation in wrong:
            for length in range(len(violation.path), 0, -1):
                path = violation.path[:length]
                if path in leaves and leaves[path].value is not None:
                    leaves[path] = Leaf(None, "absent")
                    _put(answer, path)
                    break


def _put(answer: Json, path: Path) -> None:
    for step in path[:-1]:
        answer = answer[step]
    answer[path[-1]] = None


def _field_at(field: Field | None, path: Path) -> Field | None:
    for step in path:
        if field is None:
            return None
        field = field.item if isinstance(step, int) else field.field(step)
    return field
