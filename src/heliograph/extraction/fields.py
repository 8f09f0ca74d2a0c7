"""What a field asks for: its concept, the kind of its value, whose it is, and the words a document may call it by.

A field is understood from its name, title, description, format, enum and the names of the objects around it. Nothing else
is known of it; instructions (a prompt) only add words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

import msgspec

from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import Concept, Tokens, Vocabulary, split_name, tokens_of, vocabulary

_ANY_PERIOD = 0.55
"""Weight of `Period` or `Contract dates` for one end of a period that has a name of its own."""
_OPPOSED = (("first", "last"), ("last", "first"))
"""A label with the second word is not that of a field with the first."""
_NUMERIC_KINDS = {"money", "number", "integer", "percent"}
_SENT, _WHERE = (
    frozenset({"shipping", "ship", "shipment", "delivery", "deliver"}),
    frozenset({"address", "street", "city", "state", "postal", "country"}),
)
_PLACES = frozenset({"city", "town", "state", "province", "zip", "country"})
_START, _END = frozenset({"start", "from", "begin"}), frozenset({"end", "to", "until", "through"})
_FORMATS = {
    "date": "date",
    "date-time": "datetime",
    "time": "time",
    "email": "email",
    "idn-email": "email",
    "uri": "url",
    "url": "url",
    "iri": "url",
    "uuid": "uuid",
    "phone": "phone",
}
_KINDS_BY_TOKEN = (
    ("phone", "phone"), ("fax", "phone"), ("email", "email"), ("website", "url"), ("url", "url"), ("iban", "iban"),
    ("bic", "bic"), ("swift", "bic"), ("currency", "currency"), ("zip", "postal"), ("postal", "postal"), ("city", "city"),
    ("state", "state"), ("country", "country"), ("street", "street"), ("address", "address"), ("date", "date"),
    ("dob", "date"), ("birthday", "date"), ("time", "time"), ("percentage", "percent"), ("amount", "money"),
    ("total", "money"), ("price", "money"), ("cost", "money"), ("fee", "money"), ("balance", "money"), ("salary", "money"),
    ("no", "id"), ("id", "id"), ("ssn", "id"), ("tin", "id"), ("ein", "id"), ("code", "id"), ("reference", "id"),
    ("sku", "id"), ("company", "org"), ("organization", "org"), ("organisation", "org"), ("employer", "org"),
    ("bank", "org"), ("name", "name"), ("person", "person"),
)  # fmt: skip


class Phrase(msgspec.Struct, frozen=True):
    """Words a document may use for the field, and how much finding them says (0-1). `own` ones are the schema's."""

    tokens: Tokens
    weight: float
    own: bool = False


class Ask(msgspec.Struct):
    """A scalar field, understood. `kind` is a kind of value (see normalise and candidates); `party` is `issuer`, `customer` or empty."""

    field: Field
    kind: str
    concept: Concept | None
    party: str
    phrases: list[Phrase]
    exclude: frozenset[str]
    strong: frozenset[str]
    """The tokens that single this field out; a label that has none of them is not its label."""
    range: str = ""
    """`start` or `end` when the field is one end of a period."""
    alternatives: frozenset[str] = frozenset()
    """What else it may be called: the telling tokens of `contract or order number` that its name lacks, and those of hints."""
    subject: Tokens = ()
    """What kind of document the schema is for: its title."""

    @property
    def role(self) -> str:
        """Its part in net + tax = gross."""
        return self.concept.role if self.concept else ""


