"""Answers from what was filled in: which entry of a form a field asks for, and its answer as the field's kind.

A field and a caption are compared as bags of words. What the caption lacks may stand over it; initials stand for the words they are
the initials of, either way; and a field that names a box by number (`box_1_rents`, `line 4b`) is answered from that box.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

import msgspec

from heliograph.extraction.addresses import address_likeness
from heliograph.extraction.candidates import FREE, Candidate, Found, Part, read_as
from heliograph.extraction.choices import Choice, option
from heliograph.extraction.entries import Entry
from heliograph.extraction.fields import Ask
from heliograph.extraction.labels import Finder, Occurrence, Reader
from heliograph.extraction.normalise import Conventions
from heliograph.extraction.pointing import lead_of, unbroken
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import WORD, Tokens, split_name, tokens_of, vocabulary

LEAST = 0.55
"""Fit of the weakest caption that is a field's."""
_OWN, _ANY = 0.66, 0.95
"""Share of a phrase that caption and context must have: of the schema's own words, and of a concept's usual labels."""
_ABOVE = 0.8
"""What a word over the caption counts beside one in it."""
_LIKE_ADDRESS = 0.3
"""Likeness of the line with which an address begins, under a name."""
_LETTER = 0.3
"""Weight of a single letter."""
_INITIALS = 3
"""Letters from which on initials tell; beyond two more they are a word."""
_LEAD, _TAIL, _FAR = 0.09, 0.035, 0.05
"""Cost of a telling word before and after the field's in a box's caption, and between the field's words and a blank."""
_ANOTHERS = 0.25
"""Cost of a caption that begins with the other party: `Employer's address` for the address of who is paid."""
_ORDINAL = re.compile(r"\b(?:box|line|item|field|row|no|feld|zeile|ligne|case|casilla|riga|campo)[\s_]*(\d{1,2}[a-z]?)\b", re.IGNORECASE)
_REMARK = re.compile(r"\s\(|[.?;]\s+[A-Z]|,\s+(?:if|as|see|when|where|such)\b|\s[—–]\s")
_TOWN = 0.9
_TOWN_LINE = re.compile(r"^[^\W\d][^\d]*,\s*[^\W\d]{2,}\.?\s+[\dA-Z][\dA-Z -]{3,9}$")
"""A town with its state and postal code: `Macon, GA 61829`."""
_PLACE = frozenset({"city", "town", "state", "province", "zip", "country", "stadt", "ort", "ville", "ciudad", "land", "pays"})
_TAIL_OF_ADDRESS = frozenset({"city", "town", "zip", "province", "ville", "ort", "ciudad"})


def ordinal(ask: Ask) -> str:
    """The number of the box that a field names, such as `4b`; empty where it names none."""
    for text in (ask.field.name, ask.field.title, ask.field.description):
        found = _ORDINAL.search(re.sub(r"[_\-]+", " ", text or ""))
        if found:
            return found[1].lower()
    return ""


def filled(
    finder: Finder, asks: Sequence[Ask], made: Sequence[Entry], conventions: Conventions
) -> Iterator[tuple[int, Candidate | None, Segment]]:
    """Candidates from entries, as (field, candidate, caption); no candidate where the place under the caption was left empty."""
    numbers = [ordinal(ask) for ask in asks]
    sought = _Sought(asks)
    for at, entry in enumerate(made):
        words = _Words(finder.reader, entry)
        if "address" in words.own and _rest_of_address(entry, made[at + 1 :]) is not None:
            words.above.add("street")  # for the town is asked apart
        named = sought.by(words)
        for index, ask in enumerate(asks):
            if ask.kind == "boolean" or not (numbers[index] or index in named):
                continue
            fit = words.fit(ask, numbers[index])
            if fit < LEAST:
                continue
            occurrence = Occurrence(index, entry.caption[0], 0, words.title_end, fit, colon=False, heading=True)
            candidates = list(_read(ask, entry, made[at + 1 :], conventions, fit, occurrence))
            for candidate in candidates:
                yield index, candidate, entry.caption[0]
            if not candidates and not entry.value and entry.sure:
                yield index, None, entry.caption[0]


def ticked(finder: Finder, asks: Sequence[Ask], made: Sequence[Choice]) -> Iterator[tuple[int, Candidate]]:
    """Candidates from boxes to tick: whether one is ticked, for fields of yes and no; what the ticked one stands for, for others."""
    for choice in made:
        words = _Words(finder.reader, choice.caption)
        for index, ask in enumerate(asks):
            if ask.kind == "boolean":
                fit = words.fit(ask, "")
                if fit >= LEAST and (choice.answer is None or choice.ticked):
                    value = choice.ticked if choice.answer is None else choice.answer
                    yield index, _choice(index, choice, value, fit, (choice.segment, choice.start, choice.end))
            elif choice.ticked and (ask.field.enum or ask.kind == "text"):
                yield from _chosen(finder.reader, index, ask, choice)


