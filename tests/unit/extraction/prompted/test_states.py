"""Why values are not there."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.prompted.states import reopened, settled
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import compile_schema

SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "total": {"type": "number"},
            "seller": {"type": "object", "properties": {"name": {"type": "string"}}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}},
        },
    }
)


def _settled(value: Any, **why: Any) -> tuple[Any, dict[Path, str]]:
    leaves: dict[Path, Leaf] = {}
    made = settled(value, SCHEMA.root, leaves, **why)
    return made, {path: leaf.state for path, leaf in leaves.items()}


def test_what_a_cut_answer_left_out_was_not_reached_and_what_it_gave_as_null_is_absent() -> None:
    made, states = _settled({"total": None, "rows": [{"a": "x"}]}, missing="not_reached", null="absent")
    assert made == {"total": None, "seller": {"name": None}, "rows": [{"a": "x", "b": None}]}
    assert states == {("total",): "absent", ("seller", "name"): "not_reached", ("rows", 0, "b"): "not_reached"}


def test_a_refused_answer_has_the_shape_of_the_schema() -> None:
    made, states = _settled(None, missing="refused", null="refused")
    assert made == {"total": None, "seller": {"name": None}, "rows": []}
    assert set(states.values()) == {"refused"}


def test_absent_is_reopened_where_nobody_looked() -> None:
    leaves: dict[Path, Leaf] = {("a",): Leaf(None, "absent"), ("b",): Leaf(1, "found"), ("c",): Leaf(None, "refused")}
    reopened(leaves, "not_reached")
    assert [leaf.state for leaf in leaves.values()] == ["not_reached", "found", "refused"]


def test_an_object_of_several_shapes_is_filled_as_the_one_it_looks_like() -> None:
    shapes = [{"a": {"type": "string"}}, {"b": {"type": "string"}, "c": {"type": "string"}}]
    schema = compile_schema(
        {"type": "object", "properties": {"x": {"anyOf": [{"type": "object", "properties": shape} for shape in shapes]}}}
    )
    leaves: dict[Path, Leaf] = {}
    assert settled({"x": {"b": "y"}}, schema.root, leaves, missing="not_reached", null="absent") == {"x": {"b": "y", "c": None}}
    assert leaves == {("x", "c"): Leaf(None, "not_reached")}
