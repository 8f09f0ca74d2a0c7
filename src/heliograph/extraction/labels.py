"""Where a document names what a field asks for.

Every segment is read as tokens (misread letters forgiven against the words that are looked for); the phrases of all fields are
looked up in them in one pass. An `Occurrence` says where a field's label stands and how well it fits: a label that is all of
its cell fits, one in the middle of a sentence, or beside words that make it another one's label, does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from heliograph.extraction.fields import Ask
from heliograph.extraction.normalise import GLUED_CURRENCY, amounts, dates
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import WORD, Tokens, plain, telling, tokens_of, vocabulary

_LONGEST = 8
_REMARK = re.compile(r"\([^()]{1,24}\)")
_ASIDE = re.compile(r"\s\(|[.?]\s+[A-Z]|,\s+(?:if|as|see|when|where|such)\b")
"""Where what a label is called ends, and a remark on it begins."""
_MARK = re.compile(r"[:;|]|\s[-–●•/]\s")
"""What stands between a label and another one or a value."""
_COLON, _ENDED = re.compile(r"\s*(?:[.)]\s*)?[:#=]"), re.compile(r"\s*[:#=.]")
_WORDED = frozenset({"text", "org", "person", "name", "address", "enumtext", "id", "city", "country", "state", "person1", "street"})
"""Kinds of values that are words, and may follow their label without a colon."""
_ASKING = frozenset({"address", "name", "zip"})
"""Words of a form that asks for names and addresses, which none of them has."""
_BREAKS = frozenset({"-", "- ", " ", "\u2010", "\u00ad"})
"""What stands between the pieces of a word that was hyphenated, or set with so much space that its letters came apart."""
_SHORTEST = 5
"""Letters of a word whose pieces are put together."""
_LONG = 5
"""Letters of a word that may be misread."""
_MISREAD = 0.79
"""Likeness (0-1) from which a word is a misreading of another."""
_WITH = frozenset({"incl", "inclusive", "including", "inc", "inkl", "ttc", "with", "after", "compris", "incluido", "inclusa"})
"""Words after which a tax is part of the amount, not what the amount is."""


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token of a segment's text."""

    text: str
    start: int
    end: int


class Occurrence(msgspec.Struct):
    """A field's label in the document: `segment.text[start:end]`, `fit` 0-1; `colon` when `:` or `#` follows."""

    ask: int
    segment: Segment
    start: int
    end: int
    fit: float
    colon: bool
    heading: bool
    """Whether it is a heading: nothing but the label in its segment."""


