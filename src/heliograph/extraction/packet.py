"""Several files as one packet: each was answered in the same schema by itself, and the answers become one.

    whole = combined([Part("referral.pdf", 2, extraction), Part("card.png", 1, extraction)], schema)
    cited(with_metadata(whole.extraction, schema, grounding=True, confidence=True), parts)

A field that several files hold is taken from where it is surest, with the evidence of all that say the same; where they say different
things with some certainty, a warning tells both. Lists are joined: rows that stand in two files count once, and how many rows
came from where is told. Pages of the result count over the whole packet, until `cited` gives each box its file and the page in that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from heliograph.extraction.agreement import SAME, SIMILAR, agreement
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.confidence import MED
from heliograph.extraction.metadata import Located, boxed
from heliograph.extraction.result import Evidence, Extraction, Leaf, Path, walk
from heliograph.extraction.schema import METADATA_SUFFIX, Field, Schema
from heliograph.media.geometry import Box

Json = Any
RAREST = 2
"""Values of a row by which rows like it are looked for: those that the fewest rows have."""
LONGEST_TOLD = 80
"""Characters of a value in a warning."""


class Part(msgspec.Struct, frozen=True):
    """A file of the packet: what it is called, its pages, and its answer."""

    file: str
    pages: int
    extraction: Extraction


class _Source(msgspec.Struct, frozen=True):
    """A value of one part, at a path of that part's answer."""

    part: int
    value: Json
    path: Path


class _Row(msgspec.Struct):
    """A row of the joined list, and where it stands; the same row of another file is one more source."""

    sources: list[_Source]


def combined(parts: Sequence[Part], schema: Schema) -> Extraction:
    """The answers of all parts as one, with warnings about conflicts and rows."""
    return _Joining(parts).joined(schema)


def cited(response: Json, parts: Sequence[Part]) -> Json:
    """`response`, whose boxes have pages of the packet, with `file` and the page in that file instead. Changes it in place."""
    firsts = _firsts(parts)
    for box in _boxes(response):
        number = max(index for index, first in enumerate(firsts[:-1]) if first <= box["page"] or index == 0)
        box["page"] -= firsts[number]
        box["file"] = parts[number].file
    return response


def located(parts: Sequence[Part], recorded: Mapping[int, Located]) -> Located:
    """Where evidence of a packet is: boxes on its pages and, of the parts that are recordings (by place), `spans` that name their file.

    `recorded`: what each of these says of evidence on its own pages.
    """
    firsts = _firsts(parts)

    def owner(evidence: Evidence) -> int:
        return max(index for index, first in enumerate(firsts[:-1]) if first <= evidence.box.page or index == 0)

    def where(evidence: list[Evidence]) -> dict[str, Json]:
        made = boxed([one for one in evidence if owner(one) not in recorded])
        spans: list[Json] = []
        for number, told_by in recorded.items():
            first = firsts[number]
            own = [replace(one, box=replace(one.box, page=one.box.page - first)) for one in evidence if owner(one) == number]
            told = told_by(own)
            made["bboxes"] += [{**box, "page": box["page"] + first} for box in told["bboxes"]]
            spans += [{**span, "file": parts[number].file} for span in told.get("spans", [])]
        return made | ({"spans": spans} if recorded else {})

    return where


def _boxes(value: Json) -> Iterator[dict[str, Json]]:
    if isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _boxes(item)
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, Json]", value).items():
            if name.endswith(METADATA_SUFFIX) and isinstance(inner, dict) and "bboxes" in inner:
                yield from cast("list[dict[str, Json]]", inner["bboxes"])
            else:
                yield from _boxes(inner)


def _firsts(parts: Sequence[Part]) -> list[int]:
    """The first page of each part in the packet, and behind them how many there are."""
    return list(accumulate((part.pages for part in parts), initial=0))


