from __future__ import annotations

from typing import Any

import pytest

from heliograph.errors import InvalidRequest
from heliograph.extraction import gql
from heliograph.extraction.domains import catalog
from heliograph.extraction.schema import compile_schema

SCHEMA: dict[str, Any] = {
    "$defs": {
        "Address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}, "required": ["city"]},
        "Person": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "home": {"$ref": "#/$defs/Address"}, "boss": {"$ref": "#/$defs/Person"}},
        },
    },
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "total": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "bill_to": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "description": "Who pays"},
        "people": {"type": "array", "items": {"$ref": "#/$defs/Person"}},
        "lines": {
            "anyOf": [
                {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "integer"}}}},
                {"type": "null"},
            ]
        },
        "card-last-4": {"type": "string"},
    },
    "required": ["id", "total"],
}


def test_fields_come_in_the_order_asked_with_their_own_definitions() -> None:
    chosen = gql.select(SCHEMA, "{ total\n\n  id }")
    assert list(chosen["properties"]) == ["total", "id"]
    assert chosen["properties"]["total"] == SCHEMA["properties"]["total"]
    assert chosen["required"] == ["total", "id"]
    assert "$defs" not in chosen


def test_a_nested_selection_reaches_through_references_unions_and_lists() -> None:
    chosen = gql.select(SCHEMA, "query Q { bill_to { city } people { name home { zip } } lines { n } }")
    assert [field.dotted for field in compile_schema(chosen).root.leaves()] == [
        "bill_to.city",
        "people[].name",
        "people[].home.zip",
        "lines[].n",
    ]
    assert chosen["properties"]["bill_to"]["description"] == "Who pays"
    assert {"type": "null"} in chosen["properties"]["bill_to"]["anyOf"]


def test_an_object_without_a_selection_is_taken_whole_with_only_the_definitions_it_needs() -> None:
    chosen = gql.select(SCHEMA, "{ bill_to }")
    assert chosen["properties"] == {"bill_to": SCHEMA["properties"]["bill_to"]}
    assert list(chosen["$defs"]) == ["Address"]


def test_an_alias_renames_and_keeps_the_name_to_find_the_label_by() -> None:
    chosen = gql.select(SCHEMA, "{ number: id }")
    assert chosen["properties"] == {"number": {"title": "id", "type": "string"}}


def test_a_name_that_graphql_cannot_write_is_asked_for_with_underscores() -> None:
    assert list(gql.select(SCHEMA, "{ card_last_4 }")["properties"]) == ["card-last-4"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("{ totl }", "unknown field totl; did you mean total"),
        ("{ bill_to { town } }", "unknown field town in bill_to; it has city, zip"),
        ("{ __typename }", "unknown field __typename"),
        ("{ id { x } }", "selects inside id, which has no fields"),
        ("{ id id }", "asks twice for id"),
        ("{ id(n: 1) }", "arguments on id"),
        ("{ id @skip(if: true) }", "directives on id"),
        ("query ($n: Int) { id }", "variables"),
        ("query @a { id }", "directives"),
        ("{ ... on X { id } }", "fragments"),
        ("{ ...F } fragment F on X { id }", "fragments"),
        ("mutation { id }", "mutation"),
        ("subscription { id }", "subscription"),
        ("{ id } { total }", "one selection"),
        ("type X { id: Int }", "one selection"),
        ("{ id", "line 1, column"),
        ("id", "line 1, column 1"),
        ("", "line 1, column 1"),
        ("{}", "selects nothing"),
        ("{ a" * 5000, "gql_stmt"),
        ("{ " + "id " * 40_000 + "}", "longer than"),
    ],
)
def test_what_is_not_a_plain_selection_is_refused_with_a_sentence(statement: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        gql.select(SCHEMA, statement)
    assert refused.value.param == "config.gql_stmt"


def test_the_statement_lists_every_leaf_and_follows_recursion_once() -> None:
    written = " ".join(gql.statement(SCHEMA).split())
    assert written == "{ id total bill_to { city zip } people { name home { city zip } } lines { sku n } card_last_4 }"


@pytest.mark.parametrize(
    "schema", [{"allOf": [{"$ref": "#"}]}, {"items": {"$ref": "#"}}, {"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/1"}]}, {"$ref": "#"}]
)
def test_a_schema_that_is_only_itself_has_nothing_to_select(schema: dict[str, Any]) -> None:
    assert gql.statement(schema) == "{\n}"


def test_a_schema_whose_parts_all_hold_each_other_is_written_in_bounds() -> None:
    names = [f"N{i}" for i in range(9)]
    part = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names} | {"leaf": {"type": "string"}}}
    assert gql.statement({"$defs": dict.fromkeys(names, part), "$ref": "#/$defs/N0"}).count("leaf") <= gql.MAX_LEAVES


@pytest.mark.parametrize("name", sorted(catalog()))
def test_a_domains_own_statement_selects_all_of_it(name: str) -> None:
    domain = catalog()[name]
    selected = compile_schema(gql.select(domain.json_schema, domain.gql_stmt))
    assert {f.dotted for f in selected.root.leaves()} == {f.dotted for f in compile_schema(domain.json_schema).root.leaves()}
