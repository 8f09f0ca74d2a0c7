"""Whose part of the page a value stands in, when a schema asks the same of several: the phone of the patient, of the doctor, of the plan.

A schema's objects are known by their names and descriptions (`requesting_provider`: the requesting, ordering or prescribing
provider). Where one is named at the head of a section or by a label, what follows belongs to it until another one is named. A value
in another's part does not answer for it; and of objects that ask the same, one that the page does not name is not answered from
what stands elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from heliograph.extraction.candidates import Candidate
from heliograph.extraction.gathering import Pool
from heliograph.extraction.reading import Reading
from heliograph.extraction.result import Path
from heliograph.extraction.schema import Field, Schema
from heliograph.extraction.segments import Segment, Sheet
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

_OWN, _OTHER, _ALIEN, _UNNAMED = 0.8, -4.5, -1.2, -5.0
"""Logits for a value in its own object's part, in another's, of a bare field with a weak label in an object's, and of an object unnamed."""
_HEADED = -2.0
"""Logits for what stands under the head of a section as if that were its label: most often it is the first label."""
_SHORT = 7
"""Most words of what names an object: a longer line is prose."""
_PLAIN = frozenset({"name", "address", "information", "details", "data", "section", "part", "contact", "id", "no", "date", "type", "code"})
"""Words of objects' names that single none out."""
_ALIKE = 0.6
"""From which likeness on words name an object."""
_STEM = 5
"""Letters by which forms of a word are the same: `requested`, `requesting`."""


class Sections:
    """The objects of a schema, and where a document's pages name them."""

    def __init__(self, reading: Reading, schema: Schema, paths: Sequence[Path]) -> None:
        self.words = _objects(schema.root, paths)
        self._leaves = {frozenset(_stems(tokens_of(split_name(str(path[-1])))) - _PLAIN_STEMS) for path in paths if path}
        self._heads: set[int] = set()
        self._asked = Counter(_leaf(path) for path in paths)
        self._has = {(owner, _leaf(path)) for path in paths for owner in _owners(path)}
        self._starts = {id(sheet): list(self._named(sheet)) for sheet in reading.sheets} if len(self.words) > 1 else {}
        self.named = {owner for starts in self._starts.values() for _, owner in starts if owner}

    def settle(self, paths: Sequence[Path], pools: Sequence[Pool]) -> None:
        """Let every candidate's score say whose part of the page it stands in, and put each pool in order again."""
        if not self._starts:
            return
        sides: dict[str, set[str]] = {}
        for path, pool in zip(paths, pools, strict=True):
            sides.setdefault(pool.ask.party, set()).update(_owners(path)[-1:])
        for path, pool in zip(paths, pools, strict=True):
            owners = _owners(path)
            if owners and pool.ask.party and len(sides[pool.ask.party]) == 1:
                continue  # the one seller or customer: parties know its part of the page
            for candidate in pool.candidates:
                candidate.score += self._shift(path, owners, pool, candidate)
                if candidate.occurrence is not None and id(candidate.occurrence.segment) in self._heads and path[:-1]:
                    candidate.score += _HEADED
            pool.candidates.sort(key=lambda candidate: -candidate.score)

    def _shift(self, path: Path, owners: list[str], pool: Pool, candidate: Candidate) -> float:
        at = candidate.occurrence
        segment = at.segment if at is not None else candidate.parts[0][0]
        label = _stems(tokens_of(at.segment.text[at.start : at.end])) if at is not None else set[str]()
        mine = [owner for owner in owners if owner in self.words]
        whose = self.owner(segment)
        if any(label & self._telling(owner) for owner in mine):
            nearest = mine[-1]
            outer = not label & self._telling(nearest) and nearest not in self.named and self._asked[_leaf(path)] > 1
            return _UNNAMED if outer else _OWN if whose in mine else 0.0
        if whose in mine:
            nearest = mine[-1]
            if whose == nearest or self._asked[_leaf(path)] == 1:
                return _OWN
            return 0.0 if nearest in self.named else _UNNAMED
        if whose or (whose == "" and mine and at is not None):
            if mine:
                return _OTHER if self._asked[_leaf(path)] > 1 else 0.0
            if (whose, _leaf(path)) not in self._has:
                return 0.0
            weak = at is None or all(vocabulary().weight(token) < 1.0 for token in tokens_of(at.segment.text[at.start : at.end]))
            return _ALIEN if (weak or pool.ask.kind == "phone") and self._asked[_leaf(path)] > 1 else 0.0
        contested = bool(mine) and self._asked[_leaf(path)] > 1
        if contested and not any(owner in self.named for owner in mine):
            return _UNNAMED
        return 0.0 if not contested else _OTHER if at is None else _ALIEN

    def owner(self, segment: Segment) -> str | None:
        """The object whose part of its page a segment stands in; empty in a section of none of them, None outside of all."""
        best: tuple[int, float] | None = None
        found: str | None = None
        for start, owner in self._starts.get(id(segment.sheet), ()):
            if start.row > segment.row or start.x0 > segment.x0 + 2 * segment.height:
                continue
            key = (start.row, start.x0)
            if best is None or key > best:
                best, found = key, owner
        return found

    def _named(self, sheet: Sheet) -> Iterator[tuple[Segment, str]]:
        """Where sections begin: at headings, whatever they say, and at labels that name an object."""
        heads = {line: block.kind for block in sheet.page.blocks if block.kind in ("section-header", "title") for line in block.lines}
        for segment in sheet.segments:
            label, colon, _ = segment.text.partition(":")
            tokens = tokens_of(label)
            if not 0 < len(tokens) <= _SHORT:
                continue
            kind = heads.get(sheet.page.words[segment.words[0]].line) if not colon else None
            owner = "" if kind == "title" else self._of(tokens, heading=kind is not None)
            if kind is not None:
                self._heads.add(id(segment))
            if owner or kind is not None:
                yield segment, owner

    def _of(self, tokens: Tokens, *, heading: bool) -> str:
        """The object that words name: by its name, at the head of a section also by its description; nothing when it may be several."""
        stems = _stems(tokens) - _PLAIN_STEMS
        scored = sorted(((self._likeness(owner, stems, heading=heading), owner) for owner in self.words), reverse=True)[:2]
        if not heading and frozenset(stems) in self._leaves:
            return ""  # the label of a field
        if not stems or not scored or scored[0][0] < _ALIKE or (len(scored) == 2 and scored[0][0] == scored[1][0]):
            return ""
        return scored[0][1]

    def _likeness(self, owner: str, stems: set[str], *, heading: bool) -> float:
        own, described = self.words[owner]
        if hits := len(stems & own):
            return hits / len(stems) * hits / len(own)
        return 0.6 * len(stems & described) / max(1, len(stems)) if heading else 0.0

    def _telling(self, owner: str) -> set[str]:
        """The words of an object's name that are in no other one's."""
        return {word for word in self.words[owner][0] if sum(word in own for own, _ in self.words.values()) == 1}


