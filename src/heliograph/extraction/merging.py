"""The schemas of several skills as one: an object with the fields of all.

A field that two skills name is one field when both mean the same by it: the same type, whatever title and description say of it and
whether or not it may be null. Objects of one name grow together, field by field. Anything else is a clash, and the request is refused
with both skills named, because no one value would be right for both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from heliograph.errors import InvalidRequest

Node = dict[str, Any]

_WORDS = frozenset({"title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly", "$comment"})
_PARAM = "config.skills"


def merge(parts: Sequence[tuple[str, Node]]) -> Node:
    """One object schema of those of all skills: `parts` are each skill's name and schema, in the order of the request.

    A single one is given back as it is. Raises InvalidRequest where one is not an object with properties, or where two clash.
    """
    if len(parts) == 1:
        return parts[0][1]
    definitions: Node = {}
    fields: Node = {}
    required: list[str] = []
    owners: dict[str, str] = {}
    for skill, schema in parts:
        moved = _moved(schema, definitions)
        root = _target(moved, definitions)
        table = root.get("properties")
        if not isinstance(table, dict):
            raise InvalidRequest(f"The schema of skill {skill} has no properties to combine with others.", param=_PARAM)
        for name, field in cast("Node", table).items():
            if name not in fields:
                fields[name], owners[name] = field, skill
                continue
            try:
                fields[name] = _Joint(definitions).join(fields[name], field, name)
            except _Clash as clash:
                raise InvalidRequest(
                    f"Skills {owners[name]} and {skill} clash: {clash.place} is {clash.first} in the one and {clash.second} in the other. "
                    "Use one of them at a time, or say the schema with config.json_schema.",
                    param=_PARAM,
                ) from None
        required += [name for name in _names(root.get("required")) if name not in required]
    merged: Node = {"type": "object", "properties": fields}
    if required:
        merged["required"] = required
    used = _used(merged, definitions)
    return {**merged, **({"$defs": used} if used else {})}


class _Clash(Exception):
    """Two skills mean different things by `place`: what the one says it is, and what the other."""

    def __init__(self, place: str, first: str, second: str) -> None:
        self.place, self.first, self.second = place, first, second
        super().__init__(place)


class _Joint:
    """Joins two fields whose references lead into the same `definitions`."""

    def __init__(self, definitions: Node) -> None:
        self._definitions = definitions
        self._open: set[tuple[str, str]] = set()

    def join(self, a: object, b: object, place: str) -> object:
        """The field that both are; `a`'s words stand, `b`'s where it has none. Raises _Clash."""
        if a == b:
            return a
        said = _said(a), _said(b)
        if not isinstance(a, dict) or not isinstance(b, dict):
            raise _Clash(place, *said)
        one, two = cast("Node", a), cast("Node", b)
        (core, nullable), (other, other_nullable) = _peeled(one), _peeled(two)
        made = self._join(core, other, place)
        words = {**_words(two), **_words(core), **_words(one)}
        if not (nullable or other_nullable):
            return {**made, **words}
        if nullable and made == core:
            return {**one, **words}
        return {"anyOf": [{key: value for key, value in made.items() if key not in words}, {"type": "null"}], **words}

    def _join(self, a: Node, b: Node, place: str) -> Node:
        if _bare(a) == _bare(b):
            return a
        refs = (str(a.get("$ref", "")), str(b.get("$ref", "")))
        if any(refs):
            if refs in self._open:  # the same two again, below themselves: equal so far, and so all the way down
                return a
            self._open.add(refs)
            try:
                return self._join(_target(a, self._definitions), _target(b, self._definitions), place)
            finally:
                self._open.discard(refs)
        if isinstance(a.get("properties"), dict) and isinstance(b.get("properties"), dict):
            return self._objects(a, b, place)
        if isinstance(a.get("items"), dict) and isinstance(b.get("items"), dict) and a.get("type") == b.get("type"):
            return {**a, "items": self.join(a["items"], b["items"], f"{place}[]")}
        raise _Clash(place, _said(a), _said(b))

    def _objects(self, a: Node, b: Node, place: str) -> Node:
        fields = dict(cast("Node", a["properties"]))
        for name, field in cast("Node", b["properties"]).items():
            fields[name] = self.join(fields[name], field, f"{place}.{name}") if name in fields else field
        required = list(dict.fromkeys([*_names(a.get("required")), *_names(b.get("required"))]))
        return {**a, "properties": fields, **({"required": required} if required else {})}


def _moved(schema: Node, definitions: Node) -> Node:
    """`schema` with its definitions moved into `definitions`, under new names where others have theirs, and its references led there."""
    own = {
        (key, name): definition
        for key in ("$defs", "definitions")
        if isinstance(schema.get(key), dict)
        for name, definition in cast("Node", schema[key]).items()
    }
    bare = {key: value for key, value in schema.items() if key not in ("$defs", "definitions", "$schema", "$id", "id")}
    whole = _free("whole", {*definitions, *(name for _, name in own)})
    names: dict[tuple[str, str], str] = {}
    taken = set(definitions)
    for place, definition in own.items():
        shared = not _refers(definition) and definitions.get(place[1]) == definition
        names[place] = place[1] if shared else _free(place[1], taken)
        taken.add(names[place])
    leads = {f"#/{key}/{_pointer(name)}": f"#/$defs/{_pointer(new)}" for (key, name), new in names.items()}
    for place, definition in own.items():
        definitions.setdefault(names[place], _led(definition, leads, whole))
    moved = cast("Node", _led(bare, leads, whole))
    if f"#/$defs/{whole}" in json.dumps([moved, *(definitions[name] for name in names.values())]):
        definitions[whole] = moved  # something refers to the schema itself, or into its properties
    return moved


def _led(node: object, leads: dict[str, str], whole: str) -> object:
    """`node` with each `$ref` leading where what it means stands now."""
    if isinstance(node, list):
        return [_led(item, leads, whole) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    made = {key: _led(value, leads, whole) for key, value in cast("Node", node).items()}
    reference = made.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        begin = "/".join(reference.split("/")[:3])
        made["$ref"] = leads[begin] + reference[len(begin) :] if begin in leads else f"#/$defs/{whole}{reference[1:]}"
    return made


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(free for number in range(2, len(taken) + 3) if (free := f"{name}_{number}") not in taken)


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _target(node: Node, definitions: Node) -> Node:
    """`node` with its reference followed, if it is one; keys beside the `$ref` win."""
    for _ in range(64):
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
            break
        found: Any = {"$defs": definitions}
        for step in reference.split("/")[1:]:
            found = cast("Node", found).get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        node = {**(cast("Node", found) if isinstance(found, dict) else {}), **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _refers(node: object) -> bool:
    return '"$ref"' in json.dumps(node)


def _used(node: Node, definitions: Node) -> Node:
    """Those of `definitions` that are referred to, directly or by way of another."""
    used: set[str] = set()
    todo: list[object] = [node]
    while todo:
        text = json.dumps(todo.pop())
        new = [name for name in definitions if name not in used and f'"#/$defs/{json.dumps(_pointer(name))[1:-1]}' in text]
        used |= set(new)
        todo += [definitions[name] for name in new]
    return {name: definition for name, definition in definitions.items() if name in used}


def _peeled(node: Node) -> tuple[Node, bool]:
    """What `node` is besides null, and whether it may be null."""
    kinds = node.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in cast("list[Any]", kinds) if kind != "null"]
        return {**node, "type": rest[0] if len(rest) == 1 else rest}, True
    for key in ("anyOf", "oneOf"):
        options = cast("list[Any]", node[key]) if isinstance(node.get(key), list) else []
        rest = [option for option in options if option != {"type": "null"}]
        if len(rest) < len(options) and len(rest) == 1 and isinstance(rest[0], dict):
            return {**cast("Node", rest[0]), **{name: value for name, value in node.items() if name != key}}, True
    if node.get("nullable") is True:
        return {key: value for key, value in node.items() if key != "nullable"}, True
    return node, False


def _words(node: Node) -> Node:
    return {key: value for key, value in node.items() if key in _WORDS}


def _bare(node: object, *, names: bool = False) -> object:
    """`node` without what is said about it. `names`: its keys are the names of fields."""
    if isinstance(node, list):
        return [_bare(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    items = cast("Node", node).items()
    return {key: _bare(value, names=key == "properties" and not names) for key, value in items if names or key not in _WORDS}


def _said(node: object) -> str:
    """What a person would call it: `a string (date)`, `an object`."""
    if not isinstance(node, dict):
        return "anything" if node is True else "nothing"
    core, _ = _peeled(cast("Node", node))
    kind = core.get("type")
    if isinstance(kind, list):
        kind = " or ".join(str(one) for one in cast("list[Any]", kind))
    kind = kind or ("object" if "properties" in core else "one of several types")
    more = core.get("format") or ("one of a list" if "enum" in core else "")
    article = "" if str(kind).startswith("one of") else "an " if str(kind)[0] in "aeiou" else "a "
    return f"{article}{kind}" + (f" ({more})" if more else "")


def _names(value: object) -> list[str]:
    return [name for name in cast("list[object]", value) if isinstance(name, str)] if isinstance(value, list) else []
