"""Sentences prepared for questions: their tokens as words of labels, which values they hold, and who says them to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from heliograph.extraction.candidates import read_as
from heliograph.extraction.fields import Ask
from heliograph.extraction.normalise import Conventions, dates, times
from heliograph.extraction.recordings.speech import Sentence, Speech
from heliograph.extraction.recordings.spoken import MONTHS
from heliograph.extraction.vocabulary import tokens_of

Json = Any

STEM: Final = 5
"""Letters that words of one stem share at their beginning."""
_CORE = re.compile(r"^[^\w$€£¥₹@+-]*(.*?)[^\w%]*$", re.DOTALL)
_ASKS: Final = frozenset(
    {"what", "what's", "when", "where", "which", "who", "who's", "how", "may", "can", "could", "would", "do", "does", "is", "are", "under"}
)
_FIGURES = re.compile(r"[-−]?[$€£¥₹]?\d[\d,]*(?:\.\d+)?%?")
_IDENTIFIER = re.compile(r"(?=[^\s]*\d)[A-Za-z0-9]+(?:[-/.][A-Za-z0-9]+)*")
_NTH = re.compile(r"\d+(?:st|nd|rd|th)")
_YES: Final = frozenset({"yes", "yeah", "yep", "sure", "correct", "right", "absolutely", "certainly"})
_NO: Final = frozenset({"no", "nope", "nobody", "none", "never", "not"})


class Value(msgspec.Struct, frozen=True):
    """A value in a sentence: the tokens `first` to `last`, both included."""

    value: Json
    first: int
    last: int
    quality: float = 1.0


class Line:
    """A sentence. `number`: its place; `keys`: for each token its canonical words, as labels are written in."""

    def __init__(self, sentence: Sentence, number: int, said: str) -> None:
        """`said`: the sentence as it was said."""
        self.sentence, self.number, self.sentence_said = sentence, number, said
        self.speaker = sentence.speaker
        self.text = sentence.text
        self.cores = [bare(token.text) for token in sentence.tokens]
        """The tokens without the punctuation around them."""
        self.low = [core.casefold().replace("’", "'") for core in self.cores]
        self.ends = [token.text[-1:] if token.text[-1:] in ",.;:?!" else "" for token in sentence.tokens]
        self._starts: list[int] = []
        at = 0
        for token in sentence.tokens:
            self._starts.append(at)
            at += len(token.text) + 1

    @cached_property
    def keys(self) -> list[tuple[str, ...]]:
        """The canonical words of each token."""
        return [tokens_of(core) for core in self.cores]

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(piece for keys in self.keys for key in keys for piece in (key, key[:STEM]))

    def may_have(self, words: Sequence[str]) -> bool:
        """Whether each of `words`, or one of its stem, can be among the keys; a quick look, as most lines hold no label of a field."""
        stems = self._stems
        return all(word in stems or (len(word) >= STEM and word[:STEM] in stems) for word in words)

    @property
    def asks(self) -> bool:
        """Whether it is a question, or as good as one: `And the order number?`"""
        return self.ends[-1] == "?" or (self.low[0] in _ASKS and self.ends[-1] != ".")

    def values(self, ask: Ask, kind: str, writing: Conventions) -> Iterator[Value]:
        """What could answer `ask`, read as a value of `kind`; only whole tokens."""
        match kind:
            case "boolean":
                return
            case "id":
                yield from self._identifiers(ask)
            case "number" | "integer" | "money" | "percent":
                yield from self._numbers(ask, writing)
            case _:
                for found in read_as(ask, self.text, writing):
                    first, last = self.token_at(found.start), self.token_at(max(found.start, found.end - 1))
                    if kind in ("date", "datetime") and not _is_day(" ".join(self.cores[first : last + 1])):
                        continue
                    yield Value(found.value, first, last, found.quality)

    def _identifiers(self, ask: Ask) -> Iterator[Value]:
        for at, core in enumerate(self.cores):
            if (
                not _IDENTIFIER.fullmatch(core)
                or len(core) < 2
                or _timed(core)
                or _is_day(core)
                or re.fullmatch(r"\d+(?:st|nd|rd|th)", core)
            ):
                continue
            if ask.field.kind == "integer":
                digits = re.sub(r"\D", "", core)
                if digits:
                    yield Value(int(digits), at, at)
                continue
            yield Value(core, at, at, 1.0 if sum(map(str.isdigit, core)) > 2 or not core.isdigit() else 0.9)

    def _numbers(self, ask: Ask, writing: Conventions) -> Iterator[Value]:
        for at, core in enumerate(self.cores):
            if not _FIGURES.fullmatch(core):
                continue
            money = core.lstrip("-−")[:1] in "$€£¥₹"
            plain = core if money or ask.kind == "percent" else core.rstrip("%")
            if money and ask.kind in ("percent", "integer"):
                continue
            for found in read_as(ask, plain, writing)[:1]:
                quality = 1.0 if money or ask.kind != "money" else 0.8
                yield Value(found.value if ask.field.kind != "string" or money else core, at, at, quality)

    def days(self, writing: Conventions) -> Iterator[Value]:
        """The days that it names with their years, as ISO 8601 dates."""
        for span in dates(self.text):
            day = span.settle(day_first=writing.day_first)
            if day is not None:
                yield Value(day.isoformat(), self.token_at(span.start), self.token_at(span.end - 1))

    def token_at(self, offset: int) -> int:
        """Which token the character at `offset` is of."""
        return max(0, next((at for at, start in enumerate(self._starts) if start > offset), len(self._starts)) - 1)

    def agreed(self) -> Value | None:
        """Yes or no, where the sentence begins with it."""
        for at in range(min(2, len(self.low))):
            if self.low[at] in _YES or self.low[at] in _NO:
                return Value(self.low[at] in _YES, at, at)
        return None

    def words(self, first: int, last: int) -> str:
        """The tokens `first` to `last` without the punctuation around them."""
        inner = [token.text for token in self.sentence.tokens[first : last + 1]]
        return bare(" ".join(inner))


def lines_of(speech: Speech) -> list[Line]:
    """The sentences that hold a word."""
    return [
        Line(sentence, number, speech.whole(sentence).content)
        for number, sentence in enumerate(speech.sentences)
        if any(map(str.isalnum, sentence.text))
    ]


def bare(text: str) -> str:
    """`text` without the punctuation around it."""
    found = _CORE.match(text)
    return found[1] if found else text


def _is_day(text: str) -> bool:
    return bool(dates(text))


def _timed(text: str) -> bool:
    return any(True for _ in times(text)) or text.split(" ", maxsplit=1)[0].casefold() in MONTHS
