"""The answers of a document's windows become one.

A scalar is taken from the window whose citation carries it best; where equally good ones differ, the first stands and the other is said
in a warning. Objects are merged field by field. Lists follow one another in page order: an entry that two windows saw (its values stand
on the same words, or the windows share a page) is one, and an entry cut by a page break is joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from heliograph.extraction.result import Leaf, Match, Path, State
from heliograph.extraction.schema import Field
from heliograph.media.geometry import Box

Json = Any
Leaves = dict[Path, Leaf]
Place = tuple[int, int, int]
"""Where words begin: their page, and in hundredths of it their left edge and their middle from the top."""

STRENGTH: dict[Match, int] = {"exact": 4, "fuzzy": 3, "computed": 3, "model": 2, "none": 1}
"""How well the page carries a value, from its citation."""
_NULL: dict[State, int] = {"refused": 4, "unreadable": 3, "not_reached": 2, "absent": 1, "found": 0}
"""Which reason for a null stands for the document: the one that leaves most open."""
USUAL = 0.8
"""Share of a list's entries that have a field, from which on an entry without it is taken for a part of one."""
_PLAIN = re.compile(r"[\W_]+")


class Part(msgspec.Struct):
    """A window's answer: the pages that it is from, its values and how each is known. `carried`: the pages seen before as well."""

    pages: list[int]
    value: Json
    leaves: Leaves
    carried: list[int] = []


class Merged(msgspec.Struct):
    """One answer for all windows; `conflicts` are sentences for warnings."""

    value: Json
    leaves: Leaves
    conflicts: list[str] = []


class Seen(msgspec.Struct):
    """A value of one window with its leaves, by their path below it."""

    part: int
    value: Json
    leaves: Leaves


def merge(parts: Sequence[Part], root: Field) -> Merged:
    """One answer in the shape of `root` from the answers of windows in page order. `parts` are not changed."""
    if not parts:
        return Merged(None, {})
    if len(parts) == 1:
        return Merged(parts[0].value, dict(parts[0].leaves))
    merger = _Merger(parts)
    made = merger.any([Seen(number, part.value, part.leaves) for number, part in enumerate(parts)], root, ())
    return Merged(made.value, made.leaves, merger.conflicts)


class _Merger:
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self.conflicts: list[str] = []

    def any(self, seen: list[Seen], field: Field | None, path: Path) -> Seen:
        """One value out of `seen`, which are not empty."""
        held = [one for one in seen if one.value is not None]
        if any(isinstance(one.value, list) for one in held):
            return self._list([one for one in held if isinstance(one.value, list)], _shape(field, "array"), path)
        if any(isinstance(one.value, dict) for one in held):
            return self._object([one for one in held if isinstance(one.value, dict)], _shape(field, "object"), path)
        return self._scalar(seen, path)

    def _scalar(self, seen: list[Seen], path: Path) -> Seen:
        held = [one for one in seen if one.value is not None]
        if not held:
            return max(seen, key=lambda one: _NULL[one.leaves[()].state] if () in one.leaves else 0)
        said: dict[str, list[Seen]] = {}
        for one in held:
            said.setdefault(_plain(one.value), []).append(one)
        best = max(said.values(), key=lambda group: (max(_strength(one) for one in group), len(group)))
        chosen = max(best, key=_strength)
        for group in said.values():
            if group is not best and max(_strength(one) for one in group) >= STRENGTH["exact"]:
                self.conflicts.append(self._conflict(path, chosen, group[0]))
        return chosen

    def _conflict(self, path: Path, chosen: Seen, other: Seen) -> str:
        name = ".".join(str(step) for step in path) or "the answer"
        theirs, ours = (f"{_short(one.value)} of page {self._page(one)}" for one in (other, chosen))
        return f"conflict: {name}: taken is {ours}, not {theirs}"

    def _page(self, one: Seen) -> int:
        evidence = one.leaves[()].evidence if () in one.leaves else []
        return (evidence[0].box.page if evidence else self._parts[one.part].pages[0]) + 1

    def _object(self, seen: list[Seen], field: Field | None, path: Path) -> Seen:
        value: dict[str, Json] = {}
        leaves: Leaves = {}
        names = dict.fromkeys(name for one in seen for name in cast("dict[str, Json]", one.value))
        for name in names:
            below = [_below(one, name) for one in seen if name in one.value]
            child = None if field is None else field.field(name) or field.others
            made = self.any(below, child, (*path, name))
            value[name] = made.value
            leaves.update({(name, *where): leaf for where, leaf in made.leaves.items()})
        return Seen(seen[0].part, value, leaves)

    def _list(self, seen: list[Seen], field: Field | None, path: Path) -> Seen:
        entries: list[Seen] = []
        known = _Known(self._parts)
        item = field.item if field is not None else None
        usual = _usual(seen)
        for one in seen:
            below = _entries(one)
            for number, entry in enumerate(below):
                twin = known.twin(entry, entries)
                if twin is not None:
                    entries[twin] = self._together(entries[twin], entry, item, (*path, twin))
                elif number == 0 and entries and _goes_on(entries[-1], entry, usual, self._follows):
                    entries[-1] = _joined(entries[-1], entry)
                else:
                    known.add(entry, len(entries))
                    entries.append(entry)
        leaves = {(index, *where): leaf for index, entry in enumerate(entries) for where, leaf in entry.leaves.items()}
        return Seen(seen[0].part, [entry.value for entry in entries], leaves)

    def _together(self, first: Seen, again: Seen, item: Field | None, path: Path) -> Seen:
        conflicts = len(self.conflicts)
        made = self.any([first, again], item, path)
        del self.conflicts[conflicts:]  # two readings of one row, of which the better stands
        return made

    def _follows(self, before: Seen, after: Seen) -> bool:
        """Whether two entries are of windows that follow one another."""
        first, second = self._parts[before.part].pages, self._parts[after.part].pages
        return before.part != after.part and 0 <= second[0] - first[-1] <= 1


