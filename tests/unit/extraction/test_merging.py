from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.extraction.merging import merge
from heliograph.extraction.schema import compile_schema

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def thing(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


def merged(*schemas: dict[str, Any]) -> dict[str, Any]:
    return merge([(f"s{number}", schema) for number, schema in enumerate(schemas, 1)])


def test_one_schema_stays_as_it_is() -> None:
    schema = {"title": "A", "additionalProperties": False, **thing(a=TEXT)}
    assert merged(schema) is schema


def test_fields_stand_in_the_order_of_the_skills() -> None:
    assert merged({**thing(b=TEXT, a=TEXT), "required": ["b"]}, thing(c=NUMBER, a=TEXT)) == {
        "type": "object",
        "properties": {"b": TEXT, "a": TEXT, "c": NUMBER},
        "required": ["b"],
    }


@pytest.mark.parametrize(
    ("one", "two", "joint"),
    [
        ({**TEXT, "description": "first"}, {**TEXT, "description": "second"}, {**TEXT, "description": "first"}),
        (TEXT, {**TEXT, "description": "second"}, {**TEXT, "description": "second"}),
        (TEXT, {"anyOf": [TEXT, {"type": "null"}]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"type": ["string", "null"]}, TEXT, {"type": ["string", "null"]}),
        (thing(a=TEXT), thing(b=NUMBER), thing(a=TEXT, b=NUMBER)),
        (
            {"type": "array", "items": thing(a=TEXT)},
            {"type": "array", "items": thing(a={**TEXT, "title": "A"}, b=TEXT)},
            {"type": "array", "items": thing(a={**TEXT, "title": "A"}, b=TEXT)},
        ),
    ],
)
def test_a_field_that_means_the_same_to_both_is_one(one: Any, two: Any, joint: Any) -> None:
    assert merged(thing(x=one), thing(x=two))["properties"] == {"x": joint}


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        (TEXT, NUMBER, "x is a string in the one and a number in the other"),
        (NUMBER, {"type": "integer"}, "x is a number in the one and an integer in the other"),
        (TEXT, {**TEXT, "format": "date"}, r"x is a string in the one and a string \(date\)"),
        (TEXT, {"type": "array", "items": TEXT}, "x is a string in the one and an array"),
        (thing(a=TEXT), thing(a=NUMBER), r"x\.a is a string in the one and a number"),
        ({"type": "array", "items": thing(a=TEXT)}, {"type": "array", "items": thing(a=NUMBER)}, r"x\[\]\.a is a string"),
        ({"enum": ["a"]}, {"enum": ["b"]}, r"x is one of several types \(one of a list\)"),
    ],
)
def test_a_field_with_two_meanings_is_refused_with_both_skills_and_its_place(one: Any, two: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Skills s1 and s3 clash: {said}") as refused:
        merged(thing(x=one), thing(y=TEXT), thing(x=two))
    assert refused.value.param == "config.skills"


def test_definitions_of_one_name_are_kept_apart_and_lead_where_they_led() -> None:
    def with_party(place: str, **fields: Any) -> dict[str, Any]:
        return {**thing(**{place: {"$ref": "#/$defs/Party"}}), "$defs": {"Party": thing(**fields)}}

    made = merged(with_party("seller", name=TEXT), with_party("buyer", vat=TEXT))
    assert [field.dotted for field in compile_schema(made).root.leaves()] == ["seller.name", "buyer.vat"]
    assert set(made["$defs"]) == {"Party", "Party_2"}
    same = merged(with_party("seller", name=TEXT), with_party("buyer", name=TEXT))
    assert set(same["$defs"]) == {"Party"}
    grown = merged(with_party("seller", name=TEXT), with_party("seller", vat=TEXT))
    assert [field.dotted for field in compile_schema(grown).root.leaves()] == ["seller.name", "seller.vat"]


def test_older_definitions_are_led_to_the_new_place() -> None:
    made = merged({**thing(a={"$ref": "#/definitions/A"}), "definitions": {"A": NUMBER}}, thing(b=TEXT))
    assert [(field.dotted, field.kind) for field in compile_schema(made).root.leaves()] == [("a", "number"), ("b", "string")]
    assert "definitions" not in made


def test_a_schema_that_refers_to_itself_still_does() -> None:
    tree = thing(name=TEXT, children={"type": "array", "items": {"$ref": "#"}})
    made = merged(tree, thing(other=TEXT))
    assert [field.dotted for field in compile_schema(made).root.leaves()][:3] == ["name", "children[].name", "children[].children[].name"]
    assert compile_schema(made).check({"name": "a", "children": [{"name": 1, "children": []}]})
    twice = merged(tree, json.loads(json.dumps(tree)))
    assert compile_schema(twice).check({"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": []}]}]}) == []


def test_a_recursive_model_as_pydantic_writes_it_is_an_object_too() -> None:
    node = {"$ref": "#/$defs/Node", "$defs": {"Node": thing(name=TEXT, next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})}}
    made = merged(node, thing(other=TEXT))
    assert list(made["properties"]) == ["name", "next", "other"]
    assert compile_schema(made).check({"name": "a", "next": {"name": 3, "next": None}, "other": "b"})


def test_what_is_no_object_cannot_be_combined() -> None:
    with pytest.raises(InvalidRequest, match="skill s2 has no properties to combine"):
        merged(thing(a=TEXT), {"type": "array", "items": TEXT})


LEAF = st.sampled_from([TEXT, NUMBER, {"type": ["string", "null"]}, {"anyOf": [NUMBER, {"type": "null"}]}, {"$ref": "#/$defs/A"}])
NODE = st.recursive(
    LEAF,
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(lambda fields: thing(**fields))
        | inner.map(lambda item: {"type": "array", "items": item})
    ),
    max_leaves=6,
)
SCHEMA = st.tuples(st.dictionaries(st.sampled_from("abcd"), NODE, max_size=3), NODE).map(
    lambda made: {**thing(**made[0]), "$defs": {"A": thing(x=TEXT, again=made[1])}}
)


@given(st.lists(SCHEMA, min_size=2, max_size=3))
def test_whatever_is_merged_has_the_fields_of_all_or_clashes(schemas: list[dict[str, Any]]) -> None:
    try:
        made = merged(*schemas)
    except InvalidRequest as error:
        assert "clash" in error.message  # noqa: PT017
        return
    fields = {field.dotted: field.kind for field in compile_schema(made).root.leaves() if field.dotted.count(".") < 4}
    for schema in schemas:
        for field in compile_schema(schema).root.leaves():
            if field.dotted.count(".") < 4:
                assert fields.get(field.dotted) == field.kind, (field.dotted, made)
