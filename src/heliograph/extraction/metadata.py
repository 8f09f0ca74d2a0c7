"""`<field>_metadata`: the citation and the confidence of every scalar, beside it in the answer.

Every object's own fields come first, in schema order, then one `_metadata` key for each of its scalars in the same order.
Objects and lists have none of their own. `null` says that the document does not hold the field; any other null value says
why in `state`. Box: `{content, bbox: {xywh}, page, confidence}`, fractions of the upright page, page 0-indexed in the file.
Values of a recording have `spans` beside the boxes (`recordings.sources`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from heliograph.extraction.confidence import label
from heliograph.extraction.result import Evidence, Extraction, Leaf, Path
from heliograph.extraction.schema import METADATA_SUFFIX, Field, Schema

Json = Any
Located = Callable[[list[Evidence]], dict[str, Json]]
"""Where evidence stands, as keys of a citation: `bboxes`, and others."""


def boxed(evidence: list[Evidence]) -> dict[str, Json]:
    """Where evidence stands on pages."""
    return {"bboxes": [_box(part) for part in evidence]}


def with_metadata(extraction: Extraction, schema: Schema, *, grounding: bool, confidence: bool, located: Located = boxed) -> Json:
    """The answer for the wire: `extraction.values` in schema order, with `_metadata` where `grounding` or `confidence` asks for it.

    `confidence` alone gives labels with empty `bboxes`; `grounding` gives labels and what `located` says of the evidence.
    """

    def asked(evidence: list[Evidence]) -> dict[str, Json]:
        return located(evidence if grounding else [])

    return _shaped(extraction.values, schema.root, (), extraction.leaves, asked if grounding or confidence else None)


def _shaped(value: Json, field: Field | None, path: Path, leaves: dict[Path, Leaf], located: Located | None) -> Json:
    if isinstance(value, list):
        item = _as_kind(field, "array")
        inner = item.item if item is not None else None
        return [_shaped(child, inner, (*path, index), leaves, located) for index, child in enumerate(cast("list[Json]", value))]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, Json]", value)
    shape = _as_kind(field, "object")
    fields = {child.name: child for child in shape.fields} if shape is not None else {}
    order = [name for name in fields if name in table] + [name for name in table if name not in fields]
    made = {name: _shaped(table[name], fields.get(name), (*path, name), leaves, located) for name in order}
    if located is not None:
        for name in order:
            if _is_scalar(table[name], fields.get(name)):
                made[name + METADATA_SUFFIX] = _citation(table[name], leaves.get((*path, name)), located)
    return made


def _as_kind(field: Field | None, kind: str) -> Field | None:
    """`field`, or its variant of that kind (an `anyOf` may allow several shapes)."""
    if field is None or field.kind == kind:
        return field
    return next((shape for shape in field.variants if shape.kind == kind), field)


def _is_scalar(value: Json, field: Field | None) -> bool:
    if isinstance(value, (dict, list)):
        return False
    return value is not None or field is None or field.is_leaf


def _citation(value: Json, leaf: Leaf | None, located: Located) -> Json:
    if value is None:
        if leaf is None or leaf.state in ("absent", "found"):
            return None
        return {"state": leaf.state, **located(leaf.evidence)}
    if leaf is None or not leaf.evidence or leaf.match == "none":
        probability = leaf.probability if leaf is not None else 0.0
        match = leaf.match if leaf is not None else "none"
        word = label(probability, match)
        return {"confidence": word, "match": match, "state": "found", "probability": round(probability, 4), **located([])}
    return {
        "confidence": label(leaf.probability, leaf.match),
        "match": leaf.match,
        "state": leaf.state,
        "probability": round(leaf.probability, 4),
        **located(leaf.evidence),
    }


def _box(part: Evidence) -> Json:
    return {"content": part.content, "bbox": {"xywh": part.box.xywh()}, "page": part.box.page, "confidence": round(part.score, 2)}
