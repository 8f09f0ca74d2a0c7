"""The scalar fields of a schema, each understood beside the others that are asked with it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.extraction.fields import Ask, Phrase, understand
from heliograph.extraction.instructions import Hints
from heliograph.extraction.result import Path
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

_ALIKE = 3
"""Names with one beginning from which on it is no part of the label."""
_OWNED = frozenset({"address", "phone", "email", "url", "vat"})


def questions(schema: Schema, hinted: Hints) -> list[tuple[Path, Ask]]:
    """Every scalar field that is not in a list, with its path in the answer."""
    asked = _owned(list(_asked(schema.root, (), (), hinted)), hinted)
    tell_apart([ask for _, ask in asked if ask.kind == "boolean"])
    for _, ask in asked:
        ask.subject = tokens_of(split_name(schema.root.title))
    return asked


def _asked(field: Field, path: Path, parents: tuple[str, ...], hinted: Hints) -> Iterator[tuple[Path, Ask]]:
    """The scalar fields that are not in a list, each with its path in the answer."""
    if field.is_leaf:
        ask = understand(field, parents, hints=hinted.get(field.path, {}))
        if parents and tokens_of(split_name(field.name)) == ("name",):
            _whose(ask, tokens_of(split_name(parents[-1])))
        yield path, ask
        return
    for number, place in enumerate(field.places):
        if place.is_leaf:
            named = msgspec.structs.replace(place, name=place.title or f"{field.name} {number + 1}")
            yield (*path, number), understand(named, parents, hints=hinted.get(place.path, {}))
    if field.kind == "object":
        for child in field.fields:
            inner = (*parents, field.name) if field.name else parents
            yield from _asked(child, (*path, child.name), inner, hinted)


def _whose(ask: Ask, owner: Tokens) -> None:
    """The name of a `referring_provider` stands behind `Referring provider`."""
    telling = {token for token in owner if vocabulary().weight(token) >= 1.0}
    if len(telling) > 1:
        ask.phrases.append(Phrase(owner, 0.9, own=True))
        ask.strong |= telling


def _owned(asked: list[tuple[Path, Ask]], hinted: Hints) -> list[tuple[Path, Ask]]:
    """Beside a field for the issuer's name, and none for a customer's, an `address` or `phone` without an owner is the issuer's."""
    made: list[tuple[Path, Ask]] = []
    for path, ask in asked:
        beside = [other for where, other in asked if where[:-1] == path[:-1]]
        issuer = any(other.concept is not None and other.concept.id == "issuer.name" for other in beside)
        if issuer and not ask.party and ask.kind in _OWNED and not any(other.party == "customer" for other in beside):
            bare = ask.field.name
            field = msgspec.structs.replace(ask.field, name=f"issuer {bare}")
            ask = msgspec.structs.replace(understand(field, hints=hinted.get(field.path, {})), field=ask.field)  # noqa: PLW2901
        if ask.concept is not None and ask.concept.id == "bank.name" and len(path) == 1 and not issuer:
            bank = understand(msgspec.structs.replace(ask.field, name="issuer name", description=""))  # a bank's own statement
            ask = msgspec.structs.replace(bank, field=ask.field, phrases=[*ask.phrases, *bank.phrases])  # noqa: PLW2901
        made.append((path, ask))
    return made


def tell_apart(asks: list[Ask]) -> None:
    """Boxes to tick that begin alike (`entity_trust`, `entity_partnership`) are labelled by what differs."""
    names = [tokens_of(split_name(ask.field.name)) for ask in asks]
    for ask, name in zip(asks, names, strict=True):
        for length in range(len(name) - 1, 0, -1):
            if sum(other[:length] == name[:length] for other in names) >= _ALIKE:
                rest = name[length:]
                ask.phrases.append(Phrase(rest, 0.85, own=True))
                ask.strong |= {token for token in rest if vocabulary().weight(token) >= 1.0}
                break