class Reader:
    """Tokens of segments, with spelling forgiven towards the words of every label that documents use, and towards `own` ones."""

    def __init__(self, own: Iterable[str]) -> None:
        self.own = {word for word in own if word}
        self._long = sorted(word for word in self.own if len(word) >= _LONG)
        self._by_length: dict[int, list[str]] = {}
        self._canonical: dict[str, str] = {}
        self._tokens: dict[str, list[Token]] = {}

    def knows(self, word: str) -> bool:
        """Whether it is one of the words that spelling is forgiven towards."""
        return word in self.own or word in vocabulary().label_tokens

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text with their places. `Beleg-Datum` and `Br uttosumme` are one word each when that is a known one.

        Segments are asked about by many fields, so the list is remembered until the page is turned: not to be changed.
        """
        made = self._tokens.get(text)
        if made is None:
            made = self._tokens[text] = self._read(text)
        return made

    def turn(self) -> None:
        """Forget the texts of the last page, of which a document may have hundreds."""
        self._tokens.clear()

    def _read(self, text: str) -> list[Token]:
        made: list[Token] = []
        words = [(found.group(), found.start(), found.end()) for found in WORD.finditer(text)]
        at = 0
        while at < len(words):
            first, start, end = words[at]
            at += 1
            if at < len(words):
                second, begins, ends = words[at]
                between = text[end:begins]
                if between == "." and first in "nN" and second in "ºo":
                    made.append(Token("no", start, ends))  # `n.º`
                    at += 1
                    continue
                whole = self._whole(first, second, between) if between in _BREAKS else ""
                if whole:
                    made.append(Token(whole, start, ends))
                    at += 1
                    continue
            if text[end : end + 1].isdigit():
                end = _label_end(first, start, end)
                first = text[start:end]
            made.append(Token(self.canonical(first), start, end))
        return made

    def _whole(self, first: str, second: str, between: str) -> str:
        """The known word that two pieces are, or nothing; pieces parted by a space must not both be words themselves."""
        if not (first.isalpha() and second.isalpha()) or len(first) + len(second) < _SHORTEST:
            return ""
        whole = vocabulary().token(first + second)
        if not self.knows(whole):
            return ""
        if between == " " and all(
            self.knows(vocabulary().token(piece)) or piece.casefold() in vocabulary().stop for piece in (first, second)
        ):
            return ""
        return whole

    def canonical(self, word: str) -> str:
        """The canonical token, or the known one it is a misreading of."""
        made = self._canonical.get(word)
        if made is None:
            made = self._canonical[word] = self._forgiven(vocabulary().token(word))
        return made

    def _about(self, length: int) -> list[str]:
        """The words that one of this many letters may be a misreading of: others are too much longer or shorter."""
        made = self._by_length.get(length)
        if made is None:
            reach = length * (1 - _MISREAD) / _MISREAD
            made = self._by_length[length] = [word for word in self._long if abs(len(word) - length) <= reach]
        return made

    def _forgiven(self, token: str) -> str:
        if self.knows(token) or len(token) < _LONG or not token.isalpha():
            return token
        other = token[:-1] if token.endswith("s") else token + "s"
        if self.knows(other):
            return other
        own, label = _nearest(token, self._about(len(token))), _nearest_label(token)
        near = own if own is not None and (label is None or own[1] >= label[1]) else label
        return near[0] if near is not None and abs(len(near[0]) - len(token)) <= 1 else token


def _nearest(token: str, words: Sequence[str]) -> tuple[str, float] | None:
    """The word that a token is nearest to, and how near (0-1), if it may be a misreading of it."""
    near = process.extractOne(token, words, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=_MISREAD) if words else None
    return None if near is None else (str(near[0]), near[1])


@lru_cache(maxsize=65536)
def _nearest_label(token: str) -> tuple[str, float] | None:
    return _nearest(token, _long_labels())


@cache
def _long_labels() -> list[str]:
    return sorted(word for word in vocabulary().label_tokens if len(word) >= _LONG)


class _Line:
    """A segment as tokens, with what each says, and what bounds a label in it."""

    def __init__(self, segment: Segment, tokens: list[Token]) -> None:
        self.segment, self.tokens = segment, tokens
        self.weights = [vocabulary().weight(token.text) for token in tokens]

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """Where values and colons stand."""
        text = self.segment.text
        marks = [found.span() for found in _MARK.finditer(text)]
        marks += [(span.start, span.end) for span in dates(text)]
        return marks + [(a.start, a.end) for a in amounts(text) if not a.percent and (a.grouped or len(a.raw) > 2)]

    def part(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the text around `[start, end)` that can belong to one label: up to values and colons on either side."""
        left, right = 0, len(self.segment.text)
        for first, last in self._bounds:
            if last <= start:
                left = max(left, last)
            elif first >= end:
                right = min(right, first)
        return left, right