def understand(field: Field, parents: tuple[str, ...] = (), *, in_row: bool = False, hints: Mapping[Tokens, float] | None = None) -> Ask:
    """Read one scalar field. `parents` are the names of the objects around it, `in_row` whether it belongs to a list's item.

    `hints` are further labels with what finding them says; 1 is the field's own name.
    """
    words = vocabulary()
    name, title, description = _said(field)
    context = tuple(token for parent in parents for token in tokens_of(split_name(parent)))
    concept, fit = _concept(field, _whose_tax(field, name, words), title, description, context, in_row=in_row)
    kind = _kind(field, concept, name, description)
    phrases: dict[Tokens, Phrase] = {}
    alternatives: set[str] = set()

    def add(tokens: Tokens, weight: float, *, own: bool) -> None:
        tokens = tokens[:7]
        if tokens and any(words.weight(token) > 0 for token in tokens):
            known = phrases.get(tokens)
            if known is None or known.weight < weight:
                phrases[tokens] = Phrase(tokens, weight, own or (known.own if known else False))

    add(name, 1.0, own=True)
    add(title, 1.0, own=True)
    content = tuple(token for token in description if words.weight(token) > 0)
    if 0 < len(content) <= 6:
        add(description, 0.95, own=True)
        add(content, 0.95, own=True)
    for at, token in enumerate(description):
        if token in ("or", "oder", "ou") and 0 < at < len(description) - 1:  # `contract or order number` is two names
            add(description[at + 1 :], 0.93, own=True)
            add((*description[:at], description[-1]), 0.93, own=True)
            alternatives.update(t for t in description[at + 1 :] if words.weight(t) >= 1.0)
    for tokens, weight in (hints or {}).items():
        add(tokens, weight, own=True)
        alternatives.update(t for t in tokens if words.weight(t) > 0)
    if context and len(context) <= 2:
        add((*context, *name), 1.0, own=True)
    stripped = tuple(token for token in name if token not in words.issuer and token not in words.customer)
    if stripped != name and stripped and concept is not None and concept.party:
        add(stripped, 0.6, own=False)
    if concept is not None:
        for tokens, says, choice in _labels(concept.id):
            add(tokens, says * fit * choice, own=False)
    party = concept.party if concept else ""
    owners = {*name, *context, *title}
    if owners & words.customer and not owners & words.issuer:
        party = "customer"
    elif (owners - {"from", "issue"} if kind in ("date", "datetime") else owners) & words.issuer:
        party = "issuer"
    if owners & _SENT and (kind in _WHERE or kind in ("org", "person", "name")):
        party = "delivery"
    exclude = frozenset(tokens_of(" ".join(concept.exclude.split("|")))) - set(name) if concept and concept.exclude else frozenset[str]()
    if kind == "id":
        exclude |= words.other - {*name, *title, *description}
    exclude |= {other for token, other in _OPPOSED if token in name and other not in name}
    exclude -= alternatives
    strong = frozenset(token for token in (*name, *title) if words.weight(token) >= 1.0) or frozenset(name)
    strong |= alternatives
    span = concept.range if concept else ""
    if kind == "date":
        ends = {*name, *title}
        span = span or ("start" if ends & _START else "end" if ends & _END else "")
        base = tuple(token for token in name if token not in _START | _END | {"date", "first", "last", "day"})
        if span and base:
            for tokens in (base, (*base, "dates"), (*base, "date"), (*base, "period")):
                add(tokens, 0.9, own=False)
            for tokens in words.labels["period.start"].keys() & words.labels["period.end"].keys():
                add(tokens, _ANY_PERIOD, own=False)
            strong = frozenset(token for token in base if words.weight(token) >= 1.0) or strong
    return Ask(field, kind, concept, party, list(phrases.values()), exclude, strong, span, frozenset(alternatives))


@cache
def _labels(concept: str) -> list[tuple[Tokens, float, float]]:
    """The labels of a concept, with how much each says, and how much less when it is second choice."""
    words = vocabulary()
    return [
        (tokens, 0.86 + 0.075 * min(1.5, sum(words.weight(token) for token in tokens)), 0.74 if tokens in words.second[concept] else 1.0)
        for tokens in words.labels[concept]
    ]


def kind_of(field: Field) -> str:
    """The kind of value that a field asks for, where nothing else about it matters."""
    name, title, description = _said(field)
    concept, _ = _concept(field, _whose_tax(field, name, vocabulary()), title, description, (), in_row=False)
    return _kind(field, concept, name, description)


def _said(field: Field) -> tuple[Tokens, Tokens, Tokens]:
    """The tokens of a field's name, its title, and what its description begins with."""
    title = tokens_of(split_name(field.title)) if field.title else ()
    return tokens_of(split_name(field.name)), title, tokens_of(_first_clause(field.description))


def _whose_tax(field: Field, name: Tokens, words: Vocabulary) -> Tokens:
    """`seller_vat`, when it is no number, asks for the number under which somebody pays it."""
    rest = tuple(token for token in name if token not in words.issuer and token not in words.customer)
    if rest == name or rest[:1] != ("tax",) or field.kind not in ("string", "any"):
        return name
    return ("tax", "id") if len(rest) == 1 else rest


def _first_clause(text: str) -> str:
    return re.split(r"[.;(\n]|, (?:e\.g|such|for example|as )|\b(?:e\.g|i\.e)\b", text, maxsplit=1)[0][:120]


Asked = tuple[str, bool, str]
"""What a field's schema says of its values: their kind, whether they are chosen from a list, their format."""
_REACHED = frozenset({"phone", "email", "url", "vat", "iban", "bic"})
"""Kinds of values by which somebody is reached, paid or known; a field's name says whose."""


