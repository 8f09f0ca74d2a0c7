"""Making values fit their schema where that has one meaning, and naming the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.extraction.prompted.fitting import fit, scalars, without
from heliograph.extraction.schema import Schema, compile_schema


def of(field: dict[str, Any], **more: Any) -> Schema:
    return compile_schema({"type": "object", "properties": {"x": field}, **more})


def made(field: dict[str, Any], value: Any) -> tuple[Any, list[str]]:
    fitted = fit({"x": value}, of(field))
    return fitted.value["x"], [problem.message for problem in fitted.problems]


NUMBER, WHOLE, BOOLEAN, TEXT = ({"type": kind} for kind in ("number", "integer", "boolean", "string"))
DATE = {"type": "string", "format": "date"}
COLOUR = {"enum": ["Dark Blue", "red", 3]}


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [
        (NUMBER, "12.50", 12.5), (NUMBER, " 7 ", 7), (NUMBER, "-.5", -0.5), (NUMBER, "1,234.50", 1234.5), (NUMBER, "1.234,50", 1234.5),
        (NUMBER, "$1,234.50", 1234.5), (NUMBER, "EUR 12.50", 12.5), (NUMBER, "12.50 €", 12.5), (NUMBER, "1,234,567", 1234567),
        (NUMBER, "19 %", 19), (NUMBER, "N/A", None), (NUMBER, "", None), (NUMBER, [12.5], 12.5), (NUMBER, 3, 3),
        (WHOLE, "12", 12), (WHOLE, 12.0, 12.0), (WHOLE, "12.00", 12),
        (BOOLEAN, "yes", True), (BOOLEAN, "No", False), (BOOLEAN, "TRUE", True), (BOOLEAN, "x", True), (BOOLEAN, "unknown", None),
        (TEXT, 12, "12"), (TEXT, True, "true"), (TEXT, "  ", None), (TEXT, "N/A", "N/A"),
        (DATE, "2024-03-05", "2024-03-05"), (DATE, "5 March 2024", "2024-03-05"), (DATE, "25/12/2024", "2024-12-25"),
        (COLOUR, "dark-blue", "Dark Blue"), (COLOUR, "RED", "red"), (COLOUR, "3", 3), (COLOUR, "none", None),
        ({"const": "invoice"}, "receipt", "invoice"),
        ({"type": "array", "items": TEXT}, "a", ["a"]), ({"type": "array", "items": TEXT}, ["a", None, 2], ["a", "2"]),
        ({"type": "array", "items": TEXT}, "none", []),
        ({"type": "array", "items": {"type": "object", "properties": {"a": NUMBER}}}, {"a": "1"}, [{"a": 1}]),
        ({"type": ["number", "string"]}, "0012", "0012"), ({"anyOf": [NUMBER, {"type": "null"}]}, "12.50", 12.5),
        ({"type": "object", "additionalProperties": NUMBER}, {"a": "1.5"}, {"a": 1.5}),
        ({"prefixItems": [NUMBER, TEXT]}, ["1", 2], [1, "2"]),
    ],
)  # fmt: skip
def test_what_has_one_meaning_is_made_to_fit(field: dict[str, Any], value: Any, right: Any) -> None:
    assert made(field, value) == (right, [])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (NUMBER, "1,234", '"1,234" is not a number, or null'),
        (NUMBER, "1 234", '"1 234" is not a number, or null'),
        (NUMBER, "12 or 13", '"12 or 13" is not a number, or null'),
        (NUMBER, [1, 2], "[1, 2] is not a number, or null"),
        (WHOLE, 12.5, "12.5 is not a whole number, or null"),
        (WHOLE, "12.5", '"12.5" is not a whole number, or null'),
        (BOOLEAN, "maybe", '"maybe" is not true or false, or null'),
        (COLOUR, "green", '"green" is not one of "Dark Blue", "red", 3, or null'),
        (DATE, "05/03/2024", '"05/03/2024" is not a date written YYYY-MM-DD, or null'),
        (TEXT, {"a": 1}, '{"a": 1} is not a string, or null'),
        ({"type": "number", "minimum": 5}, 3, "3 is not a number at least 5, or null"),
        ({"type": "string", "maxLength": 3}, "abcd", '"abcd" is not a string of at most 3 characters, or null'),
        ({"type": "string", "pattern": "^a"}, "b", '"b" is not a string that matches ^a, or null'),
    ],
)
def test_what_has_not_is_named_and_left(field: dict[str, Any], value: Any, said: str) -> None:
    assert made(field, value) == (value, [said])


def test_lists_are_cut_to_their_size_and_rid_of_repeats() -> None:
    field = {"type": "array", "items": TEXT, "maxItems": 2}
    fitted = fit({"x": ["a", "b", "c"]}, of(field))
    assert fitted.value == {"x": ["a", "b"]}
    assert [problem.message for problem in fitted.problems] == ["has 3 entries, and may have 2"]
    assert made({"type": "array", "items": TEXT, "uniqueItems": True}, ["a", "a", "b"]) == (["a", "b"], [])


def test_keys_that_may_not_be_there_are_left_out_and_others_kept() -> None:
    assert fit({"x": "a", "y": 1}, of(TEXT, additionalProperties=False)).value == {"x": "a"}
    assert fit({"x": "a", "y": 1}, of(TEXT)).value == {"x": "a", "y": 1}


def test_keys_that_lack_stay_lacking_and_are_no_problem() -> None:
    fitted = fit({}, of({"type": "object", "properties": {"a": NUMBER}, "required": ["a"]}, required=["x"]))
    assert (fitted.value, fitted.problems) == ({}, [])


def test_an_alternative_is_judged_by_the_shape_that_a_value_looks_like() -> None:
    shapes = [{"a": NUMBER}, {"b": NUMBER, "c": BOOLEAN}]
    schema = of({"anyOf": [{"type": "object", "properties": shape, "additionalProperties": False} for shape in shapes]})
    fitted = fit({"x": {"b": "2", "c": "yes"}}, schema)
    assert (fitted.value, fitted.problems) == ({"x": {"b": 2, "c": True}}, [])


def test_what_is_wrong_in_an_object_that_may_be_null_is_named_and_not_the_object() -> None:
    inner = {
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "n": {"type": "integer", "multipleOf": 5},
        **{f"f{n}": TEXT for n in range(40)},
    }
    schema = of({"anyOf": [{"type": "object", "properties": inner}, {"type": "null"}]})
    given = {"x": {**{f"f{n}": "a" for n in range(40)}, "code": "us", "n": 7}}
    fitted = fit(given, schema)
    assert [problem.path for problem in fitted.problems] == [("x", "code"), ("x", "n")]
    assert fitted.problems[0].message == '"us" is not a string that matches ^[A-Z]{3}$, or null'
    value = without(fitted.value, fitted.problems, schema)
    assert value == {"x": {**given["x"], "code": None, "n": None}}
    assert schema.check(value) == []


def test_a_wrong_entry_of_a_map_whose_values_cannot_be_null_is_left_out() -> None:
    entry = {"anyOf": [{"type": "object", "properties": {"a": NUMBER}}, {"const": False}]}
    schema = of({"type": "object", "additionalProperties": entry})
    fitted = fit({"x": {"good": {"a": 1}, "off": False, "bad": "text"}}, schema)
    assert [problem.path for problem in fitted.problems] == [("x", "bad")]
    assert without(fitted.value, fitted.problems, schema) == {"x": {"good": {"a": 1}, "off": False}}


def test_wrong_scalars_become_null_and_the_answer_fits() -> None:
    schema = compile_schema({
        "type": "object",
        "properties": {"a": NUMBER, "rows": {"type": "array", "items": {"type": "object", "properties": {"b": {**NUMBER, "maximum": 9}}}}},
    })  # fmt: skip
    fitted = fit({"a": "dear", "rows": [{"b": 10}, {"b": 9}]}, schema)
    value = without(fitted.value, fitted.problems, schema)
    assert value == {"a": None, "rows": [{"b": None}, {"b": 9}]}
    assert schema.check(value) == []
    assert fitted.value["a"] == "dear"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
        max_leaves=10,
    )
)
def test_no_answer_makes_it_fail_and_nothing_is_invented(value: Any) -> None:
    row = {"type": "object", "properties": {"a": NUMBER, "b": COLOUR}, "required": ["a"]}
    schema = compile_schema(
        {"type": "object", "properties": {"a": {"type": "array", "items": row}, "b": DATE, "x": row}, "additionalProperties": False}
    )
    fitted = fit(value, schema)
    without(fitted.value, fitted.problems, schema)
    assert scalars(fitted.value) <= scalars(value)
