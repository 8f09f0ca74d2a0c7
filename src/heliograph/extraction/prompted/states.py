"""Why a value is not there, for every value that a model gave none for."""

from __future__ import annotations

from typing import Any, cast

from heliograph.extraction.result import Leaf, Path, State
from heliograph.extraction.schema import Field

Json = Any


def settled(value: Json, field: Field, leaves: dict[Path, Leaf], *, missing: State, null: State, path: Path = ()) -> Json:
    """`value` with every field of its schema in it, in order; those without a value get a leaf that says why.

    `missing`: why a field was left out; `null`: why it was given as null. `leaves` is added to.
    """
    if field.is_leaf or (field.variants and value is None):
        if value is None and (path not in leaves or leaves[path].state in ("absent", "found")):
            leaves[path] = Leaf(None, null)
        return value
    if field.kind == "array":
        if value is None:
            return None if field.nullable and null == missing == "absent" else []
        if isinstance(value, list) and field.item is not None:
            entries = cast("list[Json]", value)
            return [settled(entry, field.item, leaves, missing=missing, null=null, path=(*path, at)) for at, entry in enumerate(entries)]
        return cast("Json", value)
    if not isinstance(value, dict):
        if value is not None or (field.nullable and path and missing == "absent"):
            return value
        value, null = {}, missing
    given = cast("dict[str, Json]", value)
    made: dict[str, Json] = {}
    for child in max([field, *field.variants], key=lambda shape: sum(each.name in given for each in shape.fields)).fields:
        why = null if child.name in given else missing
        made[child.name] = settled(given.get(child.name), child, leaves, missing=missing, null=why, path=(*path, child.name))
    made.update({name: inner for name, inner in given.items() if name not in made})
    return made


def reopened(leaves: dict[Path, Leaf], why: State) -> None:
    """What was taken for absent may stand where nobody looked: every such leaf says `why`."""
    for path, leaf in leaves.items():
        if leaf.value is None and leaf.state == "absent":
            leaves[path] = Leaf(None, why)
