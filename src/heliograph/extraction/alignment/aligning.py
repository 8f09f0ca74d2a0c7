"""Which of the places where a value may stand is the one that was meant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from heliograph.extraction.alignment.board import Board
from heliograph.extraction.alignment.captions import heading, nearness
from heliograph.extraction.alignment.deriving import Deriving
from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.alignment.places import PAGE, Place, Places
from heliograph.extraction.alignment.rows import Spot, Table, spots
from heliograph.extraction.alignment.seeking import Seeker
from heliograph.extraction.alignment.sought import Sought, sought
from heliograph.extraction.result import Evidence, Leaf, Match, Path, walk
from heliograph.extraction.schema import Schema
from heliograph.media.document import Page
from heliograph.media.geometry import Box

PRIOR: dict[Match, float] = {"exact": 0.8, "computed": 0.65, "fuzzy": 0.6, "model": 0.5, "none": 0.15}
"""Probability of a leaf by its match alone, until `combining` weighs all that is known."""
_LABEL, _STATED, _SIBLING, _ROW, _COLUMN, _USED = 1.5, 2.0, 0.5, 2.0, 0.8, 0.3
"""What counts, beside the quality of the place (1): a fitting label, a box that the model stated, other values of its object or row
near, its column's place, and against it that another value has it already."""
_LAST = 0.2
"""What counts for the last amount of a row, times the fraction of the page it is to the right: quantity and price come before it."""
_WEIGHED = 24
"""Places of one value that are weighed against each other."""
_TELLS = 0.3
"""Fit of a label that makes a value credible which stands on most pages somewhere, such as 1."""
_ALONE = 0.8
"""Quality of one or two letters that stand on the pages once, in the same case, and so are credible."""
_SPREAD = 0.06
"""Fraction of the page by which a stated box may be beside the words."""


class Found(msgspec.Struct):
    """How a value was found: among how many `places`, and how well (0-1) the label beside it and its own words fit."""

    leaf: Leaf
    places: int = 0
    label: float = 0.0
    quality: float = 0.0


