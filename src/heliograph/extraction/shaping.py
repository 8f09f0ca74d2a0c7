"""The answer in the shape of the schema, with its leaves by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from heliograph.extraction.arrays import Row, Rows
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import Field, Schema

Json = Any
Alone = Callable[[Field], dict[Path, Leaf]]


def shaped(field: Field, path: Path, values: dict[Path, Leaf], leaves: dict[Path, Leaf], rows: Rows, alone: Alone | None = None) -> Json:
    """The answer in the schema's shape, with its leaves recorded by path. `alone` says of a list without rows what its one entry is."""
    if field.is_leaf:
        leaf = values.get(path, Leaf(None, "absent"))
        leaves[path] = leaf
        return leaf.value
    if field.places:
        places = [values.get((*path, number), Leaf(None, "absent")) for number in range(len(field.places))]
        if any(leaf.value is None for leaf in places):
            return None if field.nullable else []  # places have their meaning by number, so there is no part of a tuple
        leaves.update({(*path, number): leaf for number, leaf in enumerate(places)})
        return [leaf.value for leaf in places]
    if field.kind == "array":
        return _list(field, path, leaves, rows, alone)
    made = {child.name: shaped(child, (*path, child.name), values, leaves, rows, alone) for child in field.fields}
    if field.others is not None and field.others.is_leaf:
        for name, leaf in rows.others(field):
            if name not in made:
                made[name] = leaf.value
                leaves[(*path, name)] = leaf
    found = any(_holds(value) for value in made.values())
    for child in field.fields:
        if child.const is not msgspec.UNSET and child.is_leaf and found and child.const is not None:
            made[child.name] = child.const
            leaves[(*path, child.name)] = Leaf(child.const, "found", "computed", 1.0, [])
    if field.nullable and not found and path:
        for child in list(leaves):
            if child[: len(path)] == path:
                del leaves[child]
        return None
    return made


def _holds(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_holds(child) for child in cast("dict[str, Json]", value).values())
    return value is not None and value != []


def _list(field: Field, path: Path, leaves: dict[Path, Leaf], rows: Rows, alone: Alone | None) -> Json:
    item = field.item
    found: list[Row] = rows.find(field) if item is not None else []
    if field.max_items is not None:
        found = found[: field.max_items]
    if not found and alone is not None and item is not None and not item.is_leaf and (entry := alone(field)):
        return [shaped(item, (*path, 0), {(*path, 0, *where): leaf for where, leaf in entry.items()}, leaves, rows.inside())]
    if not found:
        return None if field.nullable else []
    made: list[Json] = []
    for row in found:
        at = (*path, len(made))
        if item is not None and item.is_leaf:
            leaf = row.leaves.get((), Leaf(None, "absent"))
            if leaf.value is not None:
                leaves[at] = leaf
                made.append(leaf.value)
        elif item is not None:
            inner = {(*at, *where): leaf for where, leaf in row.leaves.items()}
            rows.reasons.update({(*at, *where): why for where, why in row.reasons.items()})
            made.append(shaped(item, at, inner, leaves, rows.inside(row)))
    return made


def conform(schema: Schema, answer: Json, leaves: dict[Path, Leaf]) -> None:
    """Take back what the schema does not allow; an answer always fits `schema.nullable`."""
    for _ in range(3):
        wrong = schema.violations(answer)
        if not wrong:
            return
        for violation in wrong:
            for length in range(len(violation.path), 0, -1):
                path = violation.path[:length]
                if path in leaves and leaves[path].value is not None:
                    leaves[path] = Leaf(None, "absent")
                    _put(answer, path)
                    break


def _put(answer: Json, path: Path) -> None:
    for step in path[:-1]:
        answer = answer[step]
    answer[path[-1]] = None
