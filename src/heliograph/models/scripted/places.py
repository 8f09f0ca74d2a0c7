"""The subschemas of a JSON Schema, where they stand and where they lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from heliograph.models.scripted.shapes import Node, is_array, is_object, mapping, sequence

_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONES = (
    "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else",
    "unevaluatedProperties", "unevaluatedItems", "additionalItems",
)  # fmt: skip


class Place(msgspec.Struct, frozen=True):
    """A subschema and where it is: `#/properties/lines/items`. `depth`: objects around it and itself, `$ref`s not followed."""

    where: str
    node: Node
    depth: int


def places(schema: Node, where: str = "#", depth: int = 0) -> Iterator[Place]:
    """Every subschema of `schema`, itself first. Definitions are visited where they stand, with a depth of their own."""
    depth += "properties" in schema
    yield Place(where, schema, depth)
    for keyword in _MAPS:
        for name, value in mapping(schema.get(keyword)).items():
            if is_object(value):
                yield from places(value, f"{where}/{keyword}/{name}", 0 if keyword in ("$defs", "definitions") else depth)
    for keyword in _LISTS:
        for index, value in enumerate(sequence(schema.get(keyword))):
            if is_object(value):
                yield from places(value, f"{where}/{keyword}/{index}", depth)
    for keyword in _ONES:
        value = schema.get(keyword)
        if is_object(value):
            yield from places(value, f"{where}/{keyword}", depth)
        elif keyword == "items" and is_array(value):
            for index, item in enumerate(value):
                if is_object(item):
                    yield from places(item, f"{where}/items/{index}", depth)


def types_of(node: Node) -> set[str]:
    """The types that a subschema names."""
    kinds = node.get("type")
    return {kinds} if isinstance(kinds, str) else set(kinds) if is_array(kinds) else set()


def resolve(schema: Node, ref: Any) -> Node | None:
    """What a reference inside `schema` leads to; None when it leads nowhere, or outside."""
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    found: Any = schema
    for token in filter(None, ref[1:].split("/")):
        key = token.replace("~1", "/").replace("~0", "~")
        if is_array(found) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif is_object(found) and key in found:
            found = found[key]
        else:
            return None
    return found if is_object(found) else None


def recursive(schema: Node, through: Callable[[Node, str], bool] = lambda node, name: True) -> bool:
    """Whether a reference leads back to where it stands; `through` says which properties of an object the way may go by."""
    done: set[str] = set()

    def walk(node: Any, open_: tuple[str, ...]) -> bool:
        if not is_object(node):
            return is_array(node) and any(walk(item, open_) for item in node)
        ref = node.get("$ref")
        if isinstance(ref, str):
            if ref in open_:
                return True
            if ref not in done:
                done.add(ref)
                target = resolve(schema, ref)
                if target is not None and walk(target, (*open_, ref)):
                    return True
        for keyword, value in node.items():
            if keyword in ("properties", "patternProperties") and is_object(value):
                if any(walk(part, open_) for name, part in value.items() if through(node, name)):
                    return True
            elif (keyword in _LISTS or keyword in _ONES) and walk(value, open_):
                return True
        return False

    return walk(schema, ("#",))
