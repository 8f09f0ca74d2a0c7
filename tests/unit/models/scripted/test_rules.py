import json
from pathlib import Path
from typing import get_args

import jsonschema_rs
import pytest

from heliograph.models.contract import Dialect
from heliograph.models.scripted.filling import fill
from heliograph.models.scripted.rules import unenforced, violations

DIALECTS = get_args(Dialect)
STRICT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
DOMAINS = sorted((Path(__file__).resolve().parents[4] / "src/heliograph/extraction/domains").rglob("*.json"))


def around(node):
    """A strict schema with `node` as its one property."""
    return {**STRICT, "properties": {"a": node}}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_strict_schema_of_plain_types_is_taken_by_all(dialect):
    schema = {
        **STRICT,
        "$defs": {"line": {**STRICT, "properties": {"a": {"type": "number"}}}},
        "properties": {
            "a": {"type": ["string", "null"], "description": "x"},
            "b": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            "c": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "d": {"type": "string", "enum": ["x", "y"]},
        },
        "required": ["a", "b", "c", "d"],
    }
    assert violations(schema, dialect) == []


@pytest.mark.parametrize(
    ("dialect", "node"),
    [
        ("openai", {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}),
        ("openai", {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": False}),
        ("openai", {"oneOf": [{"type": "string"}]}),
        ("openai", {"type": "string", "default": "x"}),
        ("openai", {"type": "string", "format": "uri"}),
        ("openai", {"type": "array", "prefixItems": [{"type": "string"}]}),
        ("openai", {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        ("openai", {"description": "anything"}),
        ("openai", {"type": "string", "enum": [str(number) for number in range(1001)]}),
        ("openai", {"type": "string", "pattern": "^(?=a)b"}),
        ("openai", {"$ref": "#/properties/a", "description": "x"}),
        ("vllm", {"type": "integer", "multipleOf": 2}),
        ("vllm", {"type": "object", "patternProperties": {"^x": {"type": "string"}}}),
        ("vllm", {"type": "string", "format": "phone"}),
        ("vllm", {"type": "string", "pattern": "a+", "maxLength": 3}),
        ("sglang", {"type": "string", "pattern": r"(a)\1"}),
        ("sglang", {"type": "string", "pattern": r"\bfoo\b"}),
        ("sglang", {"type": "string", "pattern": "[a-z"}),
        ("sglang", {"type": "money"}),
        ("sglang", {"type": "string", "minLength": 5, "maxLength": 2}),
        ("sglang", {"type": "object", "properties": {"b": False}}),
        ("llama.cpp", {"type": "string", "format": "json-pointer"}),
        ("llama.cpp", {"not": {"type": "null"}}),
        ("llama.cpp", {"oneOf": [{"type": "integer"}, {"type": "number"}]}),
        ("sglang", {"$ref": "https://example.com/schema.json"}),
        ("llama.cpp", {"type": "string", "pattern": "a+"}),
        ("llama.cpp", {"type": "string", "pattern": r"^\d+$"}),
        ("llama.cpp", {"type": "string", "maxLength": 5000}),
        ("ollama", {"$ref": "#/$defs/nothing"}),
        ("gemini", {"type": "string", "pattern": "a"}),
        ("gemini", {"const": "x"}),
        ("gemini", {"type": "array"}),
        ("anthropic", {"type": "integer", "minimum": 1}),
        ("anthropic", {"type": "array", "items": {"type": "string"}, "minItems": 2}),
        ("anthropic", {"type": "object", "properties": {}}),
    ],
)
def test_what_a_server_refuses_is_a_violation_there_and_in_plain(dialect, node):
    assert violations(around(node), dialect)
    assert violations(around(node), "plain")


def test_a_violation_says_where():
    assert violations(around({"type": "array", "items": {"type": "string", "default": ""}}), "openai") == [
        "#/properties/a/items: 'default' is not permitted."
    ]


def test_nesting_is_counted_in_objects_and_each_definition_by_itself():
    def nested(levels):
        node = {"type": "string"}
        for _ in range(levels):
            node = around(node)
        return node

    assert violations(nested(10), "openai") == []
    assert any("11 levels" in problem for problem in violations(nested(11), "openai"))
    halves = {**around({"$ref": "#/$defs/half"}), "$defs": {"half": nested(8)}}
    assert violations(halves, "openai") == []


def test_recursion_is_refused_by_anthropic_and_where_it_is_required_by_gemini():
    def tree(required):
        node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": required, "additionalProperties": False}
        return {**around({"$ref": "#/$defs/node"}), "$defs": {"node": node}}

    assert any("ecursive" in problem for problem in violations(tree([]), "anthropic"))
    assert violations(tree([]), "gemini") == []
    assert violations(tree(["next"]), "gemini")
    assert violations(tree(["next"]), "openai") == []


def test_a_loose_tool_of_anthropic_takes_any_object_schema():
    assert violations(around({"type": "integer", "minimum": 1}), "anthropic", "tool") == []
    assert violations({"type": "string"}, "anthropic", "tool")


@pytest.mark.parametrize(
    "choices",
    [
        [{"type": "string"}, {"type": "null"}],
        [{"const": "a"}, {"enum": ["b", "c"]}],
        [{"type": "object", "properties": {"kind": {"const": name}}, "required": ["kind"]} for name in "ab"],
    ],
)
def test_choices_that_exclude_each_other_are_taken_by_llama_cpp(choices):
    assert violations(around({"oneOf": choices}), "llama.cpp") == []


def test_what_ollama_takes_and_forgets_is_told_apart_from_what_llama_cpp_may_refuse():
    schema = around({"type": "array", "items": {"type": "string"}, "uniqueItems": True})
    assert violations(schema, "ollama") == []
    assert violations(schema, "llama.cpp")
    assert unenforced(schema, "ollama") == ["#/properties/a: 'uniqueItems' has no effect."]


@pytest.mark.parametrize("path", DOMAINS, ids=lambda path: path.stem)
def test_an_instance_is_made_of_every_domains_schema(path):
    schema = json.loads(path.read_text("utf-8"))["json_schema"]
    jsonschema_rs.validator_for(schema).validate(fill(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": r"^\d{4}-[A-Z]{2}$"},
        {"type": "string", "format": "date", "minLength": 10},
        {"type": "integer", "minimum": 5, "maximum": 6},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
        {"type": "array", "minItems": 3, "items": {"enum": [None, "a"]}},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}]},
        {
            "allOf": [{"$ref": "#/$defs/a"}, {"required": ["b"], "properties": {"b": {"const": 7}}}],
            "$defs": {"a": around({"type": "string"}) | {"additionalProperties": True}},
        },
        {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]}]},
        {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"]},
        {
            "$ref": "#/$defs/node",
            "$defs": {
                "node": {
                    "type": "object",
                    "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
                    "required": ["children"],
                }
            },
        },
    ],
)
def test_an_instance_fits_its_schema(schema):
    jsonschema_rs.validator_for(schema).validate(fill(schema))