class Alignment:
    """Pages, prepared once for looking values up on them; linear in their words."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.boards = [Board(page, ordinal) for ordinal, page in enumerate(pages)]
        self._seeker = Seeker(self.boards)

    def align(
        self, values: Any, schema: Schema, *, stated: Mapping[Path, list[Box]] | None = None, within: Set[int] | None = None
    ) -> dict[Path, Leaf]:
        """A leaf for every scalar of `values`, with the words that carry it.

        `values` has the shape of `schema`; a null is `absent`. `stated`: boxes that a model gave, which only choose between places.
        `within`: indices of the pages to look on; None is all. What the pages do not support has match `none` and no evidence.
        """
        return {path: found.leaf for path, found in self.find(values, schema, stated=stated, within=within).items()}

    def find(
        self, values: Any, schema: Schema, *, stated: Mapping[Path, list[Box]] | None = None, within: Set[int] | None = None
    ) -> dict[Path, Found]:
        """As `align`, with how it was found."""
        boxes = stated or {}
        pages = None if within is None else {board.ordinal for board in self.boards if board.page.index in within}
        every = list(sought(values, schema))
        self._seeker.alike = [one for one in every if isinstance(one.value, bool)]
        known: dict[tuple[Any, ...], Places] = {}  # a column says the same in many rows
        for one in every:
            key = (type(one.value).__name__, one.value, one.field.path)
            if key not in known:
                known[key] = self._seeker.places(one, pages)
            one.places = known[key]
        _Choosing(every, boxes, self._seeker.similar).choose()
        deriving = Deriving(every)
        made = {path: Found(Leaf(None, "absent", "none", 0.0)) for path, value in walk(values) if value is None}
        for one in every:
            made[one.path] = self._found(one, deriving, boxes.get(one.path, ()))
        return made

    def _found(self, one: Sought, deriving: Deriving, boxes: Sequence[Box]) -> Found:
        if one.chosen is not None:
            place = one.chosen
            leaf = Leaf(one.value, "found", place.match, PRIOR[place.match], place.evidence())
            return Found(leaf, len(one.places), one.label, place.quality)
        addends = deriving.places(one)
        if addends:
            evidence = [part for place in addends for part in place.evidence()]
            return Found(Leaf(one.value, "found", "computed", PRIOR["computed"], evidence), 1, 0.0, 0.7)
        pictured = list(self._pictured(boxes))
        if pictured:
            return Found(Leaf(one.value, "found", "model", PRIOR["model"], pictured), 1, 0.0, 0.5)
        return Found(Leaf(one.value, "found", "none", PRIOR["none"]))

    def _pictured(self, boxes: Sequence[Box]) -> Iterator[Evidence]:
        """Boxes that a model stated where the page has no words that could say otherwise: stamps, pictures, handwriting."""
        by_index = {board.page.index: board for board in self.boards}
        for box in boxes:
            board: Board | None = by_index.get(box.page)
            if board is not None and box.area > 0 and not board.under(box):
                yield Evidence("", box, 0.0)


class _Choosing:
    """The values of one answer, and where each of them is taken to stand."""

    def __init__(self, every: list[Sought], stated: Mapping[Path, list[Box]], similar: Callable[[Sought, Set[int]], list[Place]]) -> None:
        self.every, self.stated, self.similar = every, stated, similar
        self.used: dict[tuple[int, int, int], list[Path]] = {}

    def choose(self) -> None:
        lists: dict[Path, dict[int, list[Sought]]] = {}
        alone: list[Sought] = []
        for one in self.every:
            group = one.group
            if group and isinstance(group[-1], int):
                lists.setdefault(group[:-1], {}).setdefault(group[-1], []).append(one)
            else:
                alone.append(one)
        self._alone(alone)
        settled: dict[Path, Spot] = {}
        for path in sorted(lists, key=len):
            self._list(path, lists[path], settled)

    def _alone(self, alone: list[Sought]) -> None:
        """The values that belong to no row: the surest first, then those near others of their object."""
        for one in sorted(alone, key=lambda one: (len(one.places), len(one.path))):
            if not one.places:
                continue
            beside = [
                other.chosen for other in alone if other.chosen is not None and len(one.path) > 1 and other.path[:-1] == one.path[:-1]
            ]
            scored: list[tuple[float, Place, float]] = []
            for place in one.places.best[:_WEIGHED]:
                label = _label(one, place)
                score = place.quality + _LABEL * label + _STATED * self._as_stated(one, place) - self._taken(one, place)
                score += _SIBLING * max((_together(place, other) for other in beside), default=0.0)
                scored.append((score - 0.01 * place.board.ordinal, place, label))
            score, place, label = max(scored, key=lambda option: option[0])
            pulled = max((_together(place, other) for other in beside), default=0.0)
            if _common(one) and label < _TELLS and pulled < 0.5 and not self._as_stated(one, place):
                continue
            self._take(one, place, label)

    def _list(self, path: Path, rows: dict[int, list[Sought]], settled: dict[Path, Spot]) -> None:
        indices = sorted(rows)
        parent = next((path[:at] for at in range(len(path), 0, -1) if path[:at] in settled), None)
        stretch = _stretch(parent, settled) if parent is not None else None
        found = spots([rows[index] for index in indices], stretch)
        table = Table()
        waiting: list[tuple[Sought, Spot, list[Sought]]] = []
        for index, spot in zip(indices, found, strict=True):
            if spot is None:
                continue
            settled[(*path, index)] = spot
            for one in rows[index]:
                here = spot.beside(one.places)
                if len(here) == 1 and not self._shared(one, here[0]):
                    self._take(one, here[0], 0.0)
                elif one.places:
                    waiting.append((one, spot, rows[index]))
            table.add([one for one in rows[index] if one.chosen is not None])
        for one, spot, row in sorted(waiting, key=lambda each: _lines(each[0], each[1])):  # those first that tell the others' line
            self._in_row(one, spot, row, table)
        for index in indices:
            self._unfounded(rows[index])

    def _in_row(self, one: Sought, spot: Spot, row: Sequence[Sought], table: Table) -> None:
        """The place of a value that is several times near its row: as the other rows have it, under its heading, else on the row's line."""
        beside = spot.beside(one.places)
        near = one.places.nearest(spot.down, _WEIGHED)
        if all(self._shared(one, place) for place in beside):
            keys = {place.key for place in beside}
            misread = spot.beside(Places(self.similar(one, {int(spot.down // PAGE)})))
            near = [place for place in misread if place.key not in keys] + near
        best: tuple[float, Place, float] | None = None
        for place in near:
            close = spot.near(place.down)
            label = nearness(place, one.wanted) if close < 0.6 or len(near) > 1 else 0.0
            score = place.quality + _ROW * close + _STATED * self._as_stated(one, place)
            if close >= 0.35:
                usual = table.usual(one, place, row)
                if usual is None and len(near) > 1:
                    label = max(label, 0.8 * heading(place, one.wanted))
                score += _COLUMN * (usual or 0.0) - 2 * self._taken(one, place)
                score += _LAST * place.head.cx if one.wanted.kind == "money" else 0.0
            score += 0.5 * label
            if best is None or score > best[0]:
                best = score, place, label
        if best is None:
            return
        _, place, label = best
        if spot.near(place.down) < 0.35 and _common(one) and label < _TELLS and not self._as_stated(one, place):
            return
        self._take(one, place, label)

    def _unfounded(self, row: list[Sought]) -> None:
        """A row all of whose words are another row's is not on the pages a second time; nor is one of which no more is there than a 1."""
        chosen = [one for one in row if one.chosen is not None]
        bare = len(row) > 1 and all(_common(one) and not _with_cents(one) for one in chosen)
        if bare or all(one.chosen is not None and self._shared(one, one.chosen) for one in chosen):
            for one in chosen:
                if one.chosen is not None:
                    self.used[one.chosen.key].remove(one.path)
                one.chosen = None
                one.places = Places()

    def _shared(self, one: Sought, place: Place) -> bool:
        """Whether the same value of another row stands there already."""
        return any(
            other != one.path and other[len(one.group) :] == one.column and len(other) == len(one.path)
            for other in self.used.get(place.key, ())
        )

    def _taken(self, one: Sought, place: Place) -> float:
        return _USED if any(other != one.path for other in self.used.get(place.key, ())) else 0.0

    def _take(self, one: Sought, place: Place, label: float) -> None:
        one.chosen, one.label = place, label
        self.used.setdefault(place.key, []).append(one.path)

    def _as_stated(self, one: Sought, place: Place) -> float:
        """How near a place is to a box that the model stated, 0-1."""
        best = 0.0
        for box in self.stated.get(one.path, ()):
            if box.page == place.board.page.index:
                head = place.box
                apart = math.hypot(max(0.0, box.x - head.cx, head.cx - box.x1), max(0.0, box.y - head.cy, head.cy - box.y1))
                best = max(best, math.exp(-apart / _SPREAD))
        return best if best > 0.1 else 0.0


def _lines(one: Sought, spot: Spot) -> int:
    """On how many lines about its row a value stands."""
    return len({round(place.down / spot.height) for place in spot.about(one.places)})


def _label(one: Sought, place: Place) -> float:
    """How well the label at a place fits; of a box to tick that is how it was found, since what stands beside it is another one's."""
    return place.quality if isinstance(one.value, bool) else nearness(place, one.wanted)


def _together(a: Place, b: Place) -> float:
    """How near two places are, 0-1: 1 on one line, half of it after five lines."""
    if a.board is not b.board:
        return 0.0
    lines = abs(a.level - b.level) / max(a.board.height, 1.0)
    return math.exp(-max(0.0, lines - 0.5) / 7)


def _stretch(parent: Path, settled: Mapping[Path, Spot]) -> tuple[float, float] | None:
    """From a row of the outer list to the next one."""
    last = parent[-1]
    if not isinstance(last, int):
        return None
    here, following = settled[parent], settled.get((*parent[:-1], last + 1))
    return here.down - 3 * here.height, following.down + 0.6 * here.height if following is not None else math.inf


def _with_cents(one: Sought) -> bool:
    """Whether a number is printed with decimals, and so is no mere count."""
    text = one.chosen.board.text(one.chosen.spans[0]) if one.chosen is not None else ""
    return bool(one.value) and any(mark in text for mark in ".,") and one.wanted.kind == "money"


def _common(one: Sought) -> bool:
    """Whether a value is of a kind that stands on most pages somewhere: small whole numbers, one or two letters."""
    value = one.value
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return abs(value) < 100 and float(value).is_integer()
    if not isinstance(value, str) or not 1 <= len(fold(value)) <= 2:
        return False
    return len(one.places) > 1 or one.places.best[0].quality < _ALONE or value.strip().isdigit()
