"""Lists that are said: who is there, what was decided, who does what by when, what was asked. Entries are words and sentences as said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from heliograph.extraction.normalise import Conventions
from heliograph.extraction.recordings.lines import Json, Line
from heliograph.extraction.recordings.people import People, runs
from heliograph.extraction.recordings.statements import FULL, PARTLY
from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import split_name, tokens_of

_PEOPLE: Final = frozenset({"attendees", "participants", "people", "members", "present", "guests", "speakers", "reporters", "attendee"})
_PRESENT = re.compile(
    r"\b(?:present (?:are|is|were|today)|(?:attendees|participants|guests|people here|those present) (?:are|include|were)"
    r"|(?:joining|with) (?:me|us)(?: \w+){0,2} (?:are|is)|joined by|here (?:today )?(?:are|with))\b",
    re.I,
)
_DECIDED = re.compile(
    r"\b(?:(?:we|they|they've|we've|was|were|been|board|team)(?: have| all| then)? (?:decided|agreed|resolved|approved)"
    r"|the decision is|decision:)",
    re.I,
)
_PROMISED = re.compile(r"\b(?:I will|I'll|action item)\b", re.I)
_IDLE: Final = frozenset({"be", "show", "see", "say", "tell", "talk", "explain", "have", "not", "never", "help", "do", "guess", "know"})
"""Verbs after `will` that promise nothing."""
_TASKS: Final = frozenset({"task", "action", "todo", "item", "what", "description", "content", "title", "text"})
_OWNERS: Final = frozenset({"owner", "assignee", "who", "person", "responsible", "assigned"})
_DAYS: Final = frozenset({"due", "date", "deadline", "when"})


class Told(msgspec.Struct):
    """A part of an entry: its value and where it stands."""

    value: Json
    line: Line
    first: int
    last: int
    chance: float


Entry = dict[tuple[str, ...], Told]
"""The parts of an entry by their path in it; a scalar's is empty."""


def listed(lines: list[Line], people: People, field: Field, writing: Conventions) -> list[Entry]:
    """The entries that are said for a list field."""
    item = field.item
    if item is None:
        return []
    name = set(split_name(field.name).casefold().split())
    if item.is_leaf and item.kind in ("string", "any"):
        if name & _PEOPLE:
            return [{(): one} for one in _present(lines, people)]
        if name & {"decisions", "decision", "resolutions"}:
            return [{(): _sentence(line, PARTLY)} for line in lines if _DECIDED.search(line.text) and not line.asks]
        if name & {"questions", "question"}:
            return [{(): _sentence(line, PARTLY)} for line in lines if line.asks]
        return [{(): one} for one in _enumerated(lines, field)]
    if item.kind != "object":
        return []
    if (
        name & {"actions", "tasks", "todos", "todo"}
        or {"action", "items"} <= name
        or {"next", "steps"} <= name
        or {"follow", "ups"} <= name
    ):
        return [entry for line in lines if (entry := _task(line, people, item, writing))]
    if name & {"questions"}:
        return [entry for line in lines if line.asks and (entry := _said(line, item))]
    return []


def _present(lines: list[Line], people: People) -> Iterator[Told]:
    """Those who are named as present, else those who say who they are."""
    found: dict[str, Told] = {}
    for line in lines:
        said = _PRESENT.search(line.text)
        if said:
            start = line.token_at(said.end() - 1)
            for run in runs(line):
                if run[0] > start:
                    found.setdefault(line.words(*run), Told(line.words(*run), line, *run, FULL))
    if not found:
        for one in people.introduced:
            found.setdefault(one.text, Told(one.text, one.line, one.first, one.last, PARTLY))
    yield from found.values()


def _enumerated(lines: list[Line], field: Field) -> Iterator[Told]:
    """What follows `<label> are`, parted by commas and `and`."""
    label = [token for token in tokens_of(split_name(field.name)) if token]
    for line in lines:
        keys = [key for keys in line.keys for key in keys]
        if not label or not set(label) <= set(keys) or line.asks:
            continue
        at = next((at for at, low in enumerate(line.low) if low in ("are", "were", "include", "includes", "is") and at > 0), None)
        if at is None or at > 8 or not any(set(keys) & set(label) for keys in line.keys[:at]):
            continue
        first = at + 1
        for place in range(first, len(line.low)):
            joins = line.low[place] == "and"
            ends = bool(line.ends[place]) or place == len(line.low) - 1
            if joins and place > first:
                yield Told(line.words(first, place - 1), line, first, place - 1, PARTLY - 0.1)
            elif ends and not joins:
                yield Told(line.words(first, place), line, first, place, PARTLY - 0.1)
            if joins or ends:
                first = place + 1


def _task(line: Line, people: People, item: Field, writing: Conventions) -> Entry:
    """A sentence in which somebody takes on a task, or is given one."""
    if line.asks:
        return {}
    owner: Told | None = None
    promised = _PROMISED.search(line.text)
    if promised:
        verb = line.token_at(min(promised.end() + 1, len(line.text) - 1))
        if line.low[verb] in _IDLE:
            return {}
        who = people.of_speaker(line.speaker)
        if who is not None:
            owner = Told(who.text, who.line, who.first, who.last, PARTLY - 0.05)
    else:
        run = next((run for run in runs(line, opening=True) if run[0] == 0), None)
        after = run[1] + 1 if run is not None else len(line.low)
        will = run is not None and after + 1 < len(line.low) and line.low[after] == "will" and line.low[after + 1] not in _IDLE
        asked = run is not None and after < len(line.low) and line.low[after] == "please" and line.ends[run[1]] == ","
        if run is None or not (will or asked):
            return {}
        owner = Told(line.words(*run), line, *run, PARTLY)
    made: Entry = {}
    for child in item.fields:
        words = set(split_name(child.name).casefold().split())
        if words & _DAYS:
            day = next((day for day in dates_in(line, writing)), None)
            if day is not None:
                made[(child.name,)] = day
        elif words & _OWNERS:
            if owner is not None:
                made[(child.name,)] = owner
        elif words & _TASKS and not any(told.line is line and told.last - told.first > 2 for told in made.values()):
            made[(child.name,)] = _sentence(line, PARTLY)
    return made if any(told.value == line.sentence_said for told in made.values()) else {}


def dates_in(line: Line, writing: Conventions) -> Iterator[Told]:
    """The whole dates that a line holds."""
    for value in line.days(writing):
        yield Told(value.value, line, value.first, value.last, PARTLY)


def _said(line: Line, item: Field) -> Entry:
    made: Entry = {}
    for child in item.fields:
        if set(split_name(child.name).casefold().split()) & {"content", "question", "text"}:
            made[(child.name,)] = _sentence(line, PARTLY)
    return made


def _sentence(line: Line, chance: float) -> Told:
    return Told(line.sentence_said, line, 0, len(line.cores) - 1, chance)
