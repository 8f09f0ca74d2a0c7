from __future__ import annotations

from datetime import date

from tests.unit.answers.drawn import Sheet, document, invoice

from heliograph.extraction import gql
from heliograph.extraction.propose import propose
from heliograph.extraction.schema import compile_schema

TODAY = date(2025, 3, 13)


def kinds(made: dict[str, object]) -> dict[str, tuple[str, str]]:
    return {f.dotted: (f.kind, f.format) for f in compile_schema(made["json_schema"]).root.leaves()}


def test_labels_become_typed_fields_and_a_table_over_two_pages_one_array() -> None:
    assert kinds(propose(invoice(), TODAY)) == {
        "invoice_no": ("string", ""),
        "invoice_date": ("string", "date"),
        "customer_id": ("string", ""),
        "total": ("number", ""),
        "items[].description": ("string", ""),
        "items[].qty": ("integer", ""),
        "items[].unit_price": ("number", ""),
        "items[].amount": ("number", ""),
    }


def test_the_answer_is_a_schema_response_named_by_kind_and_day() -> None:
    made = propose(invoice(), TODAY)
    assert list(made) == ["domain", "description", "schema_version", "schema_hash", "gql_stmt", "json_schema"]
    assert (made["domain"], made["schema_version"]) == ("custom.finance.invoice-20250313", "20250313")
    assert len(made["schema_hash"]) == 64
    assert kinds({"json_schema": gql.select(made["json_schema"], made["gql_stmt"])}) == kinds(made)


def test_every_field_may_be_null() -> None:
    schema = compile_schema(propose(invoice(), TODAY)["json_schema"])
    assert all(field.nullable for field in schema.root.leaves())
    assert schema.check({"invoice_no": None, "items": []}) == []


def test_a_document_without_labels_proposes_nothing() -> None:
    sheet = Sheet()
    sheet.block("text", "Once upon a time there was a king who had three sons.")
    made = propose(document(sheet), TODAY)
    assert made["json_schema"]["properties"] == {}
    assert made["domain"] == "custom.general.document-20250313"


def test_totals_below_the_records_of_a_table_are_fields() -> None:
    sheet = Sheet()
    sheet.table([["Item", "Price"], ["Bread", "4.25"], ["Milk", "2.49"], ["Subtotal", "6.74"], ["Tax 5%", "0.34"], ["Total", "7.08"]])
    made = propose(document(sheet), TODAY)
    assert list(kinds(made)) == ["subtotal", "tax", "total", "items[].item", "items[].price"]
    assert {kind for kind, _ in (kinds(made)[name] for name in ("subtotal", "tax", "total"))} == {"number"}


def test_lines_of_things_and_prices_without_a_table_are_items() -> None:
    sheet = Sheet()
    for number, (thing, price) in enumerate([("Sourdough loaf", "6.50"), ("Olive oil", "11.20"), ("Pears", "4.80"), ("Total", "22.50")]):
        sheet.line(thing, 50, 100 + 14 * number)
        sheet.line(price, 250, 100 + 14 * number)
    assert {"total", "items[].description", "items[].total_price"} <= kinds(propose(document(sheet), TODAY)).keys()


def test_a_label_that_comes_twice_is_two_fields() -> None:
    sheet = Sheet()
    sheet.line("Phone: 555-1", 50, 50)
    sheet.line("Phone: 555-2", 50, 80)
    assert list(propose(document(sheet), TODAY)["json_schema"]["properties"]) == ["phone", "phone_2"]


def test_names_are_written_without_accents() -> None:
    sheet = Sheet()
    sheet.line("Währung: EUR", 50, 50)
    assert propose(document(sheet), TODAY)["gql_stmt"] == "{\n  waehrung\n}"


def test_a_table_of_labels_and_values_is_fields_and_no_array() -> None:
    sheet = Sheet()
    sheet.table([["Name:", "Ann Lee"], ["Date:", "2024-01-05"], ["Amount:", "12.50"]], header_rows=0)
    assert kinds(propose(document(sheet), TODAY)) == {"name": ("string", ""), "date": ("string", "date"), "amount": ("number", "")}


def test_a_proposed_field_never_takes_the_place_of_metadata() -> None:
    sheet = Sheet()
    sheet.line("File metadata: x", 50, 50)
    sheet.line("File: y", 50, 80)
    assert compile_schema(propose(document(sheet), TODAY)["json_schema"]).fields