def _chosen(reader: Reader, index: int, ask: Ask, choice: Choice) -> Iterator[tuple[int, Candidate]]:
    """What a ticked box stands for, when its group is what the field asks for, or one of the field's values."""
    if choice.answer is not None:
        return
    head = choice.caption.caption[0]
    label = option(choice.label)
    asked = _Question(reader, choice.caption)
    fit = asked.fit(ask, "")
    end = min(len(head.text), len(label))
    for each in ask.field.enum or []:
        if isinstance(each, str) and set(tokens_of(split_name(each))) <= set(tokens_of(label)) and tokens_of(split_name(each)):
            yield index, _choice(index, choice, each, max(fit, 0.75), (head, 0, end))
            return
    if fit >= LEAST and not ask.field.enum:
        yield index, _choice(index, choice, label, fit, (head, 0, end))


def _choice(index: int, choice: Choice, value: bool | str, fit: float, part: Part) -> Candidate:
    occurrence = Occurrence(index, choice.segment, choice.start, choice.end, fit, colon=False, heading=True)
    features = {"fit": fit, "box": 1.0, "entry": 1.0, "same": 1.0, "quality": 1.0, "reading": choice.segment.score}
    return Candidate(value, [part], features, occurrence=occurrence)


def one(token: str) -> str:
    """A token without the `s` of many: `sales` is `sale`."""
    return token[:-1] if len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is")) else token


@lru_cache(maxsize=16384)
def _shortened(tokens: Tokens) -> tuple[str | None, tuple[str, ...]]:
    """The initials of a phrase, if they are enough to tell, and those of its words that can be the initials of others."""
    letters = "".join(t[0] for t in tokens if t[0].isalpha())
    return letters if len(letters) >= _INITIALS else None, tuple(token for token in _bag(tokens)[0] if _initialism(token))


def _initialism(token: str) -> bool:
    return _INITIALS <= len(token) <= _INITIALS + 2 and token.isalpha()


@lru_cache(maxsize=16384)
def _bag(tokens: Tokens) -> tuple[dict[str, float], float]:
    """What each word of a phrase weighs, and all of them together. Shared: not to be changed."""
    bag = {one(t): _LETTER if len(t) == 1 and t.isalpha() else vocabulary().weight(t) for t in tokens if t not in _ORDINALS}
    bag = {t: w for t, w in bag.items() if w > 0}
    return bag, sum(bag.values())


