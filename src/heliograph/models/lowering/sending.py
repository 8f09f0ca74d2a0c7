"""A tree of shapes, written as the JSON Schema that one dialect takes, together with how its values are raised again."""

from __future__ import annotations

import unicodedata
from typing import Any, cast

from heliograph.models.lowering.raising import Blank, Choice, Emptied, Keyed, Known, Leaf, Listed, Paired, Placed, Raiser
from heliograph.models.lowering.rules import Rules
from heliograph.models.lowering.shapes import Loss, Option, Place, Shape

Node = dict[str, Any]
WRAPPED = "answer"
"""The key of a root that is no object."""
_MORE = "more"
"""The key of the further entries of an object that has named ones too, as a list."""
_SCALARS = ["string", "number", "boolean"]
_EMPTY = "What is not there is an empty text or list."
_LISTED = 20
"""Values of an enum too long to send that are named as examples."""


def send(shape: Shape, rules: Rules) -> tuple[Node, Raiser, list[Loss]]:
    """The schema of an answer, what raises its values, and what sending lost. The root is an object, whatever was asked."""
    sending = _Sending(rules)
    only = shape.options[0] if len(shape.options) == 1 else None
    if only is not None and only.kind == "object" and (only.fields or only.others is None):
        made = sending.option(only, 1)
        if made is None:  # an object without keys is no grammar to some
            made = _closed({WRAPPED: {"type": "null"}}), Keyed(fields={WRAPPED: Known(WRAPPED, Leaf(), drop_null=True)})
        node, raiser = made
    else:
        inner, raiser = sending.shape(shape, 2) or ({"type": "null"}, Leaf())
        node, raiser = _closed({WRAPPED: inner}), Keyed(fields={WRAPPED: Known("", raiser)}, unwrap=True)
    words = f"{shape.description} {_EMPTY}".strip() if rules.unions is not None else shape.description
    if words:
        node = {"description": words, **node}
    return node, raiser, sending.lost


def _closed(properties: Node) -> Node:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