class _Known:
    """The entries of earlier windows, by where they stand and by what they say."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._places: list[set[Place]] = []
        self._standing: dict[Place, list[int]] = {}
        self._saying: dict[str, list[int]] = {}

    def add(self, entry: Seen, index: int) -> None:
        places = _places(entry)
        self._places.append(places)
        for place in places:
            self._standing.setdefault(place, []).append(index)
        self._saying.setdefault(_said(entry.value), []).append(index)

    def twin(self, entry: Seen, entries: list[Seen]) -> int | None:
        """The entry of an earlier window that `entry` is, seen again."""
        places = _places(entry)
        for index in sorted({index for place in places for index in self._standing.get(place, ())}, reverse=True):
            theirs = self._places[index]
            if entries[index].part != entry.part and len(places & theirs) * 2 > min(len(places), len(theirs)):
                return index
        shared = set(self._parts[entry.part].carried)
        for index in reversed(self._saying.get(_said(entry.value), ())):
            other = entries[index]
            placed = bool(places) and bool(self._places[index])
            again = not placed and bool(shared.intersection(self._parts[other.part].pages))
            if other.part != entry.part and (again or _thing(entry.value)):
                return index
        return None


def _entries(one: Seen) -> list[Seen]:
    made = [Seen(one.part, value, {}) for value in cast("list[Json]", one.value)]
    for path, leaf in one.leaves.items():
        if path and isinstance(path[0], int) and path[0] < len(made):
            made[path[0]].leaves[path[1:]] = leaf
    return made


def _below(one: Seen, step: str | int) -> Seen:
    inner = {path[1:]: leaf for path, leaf in one.leaves.items() if path and path[0] == step}
    return Seen(one.part, one.value[step], inner)


def _shape(field: Field | None, kind: str) -> Field | None:
    if field is None or field.kind == kind:
        return field
    return next((shape for shape in field.variants if shape.kind == kind), None)


def _strength(one: Seen) -> float:
    leaf = one.leaves.get(())
    return 0.0 if leaf is None else STRENGTH[leaf.match] + min(max(leaf.probability, 0.0), 1.0) * 0.99


def _places(entry: Seen) -> set[Place]:
    return {(box.page, round(box.x * 100), round(box.cy * 100)) for leaf in entry.leaves.values() for box in _boxes(leaf)}


def _boxes(leaf: Leaf) -> list[Box]:
    return [part.box for part in leaf.evidence]


def _said(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_said(child)}" for name, child in cast("dict[str, Json]", value).items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_said(child) for child in cast("list[Json]", value)) + "]"
    return _plain(value)


def _plain(value: Json) -> str:
    if isinstance(value, str):
        return _PLAIN.sub(" ", value).strip().casefold() or value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _short(value: Json) -> str:
    said = str(value)
    return f"{said[:60]}…" if len(said) > 60 else said


def _thing(value: Json) -> bool:
    """Whether an entry is a thing that may be named on many pages, rather than an event (a row with figures), of which two may be alike."""
    if isinstance(value, dict):
        return all(_thing(child) for child in cast("dict[str, Json]", value).values())
    if isinstance(value, list):
        return all(_thing(child) for child in cast("list[Json]", value))
    return (isinstance(value, (str, bool)) and not re.search(r"\d", str(value))) or value is None


def _usual(seen: list[Seen]) -> set[str]:
    """The fields that nearly every entry has."""
    rows = [cast("dict[str, Json]", entry) for one in seen for entry in one.value if isinstance(entry, dict)]
    names = {name for row in rows for name in row}
    return {name for name in names if sum(row.get(name) is not None for row in rows) >= USUAL * len(rows)}


def _goes_on(before: Seen, after: Seen, usual: set[str], follows: Callable[[Seen, Seen], bool]) -> bool:
    """Whether `after`, the first entry of a window, is the rest of `before`, which the page break cut.

    Nothing of it contradicts: what both have is text, which goes on. And it could not stand alone: it lacks most of what entries have.
    """
    if not (isinstance(before.value, dict) and isinstance(after.value, dict) and follows(before, after)):
        return False
    old, new = cast("dict[str, Json]", before.value), cast("dict[str, Json]", after.value)
    held = {name for name, value in new.items() if value is not None and value != []}
    if not held or any(isinstance(new[name], (dict, list)) for name in held):
        return False
    both = {name for name in held if old.get(name) is not None}
    if any(not (isinstance(old[name], str) and isinstance(new[name], str)) for name in both):
        return False
    lacking = usual - held
    return len(lacking) * 2 >= len(usual) and bool(lacking) and all(old.get(name) is not None or name in held for name in usual)


def _joined(before: Seen, after: Seen) -> Seen:
    value = dict(cast("dict[str, Json]", before.value))
    leaves = dict(before.leaves)
    for name, rest in cast("dict[str, Json]", after.value).items():
        if rest is None or rest == []:
            continue
        if value.get(name) is None:
            value[name] = rest
            leaves.update({path: leaf for path, leaf in after.leaves.items() if path[:1] == (name,)})
            continue
        value[name] = f"{value[name]} {rest}"
        first, second = leaves.get((name,)), after.leaves.get((name,))
        if first is not None and second is not None:
            weaker = min(first, second, key=lambda leaf: STRENGTH[leaf.match])
            probability = min(first.probability, second.probability)
            leaves[(name,)] = Leaf(value[name], "found", weaker.match, probability, [*first.evidence, *second.evidence])
    return Seen(before.part, value, leaves)
