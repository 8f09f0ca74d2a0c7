"""Names of people, found without a model: by titles and degrees, by the words that stand before a name, by well-known first and family
names, and everywhere else that a name found once is written again.

`people.json` holds the words. It knows the commonest names of the United States and a few of other countries; a rare name is found by
what stands around it, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import msgspec
from rapidfuzz import fuzz

from heliograph.extraction.vocabulary import plain, tokens_of, vocabulary


class Lists(msgspec.Struct, frozen=True):
    """`never`: words that begin with a capital in documents and are nobody's name by themselves. `doing`: words a name follows."""

    titles: frozenset[str]
    credentials: frozenset[str]
    particles: frozenset[str]
    relations: frozenset[str]
    doing: frozenset[str]
    organisation: frozenset[str]
    given: frozenset[str]
    family: frozenset[str]
    never: frozenset[str]


@cache
def lists() -> Lists:
    """The shipped words, in lower case without accents."""
    read = msgspec.json.decode(files("heliograph.extraction.redaction").joinpath("people.json").read_bytes(), type=dict[str, str])
    return Lists(**{name: frozenset(plain(word) for word in words.split()) for name, words in read.items()})


_WORD = re.compile(r"[^\W\d_](?:[\w'’`]|-(?=\w))*\.?|[^\s\w]|\S")
_INITIAL = re.compile(r"[^\W\d_]\.?")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
LIKE = 84.0
"""Likeness in percent from which a word read from a picture is a name misread: one letter in six."""
LONGEST = 6
"""Words of the longest name."""


class _Token(msgspec.Struct, frozen=True):
    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        return plain(self.text.rstrip(".").replace("’", "'")).removesuffix("'s")

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def initial(self) -> bool:
        return _INITIAL.fullmatch(self.text) is not None and self.capital


def _tokens(text: str) -> list[_Token]:
    return [_Token(m.group(), *m.span()) for m in _WORD.finditer(text)]


def _known(token: _Token) -> bool:
    words = lists()
    return any(part in words.given or part in words.family for part in (token.key, *re.split(r"[-']", token.key)))


def _may_be(token: _Token) -> bool:
    """Whether a word may be part of a name at all."""
    words = lists()
    if not token.capital or not token.text[0].isalpha():
        return False
    key = token.key
    if key in words.never or key in words.organisation or key in vocabulary().months:
        return False
    return _known(token) or vocabulary().token(key) not in vocabulary().label_tokens


def _sequence(tokens: list[_Token], at: int, *, most: int = 4) -> int:
    """How many tokens from `at` on are a name: capitalised words and initials, particles between them, an ending such as Jr."""
    words, count, end = lists(), 0, at
    while end < len(tokens) and count < most:
        token = tokens[end]
        if _may_be(token) or token.initial:
            count += 1
        elif not (token.key in words.particles and end + 1 < len(tokens) and _may_be(tokens[end + 1])):
            break
        end += 1
        # a word that ends a sentence ends the name
        if token.text.endswith(".") and not token.initial and token.key not in words.particles:
            break
    while end < len(tokens) and tokens[end].key in {"jr", "sr", "ii", "iii", "iv"}:
        end += 1
    return end - at


def names(text: str) -> Iterator[tuple[int, int]]:
    """Where people are named in running text, as [start, end)."""
    words, tokens = lists(), _tokens(text)
    lower = {token.key for token in tokens if token.text.islower()}
    at = 0
    while at < len(tokens):
        token = tokens[at]
        key = token.key
        # Dr. Quill, Mrs. Ada Quill
        if key in words.titles and (token.capital or key in words.relations) and at + 1 < len(tokens):
            count = _sequence(tokens, at + 1)
            if count and not (key in words.relations and count == 1 and not _known(tokens[at + 1])):
                yield tokens[at + 1].start, tokens[at + count].end
                at += count + 1
                continue
        if _may_be(token) or token.initial:
            count = _sequence(tokens, at)
            run = tokens[at : at + count]
            yielded = _named(text, tokens, at, run, lower)
            if yielded is not None:
                yield yielded
                at = next((n for n in range(at, len(tokens)) if tokens[n].start >= yielded[1]), len(tokens))
                continue
            at += max(count, 1)
            continue
        at += 1