def _concept(
    field: Field, name: Tokens, title: Tokens, description: Tokens, context: Tokens, *, in_row: bool
) -> tuple[Concept | None, float]:
    return _likest((field.kind, bool(field.enum), field.format), name, title, description, context, in_row=in_row)


@lru_cache(maxsize=4096)
def _likest(
    asked: Asked, name: Tokens, title: Tokens, description: Tokens, context: Tokens, *, in_row: bool
) -> tuple[Concept | None, float]:
    """Fields are the same for every document of a kind, so what was found out about them is remembered."""
    words = vocabulary()
    content = tuple(token for token in description if words.weight(token) > 0)
    best, best_score = None, 0.0
    bare = tuple(token for token in name if token not in words.issuer and token not in words.customer)
    owner = bool(bare) and bare != name
    owned: dict[str, tuple[Concept, float]] = {}
    for concept in words.raw.concepts:
        if concept.line and not in_row:
            continue
        if not _compatible(asked, concept):
            continue
        score = 0.0
        for tokens in words.names[concept.id]:
            for mine, trust in (
                (name, 1.0),
                ((*context, *name), 1.0),
                (title, 0.97),
                (description, 0.93),
                (content, 0.9),
                ((*context[-1:], *name), 0.98),
            ):
                if mine and mine == tokens:
                    score = max(score, trust)
            if owner and concept.kind in _REACHED and not concept.party and bare == tokens:
                score = max(score, 0.95)  # `vendor phone` asks for a phone, and says whose
            score = max(score, 0.88 * _dice(name, tokens, words), 0.8 * _dice((*context[-1:], *name), tokens, words) if context else 0.0)
            if len(content) <= 5:
                score = max(score, 0.75 * _dice(content, tokens, words))
        if in_row and concept.line:
            score += 0.1
        elif in_row:
            score -= 0.1
        if concept.party and score >= 0.85:
            owned.setdefault(concept.kind, (concept, score))
        if score > best_score:
            best, best_score = concept, score
    if best is not None and not best.party and best.kind in owned and all(words.weight(token) < 1.0 for token in name):
        best = owned[best.kind][0]  # `address`, described as that of the business
    if best_score < 0.66:
        return None, 0.0
    return best, min(1.0, best_score) if best_score > 0.85 else best_score


def _dice(a: Tokens, b: Tokens, words: Vocabulary) -> float:
    """Weighted overlap of two phrases, 0-1; 0 when `a` has a telling word that `b` lacks, or shares none."""
    if not a or not b:
        return 0.0
    set_a, set_b = set(a), set(b)
    shared = set_a & set_b
    if not any(words.weight(token) >= 1.0 for token in shared) and set_a != set_b:
        return 0.0
    if any(words.weight(token) >= 1.0 for token in set_a - set_b):
        return 0.0
    total = sum(words.weight(token) for token in set_a) + sum(words.weight(token) for token in set_b)
    return 2 * sum(words.weight(token) for token in shared) / total if total else 0.0


def _compatible(asked: Asked, concept: Concept) -> bool:
    kind, chosen, form = asked
    if kind in ("number", "integer"):
        return concept.kind in _NUMERIC_KINDS or (kind == "integer" and concept.kind in ("id", "card4"))
    if kind == "boolean":
        return False
    if chosen:
        return concept.kind in ("text", "enumtext", "currency", "country", "state", "doctype", "org")
    wanted = _FORMATS.get(form)
    if wanted == "datetime":
        return concept.kind == "date"
    return wanted is None or concept.kind == wanted


def _kind(field: Field, concept: Concept | None, name: Tokens, description: Tokens) -> str:
    if field.kind == "boolean":
        return "boolean"
    if field.enum:
        return "currency" if concept is not None and concept.kind == "currency" else "enum"
    if field.format in _FORMATS:
        return _FORMATS[field.format]
    if concept is not None:
        if field.kind == "integer" and concept.kind == "number":
            return "integer"
        return concept.kind
    if field.kind == "integer":
        return "integer"
    if field.kind == "number":
        return (
            "money"
            if {"amount", "total", "price", "cost", "fee", "balance", "income", "charge", "charges", "tax", "paid"} & set(name)
            else "number"
        )
    if len(_PLACES & set(name)) > 1:
        return "text"  # `city_state_zip`: a whole line of an address
    for token, kind in _KINDS_BY_TOKEN:
        if name and (token == name[-1] or (token in name and kind in ("date", "phone", "email", "address", "iban"))):
            return kind
    if description[:1] == ("date",):
        return "date"
    return "text"
