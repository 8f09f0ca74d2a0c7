"""What an answer lacks that its schema requires, and what it has that the schema does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from heliograph.errors import RequiredMissing
from heliograph.extraction.schema import Field, Schema

MOST: Final = 20
"""Problems that are told."""


def _missing(value: Any, field: Field, path: str = "") -> Iterator[str]:
    """Where a required field that may not be null is null or absent all the same."""
    if value is None:
        if field.required and not field.nullable and path:
            yield path
    elif isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        for child in field.fields:
            yield from _missing(table.get(child.name), child, f"{path}.{child.name}" if path else child.name)
    elif isinstance(value, list) and field.item is not None:
        for number, item in enumerate(cast("list[Any]", value)):
            yield from _missing(item, field.item, f"{path}[{number}]")


def shortcomings(values: Any, schema: Schema, *, strict: bool = False) -> list[str]:
    """What values lack that the schema requires, and what it does not allow, which extraction means never to give: if it did, the caller
    is told. Raises RequiredMissing for the former where the schema is `strict`."""
    said: list[str] = []
    missing = list(_missing(values, schema.root))
    if missing:
        named = ", ".join(missing[:20]) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        if strict:
            raise RequiredMissing(f"The document does not hold {named}, which the strict schema requires.")
        said.append(f"required_missing: {named}")
    return said + [f"schema_mismatch: {problem}" for problem in schema.check(values)[:MOST]]