class _Earlier:
    """The rows of the files before, each to be taken once. A row is compared with those only that share what few rows have."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows: dict[tuple[Path, str], list[_Row]] = {}
        self._taken: set[int] = set()
        for row in rows:
            for mark in _marks(row.sources[0].value):
                self._rows.setdefault(mark, []).append(row)

    def take(self, value: Json) -> _Row | None:
        """The first row that says the same, no more there from now on."""
        rarest = sorted((rows for mark in _marks(value) if (rows := self._rows.get(mark))), key=len)[:RAREST]
        for row in (row for rows in rarest for row in rows):
            if id(row) not in self._taken and _same_row(row.sources[0].value, value):
                self._taken.add(id(row))
                return row
        return None


def _marks(row: Json) -> list[tuple[Path, str]]:
    return [(path, fold(str(value))) for path, value in walk(row) if value is not None]


class _Joining:
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._firsts = _firsts(parts)
        self._leaves: dict[Path, Leaf] = {}
        self._warnings: list[str] = []

    def joined(self, schema: Schema) -> Extraction:
        sources = [_Source(number, part.extraction.values, ()) for number, part in enumerate(self._parts)]
        values = self._value(schema.root, sources, ())
        return Extraction(values, self._leaves, self._warnings)

    def _value(self, field: Field | None, sources: Sequence[_Source], path: Path) -> Json:
        """What the sources say together, its leaves noted under `path`."""
        if any(isinstance(source.value, dict) for source in sources):
            return self._object(field, [source for source in sources if isinstance(source.value, dict)], path)
        if any(isinstance(source.value, list) for source in sources):
            return self._list(field, [source for source in sources if isinstance(source.value, list)], path)
        return self._scalar(sources, path)

    def _object(self, field: Field | None, sources: Sequence[_Source], path: Path) -> Json:
        names = dict.fromkeys(name for source in sources for name in source.value)
        made: dict[str, Json] = {}
        for name in names:
            inner = [_Source(source.part, source.value[name], (*source.path, name)) for source in sources if name in source.value]
            made[name] = self._value(field.field(name) if field is not None else None, inner, (*path, name))
        return made

    def _scalar(self, sources: Sequence[_Source], path: Path) -> Json:
        said = [(source, leaf) for source in sources if (leaf := self._leaf(source)) is not None and source.value is not None]
        if not said:
            states = [leaf for source in sources if (leaf := self._leaf(source)) is not None]
            if states:
                self._leaves[path] = next((leaf for leaf in states if leaf.state != "absent"), states[0])
            return None
        said.sort(key=lambda each: -each[1].probability)
        (best, leaf), others = said[0], said[1:]
        same = [other for other in others if agreement(best.value, other[0].value) >= SAME]
        evidence = [*leaf.evidence, *(part for _, other in same for part in other.evidence)]
        self._leaves[path] = msgspec.structs.replace(leaf, evidence=evidence)
        for other, known in others:
            if agreement(best.value, other.value) < SIMILAR and known.probability >= MED and known.match != "none":
                self._warnings.append(
                    f"conflict: {_dotted(path)} is {_told(best.value)} in {self._parts[best.part].file} "
                    f"and {_told(other.value)} in {self._parts[other.part].file}; the first is the surer one and was taken"
                )
        return best.value

    def _list(self, field: Field | None, sources: Sequence[_Source], path: Path) -> Json:
        rows: list[_Row] = []
        counts: dict[int, int] = {}
        doubled = 0
        for source in self._likely(sources, path):
            earlier = _Earlier(rows)
            for index, value in enumerate(source.value):
                row = _Source(source.part, value, (*source.path, index))
                known = earlier.take(value)
                if known is not None:
                    known.sources.append(row)
                    doubled += 1
                else:
                    rows.append(_Row([row]))
                counts[source.part] = counts.get(source.part, 0) + 1
        if len(counts) > 1:
            told = ", ".join(f"{count} from {self._parts[part].file}" for part, count in counts.items())
            twice = f"; {doubled} in two files counted once" if doubled else ""
            self._warnings.append(f"rows: {_dotted(path)} has {len(rows)}: {told}{twice}")
        item = field.item if field is not None else None
        return [self._value(item, row.sources, (*path, index)) for index, row in enumerate(rows)]

    def _likely(self, sources: Sequence[_Source], path: Path) -> Iterator[_Source]:
        """The lists, but for those that are hardly any where another file's is a good one."""
        likely = [self._likelihood(source) for source in sources]
        for source, how in zip(sources, likely, strict=True):
            if source.value and how < MED <= max(likely):
                self._warnings.append(
                    f"rows: {len(source.value)} of {_dotted(path)} in {self._parts[source.part].file} left out: hardly sure"
                )
            elif source.value:
                yield source

    def _likelihood(self, source: _Source) -> float:
        """The mean probability of the values of a list."""
        known = [
            leaf.probability
            for path, value in walk(source.value, source.path)
            if value is not None and (leaf := self._parts[source.part].extraction.leaves.get(path)) is not None
        ]
        return sum(known) / len(known) if known else 0.0

    def _leaf(self, source: _Source) -> Leaf | None:
        leaf = self._parts[source.part].extraction.leaves.get(source.path)
        if leaf is None:
            return None if source.value is None else Leaf(source.value)
        return msgspec.structs.replace(leaf, evidence=[self._moved(part, self._firsts[source.part]) for part in leaf.evidence])

    @staticmethod
    def _moved(evidence: Evidence, by: int) -> Evidence:
        box = evidence.box
        return msgspec.structs.replace(evidence, box=Box(box.x, box.y, box.w, box.h, box.page + by))


def _same_row(one: Json, other: Json) -> bool:
    """Whether two rows say the same, and something: every value that both have agrees, and neither has much that the other has not."""
    first = {path: value for path, value in walk(one) if value is not None}
    second = {path: value for path, value in walk(other) if value is not None}
    both = first.keys() & second.keys()
    if not both or len(both) < max(len(first), len(second)) - 1:
        return False
    return all(agreement(first[path], second[path]) >= SAME for path in both)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path) or "the answer"


def _told(value: Json) -> str:
    text = " ".join(str(value).split())
    return repr(text if len(text) <= LONGEST_TOLD else text[: LONGEST_TOLD - 1] + "…")
