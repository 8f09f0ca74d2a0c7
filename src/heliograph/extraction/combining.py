"""A model's answer beside the embedded extractor's: the model for values, the embedded extractor for typed evidence and grounding.

    extraction = combine(said, schema, found, extract(document, schema))

Whose value stands, leaf by leaf:

- both the same, or spellings of one thing: the model's, with the better citation; where only commas and spaces differ, as the page has it;
- an address that is a part of the other: the embedded one, which knows by an address' parts where it begins and ends;
- the model's cannot be what the field asks for by its shape, such as an IBAN: null, with a warning;
- both are on the pages and say other things, or one a part of the other: the one that is more likely right, so that a model helps where it
  is better and a weak one does little harm (`heliograph eval --calibrate` tells a route how good it is);
- the model's is like the other, letter by letter, and no page has it so: the model's, which may have seen what was misread;
- the model's is on no page: the embedded one if that is surely right (`hi`), with a warning; else the model's, with match `none`;
- the model has none: the embedded one if it is surely right, or likely (`med`) where the model did not look or would not answer.

Lists keep the model's rows; a row of the embedded extractor's that holds the same values lends them its citations. A list that the model
left empty is the embedded one where that is sure of it. Nothing else is added, and no value comes from neither.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from heliograph.extraction.agreement import OTHER, SAME, SIMILAR, agreement, same_letters, within
from heliograph.extraction.alignment import Found
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.alignment.sought import shaped
from heliograph.extraction.calibration import Calibration, shipped
from heliograph.extraction.confidence import HI, MED
from heliograph.extraction.fields import kind_of
from heliograph.extraction.identifiers import could_be
from heliograph.extraction.result import Extraction, Leaf, Path, State, walk
from heliograph.extraction.schema import Field, Schema

Json = Any
_LISTED = 0.9
"""Mean probability of the values of a list that is taken where the model has none."""
_TELLING = 24
"""Rows that may have the same value for it to say which row is meant."""
_LEAST_LOGPROB = -5.0
_DOUBT = 0.5
"""Log-odds that a value loses which the model had a chance to say and did not."""
_SHOWN = 60
"""Characters of a value in a warning."""


def combine(
    values: Json,
    schema: Schema,
    found: Mapping[Path, Found],
    embedded: Extraction,
    *,
    logprobs: Mapping[Path, float] | None = None,
    calibration: Calibration | None = None,
    likelier: bool = True,
) -> Extraction:
    """One answer of two.

    `values`: the model's, in the shape of the schema; `found`: how each of its leaves was found on the pages, nulls with their state;
    `logprobs`: the mean log-probability of the tokens of each leaf, as far as the backend gave them; `calibration`: the route's.
    `likelier`: of two values on the pages the likelier stands; else the model's.
    The warnings are those of the combination alone.
    """
    made = _Combining(embedded, found, logprobs or {}, calibration or shipped(), likelier=likelier)
    answer = made.value(values, embedded.values, schema.root, (), ())
    return Extraction(answer, made.leaves, made.warnings, made.reasons)


class _Combining:
    def __init__(
        self,
        embedded: Extraction,
        found: Mapping[Path, Found],
        logprobs: Mapping[Path, float],
        calibration: Calibration,
        *,
        likelier: bool,
    ) -> None:
        self.embedded, self.found, self.logprobs, self.calibration = embedded, found, logprobs, calibration
        self.likelier = likelier
        self.leaves: dict[Path, Leaf] = {}
        self.reasons: dict[Path, dict[str, float]] = {}
        self.warnings: list[str] = []
        self._kinds: dict[tuple[str, ...], str] = {}

    def value(self, said: Json, other: Json, field: Field, path: Path, beside: Path | None) -> Json:
        """What stands at `path`, where the model said `said`; `beside` is the path of `other`, the embedded answer's value there."""
        if isinstance(said, dict):
            return self._object(cast("dict[str, Json]", said), other, field, path, beside)
        if isinstance(said, list):
            return self._list(cast("list[Json]", said), other, field, path, beside)
        if said is None and isinstance(other, (dict, list)) and beside is not None:
            return (
                self._taken_object(cast("dict[str, Json]", other), field, path, beside)
                if isinstance(other, dict)
                else self._taken_list(cast("list[Json]", other), path, beside)
            )
        return self._leaf(said, field, path, beside if not isinstance(other, (dict, list)) else None)

    def _object(self, said: dict[str, Json], other: Json, field: Field, path: Path, beside: Path | None) -> Json:
        shape = shaped(field, "object")
        fields = {child.name: child for child in shape.fields}
        others = cast("dict[str, Json]", other) if isinstance(other, dict) else {}
        return {
            name: self.value(
                child,
                others.get(name),
                fields.get(name) or Field(name=name, path=(name,), kind="any"),
                (*path, name),
                (*beside, name) if beside is not None and name in others else None,
            )
            for name, child in said.items()
        }

    def _list(self, said: list[Json], other: Json, field: Field, path: Path, beside: Path | None) -> Json:
        shape = shaped(field, "array")
        item = shape.item or Field(name=field.name, path=(*field.path, "[]"), kind="any")
        others = cast("list[Json]", other) if isinstance(other, list) else []
        if not said and others and beside is not None:
            return self._taken_list(others, path, beside) or []
        pairs = _paired(said, others)
        return [
            self.value(
                row, None if at is None else others[at], item, (*path, index), None if at is None or beside is None else (*beside, at)
            )
            for index, (row, at) in enumerate(zip(said, pairs, strict=True))
        ]

    def _taken_object(self, other: dict[str, Json], field: Field, path: Path, beside: Path) -> Json:
        """The embedded extractor's object where the model has none: what it is sure of; null when that is nothing."""
        made = self._object(dict.fromkeys(other), other, field, path, beside)
        if any(leaf.value is not None for where, leaf in self.leaves.items() if where[: len(path)] == path):
            return made
        for where in [where for where in self.leaves if where[: len(path)] == path]:
            del self.leaves[where], self.reasons[where]
        return self._leaf(None, field, path, None)

    def _taken_list(self, other: list[Json], path: Path, beside: Path) -> list[Json] | None:
        """The embedded extractor's list where the model has none, if it is sure of it; else null."""
        leaves = [(where, self.embedded.leaves[where]) for where, _ in walk(other, beside) if where in self.embedded.leaves]
        known = [leaf.probability for _, leaf in leaves if leaf.value is not None]
        if not known or sum(known) / len(known) < _LISTED:
            return None
        for where, leaf in leaves:
            sure = _doubted(leaf.probability) if leaf.value is not None else leaf.probability
            self.leaves[(*path, *where[len(beside) :])] = msgspec.structs.replace(leaf, probability=sure)
        self.warnings.append(f"found_on_page: {_named(path)} is taken from the page, where the model said nothing")
        return other

    def _leaf(self, said: Json, field: Field, path: Path, beside: Path | None) -> Json:
        found = self.found.get(path) or Found(Leaf(said, self._why(path) if said is None else "found"))
        other = self.embedded.leaves.get(beside) if beside is not None else None
        kind = self._kind(field) if isinstance(said, str) else ""
        if isinstance(said, str) and not could_be(kind, said):
            self.warnings.append(f"mistyped: {_named(path)} cannot be {_short(said)}, which the model said; it is left empty")
            said, found = None, Found(Leaf(None, "absent"))
        alike = agreement(said, other.value) if other is not None else OTHER
        if isinstance(said, str) and other is not None and isinstance(other.value, str) and other.evidence:
            if kind == "address" and alike != SAME and found.leaf.match != "none" and within(said, other.value):
                return self._taken(said, other, path, "which is another part of it")
            if alike == SAME and _respelled(said, other.value, field):
                said = other.value
        leaf = msgspec.structs.replace(found.leaf, value=said)
        if other is not None and other.value is not None and alike == OTHER and self._better(leaf, other):
            return self._taken(said, other, path, "which no page holds")
        if other is not None and said is not None and alike != OTHER and other.evidence:
            leaf = _cited(leaf, other, found, alike)
        traits = _traits(leaf, found, field, other, alike, self.logprobs.get(path), row=any(isinstance(step, int) for step in path))
        leaf.probability = self.calibration.probability(traits)
        if (
            self.likelier
            and said is not None
            and other is not None
            and _rivals(found.leaf, other, alike)
            and other.probability > leaf.probability
        ):
            return self._taken(said, other, path, "which is less likely")
        self.leaves[path], self.reasons[path] = leaf, traits
        return said

    def _kind(self, field: Field) -> str:
        """What kind of value the field asks for, as the embedded extractor understands it."""
        if field.path not in self._kinds:
            self._kinds[field.path] = kind_of(field)
        return self._kinds[field.path]

    def _why(self, path: Path) -> State:
        """Why there is no value at `path`: as what it would be part of says."""
        for length in range(len(path) - 1, -1, -1):
            found = self.found.get(path[:length])
            if found is not None and found.leaf.value is None:
                return found.leaf.state
        return "absent"

    def _better(self, leaf: Leaf, other: Leaf) -> bool:
        """Whether the embedded extractor's value stands in place of the model's."""
        if leaf.value is not None:
            return leaf.match == "none" and other.probability >= HI and bool(other.evidence)
        looked = leaf.state in ("absent", "found")
        return other.probability >= (HI if looked else MED) and bool(other.evidence)

    def _taken(self, said: Json, other: Leaf, path: Path, why: str) -> Json:
        self.leaves[path] = msgspec.structs.replace(other, probability=_doubted(other.probability))
        if said is None:
            self.warnings.append(f"found_on_page: {_named(path)} is taken from the page, where the model said nothing")
        else:
            self.warnings.append(f"replaced: {_named(path)} is {_short(other.value)} on the page; the model said {_short(said)}, {why}")
        return other.value


