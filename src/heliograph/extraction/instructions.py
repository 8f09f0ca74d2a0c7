"""What a prompt says about where fields stand: `"Policy ref" is the contract_number; take due_date from the line called Pay by`.

Instructions only add labels to look for. In each sentence the names of the schema's fields are looked up (as keys, or as
words); a phrase in quotes, or after words such as `labelled`, `called`, `next to`, `:` or `=`, becomes a label of the
field named nearest before it, else of the first one named after it. They never add values.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

Hints = dict[tuple[str, ...], dict[Tokens, float]]
"""Further labels of fields, by the field's path in the schema, with what finding them says: 1 is the field's own name."""
TOLD = 1.15
"""Weight of a label that instructions give."""

_LONGEST = 20_000
"""Characters of instructions that are read; skills' texts stay below."""
_SENTENCE = re.compile(r"[\n;]+|(?<=\w\w[.!?])\s+|(?<=[\"'`”»][.!?])\s+")
_QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»\n]{2,60})[\"”“»]|(?<!\w)['‘]([^'‘’\n]{2,60})['’](?!\w)|`([^`\n]{2,60})`")
_NAMING = re.compile(
    r"\b(?:label(?:l?ed)?(?: as)?|called|known as|named|titled|headed|marked|"
    r"(?:shown|listed|printed|appears?|written|stated|found) (?:as|under|below|beside|after|in|behind)|next to|beside|under"
    r"|from the (?:line|box|field|column|row)(?: called| labell?ed)?|stands for"
    r"|heißt|genannt|beschriftet(?: mit)?|steht (?:neben|unter|als)|appelée?|intitulée?|llamado|etiquetado(?: como)?)\b|:|=|->|→",
    re.I,
)
_ENDS = re.compile(r"[.,;:()\"“”„«»`\n]|\s[-–—]\s|\b(?:and|or|und|oder|et|ou|y|o)\b", re.I)
_ARTICLE = re.compile(r"\s*(?:the|a|an|der|die|das|le|la|el)\s+", re.I)


class _Mention(msgspec.Struct, frozen=True):
    start: int
    end: int
    path: tuple[str, ...]


def hints(instructions: str | None, root: Field) -> Hints:
    """Further labels that `instructions` give to fields of a schema."""
    made: Hints = {}
    fields = [field for field in root.leaves() if field.path]
    for sentence in _SENTENCE.split((instructions or "")[:_LONGEST]):
        mentions = _mentions(sentence, fields) if sentence.strip() else []
        if not mentions:
            continue
        for start, phrase in _phrases(sentence, mentions):
            before = [mention for mention in mentions if mention.end <= start]
            whose = max(before, key=lambda mention: mention.end).end if before else mentions[0].end
            tokens = tokens_of(phrase)
            for mention in mentions:
                if mention.end == whose and 0 < len(tokens) <= 6 and any(vocabulary().weight(token) > 0 for token in tokens):
                    made.setdefault(mention.path, {})[tokens] = TOLD
    return made


def merged(first: Hints, second: Hints) -> Hints:
    """The labels of both; what `first` says of one counts."""
    return {path: {**second.get(path, {}), **first.get(path, {})} for path in {**first, **second}}


def _mentions(sentence: str, fields: list[Field]) -> list[_Mention]:
    """Fields that a sentence names, by key or in words, in order; the longest name wins where they overlap."""
    lowered = sentence.casefold()
    found: list[_Mention] = []
    for field in fields:
        key = next((step for step in reversed(field.path) if step != "[]"), "")
        spellings = {key.casefold(), split_name(key).casefold(), field.title.casefold()} - {""}
        for spelling in spellings:
            at = lowered.find(spelling)
            while at >= 0:
                end = at + len(spelling)
                if not lowered[at - 1 : at].isalnum() and not lowered[end : end + 1].isalnum():
                    found.append(_Mention(at, end, field.path))
                at = lowered.find(spelling, end)
    return sorted(
        (
            mention
            for mention in found
            if not any(o.start <= mention.start and mention.end <= o.end and o.end - o.start > mention.end - mention.start for o in found)
        ),
        key=lambda mention: mention.start,
    )


def _phrases(sentence: str, mentions: list[_Mention]) -> list[tuple[int, str]]:
    """Phrases that can be labels, with where they begin: quoted ones, else the words after one that names."""
    made = [
        (m.start(), next(group for group in m.groups() if group is not None))
        for m in _QUOTED.finditer(sentence)
        if not any(mention.start < m.end() and m.start() < mention.end for mention in mentions)
    ]
    for naming in _NAMING.finditer(sentence):
        start = naming.end()
        article = _ARTICLE.match(sentence, start)
        start = article.end() if article else start
        stop = _ENDS.search(sentence, start + 1)
        phrase = sentence[start : stop.start() if stop else len(sentence)].strip()
        if (
            phrase
            and len(phrase.split()) <= 4
            and not any(mention.start < start + len(phrase) and start < mention.end for mention in mentions)
        ):
            made.append((start, phrase))
    return made
