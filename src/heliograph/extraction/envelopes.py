"""What the answer of a skill with several schemas looks like: which of them was used, why, and the data in it."""

from __future__ import annotations

from typing import Any, cast

Node = dict[str, Any]


def enveloped(choices: dict[str, Node], otherwise: Node | None) -> Node:
    """The JSON Schema of the whole answer. `otherwise`: the schema that is taken where none of the `choices` fits."""
    parts = dict(choices)
    if otherwise is not None:
        parts["otherwise" if "otherwise" not in choices else "none of these"] = otherwise
    places = {name: f"#/$defs/{name.replace('~', '~0').replace('/', '~1')}" for name in parts}
    said: Node = {"type": ["string", "null"]}
    return {
        "type": "object",
        "properties": {
            "schemaUsed": {"enum": [*choices, None], "description": "Which of the schemas the document was answered in; null: none fits."},
            "documentType": {**said, "description": "What that schema calls the document."},
            "classificationRationale": {**said, "description": "Why it was taken."},
            "data": {"anyOf": [*({"$ref": place} for place in places.values()), {"type": "null"}]},
        },
        "required": ["schemaUsed", "documentType", "classificationRationale", "data"],
        "$defs": {name: _at(schema, places[name]) for name, schema in parts.items()},
    }


def _at(node: object, place: str) -> object:
    """`node` as it stands at `place` (a JSON pointer) of another: its references lead to where they led."""
    if isinstance(node, list):
        return [_at(item, place) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    made = {key: _at(value, place) for key, value in cast("Node", node).items()}
    reference = made.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        made["$ref"] = place + reference[1:]
    return made
