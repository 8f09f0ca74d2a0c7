"""Draws values that fit a lowered schema: the subset of JSON Schema that lowering writes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


def instances(node: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that fit `node`."""
    if "anyOf" in node:
        return st.one_of([instances(option, depth) for option in node["anyOf"]])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return st.one_of([_of(kind, node, depth) for kind in kinds])


def _of(kind: str, node: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    match kind:
        case "object":
            named = st.fixed_dictionaries({name: instances(child, depth + 1) for name, child in node.get("properties", {}).items()})
            more = node.get("additionalProperties")
            if isinstance(more, dict):
                further = st.dictionaries(TEXTS.filter(bool), instances(more, depth + 1), max_size=2)
                return st.tuples(named, further).map(lambda both: {**both[1], **both[0]})
            return named
        case "array":
            return st.lists(instances(node["items"], depth + 1), max_size=2 if depth < 4 else 1)
        case "string":
            return st.dates().map(str) if node.get("format") == "date" else TEXTS
        case "integer":
            return st.integers(-1000, 1000)
        case "number":
            return st.integers(-1000, 1000) | st.floats(-1e6, 1e6, allow_nan=False)
        case "boolean":
            return st.booleans()
        case _:
            return st.none()