class _Words:
    """The words of an entry, prepared for comparison."""

    def __init__(self, reader: Reader, entry: Entry) -> None:
        self.entry = entry
        text = entry.text
        remark = _REMARK.search(text, 4)
        if entry.where == "blank":
            remark = None
        self.title_end = min(len(entry.caption[0].text), remark.start() if remark else len(text))
        words = vocabulary()
        tokens = reader.tokens(text)
        self.title = [
            one(t.text) for t in tokens if (not remark or t.end <= remark.start()) and words.weight(t.text) > 0 and not t.text.isdigit()
        ]
        self.own = {one(t.text) for t in tokens} | {found.group().replace(",", "") for found in re.finditer(r"\d{1,3}(?:,\d{3})+", text)}
        self.behind = [one(t.text) for s in entry.behind for t in reader.tokens(s.text)]
        self.above = {one(reader.canonical(t)) for t in entry.context}
        self.spelled = [found.group().casefold() for found in WORD.finditer(text) if found.group()[0].isalpha()]

    def fit(self, ask: Ask, number: str) -> float:
        """How well the entry is what a field asks for, 0-1."""
        best = max((self._phrase(ask, phrase.tokens, phrase.weight, own=phrase.own) for phrase in ask.phrases), default=0.0)
        if not number:
            return best
        if number != self.entry.number.lower():
            return 0.0 if self.entry.number else 0.6 * best
        rest = [t for t in tokens_of(split_name(ask.field.name)) if vocabulary().weight(t) >= 1 and t not in _ORDINALS and not t.isdigit()]
        return max(best, 0.97 if not rest else 0.9 if set(rest) & self.own else 0.72)

    def _phrase(self, ask: Ask, tokens: Tokens, weight: float, *, own: bool) -> float:
        words = vocabulary()
        bag, want = _bag(tokens)
        if not want:
            return 0.0
        letters, short = _shortened(tokens)
        if not short and letters not in self.own and self.heard.isdisjoint(bag):
            return 0.0
        behind = self._behind
        mine = {t for t in bag if t in self.own or self._initials(t)}
        if not mine and self._initialled(tokens):
            mine = set(bag)
        near = {t for t in bag if t not in mine and t in behind}
        over = {t for t in bag if t not in mine and t not in near and t in self.above}
        have = sum(bag[t] for t in mine | near) + _ABOVE * sum(bag[t] for t in over)
        if have / want < (_OWN if own else _ANY) or not (mine | near):
            return 0.0
        if not any(bag[t] >= 1 for t in mine | near) and any(bag[t] >= 1 for t in bag) and not over & {one(t) for t in ask.strong}:
            return 0.0
        if ask.kind == "id" and "address" not in bag and ("address" in self.own or len(_PLACE & self.own) > 1):
            return 0.0  # `City, state and ZIP code` is no `State number`
        parts = (_PLACE | {"address"}) & set(bag) if ask.kind in ("city", "address") else frozenset[str]()
        if parts and not parts & (mine | near):
            return 0.0  # the town of the recipient is not in the box for the recipient's name
        outside = set(self.title) - set(bag)
        if outside & {one(t) for t in ask.exclude}:
            return 0.0
        cost = self._cost(mine, near)
        if not own and len(bag) == 1:
            cost = max(cost, min(0.5, 0.12 * _said([t for t in self.title if t not in bag])))
        if self.title and self.title[-1] in _OTHER_KINDS and self.title[-1] not in bag and ask.kind in _NAMES:
            cost += 0.25  # `Advertiser ID` is no advertiser's name
        others = {"customer": words.issuer, "issuer": words.customer}.get(ask.party, frozenset[str]())
        if self.title and self.title[0] in others and self.title[0] not in bag:
            cost += _ANOTHERS
        return min(1.0, weight) * have / want * (1 - cost)

    def _cost(self, mine: set[str], near: set[str]) -> float:
        """What the other words of the caption take from the fit."""
        words = vocabulary()
        places = [n for n, t in enumerate(self.title) if t in mine]
        if self.entry.where != "blank":
            if not places:
                return 0.1
            lead, tail = _said(self.title[: places[0]]), _said([t for t in self.title[places[0] :] if t not in mine])
            return min(0.25, 0.05 * lead + 0.015 * tail) if self.entry.where == "tick" else min(0.5, _LEAD * lead + _TAIL * tail)
        telling = [t for t in self.behind if words.weight(t) > 0]
        after = [n for n, t in enumerate(telling) if t in near | mine]
        costs: list[float] = []
        if places:
            costs.append(_FAR * _said(self.title[places[-1] + 1 :]) + 0.02 * _said(self.title[: places[0]]))
        if after:
            costs.append(0.04 + _FAR * _said(telling[: after[0]]))
        return min(0.5, min(costs, default=0.1))

    def _initials(self, token: str) -> bool:
        """Whether a token is the initials of words that follow each other in the caption."""
        if not _initialism(token):
            return False
        stop = vocabulary().stop
        for words, letters in self.lettered:
            at = letters.find(token)
            if at >= 0 and all(len(word) > 2 or word in stop for word in words[at : at + len(token)]):
                return True
        return False

    @cached_property
    def lettered(self) -> list[tuple[list[str], str]]:
        """The words of the caption, with and without those that say nothing, and their initials."""
        stop = vocabulary().stop
        telling = [word for word in self.spelled if word not in stop]
        return [(words, "".join(word[0] for word in words)) for words in (self.spelled, telling)]

    @cached_property
    def heard(self) -> frozenset[str]:
        """Every word of the caption, and behind it."""
        return frozenset(self.own) | self._behind

    @cached_property
    def _behind(self) -> frozenset[str]:
        return frozenset(self.behind)

    def _initialled(self, tokens: Tokens) -> bool:
        """Whether the caption has the initials of a phrase."""
        return _shortened(tokens)[0] in self.own