def _named(text: str, tokens: list[_Token], at: int, run: list[_Token], lower: set[str]) -> tuple[int, int] | None:
    """Whether a run of capitalised words names a person, and how far the name goes."""
    words = lists()
    if not run:
        return None
    before = tokens[at - 1] if at else None
    after = tokens[at + len(run)] if at + len(run) < len(tokens) else None
    beyond = tokens[at + len(run) + 1] if at + len(run) + 1 < len(tokens) else None
    full = [token for token in run if not token.initial]
    if after is not None and after.key in words.organisation:
        return None
    # Quill, MD
    follows = beyond if after is not None and after.text == "," else after
    if follows is not None and _degree(text, follows) and (len(run) > 1 or (after is not None and after.text == ",")):
        return run[0].start, run[-1].end
    known = [token for token in full if _known(token)]
    # Quill, Ada B.
    if (
        after is not None
        and after.text == ","
        and beyond is not None
        and len(full) <= 2
        and (_may_be(beyond))
        and "\n" not in text[run[0].start : beyond.end]
    ):
        count = _sequence(tokens, at + len(run) + 1, most=3)
        rest = tokens[at + len(run) + 1 : at + len(run) + 1 + count]
        if count and len(rest) <= 3 and (known or any(_known(token) for token in rest) or (rest[-1].initial and len(rest) > 1)):
            return run[0].start, rest[-1].end
    if len(full) + len([t for t in run if t.initial]) >= 2 and known:
        return run[0].start, run[-1].end
    calls = before is not None and (before.key in words.relations or before.key in words.doing)
    if calls and before is not None and (len(full) >= 2 or known or (full and before.key in words.relations and before.text.islower())):
        return run[0].start, run[-1].end
    # in the middle of a sentence, two words with capitals that the text does not write without
    inside = before is not None and (before.text.islower() or before.text == ",") and text[before.end : run[0].start] != ""
    if (
        inside
        and len(full) >= 2
        and not any(token.key in lower for token in full)
        and not any(t.text.isupper() and len(t.text) > 1 for t in run)
    ):
        return run[0].start, run[-1].end
    # a first name by itself
    if inside and len(run) == 1 and run[0].key in words.given and before is not None and before.text != ",":
        return run[0].start, run[0].end
    return None


def _degree(text: str, token: _Token) -> bool:
    """Whether a degree begins here, also one written with points."""
    found = re.match(r"[A-Za-z.\-/]+", text[token.start :])
    written = found.group().rstrip(",;") if found else ""
    return bool(written) and plain(written).rstrip(".") in lists().credentials and written[:1].isupper() and len(written) > 1


def is_name(text: str) -> bool:
    """Whether the whole of a labelled value may be a person's name."""
    words = lists()
    tokens = [token for token in _tokens(text) if token.text not in {",", ".", "(", ")", "/", "&", "-", '"'}]
    if not 1 <= len(tokens) <= LONGEST + 2 or any(c.isdigit() for c in text):
        return False
    real = [token for token in tokens if token.key not in words.particles and not token.initial and token.key not in words.credentials]
    real = [token for token in real if token.key not in words.titles]
    if not real or all(token.key in words.never for token in real):
        return False
    if tokens_of(text) in vocabulary().every_label or text.rstrip().endswith(":"):
        return False
    return not any(token.key in words.organisation for token in real)


def bare(text: str) -> tuple[int, int]:
    """Where in a labelled name the name itself is, without titles before it and degrees after it."""
    words = lists()
    end = len(text)
    while degree := re.search(r"[,\s]+((?:[A-Za-z]+\.)+[A-Za-z]*|[A-Za-z]+)[,.]?$", text[:end]):
        key = plain(degree[1])
        if not {key, key.rstrip("."), key.replace(".", "")} & words.credentials:
            break
        end = degree.start()
    tokens = [token for token in _tokens(text[:end]) if token.text[0].isalpha()]
    while len(tokens) > 1 and tokens[0].key in words.titles:
        tokens.pop(0)
    while len(tokens) > 1 and (plain(tokens[-1].text).rstrip(".") in words.credentials or _degree(text, tokens[-1])):
        tokens.pop()
    return (tokens[0].start, tokens[-1].end) if tokens else (0, len(text))


