"""What a document calls itself, and fields that ask for the document's own number.

A schema whose title names a kind of document (`Political ad order`) asks with `contract or order number` for the number of the
paper at hand. Where that paper has another name, its own number is the one under that name: `Invoice #` on what is headed
`INVOICE`, although it refers to an `Order #` too.
"""

from __future__ import annotations

import msgspec

from heliograph.extraction.fields import Ask, Phrase
from heliograph.extraction.reading import Reading
from heliograph.extraction.vocabulary import Tokens, tokens_of, vocabulary

_OWN_NUMBER, _REFERENCE = 0.88, 0.8
"""Weights of labels for the number of the paper itself, and for the numbers of others that it refers to. Both stand below the
labels of the field's own concept (.93 and more)."""


def numbered(reading: Reading, asks: list[Ask]) -> list[Ask]:
    """The fields, with those for the document's own number knowing what such a number is called on this paper."""
    kind = _heading(reading)
    if kind is None or any(kind[-1] in ask.strong for ask in asks):
        return asks
    return [_own(ask, kind) if ask.kind == "id" and ask.alternatives & set(ask.subject) else ask for ask in asks]


def _own(ask: Ask, kind: Tokens) -> Ask:
    own = Phrase((*kind, "no"), _OWN_NUMBER)
    named = set(tokens_of(ask.field.name.replace("_", " ")))
    phrases = [
        msgspec.structs.replace(phrase, weight=min(phrase.weight, _REFERENCE))
        if set(phrase.tokens) & ask.alternatives and not any(vocabulary().weight(t) >= 1.0 for t in named & set(phrase.tokens))
        else phrase
        for phrase in ask.phrases
    ]
    return msgspec.structs.replace(ask, phrases=[*phrases, own])


def _heading(reading: Reading) -> Tokens | None:
    """The name of a numbered kind of document that heads the first page, alone on its segment; the largest of several."""
    words = vocabulary()
    best: tuple[float, Tokens] | None = None
    for sheet in reading.sheets[:1]:
        for segment in sheet.segments:
            tokens = tokens_of(segment.text)
            if segment.y0 > sheet.page.height / 3 or tokens not in words.titles:
                continue
            kind = tokens if (*tokens, "no") in words.every_label else tokens[-1:]
            if (*kind, "no") in words.every_label and (best is None or segment.height > best[0]):
                best = (segment.height, kind)
    return best[1] if best is not None else None