class _Sought:
    """The fields that a caption may be of, found by the words and initials that their phrases share with it: most share none."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        self._by_word: dict[str, set[int]] = {}
        self._by_short: dict[str, set[int]] = {}
        for index, ask in enumerate(asks):
            for phrase in ask.phrases:
                letters, short = _shortened(phrase.tokens)
                for word in (*_bag(phrase.tokens)[0], letters):
                    if word:
                        self._by_word.setdefault(word, set()).add(index)
                for word in short:
                    self._by_short.setdefault(word, set()).add(index)

    def by(self, words: _Words) -> set[int]:
        """The fields that a caption has a word or initials of, by their place among those asked for."""
        made: set[int] = set()
        for word in words.heard:
            made |= self._by_word.get(word, set())
        for _, letters in words.lettered:
            if len(letters) >= _INITIALS:
                for word, asks in self._by_short.items():
                    if word in letters:
                        made |= asks
        return made


class _Question(_Words):
    """The words over a group of boxes to tick, compared as a caption."""

    def __init__(self, reader: Reader, entry: Entry) -> None:
        super().__init__(reader, entry)
        context = [one(reader.canonical(t)) for t in entry.context]
        self.own, self.above = set(context), set[str]()
        self.title, self.spelled, self.behind = [t for t in context if vocabulary().weight(t) > 0], list(entry.context), []


_OTHER_KINDS = frozenset({"id", "no", "code", "date", "phone", "amount", "email", "address", "reference", "type"})
_NAMES = frozenset({"org", "person", "person1", "name"})
_ORDINALS = frozenset({"box", "line", "item", "field", "part", "form"})


def _said(tokens: Sequence[str]) -> float:
    return sum(vocabulary().weight(token) for token in tokens)


def _read(
    ask: Ask, entry: Entry, following: Sequence[Entry], conventions: Conventions, fit: float, occurrence: Occurrence
) -> Iterator[Candidate]:
    """The answer in an entry as a field's kind."""
    lines = entry.value
    if not lines:
        return
    features = {"fit": fit, "box": 1.0, "order": 0.0, "gap": 0.0, "entry": 1.0, "reading": min(line.score for line in lines)}
    if entry.where == "comb":
        text = "".join(line.text for line in lines).replace(" ", "").replace("–", "-").replace("—", "-")
        value = int(re.sub(r"\D", "", text) or 0) if ask.field.kind == "integer" else text
        if re.search(r"\w", text) and ask.kind not in ("date", "datetime") and ask.field.kind != "number":
            yield Candidate(value, [_part(line) for line in lines], {**features, "quality": 1.0}, occurrence=occurrence)
            return
    whole = ask.kind == "text" or (ask.kind == "address" and {"name", "address"} <= set(tokens_of(split_name(ask.field.name))))
    if whole:
        yield _joined(lines, {**features, "quality": 0.8}, occurrence)
        return
    if ask.kind == "address":
        first = next((at for at, line in enumerate(lines) if address_likeness(line.text) > _LIKE_ADDRESS), None)
        lines = lines[first or 0 :]
        asked = f"{split_name(ask.field.name)} {ask.field.description}"
        street = "street" in tokens_of(asked) or _has_place(lines)
        parts = lines if street else [*lines, *(_rest_of_address(entry, following) or [])]
        yield _joined(parts, {**features, "quality": 0.3 if first is None else 1.0, "likeness": 0.0 if first is None else 0.6}, occurrence)
        return
    if ask.kind == "id" and _plural(ask) and len(lines) == 1 and "," in lines[0].text:
        yield _joined(lines, {**features, "quality": 0.9}, occurrence)
        return
    made: list[Candidate] = []
    for line in lines:
        start = lead_of(ask, line.text)
        if ask.kind in _NAMES and line.text[start : start + 1].islower():
            continue
        found = read_as(ask, line.text, conventions, start=start)
        if ask.kind == "city":
            found = (
                [msgspec.structs.replace(f, quality=_TOWN) for f in found]
                if _TOWN_LINE.search(line.text)
                else found
                if len(lines) == 1
                else []
            )
        if not found and ask.kind == "id" and len(lines) == 1 and re.fullmatch(r"[\w./-]{1,30}", line.text):
            found = [Found(0, len(line.text), line.text, 0.6)]  # a code of letters alone, or a number that is not written as usual
        for each in found[:2]:
            traits = {**features, "order": float(len(made)), "quality": each.quality}
            made.append(Candidate(each.value, [(line, each.start, each.end)], traits, occurrence=occurrence))
            if ask.kind in _NAMES:
                unbroken(made[-1], lines)
        if found and ask.kind in FREE:
            break
    if ask.range and ask.kind in ("date", "datetime") and len(made) > 1:
        made = [made[0] if ask.range == "start" else made[-1]]
        made[0].features["order"] = 0.0
    yield from made


def _part(segment: Segment) -> Part:
    return segment, 0, len(segment.text)


def _joined(lines: Sequence[Segment], features: dict[str, float], occurrence: Occurrence) -> Candidate:
    return Candidate(" ".join(line.text for line in lines), [_part(line) for line in lines], features, occurrence=occurrence)


def _has_place(lines: Sequence[Segment]) -> bool:
    """Whether an address already comes with its town."""
    return len(lines) > 1 or bool(re.search(r"\b\d{4,5}(?:-\d{4})?\b.*$", lines[0].text.split(",", 1)[-1]) and "," in lines[0].text)


def _rest_of_address(entry: Entry, following: Sequence[Entry]) -> list[Segment] | None:
    """The town that the same box, or the next box, asks for under a caption of its own; None where none is asked for."""
    for other in following[:4]:
        asked = set(tokens_of(other.text))
        near = other.region == entry.region or (abs(other.region.y0 - entry.region.y1) < 6 and other.region.x0 < entry.region.x1)
        if near and asked & _TAIL_OF_ADDRESS:
            return other.value[:1]
    return None


def _plural(ask: Ask) -> bool:
    words = split_name(ask.field.name).casefold().split()
    return bool(words) and words[-1].endswith("s")
