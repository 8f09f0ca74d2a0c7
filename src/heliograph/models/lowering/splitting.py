"""A tree that is too large for one request, cut into trees that are not: by field groups of the root, then of the objects below.

Groups are of neighbours and keep the schema's order. Lists are not cut, since the columns of a table must stay together.
"""

from __future__ import annotations

import msgspec

from heliograph.models.lowering.rules import Rules
from heliograph.models.lowering.shapes import Loss, Option, Shape

_ROWS = 1
"""Rows that a list is reckoned with: what comes beyond is continued when it is cut off."""
_LEAF = 24
"""Characters of a key's punctuation and a usual value: two thirds of the leaves of receipts and invoices have no more."""
_LETTERS_A_TOKEN = 3
"""Characters of JSON in a token, on the low side of what tokenizers make of names and digits."""


class Size(msgspec.Struct):
    """What a tree costs: properties, characters of names and enum values, enum values, characters of a usual answer."""

    properties: int = 0
    characters: int = 0
    enum_values: int = 0
    answer: int = 0

    def add(self, other: Size, *, times: int = 1) -> None:
        """Count another tree in; `times` for how often its answer is given."""
        self.properties += other.properties
        self.characters += other.characters
        self.enum_values += other.enum_values
        self.answer += other.answer * times

    def fits(self, rules: Rules, tokens: int) -> bool:
        """Whether a schema of this size is taken, and its usual answer has no more than `tokens`."""
        return (
            self.properties <= rules.properties
            and self.characters <= rules.characters
            and self.enum_values <= rules.enum_values
            and self.answer <= tokens * _LETTERS_A_TOKEN
        )


def size(shape: Shape) -> Size:
    """What a place costs, its own key not counted."""
    total = Size()
    for option in shape.options:
        total.add(_size(option))
    return total


def _size(option: Option) -> Size:
    total = Size(answer=_LEAF if option.is_leaf else 2)
    if option.enum is not None:
        total.enum_values += len(option.enum)
        total.characters += sum(len(str(value)) for value in option.enum)
    for name, child in option.fields.items():
        total.add(_field(name, child))
    for number, child in enumerate(option.places, 1):
        total.add(_field(f"item_{number}", child))
    if option.others is not None:
        total.add(_field("key", option.others), times=_ROWS)
        total.properties += 2
    if option.item is not None:
        total.add(size(option.item), times=_ROWS)
    return total


def _field(name: str, shape: Shape) -> Size:
    made = size(shape)
    made.properties += 1
    made.characters += len(name)
    made.answer += len(name)
    return made


def split(shape: Shape, rules: Rules, tokens: int) -> list[Shape]:
    """`shape` in as few parts as fit, which is usually one. A part that cannot be made small enough stays too large."""
    if size(shape).fits(rules, tokens) or len(shape.options) != 1 or not shape.options[0].fields:
        return [shape]
    whole = shape.options[0]
    groups: list[dict[str, Shape]] = []
    total = Size()
    for name, child in whole.fields.items():
        own = _field(name, child)
        if groups and _sum(total, own).fits(rules, tokens):
            groups[-1][name] = child
            total.add(own)
        elif own.fits(rules, tokens) or len(parts := split(child, rules, tokens)) == 1:
            groups.append({name: child})
            total = own
        else:
            groups += [{name: part} for part in parts]
            total = _field(name, parts[-1])
    return [
        msgspec.structs.replace(
            shape, options=[msgspec.structs.replace(whole, fields=group, others=whole.others if number == len(groups) - 1 else None)]
        )
        for number, group in enumerate(groups)
    ]


def _sum(a: Size, b: Size) -> Size:
    made = Size()
    made.add(a)
    made.add(b)
    return made


def curtail(shape: Shape, rules: Rules) -> list[Loss]:
    """Take the longest enums out of a part until its enum values are few enough; what it lost."""
    lost: list[Loss] = []
    enums = sorted(_enums(shape), key=lambda each: -len(each[1].enum or []))
    total = sum(len(option.enum or []) for _, option in enums)
    letters = size(shape).characters
    for place, option in enums:
        values = option.enum or []
        if total <= rules.enum_values and letters <= rules.characters:
            break
        total -= len(values)
        letters -= sum(len(str(value)) for value in values)
        option.notes.append(f"one of {len(values)} values, such as " + ", ".join(str(value) for value in values[:20]))
        option.enum = None
        lost.append(Loss(place.path, "enum", "too many values in one schema"))
    return lost


def _enums(shape: Shape) -> list[tuple[Shape, Option]]:
    found: list[tuple[Shape, Option]] = []
    todo = [shape]
    while todo:
        place = todo.pop()
        for option in place.options:
            if option.enum is not None:
                found.append((place, option))
            todo += [*option.fields.values(), *option.places, *(each for each in (option.others, option.item) if each is not None)]
    return found
