"""A request taken apart: one clause for each thing that is asked for, each with its words, concepts and slots."""

from __future__ import annotations

import re
from functools import cached_property

import msgspec

from heliograph.agents.planner import words as known
from heliograph.agents.planner.slots import Slots, slots
from heliograph.agents.planner.words import Found, Word

ACTIONS = frozenset(
    {"rotate", "flip", "crop", "resize", "upscale", "blur", "anonymise", "redact", "draw", "grayscale", "enhance", "convert", "detect",
     "count", "read", "extract", "search", "classify", "summarise", "split", "merge", "chart", "translate", "describe", "send",
     "compose", "tell"}
)  # fmt: skip
"""Concepts that begin a clause of their own behind an `and`."""

_STOPS = re.compile(r"(?<=[^\d\s.])[.!?;]+(?:\s+|$)|\n+")
_THEN = re.compile(r"(?:,\s*)?\b(?:and\s+then|then|after\s+that|afterwards|finally)\b\s*,?\s*", re.IGNORECASE)
_AND = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:and|&)\s+", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:(?:hi|hey|hello)\b[\s,!]*)?(?:(?:please|pls|kindly|now|ok|okay|so|also|and|just|next)\b[\s,]*|(?:can|could|would|will)\s+you\s+(?:please\s+|pls\s+)?(?:also\s+)?"
    r"|(?:i\s+(?:want|need|would\s+like)|i'd\s+like)\s+(?:you\s+)?to\s+|help\s+me\s+(?:to\s+)?|let'?s\s+)+",
    re.IGNORECASE,
)


_MIDDLE = re.compile(r"^.*[,;]\s*(?:so\s+)?(?:can|could|would|will)\s+you\s+(?:please\s+|pls\s+)?", re.IGNORECASE)
"""What leads up to a request: `I put this online, so could you`."""
_BECAUSE = re.compile(
    r"\s*,?\s+\b(?:before|because|since|so\s+that|in\s+case)\s+(?:i|we|he|she|they|you|it)\b[^,;]*$"
    r"|\s+(?:for|on)\s+(?:our|my|the|a|an)\s+(?:web\s?(?:site|page)|blog|homepage|slides?|presentation|profile|avatar|newsletter|catalog(?:ue)?|shop|store|"
    r"app|boss|team|clients?|customers?|accountant|taxes|records|archive|intranet)\b",
    re.IGNORECASE,
)
"""Why it is wanted, which changes nothing."""
_ASKS = re.compile(r"(?:what|who|whom|when|where|which|how\s+(?:much|many))\b", re.IGNORECASE)
_MAKE = re.compile(r"make\s+(?:it|this|that|them|the\s+(?:image|picture|photo))\b", re.IGNORECASE)
_WANTED = re.compile(r"i(?:\s+(?:want|need|have|would\s+like)|['’]d\s+like|['’]m|\s+am)\b", re.IGNORECASE)
_DASHES = re.compile(r"\s+(?:--+|–|—)\s+")
_DONT = re.compile(r"\s*(?:do\s+not|don['’]?t|never)\b", re.IGNORECASE)


class Clause(msgspec.Struct, dict=True):
    """One thing that is asked for. `text` is as it was written, without the courtesies."""

    text: str

    @cached_property
    def slots(self) -> Slots:
        """What it says in figures, quotes and names."""
        return slots(self.text)

    @cached_property
    def words(self) -> list[Word]:
        """Its words, without those of its slots."""
        return known.words(self.slots.text)

    @cached_property
    def found(self) -> list[Found]:
        """Its concepts, from left to right."""
        return known.concepts(self.words)

    @cached_property
    def concepts(self) -> frozenset[str]:
        """What it speaks of."""
        return frozenset(each.concept for each in self.found)

    def has(self, *concepts: str) -> bool:
        """Whether it speaks of any of these."""
        return not self.concepts.isdisjoint(concepts)

    @property
    def forbids(self) -> bool:
        """Whether it says what is not to be done."""
        return _DONT.match(self.text) is not None

    @cached_property
    def unknown(self) -> list[str]:
        """The words that mean nothing to us: not said by a concept, a slot or grammar."""
        covered = {place for each in self.found for place in range(each.first, each.last)}
        return [
            word.text
            for place, word in enumerate(self.words)
            if place not in covered and not known.says_nothing(word.text) and len(word.text) > 1
        ]

    def after(self, *concepts: str) -> str:
        """What is written behind the first word of one of these concepts."""
        ends = [self.words[each.last - 1].end for each in self.found if each.concept in concepts]
        return self.slots.text[min(ends) :].strip() if ends else ""


def clauses(request: str) -> list[Clause]:
    """The clauses of a request, in order. What is quoted is never taken apart."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    request = _BECAUSE.sub("", _MIDDLE.sub("", _DASHES.sub(", ", request)))
    hidden = re.sub(r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|https?://\S+", keep, request)
    found: list[Clause] = []
    for sentence in _STOPS.split(hidden):
        for part in _THEN.split(sentence):
            for piece in _and_parted(part):
                text = re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], piece).strip(" ,\t")
                text = _POLITE.sub("", text).strip()
                if text:
                    found.append(Clause(text))
    asked = [clause for clause in found if clause.unknown or clause.concepts - {"greeting"}]
    return asked or found


def _and_parted(text: str) -> list[str]:
    """`detect the faces, blur them and turn it` is three; `apples 3, pears 5 and plums` is one, as is a list behind `extract`."""
    pieces: list[str] = []
    begin = 0
    for joint in _AND.finditer(text):
        before, after = text[begin : joint.start()], text[joint.end() :]
        if (_acts(after) and _has_action(before)) or (_ASKS.match(after) and _ASKS.match(_POLITE.sub("", before.strip()))):
            pieces.append(before)
            begin = joint.end()
    return [*pieces, text[begin:]]


def _acts(text: str) -> bool:
    """Whether a text begins with something to be done, and not with why it is wanted."""
    if _MAKE.match(text):
        return True
    if _WANTED.match(text):
        return False
    first = known.concepts(known.words(_POLITE.sub("", text))[:3])
    return bool(first) and first[0].first == 0 and first[0].concept in ACTIONS and not re.match(r"\w+\s*(?:[:=]|\d)", text)


def _has_action(text: str) -> bool:
    return any(found.concept in ACTIONS for found in known.concepts(known.words(text)))
