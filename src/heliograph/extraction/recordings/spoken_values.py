"""The embedded extractor for what was said: a value for every field that sentences state one for. No model, no guess.

    extraction = extract(speech, compile_schema(schema))

Evidence lies on the pages of `speech.document`; `Sources.located` brings it back to seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from heliograph.extraction.arrays import Row, Rows
from heliograph.extraction.asking import questions
from heliograph.extraction.fields import Ask
from heliograph.extraction.instructions import Hints, hints, merged
from heliograph.extraction.normalise import Conventions, conventions
from heliograph.extraction.recordings.lines import Line, lines_of
from heliograph.extraction.recordings.listed import Told, listed
from heliograph.extraction.recordings.people import People, is_company, is_person
from heliograph.extraction.recordings.speech import Speech
from heliograph.extraction.recordings.statements import Stated, stated
from heliograph.extraction.result import Extraction, Leaf, Path
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.shaping import conform, shaped

LEAST: Final = 0.5
"""The chance of being right under which nothing is answered."""
CLEAR: Final = 0.9
"""Score of the words from which on they count as clearly heard."""
SURE: Final = 0.97
"""Probability of a value behind the whole of its label, of a kind that cannot be taken for another, in clearly heard words: `hi`."""
CAP: Final = 0.95
"""The most that any other value of speech gets: `med`. Both by hand: no labelled recordings have calibrated them."""


def extract(speech: Speech, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None) -> Extraction:
    """Answer `schema` from what was said. `instructions`, `learned`: as `embedded.extract` takes them."""
    lines = lines_of(speech)
    writing = conventions([line.text for line in lines], language=speech.transcript.language)
    writing.day_first = False if speech.transcript.language in (None, "en") else writing.day_first
    hinted = merged(hints(instructions, schema.root), learned or {})
    people = People(lines)
    asked = questions(schema, hinted)
    values = {path: _leaf(speech, one) for path, one in _assigned(lines, people, asked, writing)}
    leaves: dict[Path, Leaf] = {}
    rows = cast("Rows", _Lists(speech, lines, people, writing))
    answer = shaped(schema.root, (), values, leaves, rows)
    conform(schema, answer, leaves)
    return Extraction(answer, leaves, list(schema.warnings))


def _assigned(lines: list[Line], people: People, asked: list[tuple[Path, Ask]], writing: Conventions) -> Iterator[tuple[Path, Stated]]:
    """To each field its likeliest statement; the same words answer one field only."""
    pools: list[tuple[Path, Ask, Stated]] = []
    for path, ask in asked:
        told = people.stated(ask) if is_person(ask) or is_company(ask) else stated(lines, ask, writing)
        pools += [(path, ask, one) for one in told if one.chance >= LEAST and _clear(one) > 0]
    pools.sort(key=lambda entry: -entry[2].chance)
    taken: dict[tuple[int, int], Ask] = {}
    done: set[Path] = set()
    for path, ask, one in pools:
        words = [(one.line.number, at) for at in range(one.first, one.last + 1)]
        if path in done or (ask.kind not in ("boolean", "enum", "currency") and any(word in taken for word in words)):
            continue
        done.add(path)
        if ask.kind not in ("boolean", "enum", "currency"):
            taken.update(dict.fromkeys(words, ask))
        yield path, one


def _clear(one: Stated) -> int:
    return one.last - one.first + 1


def _leaf(speech: Speech, one: Stated | Told) -> Leaf:
    evidence = speech.evidence(one.line.number, one.first, one.last)
    score = evidence.score
    sure = isinstance(one, Stated) and one.sure and score >= CLEAR
    probability = SURE if sure else min(CAP, one.chance * min(1.0, score / CLEAR))
    return Leaf(one.value, "found", "exact", round(probability, 4), [evidence])


class _Lists:
    """What `shaped` asks for the rows of lists."""

    def __init__(self, speech: Speech, lines: list[Line], people: People, writing: Conventions) -> None:
        self._speech, self._lines, self._people, self._writing = speech, lines, people, writing
        self.reasons: dict[Path, dict[str, float]] = {}

    def find(self, field: Field) -> list[Row]:
        return [
            Row({cast("Path", path): _leaf(self._speech, told) for path, told in entry.items()})
            for entry in listed(self._lines, self._people, field, self._writing)
        ]

    def others(self, field: Field) -> Iterator[tuple[str, Leaf]]:
        yield from ()

    def inside(self, row: Row | None = None) -> _Lists:
        return _Lists(self._speech, [], People([]), self._writing)