def parts_of(name: str) -> tuple[set[str], set[str]]:
    """The words of a name to look for elsewhere, and its initials as they may be written (`A.B.`)."""
    words = lists()
    tokens = [token for token in _tokens(name) if token.text[0].isalpha()]
    bare = [token for token in tokens if token.key not in words.titles and token.key not in words.credentials]
    parts = {
        token.key
        for token in bare
        if len(token.key) >= 3 and token.key not in words.never and token.key not in words.particles and token.key not in words.organisation
    }
    letters = [token.key[0] for token in bare if token.key and token.key not in words.particles]
    initials = {".".join(letters), ".".join(reversed(letters))} if 2 <= len(letters) <= 3 else set[str]()
    if len(letters) == 3:
        initials |= {f"{letters[0]}.{letters[2]}"}
    return parts, initials


@lru_cache(maxsize=1 << 16)
def _is_part(word: str, parts: frozenset[str], *, read: bool) -> Literal["part", "within", "misread"] | None:
    """Whether a word is a part of a name, holds one, or may be one misread."""
    if word in parts:
        return "part"
    if any(len(piece) >= 4 and piece in parts for piece in re.split(r"[-_'\d]", word)):
        return "within"
    if len(word) > 5 and any(len(part) >= 5 and part in word for part in parts):
        return "within"
    if (
        read
        and len(word) >= 5
        and any(abs(len(part) - len(word)) <= 1 and len(part) >= 5 and fuzz.ratio(word, part) >= LIKE for part in parts)
    ):
        return "misread"
    return None


def again(text: str, parts: Iterable[str], initials: Iterable[str], *, read: bool = False) -> Iterator[tuple[int, int]]:
    """Where names found before are written again: each part by itself, inside a longer word when it is long enough, and as initials.

    `read`: the text comes from a picture, so a part may be misread by a letter or so.
    """
    known, short = frozenset(parts), {re.sub(r"\.", "", one) for one in initials}
    for m in re.finditer(r"[^\s]+", text):
        word = m.group()
        for piece in re.finditer(r"[^\W\d_](?:[\w'’]|-(?=\w))*", word):
            key = plain(piece.group().replace("’", "'"))
            own = key.removesuffix("'s")
            how = _is_part(own, known, read=read)
            if how == "part" and (not piece.group().islower() or (len(own) > 4 and own not in lists().never)):
                yield m.start() + piece.start(), m.start() + piece.end()
            elif how == "within":
                yield m.start(), m.end()
            elif how == "misread":
                yield m.start() + piece.start(), m.start() + piece.end()
        dotted = re.fullmatch(r"[(\"'\[]*((?:[A-Za-z]\.\s?){2,3}|(?:[A-Z]\.){1,2}[A-Z])[)\"',;:\]]*", word)
        if dotted and plain(re.sub(r"[^A-Za-z]", "", dotted[1])) in short:
            yield m.start(), m.end()


def beside(text: str, start: int, end: int) -> tuple[int, int]:
    """A part of a name with the words right beside it on its line that may belong to it: `Ulsa` of a known `Brenk`."""
    after = re.compile(r"[ ]([^\W\d_][\w'’-]+)(?![\w:])").match(text, end)
    before = re.search(r"(?<![\w'’.-])([^\W\d_][\w'’-]+)[ ]$", text[:start])
    for found in (after, before):
        if found is None or not found[1][0].isupper() or found[1].isupper():
            continue
        if _may_be(_Token(found[1], *found.span(1))):
            start, end = min(start, found.start(1)), max(end, found.end(1))
    return start, end