class Finder:
    """Looks for the labels of all fields of a schema at once."""

    def __init__(self, asks: list[Ask]) -> None:
        self.asks = asks
        self.exact: dict[Tokens, list[tuple[int, float]]] = {}
        words = vocabulary()
        self.partial: dict[str, list[tuple[int, frozenset[str], float]]] = {}
        for index, ask in enumerate(asks):
            for phrase in ask.phrases:
                told = telling(phrase.tokens)
                self.exact.setdefault(phrase.tokens, []).append((index, phrase.weight))
                if 1 < len(told) < len(phrase.tokens):
                    self.exact.setdefault(told, []).append((index, phrase.weight * 0.98))
                bag = frozenset(told) if phrase.own else frozenset[str]()
                for token in bag if len(bag) > 1 else ():
                    if words.weight(token) >= 1.0:
                        self.partial.setdefault(token, []).append((index, bag, phrase.weight))
        self.begun: set[Tokens] = set()
        for tokens in self.exact:
            while tokens and tokens not in self.begun:
                self.begun.add(tokens)
                tokens = tokens[:-1]  # noqa: PLW2901
        self.reader = Reader(token for tokens in self.exact for token in tokens)

    def find(self, sheet: Sheet) -> list[Occurrence]:
        """Every label of every field on a page, best fit first."""
        found: dict[tuple[int, int, int], Occurrence] = {}
        self.reader.turn()
        for segment in sheet.segments:
            tokens = self.reader.tokens(segment.text)
            if not tokens or len(tokens) > 60:
                continue
            line = _Line(segment, tokens)
            telling = [t for t, weight in zip(tokens, line.weights, strict=True) if weight > 0]
            plainly = _without_remarks(segment.text, tokens)
            for stream in (tokens, *(other for other in (telling, plainly) if len(other) < len(tokens))):
                self._exact(line, stream, found)
            single = [t for t, following in zip(tokens, [*tokens[1:], None], strict=True) if following is None or t.text != following.text]
            if len(single) < len(tokens):  # `Receipt # No.` says it twice
                self._exact(line, single, found)
            self._partial(line, found)
        return sorted(found.values(), key=lambda o: -o.fit)

    def _exact(self, line: _Line, stream: list[Token], found: dict[tuple[int, int, int], Occurrence]) -> None:
        for first in range(len(stream)):
            key: Tokens = ()
            for last in range(first, min(first + _LONGEST, len(stream))):
                key = (*key, stream[last].text)
                if key not in self.begun:
                    break
                for index, weight in self.exact.get(key, ()):
                    self._add(found, index, line, stream[first].start, stream[last].end, weight)

    def _partial(self, line: _Line, found: dict[tuple[int, int, int], Occurrence]) -> None:
        words = vocabulary()
        seen: set[tuple[int, frozenset[str]]] = set()
        for token in line.tokens:
            for index, bag, weight in self.partial.get(token.text, ()):
                if (index, bag) in seen:
                    continue
                seen.add((index, bag))
                left, right = line.part(token.start, token.end)
                part = [t for t in line.tokens if t.start >= left and t.end <= right]
                shared = [t for t in part if t.text in bag]
                have = sum(words.weight(t) for t in {t.text for t in shared})
                want = sum(words.weight(t) for t in bag)
                ask = self.asks[index]
                if have / want < 0.6 or not ({t.text for t in shared} & ask.strong):
                    continue
                missing = sum(words.weight(t) for t in (ask.strong & bag) - {t.text for t in part})
                fit = weight * (have / want) * (0.75 if missing else 0.92)
                self._add(found, index, line, shared[0].start, shared[-1].end, fit)

    def _add(self, found: dict[tuple[int, int, int], Occurrence], index: int, line: _Line, start: int, end: int, weight: float) -> None:
        ask, segment, text = self.asks[index], line.segment, line.segment.text
        left, right = line.part(start, end)
        aside = _ASIDE.search(text, end)
        if aside:
            right = min(right, aside.start())
        part = [(t, says) for t, says in zip(line.tokens, line.weights, strict=True) if t.start >= left and t.end <= right]
        outside = {t.text for t, _ in part if t.end <= start or t.start >= end} & ask.exclude
        if outside - ({"tax"} if any(t.text in _WITH for t, _ in part) else set[str]()):
            return
        inside = sum(says for t, says in part if start <= t.start and t.end <= end) or 0.2
        lead = sum(says for t, says in part if t.end <= start and not t.text.isdigit())
        tail = sum(says for t, says in part if t.start >= end and not t.text.isdigit())
        rest = text[end:right] + text[right : right + 1]
        colon = _COLON.match(text, end) is not None or text[end - 1 : end] == "#"
        after = _ENDED.match(rest) is not None
        if ask.kind in _WORDED and (colon or not after):
            # the value itself may follow without a colon: words after the label are no sign of another label
            tail_cost = 0.0 if colon else 0.12 * tail
        else:
            tail_cost = (0.1 if ask.kind in ("date", "datetime") else 0.22) * tail
        fit = weight * inside / (inside + 0.55 * lead + tail_cost * 1.0)
        if left > 0 and lead == 0:
            fit *= 0.97
        if fit < 0.3:
            return
        heading = lead == 0 and tail == 0
        key = (index, segment.page * 100000 + segment.index, start)
        known = found.get(key)
        if known is None or (fit, end) > (known.fit, known.end):
            found[key] = Occurrence(index, segment, start, end, fit, colon, heading)


def _label_end(word: str, start: int, end: int) -> int:
    """Where a word ends that an amount follows without a space: before its currency."""
    currency = GLUED_CURRENCY.search(word)
    return start + currency.start() if currency else end


def _without_remarks(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens outside brackets: `Invoice (copy) No.` is `Invoice No.`"""
    remarks = [(found.start(), found.end()) for found in _REMARK.finditer(text)]
    return [token for token in tokens if not any(start <= token.start < end for start, end in remarks)] if remarks else tokens


def address_likely(text: str) -> bool:
    """Whether a line that begins with a number begins with a house number."""
    words = {plain(word) for word in re.findall(r"[^\W\d_]+", text)}
    if _ASKING & set(tokens_of(text)):
        return False  # `5 Address (number, street)` asks for one
    return bool(words & (vocabulary().street | vocabulary().region)) or "," in text


def is_label(reader: Reader, segment: Segment) -> bool:
    """Whether a segment is nothing but a label: it ends in a colon, or is one that documents use."""
    text = segment.text.strip()
    if text.endswith(":") and any(c.isalpha() for c in text):
        return True
    if segment.sheet.numbered(segment) and not address_likely(text):
        return True  # `7 Fishing boat proceeds`: how forms number their boxes
    tokens = tuple(t.text for t in reader.tokens(text))
    return bool(tokens) and tokens in vocabulary().every_label


def value_end(reader: Reader, text: str, start: int) -> int:
    """Where the value that begins at `start` ends: before the next `label:` in the same text."""
    known = vocabulary().label_tokens
    for found in re.finditer(r"[:#]", text[start:]):
        at = start + found.start()
        before = list(reader.tokens(text[start:at]))
        keep = at
        for token in reversed(before):
            if token.text in known and not token.text.isdigit():
                keep = start + token.start
            else:
                break
        if keep < at and keep > start:
            return keep
    return len(text)
