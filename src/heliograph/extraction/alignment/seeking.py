"""From a value to the places where it may stand, by what it is: a number, a date, a choice, a yes or no, a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property

from heliograph.extraction.alignment.board import Board, Span
from heliograph.extraction.alignment.captions import caption_fit
from heliograph.extraction.alignment.figures import Figures
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.alignment.places import Place, Places
from heliograph.extraction.alignment.sought import Sought
from heliograph.extraction.alignment.texts import Texts
from heliograph.extraction.asking import tell_apart
from heliograph.extraction.choices import choices
from heliograph.extraction.fields import Ask, Phrase, understand
from heliograph.extraction.filled import ticked
from heliograph.extraction.labels import Finder
from heliograph.extraction.normalise import amounts, currency_code, dates
from heliograph.extraction.schema import Field
from heliograph.extraction.segments import Sheet
from heliograph.extraction.vocabulary import Tokens, plain, split_name, tokens_of, vocabulary

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d))?.*)?", re.DOTALL)
_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?(?:Z|[+-]\d\d:?\d\d)?")
_MONTH = re.compile(r"(\d{4})-(\d\d)")
_FIGURE = re.compile(r"[^\w]*[-+(]?\s*(?:[A-Z]{1,3}|[^\w\s])?\s*\d[\d.,'’ \u00a0\u202f]*[.,]\d+\s*(?:[A-Za-z]{1,3}|[^\w\s]*)?[^\w]*")
"""A text that is a number with a separator: its dots and commas mean something."""
_MARKS = re.compile(r"[☐☑☒□✓✔✗⊠■]|[\[(]\s?[xX✓✔]?\s?[\])]")
_LABELLED = 0.7
"""Fit of a label whose words are taken as saying yes."""
_LONGEST_CHOICE = 60
_SHARED = {"$": "CAD AUD NZD SGD HKD TWD MXN ARS CLP COP", "¥": "CNY", "kr": "SEK NOK DKK ISK", "£": "EGP"}
"""Signs that stand for these currencies too (ISO 4217)."""


class Seeker:
    """Looks values up on pages. Everything that needs a pass over the pages is made once, when first needed."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self.boards = boards
        self.figures, self.texts = Figures(boards), Texts(boards)

    def places(self, one: Sought, pages: Set[int] | None) -> Places:
        """Where a value may stand, on pages with these ordinals (None: all)."""
        best: dict[tuple[int, int, int], Place] = {}
        for place in self._places(one, pages):
            if pages is None or place.board.ordinal in pages:
                key = place.key
                if key not in best or place.quality > best[key].quality:
                    best[key] = place
        return Places(best.values())

    def similar(self, one: Sought, pages: Set[int]) -> list[Place]:
        """Where a text stands with letters misread, though it also stands somewhere as it is."""
        return list(self.texts.fuzzy(one.value, pages)) if isinstance(one.value, str) and one.field.enum is None else []

    def _places(self, one: Sought, pages: Set[int] | None) -> Iterator[Place]:
        value = one.value
        if isinstance(value, bool):
            yield from self._yes_or_no(one, value, pages)
        elif isinstance(value, (int, float)):
            yield from self._number(one, value, pages)
        elif isinstance(value, str) and value.strip():
            yield from self._text(one, value, pages)

    def _number(self, one: Sought, value: float, pages: Set[int] | None) -> Iterator[Place]:
        with suppress(InvalidOperation, ValueError):
            exact = Decimal(str(value))
            if not exact.is_finite():
                return
            money = one.wanted.kind == "money"
            found = False
            for place in self.figures.numbers(exact, money=money):
                found = found or pages is None or place.board.ordinal in pages
                yield place
            if found or money or not exact or exact != exact.to_integral_value():
                return
            digits = f"{abs(exact):f}".split(".")[0]
            for place in self.texts.exact(digits, pages):  # beside letters: `3pcs`
                if digits in place.board.text(place.spans[0]):
                    place.quality = 0.8
                    yield place

    def _text(self, one: Sought, value: str, pages: Set[int] | None) -> Iterator[Place]:
        field = one.field
        if field.enum is not None or (isinstance(field.const, str) and field.const):
            yield from self._choice(one, value, pages)
            return
        if one.wanted.kind == "currency" or (len(value) == 3 and value in vocabulary().codes):
            yield from self._currency(value, pages)
            return
        typed = list(self._moment(value))
        if typed:
            yield from typed
            return
        if _FIGURE.fullmatch(value):
            yield from self._figure(value, pages)
            return
        exact = list(self._exactly(value, pages))
        if exact:
            yield from exact
            return
        day = _only_day(value)
        if day is not None:
            yield from (place for each in day for place in self.figures.days(each))
            return
        pieced = list(self.texts.pieced(value, pages))
        if any(place.match == "exact" for place in pieced):
            yield from pieced
            return
        fuzzy = list(self.texts.fuzzy(value, pages))
        yield from fuzzy or pieced

    def _exactly(self, value: str, pages: Set[int] | None) -> Iterator[Place]:
        short = len(fold(value)) <= 2
        for place in self.texts.exact(value, pages):
            if short:
                same = place.board.text(place.spans[0]).strip(".,:;()") == value.strip(".,:;()")
                place.quality *= 0.8 if same else 0.5
            yield place

    def _figure(self, value: str, pages: Set[int] | None) -> Iterator[Place]:
        """A number that a field asks for as text: as it is written, else by its value."""
        written = _close(value)
        same = [place for place in self.texts.exact(value, pages) if written in _close(_whole(place))]
        if same:
            yield from same
            return
        found = {amount.value for mark in ".," for amount in amounts(value.strip(), mark)}
        for number in found if len(found) <= 2 else ():
            for place in self.figures.numbers(number):
                if len(found) == 1 or fold(place.board.text(place.spans[0])) == fold(value):
                    place.quality *= 0.95
                    yield place

    def _moment(self, value: str) -> Iterator[Place]:
        """A date, or a date and a time, as ISO 8601 writes them; a month alone."""
        text = value.strip()
        if found := _CLOCK.fullmatch(text):
            yield from self.figures.times(f"{found[1]}:{found[2]}:{found[3] or '00'}")
            return
        if found := _MONTH.fullmatch(text):
            yield from self._month(int(found[1]), int(found[2]))
            return
        found = _MOMENT.fullmatch(text)
        if found is None:
            return
        with suppress(ValueError):
            for place in self.figures.days(date.fromisoformat(found[1])):
                if found[2]:
                    place.spans += self._clock(place, f"{found[2]}:{found[3] or '00'}")
                yield place

    def _clock(self, day: Place, time: str) -> list[Span]:
        """The time of day nearest to a date on its page."""
        near = [place for place in self.figures.times(time) if place.board is day.board]
        near.sort(key=lambda place: abs(place.level - day.level))
        return near[0].spans if near else []

    def _month(self, year: int, month: int) -> Iterator[Place]:
        names = {name for name, number in vocabulary().months.items() if number == month}
        for board in self.boards:
            for run in board.runs:
                if str(year) not in run.text:
                    continue
                for found in re.finditer(rf"([^\W\d_]{{3,10}})\.?[\s,/'-]{{1,3}}{year}|(?<!\d)(\d{{1,2}})\s?[/.-]\s?{year}", run.text):
                    if (found[1] and plain(found[1]) in names) or (found[2] and int(found[2]) == month):
                        yield Place(board, [board.within(run, found.start(), found.end())], "exact", 1.0)

    def _currency(self, code: str, pages: Set[int] | None) -> Iterator[Place]:
        """A currency's code, name or sign; a sign that several currencies have only goes with it."""
        yield from self.texts.exact(code, pages)
        for sign in (sign for sign, codes in _SHARED.items() if code in codes):
            for place in self.texts.exact(sign, pages):
                yield Place(place.board, place.spans, "computed", 0.6)
        for board in self.boards:
            for run in board.runs:
                for found in re.finditer(r"[^\W\d_]+\$?|[$€£¥₹₩₽₺฿₱₫₪₴₦]", run.text):
                    if len(found.group()) <= 12 and currency_code(found.group()) == code and found.group().upper() != code:
                        yield Place(board, [board.within(run, found.start(), found.end())], "exact", 0.9)

    def _choice(self, one: Sought, value: str, pages: Set[int] | None) -> Iterator[Place]:
        """One of a field's allowed values: its words; else what they are called in other languages, from which it follows."""
        if currency_code(value) == value and one.wanted.kind == "currency":
            yield from self._currency(value, pages)
            return
        exact = list(self._exactly(split_name(value), pages))
        yield from exact
        if exact:
            return
        tokens = tuple(token for token in tokens_of(split_name(value)) if vocabulary().weight(token) > 0)
        if not tokens or len(value) > _LONGEST_CHOICE:
            return
        for ordinal, index in self._canonical.get(tokens[0], ()):
            board = self.boards[ordinal]
            last = index + len(tokens) - 1
            if last < len(board.words) and all(_token(board.words[index + i].text) == (token,) for i, token in enumerate(tokens)):
                yield Place(board, [Span(index, 0, last, len(board.words[last].text))], "computed", 0.8)

    @cached_property
    def _canonical(self) -> dict[str, list[tuple[int, int]]]:
        """The words of the pages by their canonical form."""
        found: dict[str, list[tuple[int, int]]] = {}
        for board in self.boards:
            for index, word in enumerate(board.words):
                tokens = _token(word.text)
                if len(tokens) == 1:
                    found.setdefault(tokens[0], []).append((board.ordinal, index))
        return found

    def _yes_or_no(self, one: Sought, value: bool, pages: Set[int] | None) -> Iterator[Place]:
        """A box that is ticked or not, a yes or no behind its label; for true, the label's words themselves."""
        for board in self.boards:
            if pages is not None and board.ordinal not in pages:
                continue
            yield from self._boxes(board, one, value)
            answers = vocabulary().yes if value else vocabulary().no
            for run in board.runs:
                fit = caption_fit(run.text, one.wanted)
                if fit < _LABELLED:
                    continue
                last = board.words[run.last].text
                if plain(last.strip(" .:()")) in answers and run.last > run.first:
                    yield Place(board, [Span(run.last, 0, run.last, len(last))], "exact", fit)
                following = board.runs[run.index + 1] if run.index + 1 < len(board.runs) else None
                if following is not None and plain(following.text.strip(" .:()")) in answers and abs(following.cy - run.cy) < run.height:
                    yield Place(board, [board.within(following, 0, len(following.text))], "exact", fit)
                elif value and fit >= 0.9 and not any(_MARKS.search(near.text) for near in (run, following) if near is not None):
                    yield Place(board, [board.within(run, 0, len(run.text))], "computed", 0.6 * fit)

    def _boxes(self, board: Board, one: Sought, value: bool) -> Iterator[Place]:
        found = self._ticks.get(board.ordinal)
        if found is None:
            found = self._ticks[board.ordinal] = _Ticks(board) if any(_MARKS.search(run.text) for run in board.runs) else None
        if found is not None:
            yield from found.places(one, value, self.alike)

    @cached_property
    def _ticks(self) -> dict[int, _Ticks | None]:
        return {}

    alike: Sequence[Sought] = ()
    """The yes-or-no fields of the answer at hand, whose names are told apart by what differs."""