class _Sending:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.unions = rules.unions
        self.lost: list[Loss] = []

    def lose(self, path: Place, keyword: str, why: str) -> None:
        self.lost.append(Loss(path, keyword, why))

    def shape(self, shape: Shape, level: int) -> tuple[Node, Raiser] | None:
        """What is sent for a place, or None where there is nothing to ask."""
        made: list[tuple[Node, Raiser]] = []
        notes: list[str] = []
        nullable = False
        for option in shape.options:
            notes += [note for note in option.notes if note not in notes]
            if option.is_leaf:
                made.append((self._leaf(option, shape.path, notes), Leaf()))
                nullable = nullable or not (option.fixed and option.enum)
            elif level > self.rules.levels:
                self.lose(shape.path, "properties", f"deeper than {self.rules.levels} levels")
            elif (sent := self.option(option, level)) is not None:
                made.append(sent)
        if not made:
            return None
        nullable = nullable or shape.nullable or (not shape.required and any(option.fields for option in shape.options))
        words = " ".join((shape.description + (f" ({'; '.join(notes)})" if notes else "")).split())
        if self.unions is not None and (nullable or len(made) > 1):
            if (blank := self._blank(shape.path, made, words)) is not None:
                return blank
            self.unions -= 1
        node = self._united([node for node, _ in made], words, nullable=nullable)
        raisers = [raiser for _, raiser in made]
        return node, raisers[0] if len(raisers) == 1 else Choice(raisers)

    def _blank(self, path: Place, made: list[tuple[Node, Raiser]], words: str) -> tuple[Node, Raiser] | None:
        """A place that may be null without a union: an empty text or list, or an object of nothing. None where a union is left for it."""
        node, raiser = made[0]
        kind, enum = node.get("type"), cast("list[Any]", node.get("enum") or [])
        if len(made) == 1 and not isinstance(raiser, Leaf):
            return _worded(node, words), Emptied(raiser) if kind == "object" else raiser
        if len(made) == 1 and kind == "string":
            if "format" in node:
                self.lose(path, "format", "said in the description")
            return _text(enum, words), Blank()
        if self.unions:
            return None
        leaf = next((each for each, raiser in made if isinstance(raiser, Leaf)), None)
        if leaf is None:
            self.lose(path, "anyOf", "only the first alternative is sent")
            return self._blank(path, made[:1], words)
        self.lose(path, "type", "sent as text")
        kind, enum = leaf.get("type"), cast("list[Any]", leaf.get("enum") or [])
        if not isinstance(kind, str):
            return _text([], words), Blank()
        return _text(["true", "false"] if kind == "boolean" else enum, f"{words} ({kind})".strip()), Blank(kind)

    def _united(self, nodes: list[Node], words: str, *, nullable: bool) -> Node:
        if all(list(node) == ["type"] for node in nodes):
            kinds = list(dict.fromkeys(kind for node in nodes for kind in _kinds(node)))
            kinds += ["null"] if nullable else []
            if len(kinds) == 1 or self.rules.type_lists:
                return _worded({"type": kinds[0] if len(kinds) == 1 else kinds}, words)
            nodes, nullable = [{"type": kind} for kind in kinds], False
        if len(nodes) == 1 and not nullable:
            return _worded(nodes[0], words)
        nodes = [*nodes, {"type": "null"}] if nullable else nodes
        if self.rules.words_inside:
            return {"anyOf": [_worded(nodes[0], words), *nodes[1:]]}
        return _worded({"anyOf": nodes}, words)

    def _leaf(self, option: Option, path: Place, notes: list[str]) -> Node:
        if option.kind == "any":
            self.lose(path, "type", "any value is sent as any scalar")
            return {"type": list(_SCALARS)}
        if option.enum is not None and option.kind != "boolean":
            long = sum(len(str(value)) for value in option.enum)
            if len(option.enum) <= self.rules.enum_values and (len(option.enum) <= 250 or long <= self.rules.long_enum):
                return {"type": option.kind, "enum": list(option.enum)}
            self.lose(path, "enum", "too many values")
            notes.append(f"one of {len(option.enum)} values, such as " + ", ".join(str(value) for value in option.enum[:_LISTED]))
        if option.format:
            if option.format in self.rules.formats:
                return {"type": option.kind, "format": option.format}
            self.lose(path, "format", "said in the description")
        return {"type": option.kind}

    def option(self, option: Option, level: int) -> tuple[Node, Raiser] | None:
        """What is sent for an object or a list; None where it holds nothing to ask for."""
        if option.kind == "array":
            return self._places(option, level) if option.places else self._list(option, level)
        properties: Node = {}
        fields: dict[str, Known] = {}
        for name, child in option.fields.items():
            key = self._key(name, fields)
            made = self.shape(child, level + 1)
            if made is None:
                fields[key] = Known(name, Leaf(), missing=_nothing(child) if child.required else ..., sent=False)
                continue
            node, raiser = made
            properties[key] = node if key == name else self._called(node, name)
            fields[key] = Known(name, raiser, drop_null=not child.required and not child.nullable and not child.is_leaf)
        node = _closed(properties)
        others = self.shape(option.others, level + 1) if option.others is not None else None
        if others is None:
            return (node, Keyed(fields=fields)) if properties else None
        if self.rules.maps:
            node["additionalProperties"] = others[0]
            if not properties:
                node = {"type": "object", "additionalProperties": others[0]}
            return node, Keyed(fields=fields, others=others[1])
        pairs, paired = self._pairs(*others)
        if not option.fields:
            return pairs, paired
        key = self._key(_MORE, fields)
        node["properties"][key] = _worded(pairs, "anything else of this kind, by its name")
        node["required"].append(key)
        return node, Keyed(fields=fields, others=others[1], more=key, paired=paired)

    def _pairs(self, node: Node, raiser: Raiser) -> tuple[Node, Paired]:
        return {"type": "array", "items": _closed({"key": {"type": "string"}, "value": node})}, Paired(raiser)

    def _list(self, option: Option, level: int) -> tuple[Node, Raiser] | None:
        item = self.shape(option.item, level + 1) if option.item is not None else None
        return None if item is None else ({"type": "array", "items": item[0]}, Listed(item[1]))

    def _places(self, option: Option, level: int) -> tuple[Node, Raiser] | None:
        """A tuple, as an object with a key for each place: few decoders have `prefixItems`, and a list that ends early means nothing."""
        properties: Node = {}
        raisers: list[Raiser] = []
        for number, child in enumerate(option.places, 1):
            made = self.shape(child, level + 1)
            if made is not None:
                properties[f"item_{number}"] = made[0]
            raisers.append(made[1] if made is not None else Leaf())
        node = _closed(properties)
        return (node, Placed(raisers)) if properties else None

    def _key(self, name: str, taken: dict[str, Known]) -> str:
        key = name
        if not self.rules.names.fullmatch(name):
            plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
            key = "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in plain).strip("_")[:48] or "field"
        number = 2
        free = key
        while free in taken:
            free, number = f"{key}_{number}", number + 1
        return free

    def _called(self, node: Node, name: str) -> Node:
        return _worded(node, f"{name}: {node['description']}" if "description" in node else name)


def _worded(node: Node, words: str) -> Node:
    rest = {key: value for key, value in node.items() if key != "description"}
    return {"description": words, **rest} if words else rest


def _text(enum: list[Any], words: str) -> Node:
    return _worded({"type": "string", **({"enum": [*map(str, enum), ""]} if enum else {})}, words)


def _kinds(node: Node) -> list[str]:
    kinds = node["type"]
    return cast("list[str]", kinds) if isinstance(kinds, list) else [kinds]


def _nothing(shape: Shape) -> Any:
    """What stands where a place is required and nothing can be asked."""
    kind = shape.options[0].kind if shape.options else "any"
    return [] if kind == "array" else {} if kind == "object" else None
