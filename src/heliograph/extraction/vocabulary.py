"""The words that documents and schemas use, in English, German, French, Spanish, Italian, Dutch, Portuguese and Malay.

`vocabulary.json` is the readable source: spellings of one token (`nr`, `number`, `#` are all `no`), the concepts that fields
ask for with their labels on documents, month names, currencies, and the words that mark organisations, streets and totals.
It names kinds of things only; no company, person or form.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

Tokens = tuple[str, ...]

WORD = re.compile(r"[^\W\d_]{2,}?(?=(?<=[a-z])[A-Z][a-z]{3})|[^\W\d_]+|\d+|[#%]")
"""A token: letters, digits, `#` or `%`. Words that lost their space (`ofRegistrant`) are two."""
_REMEMBERED = 50_000
"""Words whose canonical form is remembered."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Concept(msgspec.Struct, frozen=True):
    """Something schemas often ask for. `names` are how fields call it, `labels` how documents do.

    `kind` is the type of its values, `party` whose it is, `unlabelled` whether documents show it without a label, `line`
    whether it belongs to a row of a table, `role` its part in net + tax = gross, `range` which end of a period it is,
    `words` the values it can have, `exclude` words that turn a label into another one's. A label after `~` is
    second choice: another concept's, that often holds the same; `~@total` stands for all labels of the concept `total`.
    """

    id: str
    kind: str
    names: list[str]
    labels: list[str]
    party: str = ""
    unlabelled: bool = False
    line: bool = False
    role: str = ""
    range: str = ""
    words: str = ""
    exclude: str = ""
    pattern: str = ""


class _File(msgspec.Struct, frozen=True):
    version: str
    tokens: dict[str, list[str]]
    endings: dict[str, list[str]]
    """Compounds that mean what their last part does: `Mietrechnung` is an invoice."""
    stop: list[str]
    weak: list[str]
    issuer: list[str]
    customer: list[str]
    months: dict[str, int]
    currencies: dict[str, list[str]]
    titles: list[str]
    organisation: list[str]
    legal: list[str]
    street: list[str]
    region: list[str]
    totals: list[str]
    carried: list[str]
    other: list[str]
    chapters: dict[str, list[str]]
    """Headings of the parts of a paper about a person's life, by what they head."""
    careers: dict[str, list[str]]
    """Words of positions, schools, degrees, and of what goes on still."""
    yes: list[str]
    no: list[str]
    concepts: list[Concept]


def plain(text: str) -> str:
    """Lower case without accents: `Währung` is `waehrung`, `Référence` is `reference`."""
    lowered = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    if lowered.isascii():
        return lowered
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


class Vocabulary:
    """The file, indexed for look-up."""

    def __init__(self, raw: _File) -> None:
        self.raw = raw
        self.version = raw.version
        self.endings = {plain(ending): token for token, endings in raw.endings.items() for ending in endings}
        self.canonical = {plain(spelling): token for token, spellings in raw.tokens.items() for spelling in spellings}
        self._tokens: dict[str, str] = {}
        self.stop = frozenset(raw.stop)
        self.weak = frozenset(raw.weak)
        self.months = raw.months
        self.currencies = {spelling: code for code, spellings in raw.currencies.items() for spelling in (*spellings, code.casefold())}
        self.codes = frozenset(raw.currencies)
        self.titles = {self.tokens(title) for title in raw.titles}
        self.organisation, self.legal = frozenset(raw.organisation), frozenset(raw.legal)
        self.street, self.region = frozenset(plain(w) for w in raw.street), frozenset(raw.region)
        self.totals = {self.tokens(words) for words in raw.totals}
        self.other = frozenset(self.tokens(" ".join(raw.other)))
        self.carried = {self.tokens(words) for words in raw.carried}
        self.yes, self.no = frozenset(raw.yes), frozenset(raw.no)
        self.issuer, self.customer = frozenset(self.tokens(" ".join(raw.issuer))), frozenset(self.tokens(" ".join(raw.customer)))
        self.concepts = {concept.id: concept for concept in raw.concepts}
        self.labels = {
            concept.id: {self.tokens(words): None for words in concept.labels if not words.startswith("~@")} for concept in raw.concepts
        }
        self.second = {concept.id: {self.tokens(words) for words in concept.labels if words.startswith("~")} for concept in raw.concepts}
        for concept in raw.concepts:
            for other in (label[2:] for label in concept.labels if label.startswith("~@")):
                for tokens in self.labels[other]:
                    if tokens not in self.labels[concept.id]:
                        self.labels[concept.id][tokens] = None
                        self.second[concept.id].add(tokens)
        self.names = {concept.id: [self.tokens(words) for words in concept.names] for concept in raw.concepts}
        self.every_label: frozenset[Tokens] = frozenset(tokens for table in self.labels.values() for tokens in table if tokens)
        self.label_tokens = frozenset(token for tokens in self.every_label for token in tokens)

    def tokens(self, text: str) -> Tokens:
        """The canonical tokens of a label or a name."""
        return tuple(self.token(found.group()) for found in WORD.finditer(text))

    def token(self, word: str) -> str:
        """The canonical form of one word."""
        known = self._tokens.get(word)
        if known is None:
            known = self._token(plain(word))
            if len(self._tokens) < _REMEMBERED:
                self._tokens[word] = known
        return known

    def _token(self, lowered: str) -> str:
        made = self.canonical.get(lowered)
        if made is None:
            made = next(
                (token for ending, token in self.endings.items() if len(lowered) >= len(ending) + 3 and lowered.endswith(ending)), lowered
            )
        return made

    def weight(self, token: str) -> float:
        """How much a token says: `passport` a lot, `number` little, `the` nothing."""
        if token in self.stop:
            return 0.0
        return 0.35 if token in self.weak else 0.2 if len(token) == 1 else 1.0


def split_name(name: str) -> str:
    """A field's name as words: `invoiceIssueDate`, `invoice_issue_date` -> `invoice issue date`."""
    return re.sub(r"[_\W]+", " ", _CAMEL.sub(" ", name)).strip()


@cache
def vocabulary() -> Vocabulary:
    """The shipped vocabulary."""
    return Vocabulary(msgspec.json.decode(files("heliograph.extraction").joinpath("vocabulary.json").read_bytes(), type=_File))


@lru_cache(maxsize=65536)
def telling(tokens: Tokens) -> Tokens:
    """Those of the tokens that say something."""
    return tuple(token for token in tokens if vocabulary().weight(token) > 0)


@lru_cache(maxsize=65536)
def tokens_of(text: str) -> Tokens:
    """`vocabulary().tokens(text)`, remembered."""
    return vocabulary().tokens(text)
