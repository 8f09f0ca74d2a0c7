"""Which of several schemas a document is for, by the labels and values that stand on it; no model.

    chosen = choose(document, {"invoice": compile_schema(...), "referral": compile_schema(...)})
    chosen.name, chosen.kind, chosen.rationale       # "invoice", "Invoice", why

A schema is as likely as the share of its fields that the first pages label and answer, those that other schemas ask for too counting less;
a heading that says what the schema is called speaks for it as well. Where next to nothing is there, none fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from heliograph.extraction.asking import questions
from heliograph.extraction.embedded import extract
from heliograph.extraction.fields import Ask, understand
from heliograph.extraction.instructions import Hints
from heliograph.extraction.labels import Finder
from heliograph.extraction.result import FieldPath, field_path
from heliograph.extraction.schema import Schema
from heliograph.extraction.segments import Sheet, sheets
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary
from heliograph.media.document import Document

LEAST = 0.15
"""Score below which no schema fits. All numbers here were measured with two to five schemas, of which none is for documents like another's,
on 56 real and 144 drawn documents, 2026-11-21 (docs/design/extracting.md): every real document that one was for is above this."""
MARGIN = 0.2
"""Score over the next schema's from which the choice was right 344 times of 344; below it was 22 times of 26."""
_PAGES = 3
"""Pages that say what a document is."""
_ANSWERED = 8
"""Schemas that are answered from the pages, the best labelled ones; of the others labels alone count."""
_SIZE = 0.8
"""Power of a schema's size by which what is found of it is divided: of a large schema more is found, and more is left out by a document."""
_HEADED = 0.5
"""What a heading with the schema's whole name counts for."""
_FEW = 2
"""Fields without which a schema does not fit, unless a heading names it: a date alone is on every letter."""
_TELLING = 0.2
"""Mean of what is found of the fields that single out a schema, from which it fits without a heading. Measured as above, on documents that
none of two to five schemas is for: 46 in a hundred real ones are told (3 without this) and 93 drawn ones (17), and of documents that one is
for, no real one is lost and 2 in a hundred drawn ones are."""
_ENOUGH = 3.0
"""Such fields that are enough, however many a schema has: a page answers few of a wide one. Of 72 drawn documents a schema is for, all are
above this where a fifth alone had 64, and of 72 that it is not for 4 are, instead of 3."""
_SINGLE = 3
"""Such fields that a schema has at least, to be judged by them."""
_HEADED_BY = 0.5
"""How much a heading speaks for a schema that needs no such field."""
_LABEL = 0.5
"""Fit of a label from which on it counts."""
_CERTAIN = 0.7
"""Fit of a label from which on it is told of."""
_HEADING = 9
"""The most words of a heading."""
_SAID = 4
"""Labels that a rationale names."""
_COMMON = frozenset({
    "issue.date", "time", "title", "notes", "page.info", "person.name", "first.name", "last.name", "issuer.name", "customer.name",
    "issuer.address", "customer.address", "address", "street", "city", "state", "postal", "country", "phone", "fax", "email", "total",
    "subtotal", "due.amount", "tax.amount", "currency", "item.description", "item.quantity", "item.unit", "item.unit_price", "item.total",
})  # fmt: skip
"""Concepts that stand on papers of every kind, and so single out none."""
_GENERIC = frozenset({"form", "document", "schema", "extraction", "statement", "data", "record"})


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which schema was chosen; `name` is None where none fits. `kind`: what kind of document it is for; `rationale`: why, in a sentence.

    `uncertain`: the sentence to warn with, where another schema is nearly as likely. `share`: of its fields, those that are labelled or
    answered; None where it has none, or where a model chose. `headed`: how much a heading with its name speaks for it, 0-1.
    """

    name: str | None
    kind: str | None
    rationale: str
    uncertain: str | None = None
    share: float | None = None
    headed: float = 0.0


class _Seen(msgspec.Struct):
    """What of a schema is on the pages: its score, its fields, those that are labelled or answered there, the heading with its name."""

    name: str
    score: float
    fields: int
    there: list[str]
    heading: str | None
    headed: float
    fits: bool
    """Whether the pages can be what the schema is for: a heading says so, or a fair part of the fields is there that single it out."""


def kind_of(name: str, schema: Schema) -> str:
    """What a schema is for: its title, else its name."""
    return schema.root.title or name


def choose(document: Document, schemas: Mapping[str, Schema], *, learned: Mapping[str, Hints] | None = None) -> Chosen:
    """The schema of `schemas` that `document` is for. `learned`: labels that examples have shown for each, by its name.

    Takes as long as answering each schema, at most eight, from the first pages.
    """
    shown = msgspec.structs.replace(document, pages=document.pages[:_PAGES])
    seen = sorted(_seen(shown, schemas, learned or {}), key=lambda one: -one.score)
    best, next_ = seen[0], seen[1] if len(seen) > 1 else None
    if best.score < LEAST or (len(best.there) < min(_FEW, best.fields) and best.heading is None):
        return Chosen(name=None, kind=None, rationale=f"Hardly any field of a schema is on the pages. {_told(best)}")
    if not best.fits:
        return Chosen(name=None, kind=None, rationale=f"What is on the pages is on papers of many kinds. {_told(best)}")
    rationale = _told(best) + (f" {_told(next_)}" if next_ is not None else "")
    uncertain = None
    if next_ is not None and best.score - next_.score < MARGIN:
        uncertain = f"schema_uncertain: {best.name} was taken, and {next_.name} is nearly as likely"
    share = len(best.there) / best.fields if best.fields else None
    kind = kind_of(best.name, schemas[best.name])
    return Chosen(name=best.name, kind=kind, rationale=rationale, uncertain=uncertain, share=share, headed=best.headed)


def _told(one: _Seen) -> str:
    named = f" ({', '.join(one.there[:_SAID])}{', ...' if len(one.there) > _SAID else ''})" if one.there else ""
    headed = f', and "{one.heading}" stands on the first page' if one.heading else ""
    return f"{len(one.there) or 'None'} of {one.fields} fields of {one.name} are labelled or answered{named}{headed}."


def _seen(document: Document, schemas: Mapping[str, Schema], learned: Mapping[str, Hints]) -> Iterator[_Seen]:
    pages = sheets(document)
    asks = {name: _asks(schema, learned.get(name, {})) for name, schema in schemas.items()}
    every = iter(_fits([ask for own in asks.values() for _, ask in own], pages))
    fits = {name: list(islice(every, len(own))) for name, own in asks.items()}
    labelled = sorted(schemas, key=lambda name: -sum(fits[name]) / max(1, len(fits[name])))
    shared = Counter(key for own in asks.values() for key in {_key(ask) for _, ask in own})
    for name, own in asks.items():
        sure = _answered(document, schemas[name], learned.get(name, {})) if name in labelled[:_ANSWERED] else {}
        found = total = 0.0
        there: list[str] = []
        telling: list[float] = []
        for (path, ask), fit in zip(own, fits[name], strict=True):
            weight = 1 / shared[_key(ask)]
            total += weight
            sign = (max(0.0, fit - _LABEL) / (1 - _LABEL) + sure.get(path, 0.0)) / 2
            found += weight * sign
            if _singles_out(ask):
                telling.append(sign)
            if fit >= _CERTAIN or sure.get(path, 0.0) >= _CERTAIN:
                there.append(split_name(ask.field.name))
        heading, share = max((_heading(pages, title) for title in (name, schemas[name].root.title)), key=lambda made: made[1])
        fits_it = share >= _HEADED_BY or len(telling) < _SINGLE or sum(telling) >= min(_TELLING * len(telling), _ENOUGH)
        yield _Seen(name, found / max(total, 1.0) ** _SIZE + _HEADED * share, len(own), list(dict.fromkeys(there)), heading, share, fits_it)


def _asks(schema: Schema, learned: Hints) -> list[tuple[FieldPath, Ask]]:
    """Every scalar field of a schema, also those of lists."""
    made = [(field_path(path), ask) for path, ask in questions(schema, learned)]
    for field in schema.root.leaves():
        if "[]" in field.path and field.name:
            owner = tuple(step for step in field.path[:-1] if step != "[]")[-1:]
            made.append((field.path, understand(field, owner, in_row=True, hints=learned.get(field.path, {}))))
    return made


def _answered(document: Document, schema: Schema, learned: Hints) -> dict[FieldPath, float]:
    """How likely the surest value of each field is right that the pages answer."""
    made: dict[FieldPath, float] = {}
    for path, leaf in extract(document, schema, learned=learned).leaves.items():
        if leaf.value is not None and leaf.evidence:
            made[field_path(path)] = max(made.get(field_path(path), 0.0), leaf.probability)
    return made


def _fits(asks: Sequence[Ask], shown: Sequence[Sheet]) -> list[float]:
    """How well the best label of each field on the pages fits, 0-1."""
    finder = Finder(list(asks))
    best = [0.0] * len(asks)
    for sheet in shown:
        for occurrence in finder.find(sheet):
            best[occurrence.ask] = max(best[occurrence.ask], min(1.0, occurrence.fit))
    return best


def _key(ask: Ask) -> str:
    """What a field asks for, the same in all schemas."""
    return ask.concept.id if ask.concept is not None else " ".join(tokens_of(split_name(ask.field.name)))


def _singles_out(ask: Ask) -> bool:
    """Whether a field is not one that papers of every kind have: a date, a name, a total."""
    if ask.concept is not None:
        return ask.concept.id not in _COMMON
    return any(vocabulary().weight(token) >= 1.0 for token in tokens_of(split_name(ask.field.name)))


def _heading(shown: Sequence[Sheet], name: str) -> tuple[str | None, float]:
    """The line of the first page that says most of a schema's name, and how much it speaks for it (0-1): all of it, and large."""
    wanted = _telling(name)
    best: tuple[str | None, float] = (None, 0.0)
    for sheet in shown[:1] if wanted else ():
        largest = max((segment.size for segment in sheet.segments if any(map(str.isalpha, segment.text))), default=1.0)
        for segment in sheet.segments:
            tokens = set(tokens_of(segment.text))
            share = sum(token in tokens for token in wanted) / len(wanted)
            if share and len(tokens) <= _HEADING and ":" not in segment.text:
                speaks = share * (0.4 + 0.6 * segment.size / largest) * (1.0 if len(tokens) <= 4 else 0.7)
                if speaks > best[1]:
                    best = (segment.text.strip(), speaks)
    return best


def _telling(name: str) -> Tokens:
    """The words of a schema's name that say what it is for."""
    tokens = dict.fromkeys(tokens_of(split_name(name)))
    return tuple(token for token in tokens if vocabulary().weight(token) >= 1.0 and token not in _GENERIC)


def enveloped(chosen: Chosen, schema: Schema | None, data: Any) -> dict[str, Any]:
    """The response where there were several schemas: which one was used and why, and its answer."""
    kind = chosen.kind if chosen.name is not None or schema is None else kind_of("", schema) or None
    return {"schemaUsed": chosen.name, "documentType": kind, "classificationRationale": chosen.rationale, "data": data}
