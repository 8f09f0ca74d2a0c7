"""Lowering: what is sent keeps each dialect's rules, and what comes back fits the original wherever nothing was said to be lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from heliograph.errors import InvalidRequest
from heliograph.extraction.domains import catalog
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.models.contract import Dialect, JsonMode, Profile
from heliograph.models.lowering import Lowered, join, lower
from heliograph.models.scripted.rules import violations
from tests.unit.models.instances import TEXTS, instances

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
MODES: tuple[JsonMode, ...] = ("json_schema", "tool")
OPENAI = Profile(dialect="openai", json_modes=("json_schema",))
STRICT = Profile(dialect="anthropic", json_modes=("json_schema",))
RECEIPT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "company": {"type": "string", "description": "Who sold", "maxLength": 40},
        "date": {"type": "string", "format": "date"},
        "total": {"type": "number", "minimum": 0},
        "paid": {"type": "boolean"},
        "kind": {"enum": ["cash", "card"]},
        "address": {"$ref": "#/$defs/Address"},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        },
    },
    "required": ["company", "items"],
    "$defs": {"Address": {"type": "object", "properties": {"street": {"type": "string"}}, "additionalProperties": False}},
}


def one(schema: dict[str, Any], profile: Profile = OPENAI) -> Lowered:
    parts = lower(schema, profile)
    assert len(parts) == 1
    return parts[0]


def sent(schema: dict[str, Any], profile: Profile = OPENAI) -> dict[str, Any]:
    """What is sent for the one field of an object."""
    return one({"type": "object", "properties": {"x": schema}}, profile).schema["properties"]["x"]


def lost(schema: dict[str, Any], profile: Profile = OPENAI) -> set[str]:
    return {loss.keyword for loss in one({"type": "object", "properties": {"x": schema}}, profile).lost}


def walk(node: Any) -> list[dict[str, Any]]:
    """Every subschema of a lowered schema."""
    found = [node]
    for child in [*node.get("properties", {}).values(), *node.get("anyOf", []), node.get("items"), node.get("additionalProperties")]:
        if isinstance(child, dict):
            found += walk(child)
    return found


# what is sent


def test_every_field_is_required_and_every_leaf_may_be_null() -> None:
    schema = one(RECEIPT).schema
    assert schema["required"] == list(RECEIPT["properties"])
    assert schema["additionalProperties"] is False
    assert schema["properties"]["paid"] == {"type": ["boolean", "null"]}
    assert schema["properties"]["kind"] == {"anyOf": [{"type": "string", "enum": ["cash", "card"]}, {"type": "null"}]}
    assert schema["properties"]["items"]["items"]["required"] == ["name"]


def test_descriptions_survive_and_say_what_is_not_enforced() -> None:
    properties = one(RECEIPT).schema["properties"]
    assert properties["company"] == {"description": "Who sold (at most 40 characters)", "type": ["string", "null"]}
    assert properties["total"]["description"] == "(at least 0)"
    assert ("company",) in {loss.path for loss in one(RECEIPT).lost if loss.keyword == "maxLength"}
    assert sent({"type": "string", "title": "Name of the seller"})["description"] == "Name of the seller"
    assert "description" not in sent({"type": "string", "title": "X"})
    assert sent({"type": "string", "examples": ["A-1"]})["description"] == "(e.g. A-1)"


@pytest.mark.parametrize(
    "constraint", [{"pattern": "^[A-Z]{2}$"}, {"maxLength": 2}, {"minLength": 2}, {"format": "email"}, {"format": "date-time"}]
)
def test_no_decoder_is_given_what_would_bend_a_value(constraint: dict[str, Any]) -> None:
    for dialect in DIALECTS:
        for mode in MODES:
            schema = {"type": "string", **constraint}
            profile = Profile(dialect=dialect, json_modes=(mode,))
            text = sent(schema, profile)
            assert not {*constraint} & {key for node in walk(text) for key in node}
            assert str(next(iter(constraint.values()))).split("-")[0] in json.dumps(text)
            assert {*constraint} <= lost(schema, profile)


def test_a_date_is_enforced_and_its_form_said() -> None:
    assert sent({"type": "string", "format": "date"}) == {
        "description": "(a date, YYYY-MM-DD)",
        "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
    }


def test_no_list_is_forced_to_have_rows() -> None:
    assert "minItems" not in json.dumps([part.schema for dialect in DIALECTS for part in lower(RECEIPT, Profile(dialect=dialect))])


def test_equal_schemas_give_equal_bytes() -> None:
    for dialect in DIALECTS:
        profile = Profile(dialect=dialect)
        again = json.loads(json.dumps(RECEIPT))
        assert json.dumps([part.schema for part in lower(RECEIPT, profile)]) == json.dumps([part.schema for part in lower(again, profile)])


def test_references_are_resolved_wherever_they_lead() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/m~1n"}, "b": {"$ref": "#here"}, "c": {"$ref": "#/properties/a"}},
        "definitions": {"m/n": {"type": "integer"}, "o": {"$anchor": "here", "type": "boolean"}},
    }
    properties = one(schema).schema["properties"]
    assert [properties[name]["type"][0] for name in "abc"] == ["integer", "boolean", "integer"]


def test_recursion_is_followed_twice_and_then_lost() -> None:
    schema = {
        "$ref": "#/$defs/Part",
        "$defs": {
            "Part": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
            }
        },
    }
    part = one(schema)
    assert any(loss.keyword == "$ref" for loss in part.lost)
    assert json.dumps(part.schema).count('"name"') == 4  # two levels, each as a key and as required
    assert not Schemas(schema).misfits(part.raised({"name": "a", "parts": [{"name": "b", "parts": []}]}))


def test_all_of_is_merged_and_one_of_sent_as_any_of() -> None:
    merged = sent({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "number"}}}]})
    assert list(merged["anyOf"][0]["properties"]) == ["a", "b"]
    chosen = {"oneOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {"type": "string"}}}]}
    assert [node.get("type") for node in sent(chosen)["anyOf"]] == [["integer"], "object", "null"] or lost(chosen) >= {"oneOf"}


def test_alternatives_that_differ_in_what_they_require_are_one() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert "anyOf" not in one(schema).schema


def test_constants_with_words_become_an_enum_that_says_them() -> None:
    schema = {"oneOf": [{"const": "a", "description": "first"}, {"const": "b", "title": "second"}]}
    assert sent(schema) == {"description": "(a: first; b: second)", "anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]}


def test_a_number_goes_before_its_spelling() -> None:
    assert sent({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+$"}, {"type": "null"}]})["type"] == ["number", "null"]


def test_an_enum_too_long_to_send_is_said_in_part() -> None:
    values = [f"value {number} {'x' * 60}" for number in range(300)]
    node = sent({"enum": values})
    assert node["type"] == ["string", "null"]
    assert "one of 300 values, such as value 0" in node["description"]
    assert lost({"enum": values}) == {"enum"}


@pytest.mark.parametrize("keyword", ["not", "if", "contains", "dependentRequired", "unevaluatedProperties"])
def test_what_no_decoder_knows_is_lost_by_name(keyword: str) -> None:
    assert keyword in lost({"type": "object", "properties": {"a": {"type": "string"}}, keyword: {"a": ["b"]}})


def test_nested_nothing_is_not_asked_and_still_answered() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "e": {"type": "object", "additionalProperties": False}},
        "required": ["e"],
    }
    part = one(schema)
    assert list(part.schema["properties"]) == ["a"]
    assert part.raised({"a": None}) == {"a": None, "e": {}}


# what comes back


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_root_that_is_no_object_is_wrapped_and_unwrapped(dialect: Dialect) -> None:
    part = one({"type": "array", "items": {"type": "integer"}}, Profile(dialect=dialect))
    assert part.schema["type"] == "object"
    assert part.raised({"answer": [1, 2]}) == [1, 2]
    assert part.raised([1, 2]) == [1, 2]
    assert part.traced({"answer": [7]})[1] == {("answer", 0): (0,)}


def test_maps_are_sent_as_pairs_where_keys_must_be_known() -> None:
    schema = {"type": "object", "properties": {"rates": {"type": "object", "additionalProperties": {"type": "number"}}}}
    part = one(schema)
    assert part.schema["properties"]["rates"]["items"]["required"] == ["key", "value"]
    assert part.raised({"rates": [{"key": "EUR", "value": 1.5}, {"key": "EUR", "value": 2}]}) == {"rates": {"EUR": 1.5}}
    assert part.raised({"rates": {"EUR": 1.5}}) == {"rates": {"EUR": 1.5}}
    assert part.traced({"rates": [{"key": "EUR", "value": 1.5}]})[1] == {("rates", 0, "value"): ("rates", "EUR")}
    assert one(schema, Profile(dialect="vllm")).schema["properties"]["rates"]["additionalProperties"] == {"type": ["number", "null"]}


def test_further_keys_beside_named_ones_come_back_among_them() -> None:
    schema = {"type": "object", "properties": {"more": {"type": "string"}}, "additionalProperties": {"type": "integer"}}
    part = one(schema)
    assert list(part.schema["properties"]) == ["more", "more_2"]
    assert part.raised({"more": "a", "more_2": [{"key": "b", "value": 1}]}) == {"more": "a", "b": 1}


def test_a_required_key_that_only_a_pattern_describes_is_asked_for_by_name() -> None:
    schema = {
        "type": "object",
        "patternProperties": {"^/": {"type": "object", "properties": {"device": {"type": "string"}}}},
        "required": ["/"],
    }
    part = one(schema)
    assert list(part.schema["properties"]) == ["/", "more"]
    assert part.raised({"/": {"device": "a"}, "more": [{"key": "/x", "value": {"device": "b"}}]}) == {
        "/": {"device": "a"},
        "/x": {"device": "b"},
    }


def test_tuples_are_sent_with_a_key_for_each_place() -> None:
    schema = {"type": "object", "properties": {"at": {"prefixItems": [{"type": "number"}, {"type": "string"}], "items": False}}}
    part = one(schema)
    assert part.raised({"at": {"item_1": 2.5, "item_2": "N"}}) == {"at": [2.5, "N"]}
    assert part.raised({"at": {"item_1": None, "item_2": None}}) == {"at": []}
    assert part.traced({"at": {"item_1": 2.5, "item_2": "N"}})[1][("at", "item_2")] == ("at", 1)


def test_names_that_a_dialect_does_not_take_are_written_otherwise_and_restored() -> None:
    schema = {"type": "object", "properties": {"Größe (cm)": {"type": "number"}, "数量": {"type": "integer"}, "量": {"type": "integer"}}}
    part = one(schema, Profile(dialect="anthropic"))
    assert list(part.schema["properties"]) == ["Groe__cm", "field", "field_2"]
    assert part.schema["properties"]["field"]["description"] == "数量"
    assert part.raised({"Groe__cm": 1, "field": 2, "field_2": 3}) == {"Größe (cm)": 1, "数量": 2, "量": 3}
    assert part.raised({"数量": 2}) == {"数量": 2}


def test_an_optional_object_that_is_not_there_is_left_out() -> None:
    part = one(RECEIPT)
    assert "address" not in part.raised({"company": None, "address": None, "items": []})
    nullable = {"type": "object", "properties": {"a": {"type": ["object", "null"], "properties": {"b": {"type": "string"}}}}}
    assert one(nullable).raised({"a": None}) == {"a": None}


def test_the_alternative_that_a_value_looks_like_is_raised() -> None:
    schema = {
        "type": "object",
        "properties": {
            "pay": {
                "anyOf": [
                    {"type": "object", "properties": {"kind": {"const": "card"}, "range": {"prefixItems": [{"type": "integer"}] * 2}}},
                    {
                        "type": "object",
                        "properties": {"kind": {"const": "cash"}, "coins": {"type": "object", "additionalProperties": {"type": "integer"}}},
                    },
                ]
            }
        },
    }
    part = one(schema)
    assert part.raised({"pay": {"kind": "cash", "coins": [{"key": "1c", "value": 3}]}}) == {"pay": {"kind": "cash", "coins": {"1c": 3}}}
    assert part.raised({"pay": {"kind": "card", "range": {"item_1": 1, "item_2": 2}}}) == {"pay": {"kind": "card", "range": [1, 2]}}


def test_a_dialect_with_few_unions_gets_empty_texts_for_null() -> None:
    schema = {
        "type": "object",
        "properties": {
            **{f"n{number}": {"type": "number"} for number in range(20)},
            "s": {"type": "string"}, "e": {"enum": ["a", "b"]}, "b": {"type": "boolean"},
            "o": {"type": "object", "properties": {"t": {"type": "string"}}},
        },
    }  # fmt: skip
    part = one(schema, STRICT)
    properties = part.schema["properties"]
    assert sum("anyOf" in node or isinstance(node["type"], list) for node in properties.values()) == 16
    assert properties["s"] == {"type": "string"}
    assert properties["e"]["enum"] == ["a", "b", ""]
    assert "empty" in part.schema["description"]
    raised = part.raised({"n0": 1.5, "n19": "12.50", "n18": "", "s": "", "e": "", "b": "true", "o": {"t": ""}})
    assert raised == {"n0": 1.5, "n18": None, "n19": 12.5, "s": None, "e": None, "b": True}
    assert part.raised({"n19": "12,50"}) == {"n19": "12,50"}  # validation's to judge


def test_values_of_the_wrong_shape_are_left_for_validation() -> None:
    for wrong in (None, 3, "x", [], [1], {"items": 3}, {"items": {"a": 1}}, {"address": []}):
        assert one(RECEIPT).raised(wrong) == wrong


def test_what_is_nested_too_deeply_is_lost_and_the_rest_still_asked() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(14):
        schema = {"type": "object", "properties": {"name": {"type": "string"}, "inner": {"type": "array", "items": schema}}}
    part = one(schema)
    assert {"properties"} == {loss.keyword for loss in part.lost}
    assert len([node for node in walk(part.schema) if "inner" in node.get("properties", {})]) == 4


# parts


def wide(objects: int, leaves: int) -> dict[str, Any]:
    group = {"type": "object", "properties": {f"field_{number}": {"type": "string"} for number in range(leaves)}, "required": ["field_0"]}
    return {"type": "object", "properties": {f"group_{number}": group for number in range(objects)}, "required": ["group_0"]}


def test_a_schema_too_large_is_split_by_field_groups_and_joined_in_order() -> None:
    schema = wide(30, 20)
    parts = lower(schema, Profile(dialect="gemini", max_output=100_000))
    assert len(parts) >= 3
    assert all(sum(len(node.get("properties", {})) for node in walk(part.schema)) <= 200 for part in parts)
    values = [{group: _named(node) for group, node in part.schema["properties"].items()} for part in parts]
    joined = join(parts, [part.raised(value) for part, value in zip(parts, values, strict=True)])
    assert list(joined) == list(schema["properties"])
    assert all(len(group) == 20 for group in joined.values())


def _named(node: dict[str, Any]) -> dict[str, str]:
    """A value of an object, or of an object or null, whose fields say their names."""
    return {name: name for name in node.get("properties", node.get("anyOf", [{}])[0].get("properties"))}


def test_a_group_too_large_for_one_request_is_split_below() -> None:
    schema = wide(1, 500)
    parts = lower(schema, Profile(dialect="gemini", max_output=100_000))
    assert len(parts) == 3
    joined = join(parts, [part.raised({"group_0": dict.fromkeys(part.schema["properties"]["group_0"]["properties"], 1)}) for part in parts])
    assert list(joined["group_0"]) == [f"field_{number}" for number in range(500)]


def test_a_schema_whose_answer_would_not_fit_the_output_is_split() -> None:
    assert len(lower(wide(10, 40), Profile(dialect="vllm", max_output=100_000))) == 1
    assert len(lower(wide(10, 40), Profile(dialect="vllm", max_output=2_000))) > 3


def test_joining_lets_a_value_beat_a_null() -> None:
    parts = lower(wide(1, 2), OPENAI) * 2
    assert join(parts, [{"a": None, "b": {"c": 1}}, {"a": 2, "b": {"d": 3}}]) == {"a": 2, "b": {"c": 1, "d": 3}}
    assert join(parts, [None, {"a": 2}]) == {"a": 2}


# real schemas


class Schemas:
    """A compiled schema, and whether a raised answer fits it or the difference was said to be lost."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.schema: Schema = compile_schema(source)

    def misfits(self, value: Any, parts: list[Lowered] | None = None) -> list[str]:
        places = {loss.path for part in parts or [] for loss in part.lost}
        wrong = self.schema.violations(value)
        return [
            f"{v.path}: {v.message}"
            for v in wrong
            if not any(_at(v.path, place) or ("anyOf" in v.message and _at(place, v.path)) for place in places)
        ]


