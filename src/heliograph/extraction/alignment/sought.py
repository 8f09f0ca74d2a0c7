"""The values of an answer, each with the field it answers, as they are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from heliograph.extraction.alignment.captions import Wanted, wanted
from heliograph.extraction.alignment.places import Place, Places
from heliograph.extraction.result import Path
from heliograph.extraction.schema import Field, Schema


class Sought(msgspec.Struct, eq=False):
    """A scalar of an answer. `places`: where it may stand, once that is known; `chosen`: where it does."""

    path: Path
    value: Any
    field: Field
    wanted: Wanted
    places: Places = msgspec.field(default_factory=Places)
    chosen: Place | None = None
    label: float = 0.0
    """How well the label at the chosen place fits, 0-1."""

    @property
    def group(self) -> Path:
        """The row of a list that it belongs to, else the object."""
        last = max((at for at, step in enumerate(self.path) if isinstance(step, int)), default=-1)
        return self.path[: last + 1] if last >= 0 else self.path[:-1]

    @property
    def column(self) -> Path:
        """Which of its row's values it is."""
        return self.path[len(self.group) :]


def sought(values: Any, schema: Schema) -> Iterator[Sought]:
    """Every scalar of `values` that is not null, in order."""
    yield from _walk(values, schema.root, (), ())


def _walk(value: Any, field: Field, path: Path, parents: tuple[str, ...]) -> Iterator[Sought]:
    if isinstance(value, dict):
        shape = shaped(field, "object")
        fields = {child.name: child for child in shape.fields}
        inner = (*parents, shape.name) if shape.name else parents
        for name, child in cast("dict[str, Any]", value).items():
            yield from _walk(child, fields.get(name) or _unknown(name, path), (*path, name), inner)
    elif isinstance(value, list):
        shape = shaped(field, "array")
        item = shape.item or _unknown(field.name, path)
        if item.is_leaf and not item.name:
            item = msgspec.structs.replace(item, name=field.name, description=item.description or field.description)
        for index, child in enumerate(cast("list[Any]", value)):
            yield from _walk(child, item, (*path, index), (*parents, field.name) if not item.is_leaf and field.name else parents)
    elif value is not None:
        in_row = any(isinstance(step, int) for step in path)
        yield Sought(path, value, field, wanted(field, parents[-2:], in_row=in_row))


def shaped(field: Field, kind: str) -> Field:
    """`field`, or its variant of that kind."""
    if field.kind == kind:
        return field
    return next((shape for shape in field.variants if shape.kind == kind), field)


def _unknown(name: str, path: Path) -> Field:
    return Field(name=name, path=tuple("[]" if isinstance(step, int) else step for step in path), kind="any")
