from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from heliograph.extraction import gql
from heliograph.extraction.plan import Plan, resolve
from heliograph.extraction.prompted import proposing
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.propose import propose
from heliograph.extraction.schema import compile_schema
from heliograph.models.contract import Reply
from heliograph.models.errors import ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.routes import Route
from tests.unit.answers.drawn import invoice
from tests.unit.extraction.prompted.talking import said as said_to
from tests.unit.extraction.prompted.telling import Drawn, Telling, shown

TODAY = date(2025, 3, 13)
Json = dict[str, Any]


def field(name: str, words: str, kind: str = "string", description: str = "What it is") -> Json:
    return {"name": name, "type": kind, "description": description, "words": words}


PROPOSED: Json = {
    "category": "Finance",
    "name": "Parts Invoice",
    "description": "An invoice for parts.",
    "fields": [
        field("invoice number", "A-1001", description="The number of the invoice"),
        field("invoice_date", "12/03/2024", "date"),
        field("total", "$ 25.00", "number"),
        field("delivery_date", "4 May 2024", "date"),
    ],
    "lists": [
        {
            "name": "items",
            "description": "The lines",
            "columns": [field("description", "Bolt M8"), field("quantity", "10", "integer"), field("colour", "green")],
        },
        {"name": "payments", "description": "Payments", "columns": [field("paid", "77.00", "number")]},
    ],
}


def plan() -> Plan:
    return resolve("document", "schema", None, {"prompt": "For accounting."}, route=Route(asked="vlm-1", name="house"))


async def made(said: Any) -> tuple[Json, list[str], Telling]:
    document, backend = invoice(), Telling(said)
    answer, warnings = await proposing.propose(document, plan(), Sight(backend, Drawn()), TODAY)
    return answer, warnings, backend


async def test_a_model_names_and_describes_what_the_document_holds() -> None:
    answer, warnings, backend = await made(PROPOSED)
    assert list(answer) == list(propose(invoice(), TODAY))
    assert (answer["domain"], answer["description"]) == ("custom.finance.parts-invoice-20250313", "An invoice for parts.")
    schema = compile_schema(answer["json_schema"])
    assert [(leaf.dotted, leaf.kind, leaf.format) for leaf in schema.root.leaves()] == [
        ("invoice_number", "string", ""),
        ("invoice_date", "string", "date"),
        ("total", "number", ""),
        ("items[].description", "string", ""),
        ("items[].quantity", "integer", ""),
    ]
    assert all(leaf.nullable and leaf.description for leaf in schema.root.leaves())
    assert gql.select(answer["json_schema"], answer["gql_stmt"])["properties"].keys() == answer["json_schema"]["properties"].keys()
    assert warnings == ["3 of 8 proposed fields have no value in the document and were dropped"]
    [ask] = backend.asked
    assert "For accounting." in said_to(ask)
    assert "Invoice No: A-1001" in said_to(ask)
    assert len(shown(ask)) == 2


@pytest.mark.parametrize(
    "said",
    [
        ModelRefused("no"),
        ModelLimit("too large"),
        Reply(text="", finish="refusal", refusal="I will not."),
        {**PROPOSED, "fields": [], "lists": []},
        {**PROPOSED, "fields": [field("total", "99.99")], "lists": []},
        {**PROPOSED, "fields": [field("", "A-1001")], "lists": []},
        {"fields": None, "lists": None},
        {"fields": "all", "lists": [["a"], 7, {"name": "x", "columns": [None]}]},
        [],
    ],
)
async def test_a_proposal_that_is_no_use_gives_way_to_the_embedded_one_and_a_warning_says_so(said: Any) -> None:
    answer, warnings, _ = await made(said)
    assert answer == propose(invoice(), TODAY)
    assert len(warnings) == 1
    assert warnings[0].startswith("schema_without_model: ")


async def test_names_are_made_keys_and_never_clash() -> None:
    fields = [
        field("Total", "25.00"),
        field("total", "25.00"),
        field("total_metadata", "25.00"),
        field("2nd total", "25.00"),
        field("x", "25.00", "money"),
    ]
    answer, _, _ = await made({**PROPOSED, "category": "../x", "name": "", "fields": fields, "lists": []})
    assert list(answer["json_schema"]["properties"]) == ["total", "total_2", "total_3", "field_2nd_total", "x"]
    assert answer["json_schema"]["properties"]["x"]["anyOf"][0] == {"type": "string"}
    assert answer["domain"] == "custom.x.document-20250313"
    compile_schema(answer["json_schema"])


async def test_a_model_that_is_away_is_waited_for() -> None:
    with pytest.raises(ModelUnavailable):
        await made(ModelUnavailable("away"))