class _Ticks:
    """The boxes to tick of a page."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.choices = choices(Sheet(board.page))
        kept = [index for index, word in enumerate(board.page.words) if word.text.strip()]
        self.at = {index: position for position, index in enumerate(kept)}
        self.found: dict[tuple[str, ...], list[tuple[bool, list[Span], float]]] = {}

    def places(self, one: Sought, value: bool, alike: Sequence[Sought]) -> Iterator[Place]:
        """Boxes for a field that are ticked, or are not, as `value` says."""
        if not self.choices:
            return
        if one.field.path not in self.found:
            self._look(one, alike)
        for ticks, spans, fit in self.found.get(one.field.path, ()):
            if ticks == value:
                yield Place(self.board, spans, "exact", fit)

    def _look(self, one: Sought, alike: Sequence[Sought]) -> None:
        fields = {other.field.path: other for other in (one, *alike)}
        asks = [_asked(other.field, other.wanted.ask) for other in fields.values()]
        tell_apart(asks)
        for path in fields:
            self.found[path] = []
        for index, candidate in ticked(Finder(asks), asks, self.choices):
            spans = [
                Span(self.at[word], 0, self.at[word], len(segment.sheet.page.words[word].text))
                for segment, start, end in candidate.parts
                for word, offset in zip(segment.words, segment.offsets, strict=True)
                if offset < end and offset + len(segment.sheet.page.words[word].text) > start
            ]
            if spans and isinstance(candidate.value, bool):
                self.found[list(fields)[index]].append((candidate.value, spans, candidate.features.get("fit", 0.8)))


def _asked(field: Field, ask: Ask) -> Ask:
    """A copy of `ask` that may be changed."""
    made = understand(field) if ask.field.kind != field.kind else ask
    phrases: list[Phrase] = list(made.phrases)
    return Ask(field, made.kind, made.concept, made.party, phrases, made.exclude, made.strong, made.range, made.alternatives, made.subject)


def _token(text: str) -> Tokens:
    return tokens_of(text.strip(".,:;()[]"))


def _close(text: str) -> str:
    return re.sub(r"\s", "", text).strip(".,:;()")


def _whole(place: Place) -> str:
    """The text of a place with the rest of its words."""
    span = place.spans[0]
    return "".join(word.text for word in place.board.words[span.first : span.last + 1])


def _only_day(value: str) -> list[date] | None:
    """The date that a text is and nothing else, in either order of day and month."""
    found = dates(value) if len(value) <= 40 else []
    if len(found) != 1 or len(fold(value[: found[0].start] + value[found[0].end :])) > 10:
        return None
    days = [found[0].settle(day_first=first) for first in (True, False)]
    return list(dict.fromkeys(day for day in days if day is not None)) or None