def _at(path: tuple[str | int, ...], place: tuple[str | int, ...]) -> bool:
    """Whether a value's path is at, or below, a place of a schema, or the other way round."""
    return len(path) >= len(place) and all(_same(a, b) or _same(b, a) for a, b in zip(path, place, strict=False))


def _same(step: str | int, name: str | int) -> bool:
    return name in (str(step), "*") or (isinstance(step, int) and name in ("[]", f"[{step}]"))


def real(shared_data: Path) -> dict[str, dict[str, Any]]:
    found = {name: domain.json_schema for name, domain in catalog().items()}
    for path in sorted((shared_data / "schemas_real_jsonschemabench" / "items").glob("*.json")):
        source = json.loads(path.read_text())
        try:
            compile_schema(source)
        except InvalidRequest:
            continue  # refused at submit, never lowered
        found[path.stem] = source
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_server_refuses_what_is_sent_for_a_real_schema(dialect: Dialect, shared_data: Path) -> None:
    schemas = real(shared_data)
    assert len(schemas) >= 100
    for name, source in schemas.items():
        for mode in MODES:
            for part in lower(source, Profile(dialect=dialect, json_modes=(mode,))):
                assert violations(part.schema, dialect, mode) == [], (name, mode)


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_answers_to_real_schemas_fit_the_original_or_differ_where_something_was_lost(data: st.DataObject, shared_data: Path) -> None:
    schemas = real(shared_data)
    assert len(schemas) >= 100
    for name, source in schemas.items():
        original = Schemas(source)
        dialect = data.draw(st.sampled_from(DIALECTS))
        parts = lower(source, Profile(dialect=dialect, json_modes=(data.draw(st.sampled_from(MODES)),)))
        values = [part.raised(data.draw(instances(part.schema))) for part in parts]
        assert original.misfits(join(parts, values), parts) == [], (name, dialect)


