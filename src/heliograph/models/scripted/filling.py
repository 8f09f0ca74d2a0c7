"""Answers made from a request: a valid instance of its schema, or values found in its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from heliograph.models.scripted.places import resolve
from heliograph.models.scripted.shapes import Node, is_array, is_object, mapping, sequence

_SAMPLES = {
    "date-time": "2026-01-31T09:30:00Z", "date": "2026-01-31", "time": "09:30:00Z", "duration": "P1D", "email": "mail@example.com",
    "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/", "uri-reference": "/page", "json-pointer": "/a", "relative-json-pointer": "0", "regex": "a",
    "uri-template": "/{a}", "iri": "https://example.com/", "idn-email": "mail@example.com", "idn-hostname": "example.com",
}  # fmt: skip


def fill(schema: Node) -> Any:
    """An instance of `schema`: every property, one item in each array that may have one, the first choice of each union that is not null.

    Patterns are kept where they are a sequence of literals, classes and repetitions; recursion ends where a property is optional.
    """
    return _Filling(schema).value(schema, ())


class _Filling:
    def __init__(self, schema: Node) -> None:
        self._schema = schema

    def value(self, node: Any, open_: tuple[str, ...]) -> Any:
        if not is_object(node):
            return {}
        if "$ref" in node:
            return self.value(resolve(self._schema, node["$ref"]), (*open_, node["$ref"]))
        if "const" in node:
            return node["const"]
        if node.get("enum"):
            return next((value for value in node["enum"] if value is not None), None)
        if "allOf" in node:
            node = self._merged(node)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                own = {key: value for key, value in node.items() if key != keyword}
                choices = [choice for choice in node[keyword] if not self._closed(choice, open_)] or node[keyword]
                chosen = next((choice for choice in choices if not (is_object(choice) and choice.get("type") == "null")), choices[0])
                return self.value(self._merged({"allOf": [own, self._followed(chosen)]}), _opened(chosen, open_))
        kinds = node.get("type")
        if is_array(kinds):
            kinds = next((kind for kind in kinds if kind != "null"), "null")
        match kinds or _implied(node):
            case "object":
                return self._object(node, open_)
            case "array":
                return self._array(node, open_)
            case "string":
                return _string(node)
            case "integer":
                return int(_number(node, 1))
            case "number":
                return _number(node, 1.5)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return "text"

    def _object(self, node: Node, open_: tuple[str, ...]) -> Node:
        required = set(map(str, sequence(node.get("required"))))
        made = {
            name: self.value(part, open_)
            for name, part in mapping(node.get("properties")).items()
            if part is not False and (name in required or not self._closed(part, open_))
        }
        for name in required - made.keys():
            others = node.get("additionalProperties")
            made[name] = self.value(others, open_) if is_object(others) else "text"
        return made

    def _array(self, node: Node, open_: tuple[str, ...]) -> list[Any]:
        if "prefixItems" in node:
            return [self.value(part, open_) for part in node["prefixItems"]]
        items = node.get("items", {})
        least, most = node.get("minItems", 0), node.get("maxItems", 1)
        if items is False or (not least and (most < 1 or self._closed(items, open_))):
            return []
        return [self.value(items, open_) for _ in range(max(1, least))]

    def _closed(self, node: Any, open_: tuple[str, ...]) -> bool:
        """Whether `node` leads into a definition that is being filled already."""
        if not is_object(node):
            return False
        if node.get("$ref") in open_:
            return True
        unions = [choice for keyword in ("anyOf", "oneOf") for choice in node.get(keyword) or ()]
        return (bool(unions) and all(self._closed(choice, open_) or _is_null(choice) for choice in unions)) or self._closed(
            node.get("items"), open_
        )

    def _followed(self, node: Any) -> Node:
        while is_object(node) and "$ref" in node:
            node = {**(resolve(self._schema, node["$ref"]) or {}), **{key: value for key, value in node.items() if key != "$ref"}}
        return node if is_object(node) else {}

    def _merged(self, node: Node) -> Node:
        made: Node = {}
        for part in [*(self._followed(part) for part in sequence(node.get("allOf"))), {key: node[key] for key in node if key != "allOf"}]:
            for key, value in (self._merged(part) if "allOf" in part else part).items():
                if key == "properties":
                    made[key] = {**made.get(key, {}), **value}
                elif key == "required":
                    made[key] = [*made.get(key, []), *value]
                else:
                    made[key] = value
        return made


def _opened(node: Any, open_: tuple[str, ...]) -> tuple[str, ...]:
    return (*open_, node["$ref"]) if is_object(node) and "$ref" in node else open_


def _is_null(node: Any) -> bool:
    return is_object(node) and node.get("type") == "null"


def _implied(node: Node) -> str:
    return (
        "object"
        if node.keys() & {"properties", "additionalProperties", "required"}
        else "array"
        if node.keys() & {"items", "prefixItems"}
        else ""
    )


def _string(node: Node) -> str:
    if "pattern" in node and (found := _matching(node["pattern"])) is not None:
        return found
    text = _SAMPLES.get(node.get("format", ""), "text")
    least, most = node.get("minLength", 0), node.get("maxLength")
    return text.ljust(least, "x")[:most]


def _number(node: Node, otherwise: float) -> float:
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    value = otherwise
    if low is not None:
        value = max(value, low + ("minimum" not in node))
    if high is not None and value > high - ("maximum" not in node):
        value = high - ("maximum" not in node)
        if low is not None and value < low:
            value = (low + high) / 2
    if step := node.get("multipleOf"):
        value = -(-value // step) * step
    return value


def _matching(pattern: str) -> str | None:
    """A text that fits a simple pattern; None when none was found."""
    body = pattern.removeprefix("^").removesuffix("$")
    made = ""
    for piece in re.finditer(r"(\\.|\[[^\]]+\]|\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)|.)(\{(\d+)(?:,\d*)?\}|[*?+])?", body):
        atom, inner, repeat, count = piece[1], piece[2], piece[3], piece[4]
        one = (_matching(inner) or "") if atom.startswith("(") else _fits_one(atom)
        made += one * (int(count) if count else 0 if repeat in ("*", "?") else 1)
    return made if re.search(pattern, made) else None


def _fits_one(atom: str) -> str:
    if len(atom) == 1 and atom != ".":
        return atom
    return next((letter for letter in "0aA- /_.:,+@ZzX" if re.fullmatch(atom, letter)), atom[-1])


def find(schema: Node | None, text: str, patterns: dict[str, str | list[str]]) -> Any:
    """An answer with what `patterns` find in `text`, shaped by `schema`; what they do not find is null, or an empty list.

    A pattern's value is its first group, or all of it; the first of a list that is found counts. A path with `[]` takes every match:
    an item each, an object where the pattern has named groups. Numbers lose what is no part of them where the schema wants a number.
    """
    answer: Node = mapping(_blank(schema, schema or {}))
    for path, given in patterns.items():
        tries = [given] if isinstance(given, str) else given
        matches = next((found for one in tries if (found := list(re.finditer(one, text, re.MULTILINE)))), list[re.Match[str]]())
        *above, last = path.removesuffix("[]").split(".")
        target, node = answer, _deref(schema, schema)
        for name in above:
            node = _property(schema, node, name)
            target[name] = mapping(target.get(name)) or mapping(_blank(schema, node))
            target = target[name]
        node = _property(schema, node, last)
        if path.endswith("[]"):
            item = _deref(schema, node.get("items"))
            target[last] = [_item(schema, item, match) for match in matches]
        elif matches:
            target[last] = _typed(node, _said(matches[0]))
    return answer


def _item(schema: Node | None, node: Node, match: re.Match[str]) -> Any:
    groups = match.groupdict()
    if not groups:
        return _typed(node, _said(match))
    return {
        **mapping(_blank(schema, node)),
        **{name: _typed(_property(schema, node, name), value) for name, value in groups.items() if value is not None},
    }


def _said(match: re.Match[str]) -> str:
    return (match[1] if match.re.groups else match[0]) or ""


def _typed(node: Node, text: str) -> Any:
    kinds = node.get("type")
    kinds = set(kinds) if is_array(kinds) else {kinds}
    kinds |= {part.get("type") for part in sequence(node.get("anyOf")) if is_object(part)}
    casts: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("integer", lambda plain: int(float(plain))),
        ("number", float),
    )
    for kind, cast in casts:
        if kind in kinds and "string" not in kinds:
            try:
                return cast(re.sub(r"[^\d.\-]", "", text))
            except ValueError:
                return None
    if "boolean" in kinds:
        return text.strip().lower() in ("yes", "true", "x", "1")
    return text.strip()


def _deref(schema: Node | None, node: Any) -> Node:
    while is_object(node) and "$ref" in node:
        node = resolve(schema or {}, node["$ref"])
    if not is_object(node):
        return {}
    for part in sequence(node.get("anyOf")):
        if is_object(part) and not _is_null(part) and "type" not in node:
            followed = _deref(schema, part)
            if followed.keys() & {"properties", "items"}:
                return followed
    return node


def _property(schema: Node | None, node: Node, name: str) -> Node:
    return _deref(schema, mapping(node.get("properties")).get(name))


def _blank(schema: Node | None, node: Node) -> Any:
    node = _deref(schema, node)
    kinds = node.get("type")
    nullable = (is_array(kinds) and "null" in kinds) or any(map(_is_null, sequence(node.get("anyOf"))))
    if "properties" in node and not nullable:
        return {name: _blank(schema, part) for name, part in node["properties"].items()}
    return [] if (kinds == "array") else None
