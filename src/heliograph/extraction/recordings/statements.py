"""Values that sentences state: `the invoice number is 1047`, `it's due March 14, 2026`, `Your phone number, please?` `415-555-0134.`

A label is the words of a field (`fields.Ask`), in any order and with little between them; words that only say what kind of value it is
(`number`, `date`) may be missing. The value stands after it, right before it, or, where it is a question, at the beginning of the answer.
What is not stated like that is not answered, but for what shows its kind by itself: the only e-mail address that is said, say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from heliograph.extraction.fields import Ask
from heliograph.extraction.normalise import Conventions
from heliograph.extraction.recordings.lines import STEM, Json, Line, Value
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

FULL, PARTLY, ANSWERED, BEFORE, ALONE = 0.93, 0.88, 0.86, 0.8, 0.7
"""How likely a value is right by how it is stated: behind the whole label, behind a part of it, as an answer, before the label, by its
kind alone. Set by hand: there is no set of recordings with labelled values to measure it on."""
_KINDS: Final = frozenset({"no", "id", "date", "time", "name", "code", "amount", "value", "address", "day", "new", "in"})
"""Words of labels that only say what kind of value stands there."""
_LINKS: Final = frozenset(
    {
        "is", "was", "are", "were", "will", "be", "would", "of", "on", "at", "for", "to", "the", "a", "an", "about", "around", "by",
        "approximately", "it", "it's", "that's", "number", "comes", "came", "now", "called", "has", "been", "in", "from", "until", "just",
        "currently", "exactly", "your", "my", "our", "is:", "equals", "no", "delivered", "with", "gate", "date", "time",
    }
)  # fmt: skip
"""Words that may stand between a label and its value and say nothing."""
_REACHED = re.compile(r"\b(?:call|reach|ring|text|phone|contact)\b(?: \w+){0,3} (?:at|on)\b|\b(?:my|callback|cell|mobile) number\b", re.I)
_REASONS: Final = frozenset({"reason", "purpose"})
_CALLING = re.compile(r"\b(?:calling|writing|here|call) (?:because|about|regarding|concerning|as|to)\s+", re.I)
_ALONE: Final = frozenset({"phone", "email", "url", "iban"})
_CHECKED: Final = frozenset({"date", "datetime", "email", "phone", "url", "money", "percent", "time", "iban", "id", "flight", "vin"})
"""Kinds whose values cannot be taken for others."""
_FURTHEST, _ANSWER_IN = 7, 7
"""Tokens between a label and its value, and before the value of an answer."""
_GENERIC: Final = frozenset({"meeting", "call", "recording", "session", "issue", "interview", "date", "document"})
_TODAY = re.compile(r"\b(?:today is|today's date is|the date is|it is|it's|date)\b", re.I)
_BREAKS: Final = frozenset({"and", "but", "so", "because", "which", "while", "if", "when"})
_NOT_FREE: Final = frozenset({"the", "a", "an"})
_WHERE: Final = frozenset({"in", "on", "at", "near", "by", "inside", "under", "behind", "across"})
"""Words that begin where something is, which only a field about places is answered by."""
_PLACES: Final = frozenset({"location", "place", "venue", "room", "address", "site", "position", "where", "city", "office"})
_PHONE = re.compile(r"(1?)(\d{3})(\d{3})(\d{4})")


class Stated(msgspec.Struct):
    """A possible answer: `value`, the tokens `first` to `last` of `line`, how likely it is right, and how it is known."""

    value: Json
    line: Line
    first: int
    last: int
    chance: float
    sure: bool = False
    """Whether it stands right behind the whole of its label, and is of a kind that cannot be taken for another."""


class Label(msgspec.Struct, frozen=True):
    """Where a label stands in a line, its tokens both included; `fit` 0-1; `whole`: all of its words are there."""

    first: int
    last: int
    fit: float
    whole: bool


def kind_of(ask: Ask) -> str:
    """The kind of value that is looked for in speech."""
    name = tokens_of(split_name(ask.field.name))
    if ask.field.kind == "string" and ask.kind in ("money", "text") and name and name[-1] in ("code", "plate", "seat", "gate"):
        return "id"
    return ask.kind


def stated(lines: Sequence[Line], ask: Ask, writing: Conventions) -> Iterator[Stated]:
    """Every possible answer that `lines` state for `ask`, a field of any kind but names of people and companies."""
    kind = kind_of(ask)
    for at, line in enumerate(lines):
        for label in labels(line, ask):
            if kind == "date" and not label.whole and _own(ask) <= _GENERIC:
                continue  # `I will call you on the 16th` is no date of the call
            if line.asks:
                yield from _answers(lines, at, ask, kind, label, writing)
                if kind not in ("text", "boolean", "enum"):
                    yield from _beside(line, ask, kind, label, writing)
            elif kind == "boolean":
                continue
            elif kind in ("text", "address", "enumtext", "title", "street", "city", "state", "country", "doctype"):
                yield from _free(line, ask, label)
            else:
                yield from _beside(line, ask, kind, label, writing)
        if kind == "text" and _own(ask) & _REASONS and (said := _CALLING.search(line.text)):
            first, last = line.token_at(said.end()), len(line.cores) - 1
            if first <= last:
                yield _made(ask, line, Value(line.words(first, last), first, last), PARTLY - 0.06)
        if kind == "phone" and _REACHED.search(line.text):
            for value in line.values(ask, kind, writing):
                yield _made(ask, line, value, FULL - 0.03)
        if kind == "date" and (_own(ask) <= _GENERIC) and (said := _TODAY.search(line.text)) and "next" not in line.low:
            for value in line.values(ask, kind, writing):
                if 0 <= value.first - line.token_at(said.end()) <= 1:
                    yield _made(ask, line, value, ALONE + 0.06)
    if kind in _ALONE:
        yield from _alone(lines, ask, kind, writing)


def labels(line: Line, ask: Ask) -> Iterator[Label]:
    """Where `line` has a label of `ask`, the best one of those that share a place."""
    found: dict[tuple[int, int], Label] = {}
    for phrase in ask.phrases:
        if not (phrase.own or phrase.weight >= 0.85):
            continue
        telling, core = _telling(phrase.tokens)
        if not core or not line.may_have(core):
            continue
        for first, end in _places(line, core):
            around = {key for keys in line.keys[max(0, first - 2) : end + 3] for key in keys}
            whole = all(any(_same(token, key) for key in around) for token in telling)
            last = end + _trailing(line, end + 1, telling)
            fit = min(1.0, phrase.weight) * (1.0 if whole else 0.94) * (1 + 0.01 * min(3, len(core)))
            known = found.get((first, last))
            if known is None or fit > known.fit:
                found[first, last] = Label(first, last, fit, whole)
    yield from found.values()


@lru_cache(maxsize=4096)
def _telling(tokens: Tokens) -> tuple[Tokens, Tokens]:
    """The words of a label that say something, and those of them without which it is not this label."""
    telling = tuple(token for token in tokens if vocabulary().weight(token) > 0)
    return telling, tuple(token for token in telling if token not in _KINDS and vocabulary().weight(token) >= 1.0) or telling


def _trailing(line: Line, at: int, telling: Sequence[str]) -> int:
    """How many words of the label follow that only say what kind of value it is for: `number` behind `invoice`."""
    count = 0
    while at + count < len(line.keys) and line.keys[at + count] and set(line.keys[at + count]) <= _KINDS & set(telling):
        count += 1
    return count


def _places(line: Line, core: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where all words of `core` stand with little between them."""
    spots = [[at for at, keys in enumerate(line.keys) if any(_same(token, key) for key in keys)] for token in core]
    if not all(spots):
        return
    for anchor in spots[0]:
        chosen = [anchor]
        for other in spots[1:]:
            chosen.append(min(other, key=lambda at: abs(at - anchor)))
        if max(chosen) - min(chosen) <= len(core) + 3:
            yield min(chosen), max(chosen)