def _leaf(path: Path) -> tuple[str | int, ...]:
    """What a field asks, whosever it is: its name, with `address` before the parts of one."""
    return ("address", *path[-1:]) if len(path) > 1 and _is_address(str(path[-2])) else path[-1:]


def _owners(path: Path) -> list[str]:
    return [step for step in path[:-1] if isinstance(step, str) and not _is_address(step)]


def _is_address(step: str) -> bool:
    """Whether an object is an address: whose it is, its place beside a name says."""
    return "address" in tokens_of(split_name(step))


def _objects(root: Field, paths: Sequence[Path]) -> dict[str, tuple[set[str], set[str]]]:
    """The words of the name and of the description of each object with scalar fields; those of the same name are one."""
    made: dict[str, tuple[set[str], set[str]]] = {}
    for path in paths:
        field: Field | None = root
        for step in path[:-1]:
            field = field.field(step) if field is not None and isinstance(step, str) else None
            if field is None or _is_address(field.name):
                continue
            described = tokens_of(field.description.split(".")[0])
            own, more = made.setdefault(field.name, (set(), set()))
            own |= _stems(tokens_of(split_name(field.name))) - _PLAIN_STEMS
            more |= (_stems(described) if len(described) <= _SHORT else set()) - _PLAIN_STEMS
    return {name: words for name, words in made.items() if words[0]}


def _stems(tokens: Tokens) -> set[str]:
    return {token[:_STEM] for token in tokens if vocabulary().weight(token) > 0}


_PLAIN_STEMS = frozenset(word[:_STEM] for word in _PLAIN)
