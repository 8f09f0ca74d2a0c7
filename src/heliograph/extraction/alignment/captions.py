"""How well the words around a place say that a field's value stands there."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from heliograph.extraction.alignment.board import Board, Run
from heliograph.extraction.alignment.places import Place
from heliograph.extraction.fields import Ask, understand
from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

_ABOVE = 3.0
"""Heights of a line over a place within which its heading stands; in columns of lists it may be anywhere above."""
_TOKENS = 8
"""Words nearest to a place that are compared."""


class Wanted(msgspec.Struct, frozen=True):
    """What a field's labels may say: phrases with their weights, words that speak against it, and its kind of value."""

    ask: Ask
    phrases: tuple[tuple[frozenset[str], float], ...]
    exclude: frozenset[str]
    kind: str
    words: frozenset[str]
    """The words of its name and title."""


def wanted(field: Field, parents: tuple[str, ...], *, in_row: bool) -> Wanted:
    """What is known of a field. Understood once for all documents of its schema."""
    enum = tuple(str(value) for value in field.enum) if field.enum else None
    return _wanted(field.name, field.title, field.description, field.kind, field.format, enum, parents, in_row)


@lru_cache(maxsize=4096)
def _wanted(
    name: str, title: str, description: str, kind: str, form: str, enum: tuple[str, ...] | None, parents: tuple[str, ...], in_row: bool
) -> Wanted:
    field = Field(name=name, path=(name,), kind=kind, title=title, description=description, format=form, enum=list(enum) if enum else None)  # pyright: ignore[reportArgumentType]
    ask: Ask = understand(field, parents, in_row=in_row)
    words = vocabulary()
    phrases: dict[frozenset[str], float] = {}
    for phrase in ask.phrases:
        bag = frozenset(token for token in phrase.tokens if words.weight(token) > 0)
        if bag:
            phrases[bag] = max(phrases.get(bag, 0.0), phrase.weight)
    return Wanted(ask, tuple(phrases.items()), ask.exclude, ask.kind, frozenset(tokens_of(split_name(f"{name} {title}"))))


def nearness(place: Place, field: Wanted) -> float:
    """How well the label at a place fits a field, 0-1: before it, left of it, over it."""
    board, span = place.board, place.spans[0]
    run = board.runs[board.run_of[span.first]]
    before = " ".join(word.text for word in board.words[max(run.first, span.first - _TOKENS) : span.first])
    before += " " + board.words[span.first].text[: span.start]
    best = caption_fit(before, field) if before.strip() else 0.0
    if best >= 0.9:
        return best
    left, above = _neighbours(board, run)
    for distance, other in enumerate(left):
        best = max(best, (0.97 - 0.12 * distance) * caption_fit(other.text, field))
    for distance, other in enumerate(above):
        best = max(best, (0.85 - 0.15 * distance) * caption_fit(other.text, field))
    return best


def _neighbours(board: Board, run: Run) -> tuple[list[Run], list[Run]]:
    """The runs left of one on its row, nearest first, at most three; and those over it in its column, nearest first, at most two."""
    left: list[Run] = []
    above: list[Run] = []
    for other in board.around(run.y0 - _ABOVE * run.height, run.y1):
        if other is run:
            continue
        if abs(other.cy - run.cy) < 0.6 * max(run.height, other.height):
            if other.x1 <= run.x0 + run.height:
                left.append(other)
        elif other.cy < run.cy and other.x0 < run.x1 and other.x1 > run.x0:
            above.append(other)
    left.sort(key=lambda other: -other.x1)
    above.sort(key=lambda other: -other.cy)
    return left[:3], above[:2]


def heading(place: Place, field: Wanted) -> float:
    """How well what stands anywhere above a place, in its column, fits a field: the heading of a table's column."""
    board = place.board
    run = board.runs[board.run_of[place.spans[0].first]]
    x0, x1 = board.words[place.spans[0].first].box.x * board.page.width, board.words[place.spans[0].last].box.x1 * board.page.width
    best = 0.0
    for other in board.runs:
        if other.cy < run.cy - 0.6 * run.height and other.x0 < x1 + run.height and other.x1 > x0 - run.height and len(other.text) < 60:
            best = max(best, caption_fit(other.text, field))
    return best


_VALUES = re.compile(r"\d[\d.,/:-]*")


def caption_fit(text: str, field: Wanted) -> float:
    """How well words say what a field is, 0-1."""
    words = vocabulary()
    tokens = _tokens(text)
    bag = set(tokens)
    if not bag:
        return 0.0
    best = 0.0
    for phrase, weight in field.phrases:
        shared = phrase & bag
        if not shared:
            continue
        have = sum(words.weight(token) for token in shared)
        want = sum(words.weight(token) for token in phrase)
        rest = sum(words.weight(token) for token in bag - phrase)
        best = max(best, weight * (have / want) * (0.6 + 0.4 * have / (have + rest)))
    if field.exclude & bag:
        best *= 0.5
    return min(1.0, best)


@lru_cache(maxsize=16384)
def _tokens(text: str) -> Tokens:
    """The last words of a text, without its numbers."""
    return tokens_of(_VALUES.sub(" ", text))[-_TOKENS:]