def _same(token: str, key: str) -> bool:
    """Whether two words are one, or of one stem: `departure` and `departs`."""
    if token == key:
        return True
    shared = 0
    for a, b in zip(token, key, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= STEM and len(token) - shared <= 4 and len(key) - shared <= 4


def _own(ask: Ask) -> set[str]:
    return set(tokens_of(split_name(ask.field.name))) - {"date"} or {"date"}


def _beside(line: Line, ask: Ask, kind: str, label: Label, writing: Conventions) -> Iterator[Stated]:
    """The values of a line that a label in it may be about: the nearest one after it, and one right before it."""
    values = sorted(line.values(ask, kind, writing), key=lambda value: value.first)
    taken = False
    for value in values:
        if value.first > label.last and not taken:
            between = line.low[label.last + 1 : value.first]
            idle = [word for word in between if word not in _LINKS]
            if len(between) > _FURTHEST or len(idle) > 4:
                break
            taken = True
            chance = (FULL if label.whole else PARTLY) * label.fit - 0.05 * len(idle)
            chance -= 0.1 if set(idle) & _BREAKS else 0.0
            made = _made(ask, line, value, chance)
            made.sure = label.whole and not idle and kind in _CHECKED
            yield made
        elif value.last < label.first and kind not in ("date", "id", "phone", "email", "url", "time"):
            between = line.low[value.last + 1 : label.first]
            if len(between) <= 2 and all(word in _LINKS for word in between) and not line.ends[value.last]:
                yield _made(ask, line, value, BEFORE * label.fit)


def _answers(lines: Sequence[Line], at: int, ask: Ask, kind: str, label: Label, writing: Conventions) -> Iterator[Stated]:
    """The value at the beginning of what is answered to a question."""
    question = lines[at]
    for step, line in enumerate(lines[at + 1 : at + 4]):
        if question.speaker is not None and line.speaker == question.speaker:
            if step == 0:
                continue
            return
        if line.asks:
            return
        chance = ANSWERED * label.fit - 0.06 * step
        if kind == "boolean":
            if (value := line.agreed()) is not None:
                yield _made(ask, line, value, chance)
                return
            continue
        if kind in ("text", "address", "city", "street", "state", "country"):
            if any(char.isdigit() for char in line.text) or len(line.cores) <= 6:
                first = _opened(line)
                if first < len(line.cores):
                    value = Value(line.words(first, len(line.cores) - 1), first, len(line.cores) - 1)
                    yield _made(ask, line, value, chance - 0.16)
            return
        for value in line.values(ask, kind, writing):
            if value.first < _ANSWER_IN:
                yield _made(ask, line, value, chance)
                return


def _opened(line: Line) -> int:
    """Where an answer begins behind `Yes, it's`."""
    at = 0
    while at < len(line.low) and line.low[at] in ("yes", "sure", "it's", "it", "is", "that's", "okay", "ok", "well", "the", "of", "course"):
        at += 1
    return at


def _free(line: Line, ask: Ask, label: Label) -> Iterator[Stated]:
    """What is said behind `is` or `was`, up to the end of the clause."""
    at = label.last + 1
    while at < len(line.low) and (line.low[at] not in ("is", "was", "are") and at - label.last <= 3):
        if line.ends[at] and line.ends[at] != ":":
            return
        at += 1
    linked = at < len(line.low) and line.low[at] in ("is", "was", "are")
    if not linked:
        if line.ends[label.last] != ":":
            return
        at = label.last
    first = at + 1
    if first < len(line.low) and line.low[first] in ("that", "to", "not", "it", "still", "very", "so", "too", "always", "never"):
        return
    if first < len(line.low) and line.low[first] in _WHERE:
        if ask.kind == "text" and not _own(ask) & _PLACES:
            return
        first += 1
    while first < len(line.low) and line.low[first] in _NOT_FREE:
        first += 1
    last = first
    stop = () if ask.kind == "address" else ("and", "but", "which", "because", "so")
    while last < len(line.low) and line.low[last] not in stop:
        if line.ends[last] in (".", "?", "!", ";") or (line.ends[last] == "," and ask.kind != "address"):
            last += 1
            break
        last += 1
    if first < last:
        chance = (PARTLY if label.whole else BEFORE) * label.fit - 0.06
        yield _made(ask, line, Value(line.words(first, last - 1), first, last - 1), chance)


def _alone(lines: Sequence[Line], ask: Ask, kind: str, writing: Conventions) -> Iterator[Stated]:
    """The only value of a kind that shows itself."""
    found = [(line, value) for line in lines for value in line.values(ask, kind, writing)]
    if len({str(value.value) for _, value in found}) == 1 and (kind != "phone" or _told_apart(found[0][1])):
        yield _made(ask, *found[0], ALONE)


def _told_apart(value: Value) -> bool:
    return len(re.sub(r"\D", "", str(value.value))) >= 10


def _made(ask: Ask, line: Line, value: Value, chance: float) -> Stated:
    said = value.value
    if ask.kind == "phone" and (parts := _PHONE.fullmatch(str(said))):
        said = "-".join(part for part in parts.groups() if part)
    return Stated(said, line, value.first, value.last, chance * value.quality)