LEAVES = st.sampled_from([
    {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 3}, {"type": "boolean"}, {"enum": ["a", "b", 3]},
    {"const": "k"},
    {"type": "string", "format": "date"}, {"type": ["string", "null"], "maxLength": 5},
    {"anyOf": [{"type": "integer"}, {"type": "null"}]}, {},
])  # fmt: skip


def _objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = TEXTS.filter(lambda name: bool(name.strip()) and not name.endswith("_metadata"))
    tables = st.dictionaries(names, inner, min_size=1, max_size=4)
    return tables.flatmap(
        lambda table: st.fixed_dictionaries(
            {
                "type": st.sampled_from(["object", ["object", "null"]]),
                "properties": st.just(table),
                "required": st.lists(st.sampled_from(sorted(table)), unique=True),
                "additionalProperties": st.just(False) | inner,
            }
        )
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: (
        _objects(inner)
        | inner.map(lambda item: {"type": "array", "items": item, "minItems": 1})
        | st.lists(inner, min_size=1, max_size=3).map(lambda places: {"type": "array", "prefixItems": places, "items": False})
        | inner.map(lambda value: {"type": "object", "additionalProperties": value})
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(source=_objects(SCHEMAS) | SCHEMAS, dialect=st.sampled_from(DIALECTS), mode=st.sampled_from(MODES), data=st.data())
def test_answers_to_any_schema_fit_the_original_or_differ_where_something_was_lost(
    source: dict[str, Any], dialect: Dialect, mode: JsonMode, data: st.DataObject
) -> None:
    parts = lower(source, Profile(dialect=dialect, json_modes=(mode,)))
    assert [violations(part.schema, dialect, mode) for part in parts] == [[] for _ in parts]
    values = [part.raised(data.draw(instances(part.schema))) for part in parts]
    assert Schemas(source).misfits(join(parts, values), parts) == []
