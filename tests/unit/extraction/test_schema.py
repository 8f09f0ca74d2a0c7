"""What any JSON Schema becomes, and which are refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.extraction.schema import compile_schema


def only(node: dict[str, Any]) -> Any:
    return compile_schema({"type": "object", "properties": {"x": node}}).fields[0]


@pytest.mark.parametrize(
    ("node", "kind", "nullable"),
    [
        ({"type": "string"}, "string", False),
        ({"type": ["number", "null"]}, "number", True),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer", True),
        ({"oneOf": [{"type": "null"}, {"type": "string", "format": "date"}]}, "string", True),
        ({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^a$"}, {"type": "null"}]}, "number", True),
        ({"enum": ["a", "b"]}, "string", False),
        ({"enum": ["a", None]}, "string", True),
        ({"const": 3}, "integer", False),
        ({"properties": {"y": {}}}, "object", False),
        ({"items": {"type": "string"}}, "array", False),
        ({"allOf": [{"type": ["string", "number"]}, {"type": "number"}]}, "number", False),
        ({"type": "number", "nullable": True}, "number", True),
        ({}, "any", True),
        (True, "any", True),
    ],
)
def test_the_kind_and_nullability_of_a_field_come_through_every_way_of_writing_them(node: Any, kind: str, nullable: bool) -> None:
    field = only(node)
    assert (field.kind, field.nullable) == (kind, nullable)


def test_references_are_followed_and_their_own_words_win() -> None:
    schema = compile_schema(
        {
            "$defs": {"Money": {"type": "number", "description": "an amount", "minimum": 0}},
            "properties": {"a": {"$ref": "#/$defs/Money", "description": "net"}, "b": {"allOf": [{"$ref": "#/$defs/Money"}]}},
        }
    )
    a, b = schema.fields
    assert (a.kind, a.description, a.minimum) == ("number", "net", 0)
    assert (b.kind, b.description) == ("number", "an amount")


def test_recursion_ends_and_an_empty_list_fits() -> None:
    schema = compile_schema(
        {
            "$ref": "#/$defs/Node",
            "$defs": {
                "Node": {
                    "type": "object",
                    "properties": {"n": {"type": "string"}, "c": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
                }
            },
        }
    )
    assert [field.name for field in schema.fields] == ["n", "c"]
    assert schema.check({"n": None, "c": []}) == []
    assert schema.check({"n": "a", "c": [{"n": None, "c": []}]}) == []


def test_names_with_slashes_tildes_and_escapes_can_be_referred_to() -> None:
    assert (
        compile_schema({"$defs": {"a/b~c": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/a~1b~0c"}}}).fields[0].kind
        == "integer"
    )


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ({"type": "number", "minimum": 3, "maximum": 2}, "minimum"),
        ({"type": "integer", "exclusiveMinimum": 3, "maximum": 3}, "bounds"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "minLength"),
        ({"enum": []}, "enum"),
        ({"type": "string", "enum": [1, 2]}, "enum"),
        ({"const": "a", "type": "number"}, "const"),
        ({"allOf": [{"type": "string"}, {"type": "number"}]}, "string"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, "1"),
        ({"anyOf": [False, {"enum": []}]}, "enum"),
        ({"$ref": "https://example.org/other.json"}, "another document"),
        ({"$ref": "other.json#/a"}, "another document"),
        ({"$ref": "#/$defs/nowhere"}, "not there"),
        ({"$ref": "#/properties/x"}, "itself"),
    ],
)
def test_what_no_value_fits_or_stands_elsewhere_is_refused_by_its_path(node: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidRequest, match=r"at x\b") as refused:
        only(node)
    assert word in refused.value.message
    assert refused.value.param == "json_schema.x"


@pytest.mark.parametrize("schema", [False, 3, "object", [], None, {"type": "strng"}, {"type": "object", "required": "a"}])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidRequest):
        compile_schema(schema)


def test_a_required_false_property_is_refused_and_an_optional_one_left_out() -> None:
    assert compile_schema({"properties": {"a": False, "b": {"type": "string"}}}).fields[0].name == "b"
    with pytest.raises(InvalidRequest, match="at a"):
        compile_schema({"type": "object", "properties": {"a": False}, "required": ["a"]})


def test_a_field_where_a_citation_goes_is_refused_and_a_lone_one_is_not() -> None:
    with pytest.raises(InvalidRequest, match=r"x_metadata collides"):
        compile_schema({"properties": {"x": {"type": "string"}, "x_metadata": {"type": "string"}}})
    compile_schema({"properties": {"y_metadata": {"type": "string"}, "x": {"type": "object"}, "x_metadata": {"type": "object"}}})


def test_leaves_are_nullable_and_shapes_are_not() -> None:
    schema = compile_schema(
        {
            "type": "object",
            "required": ["a", "o", "l"],
            "additionalProperties": False,
            "properties": {
                "a": {"type": "string", "enum": ["x", "y"]},
                "o": {"type": "object", "properties": {"b": {"type": "number", "minimum": 1}}, "required": ["b"]},
                "l": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            },
        }
    )
    assert schema.check({"a": None, "o": {"b": None}, "l": []}) == []
    assert schema.check({"a": "x", "o": {"b": 2}, "l": ["q"]}) == []
    assert schema.check({"a": "z", "o": {"b": None}, "l": []})
    assert any("o.b" in problem for problem in schema.check({"a": None, "o": {"b": 0}, "l": []}))
    assert schema.check({"a": None, "o": None, "l": []})


def test_a_pattern_beyond_linear_time_is_not_enforced_and_said() -> None:
    schema = compile_schema({"properties": {"x": {"type": "string", "pattern": "^(?!a).*$"}, "y": {"type": "string", "pattern": "^b+$"}}})
    assert schema.check({"x": "a", "y": "bb"}) == []
    assert schema.check({"y": "c"})
    assert any("pattern_not_enforced" in warning and "properties/x" in warning for warning in schema.warnings)


def test_400_fields_and_12_levels_compile_at_once() -> None:
    nested: dict[str, Any] = {"type": "string"}
    for _ in range(12):
        nested = {"type": "object", "properties": {"deeper": nested, "beside": {"type": "number"}}}
    wide = {"type": "object", "properties": {f"f{i}": {"type": ["string", "null"]} for i in range(400)} | {"deep": nested}}
    begun = time.process_time()
    schema = compile_schema(wide)
    assert time.process_time() - begun < 2
    assert len(list(schema.root.leaves())) == 413


def test_compiling_imports_nothing_heavy() -> None:
    code = "import sys, heliograph.extraction.schema; sys.exit(bool({'numpy', 'cv2', 'PIL', 'openvino'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_schemas_from_the_wild_compile_or_are_refused_with_a_sentence(shared_data: Path) -> None:
    folder = shared_data / "schemas_real_jsonschemabench" / "items"
    compiled = 0
    messages: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            schema = compile_schema(json.loads(path.read_text()))
        except InvalidRequest as refused:
            messages.append(refused.message)
            continue
        compiled += 1
        assert len(list(schema.root.leaves())) >= 0
    assert compiled >= 55
    assert all(message.startswith("The JSON Schema") for message in messages)


def test_the_official_suite_is_judged_alike_where_leaves_are_given(shared_data: Path) -> None:
    """What the original schema allows, `nullable` allows too (it only ever allows more)."""
    for path in sorted((shared_data / "jsonschema_suite_2020_12" / "items").glob("*.json")):
        for group in json.loads(path.read_text()):
            try:
                schema = compile_schema(group["schema"])
            except InvalidRequest:
                continue
            if any(
                word in json.dumps(group["schema"])
                for word in ('"not"', '"if"', '"contains"', "unevaluated", "dependent", "$dynamic", "$id")
            ):
                continue
            for test in group["tests"]:
                if test["valid"]:
                    assert schema.check(test["data"]) == [], (path.name, group["description"], test["description"])


leaf = st.sampled_from(
    [{"type": "string"}, {"type": ["number", "null"]}, {"type": "string", "format": "date"}, {"enum": ["a", "b"]}, {"type": "boolean"}]
)
node = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4).map(
            lambda p: {"type": "object", "properties": p, "required": sorted(p)}
        ),
        inner.map(lambda i: {"type": "array", "items": i}),
        inner.map(lambda i: {"anyOf": [i, {"type": "null"}]}),
        inner.map(lambda i: {"allOf": [i]}),
    ),
    max_leaves=12,
)


def empty(field: Any) -> Any:
    if field.kind == "object":
        return {child.name: empty(child) for child in field.fields}
    return [] if field.kind == "array" else None


@given(node)
def test_the_answer_that_found_nothing_always_fits(schema: dict[str, Any]) -> None:
    compiled = compile_schema({"type": "object", "properties": {"x": schema}})
    assert compiled.check(empty(compiled.root)) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda i: (
            st.lists(i, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "properties", "items", "anyOf", "enum", "$ref", "minimum", "required", "a"]), i, max_size=4
            )
        ),
        max_leaves=15,
    )
)
def test_anything_at_all_is_compiled_or_refused(schema: Any) -> None:
    with suppress(InvalidRequest):
        compile_schema(schema)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"": [{":": 0}]}, ("", 0, ":")),
        ({"7": [{"7": 0}]}, ("7", 0, "7")),
        ({"": [{"": 0}]}, ("", 0, "")),
        ({"a": [{"b": 5}, {"": 0}]}, ("a", 1, "")),
        ({"0": [], "": [{":": 0}]}, ("", 0, ":")),
    ],
)
def test_a_violation_says_where_also_below_keys_that_are_numbers_or_nothing(value: Any, path: tuple[str | int, ...]) -> None:
    least = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 3}}
    schema = compile_schema({"type": "object", "additionalProperties": {"type": "array", "items": least}})
    assert [violation.path for violation in schema.violations(value)] == [path]