def _respelled(said: str, other: str, field: Field) -> bool:
    """Whether the model's text is the page's but for commas and spaces that the page does not have. Words that it joined were parted by the
    reader, more often than not."""
    free = not field.format and field.enum is None
    return free and same_letters(said, other) and len(said.split()) >= len(other.split())


def _rivals(leaf: Leaf, other: Leaf, alike: float) -> bool:
    """Whether both values are on the pages, and not one of them a better spelling of the other."""
    if leaf.match == "none" or other.value is None or not other.evidence:
        return False
    return alike == OTHER or (alike == SIMILAR and leaf.match == "exact")


def _cited(leaf: Leaf, other: Leaf, found: Found, alike: float) -> Leaf:
    """The model's leaf with the embedded extractor's citation, where that is the better one: it knows the page's labels, rows and boxes."""
    if leaf.match == "none":
        return msgspec.structs.replace(leaf, match=other.match if alike == SAME else "fuzzy", evidence=other.evidence)
    if alike == SAME and other.match == "exact" and (found.places > 1 or leaf.match != "exact"):
        return msgspec.structs.replace(leaf, match="exact", evidence=other.evidence)
    return leaf


def _doubted(probability: float) -> float:
    odds = math.log(probability / max(1e-9, 1 - probability)) - _DOUBT if probability > 0 else -6.0
    return 1 / (1 + math.exp(-odds))


