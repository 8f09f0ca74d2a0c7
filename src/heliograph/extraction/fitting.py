"""An example's answer as far as another schema asks for it: what a skill's examples still say where a request brings its own schema."""

from __future__ import annotations

from typing import Any, cast

from heliograph.extraction.schema import Field

_SCALARS: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,)}


def fitted(answer: Any, field: Field) -> Any:
    """`answer` without what `field` does not ask for: keys of other names, values of other types. None where nothing is left."""
    if field.kind == "any":
        return answer
    if field.kind == "object":
        return _object(answer, field)
    if field.kind == "array":
        return _array(answer, field)
    expected = _SCALARS.get(field.kind, ())
    fits = isinstance(answer, expected) and (isinstance(answer, bool) == (field.kind == "boolean"))
    return answer if fits else None


def _object(answer: Any, field: Field) -> Any:
    if not isinstance(answer, dict):
        return None
    given = cast("dict[str, Any]", answer)
    made = {child.name: fitted(given[child.name], child) for child in field.fields if child.name in given}
    if all(value is None for value in made.values()):
        return None
    return {name: value for name, value in made.items() if value is not None or given[name] is None}


def _array(answer: Any, field: Field) -> Any:
    if not isinstance(answer, list) or field.item is None:
        return None
    items = [fitted(item, field.item) for item in cast("list[Any]", answer)]
    return [item for item in items if item is not None] or None
