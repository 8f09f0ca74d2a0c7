"""Values that no page says but that follow from others it does: sums and differences, counts, products of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import combinations

from heliograph.extraction.alignment.figures import Figures
from heliograph.extraction.alignment.places import Place
from heliograph.extraction.alignment.sought import Sought
from heliograph.extraction.sums import CENT

_MOST_BESIDE = 12
"""Numbers of one object that are added up in pairs and threes."""


def derived(one: Sought, every: Sequence[Sought], figures: Figures, pages: Set[int] | None) -> list[Place]:
    """The places of the values from which a number follows; none where it does not."""
    value = _number(one)
    if value is None or value == 0:
        return []
    for addends in (_column(one, every, value), _counted(one, every, value), _beside(one, every, value)):
        if addends:
            return addends
    return []


def _number(one: Sought) -> Decimal | None:
    if isinstance(one.value, bool) or not isinstance(one.value, (int, float)):
        return None
    with suppress(InvalidOperation, ValueError):
        made = Decimal(str(one.value))
        return made if made.is_finite() and abs(made) < Decimal(10) ** 15 else None
    return None


def _placed(every: Sequence[Sought]) -> Iterator[tuple[Sought, Decimal, Place]]:
    for other in every:
        value = _number(other)
        if other.chosen is not None and value is not None and other.chosen.match != "computed":
            yield other, value, other.chosen


def _column(one: Sought, every: Sequence[Sought], value: Decimal) -> list[Place]:
    """A list's column that adds up to it, all of it on the pages."""
    columns: dict[tuple[str | int, ...], list[tuple[Decimal, Place | None]]] = {}
    for other in every:
        number = _number(other)
        if other is not one and number is not None and any(isinstance(step, int) for step in other.path):
            columns.setdefault((*other.group[:-1], "[]", *other.column), []).append((number, other.chosen))
    for column in columns.values():
        places = [place for _, place in column if place is not None]
        if len(column) > 1 and len(places) == len(column) and abs(sum(number for number, _ in column) - value) < CENT:
            return places
    return []


def _counted(one: Sought, every: Sequence[Sought], value: Decimal) -> list[Place]:
    """How many rows a list has, where the field asks for a number of them."""
    if value != value.to_integral_value() or not any(token in ("no", "count", "quantity", "total") for token in one.wanted.words):
        return []
    lists: dict[tuple[str | int, ...], dict[tuple[str | int, ...], Place]] = {}
    for other in every:
        group = other.group
        if group and isinstance(group[-1], int) and other.chosen is not None:
            lists.setdefault(group[:-1], {}).setdefault(group, other.chosen)
    for rows in lists.values():
        if len(rows) == value and len(rows) > 1:
            return list(rows.values())
    return []


def _beside(one: Sought, every: Sequence[Sought], value: Decimal) -> list[Place]:
    """Two or three numbers of the same object that add up to it, or two whose product it is."""
    beside = [(number, place) for other, number, place in _placed(every) if other is not one and other.group == one.group and number]
    beside = beside[:_MOST_BESIDE]
    for size in (2, 3):
        for parts in combinations(beside, size):
            numbers = [number for number, _ in parts]
            whole = sum(numbers)
            if abs(whole - value) < CENT or (size == 2 and abs(abs(numbers[0] - numbers[1]) - abs(value)) < CENT):
                return [place for _, place in parts]
    if one.path and any(isinstance(step, int) for step in one.path):
        for (a, first), (b, second) in combinations(beside, 2):
            if abs(a * b - value) < CENT and 1 not in (a, b):
                return [first, second]
    return []
