"""Values that no page says but that follow from others it does: sums and differences, counts, products of a row."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import combinations

from heliograph.extraction.alignment.places import Place
from heliograph.extraction.alignment.sought import Sought
from heliograph.extraction.result import Path
from heliograph.extraction.sums import CENT

_MOST_BESIDE = 12
"""Numbers of one object that are added up in pairs and threes."""
_COUNTS = frozenset({"no", "count", "quantity", "total"})
"""Words of a field that may ask how many rows a list has."""


class Deriving:
    """What the numbers of an answer add up to, worked out once. `every`: its values, those on the pages with their `chosen` place."""

    def __init__(self, every: Sequence[Sought]) -> None:
        self._columns: dict[Path, list[tuple[Sought, Decimal]]] = {}
        self._objects: dict[Path, list[tuple[Sought, Decimal]]] = {}
        self._rows: dict[Path, dict[Path, Place]] = {}
        for one in every:
            group, number = one.group, _number(one)
            in_list = bool(group) and isinstance(group[-1], int)
            if in_list and one.chosen is not None:
                self._rows.setdefault(group[:-1], {}).setdefault(group, one.chosen)
            if number is None:
                continue
            if in_list:
                self._columns.setdefault((*group[:-1], "[]", *one.column), []).append((one, number))
            if one.chosen is not None and one.chosen.match != "computed":
                self._objects.setdefault(group, []).append((one, number))
        self._sums = {column: sum((number for _, number in values), Decimal()) for column, values in self._columns.items()}

    def places(self, one: Sought) -> list[Place]:
        """The places of the values from which `one`, a number, follows; none where it does not."""
        value = _number(one)
        if value is None or value == 0:
            return []
        return self._column(one, value) or self._counted(one, value) or self._beside(one, value)

    def _column(self, one: Sought, value: Decimal) -> list[Place]:
        """A list's column that adds up to it, all of it on the pages."""
        own = (*one.group[:-1], "[]", *one.column)
        for column, values in self._columns.items():
            own_part = value if column == own else Decimal()
            if abs(self._sums[column] - own_part - value) >= CENT:
                continue
            places = [other.chosen for other, _ in values if other is not one]
            found = [place for place in places if place is not None]
            if len(found) == len(places) > 1:
                return found
        return []

    def _counted(self, one: Sought, value: Decimal) -> list[Place]:
        """How many rows a list has, where the field asks for a number of them."""
        if value != value.to_integral_value() or _COUNTS.isdisjoint(one.wanted.words):
            return []
        for path, rows in self._rows.items():
            if len(rows) == value and len(rows) > 1 and one.path[: len(path)] != path:
                return list(rows.values())
        return []

    def _beside(self, one: Sought, value: Decimal) -> list[Place]:
        """Two or three numbers of the same object that add up to it, or two whose product it is."""
        beside: list[tuple[Decimal, Place]] = [
            (number, other.chosen)
            for other, number in self._objects.get(one.group, ())
            if other is not one and number and other.chosen is not None
        ][:_MOST_BESIDE]
        for size in (2, 3):
            for parts in combinations(beside, size):
                numbers = [number for number, _ in parts]
                whole = sum(numbers)
                if abs(whole - value) < CENT or (size == 2 and abs(abs(numbers[0] - numbers[1]) - abs(value)) < CENT):
                    return [place for _, place in parts]
        if any(isinstance(step, int) for step in one.path):
            for (a, first), (b, second) in combinations(beside, 2):
                if abs(a * b - value) < CENT and 1 not in (a, b):
                    return [first, second]
        return []


def _number(one: Sought) -> Decimal | None:
    if isinstance(one.value, bool) or not isinstance(one.value, (int, float)):
        return None
    with suppress(InvalidOperation, ValueError):
        made = Decimal(str(one.value))
        return made if made.is_finite() and abs(made) < Decimal(10) ** 15 else None
    return None