def _traits(
    leaf: Leaf, found: Found, field: Field, other: Leaf | None, alike: float, logprob: float | None, *, row: bool
) -> dict[str, float]:
    """What is known of a value, in numbers; see the weights for which way each speaks."""
    sure = other.probability if other is not None else 0.0
    made: dict[str, float] = {"bias": 1.0}
    if logprob is not None:
        made["logprob"] = max(_LEAST_LOGPROB, min(0.0, logprob))
    if leaf.value is None:
        made |= {"null": 1.0, "null_looked": float(leaf.state in ("absent", "found"))}
        if other is not None:
            made |= {"null_agreed": sure} if other.value is None else {"null_contradicted": sure}
        return made
    made |= {leaf.match: 1.0, "quality": found.quality, "alone": float(found.places == 1), "label": found.label}
    if other is not None:
        if other.value is None:
            made |= {"silent": 1.0, "silent_sure": sure}
        elif alike == SAME:
            made |= {"same": 1.0, "same_sure": sure}
        elif alike == SIMILAR:
            made |= {"similar": 1.0, "similar_sure": sure}
        else:
            made |= {"other": 1.0, "other_sure": sure}
    kind = "boolean" if isinstance(leaf.value, bool) else "number" if isinstance(leaf.value, (int, float)) else "text"
    made[kind] = 1.0
    if field.format in ("date", "date-time"):
        made["date"] = 1.0
    if field.enum is not None:
        made["enum"] = 1.0
    if row:
        made["row"] = 1.0
    if kind == "text":
        made["short"] = float(len(fold(str(leaf.value))) <= 3)
    made["blurred"] = 1 - min((part.score for part in leaf.evidence), default=1.0)
    return made


def _paired(said: list[Json], others: list[Json]) -> list[int | None]:
    """For each row of the model's, the embedded row that holds most of the same values, each at most once; None where none does."""
    if not said or not others:
        return [None] * len(said)
    holders: dict[tuple[Path, str], list[int]] = {}
    for at, row in enumerate(others):
        for key in _keys(row):
            holders.setdefault(key, []).append(at)
    made: list[int | None] = []
    used: set[int] = set()
    last = -1
    for row in said:
        keys = list(_keys(row))
        votes = Counter(at for key in keys if len(holders.get(key, ())) <= _TELLING for at in holders.get(key, ()) if at not in used)
        best = max(votes, key=lambda at: (votes[at], -abs(at - last - 1)), default=None)
        if best is not None and 2 * votes[best] >= min(len(keys), 4):
            used.add(best)
            last = best
            made.append(best)
        else:
            made.append(None)
    return made


def _keys(row: Json, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The values of a row by their place, written in one way."""
    if isinstance(row, dict):
        for name, value in cast("dict[str, Json]", row).items():
            yield from _keys(value, (*path, name))
    elif isinstance(row, (int, float)) and not isinstance(row, bool):
        yield path, f"{float(row):.4f}" if abs(row) < 1e15 else "large"
    elif isinstance(row, str) and row.strip():
        yield path, fold(row)


def _named(path: Path) -> str:
    return ".".join(str(step) for step in path) or "the answer"


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
