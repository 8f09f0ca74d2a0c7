"""What a prompt asks for in words, as a schema."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.extraction.schema import compile_schema
from heliograph.skills.wording import schema_from


def told(prompt: str) -> Any:
    """The fields of the schema in short: the type, a list of choices, `[type]` for a list, `[{...}]` for a list of rows."""
    schema = schema_from(prompt)
    return None if schema is None else _fields(schema)


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: _short(field) for name, field in schema["properties"].items()}


def _short(field: dict[str, Any]) -> Any:
    if "anyOf" in field:
        kind, null = field["anyOf"]
        assert null == {"type": "null"}
        return kind.get("enum") or kind.get("format") or kind["type"]
    if field["type"] == "array":
        return [_short(field["items"])]
    return _fields(field) if field["type"] == "object" else field.get("format") or field["type"]


@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        ("Extract invoice_id, date and total_amount", {"invoice_id": "string", "date": "date", "total_amount": "number"}),
        ("Extract invoiceId, and issueDate from invoices.", {"invoiceId": "string", "issueDate": "date"}),
        (
            "the patient's name, date of birth and a list of medications with dose",
            {"patient_name": "string", "date_of_birth": "date", "medications": [{"name": "string", "dose": "string"}]},
        ),
        (
            "Extract the seller's name, address and tax id and the buyer's name",
            {"seller_name": "string", "seller_address": "string", "seller_tax_id": "string", "buyer_name": "string"},
        ),
        ("Get the name and address of the landlord", {"landlord_name": "string", "landlord_address": "string"}),
        ("From each delivery note take the customer name, whether it was signed, and a list of items with quantity and article number", {
            "customer_name": "string", "was_signed": "boolean", "items": [{"quantity": "number", "article_number": "string"}]}),
        ("Find the start and end dates", {"start_date": "date", "end_date": "date"}),
        ("Give shipper name & address, consignee name & address", {
            "shipper_name": "string", "shipper_address": "string", "consignee_name": "string", "consignee_address": "string"}),
        ("Extract the category [food, travel, other] and the tone as positive/negative; also the main topic", {
            "category": ["food", "travel", "other"], "tone": ["positive", "negative"], "main_topic": "string"}),
        ("I need to get the declared value and the application deadline", {"declared_value": "number", "application_deadline": "date"}),
        ("Find the opening and closing balance", {"opening_balance": "number", "closing_balance": "number"}),
        ("Classify the document type (invoice or receipt) and extract the total", {
            "document_type": ["invoice", "receipt"], "total": "number"}),
        ("Extract el número de factura y la fecha", {"numero_de_factura": "string", "fecha": "date"}),
        ("Extract interest rate, name / usage_kwh / hours worked", {
            "interest_rate": "number", "name": "string", "usage_kwh": "number", "hours_worked": "number"}),
        ("invoice_number: string, total: number, paid: boolean", {"invoice_number": "string", "total": "number", "paid": "boolean"}),
        ("Extract the status (paid, unpaid or overdue)", {"status": ["paid", "unpaid", "overdue"]}),
        (
            "Identify the category, one of food, travel or other, and the total.",
            {"category": ["food", "travel", "other"], "total": "number"},
        ),
        ("Extract whether the lease is signed and the number of pages", {"lease_is_signed": "boolean", "number_of_pages": "integer"}),
        ("Extrahiere Rechnungsnummer, Datum und Gesamtbetrag", {"rechnungsnummer": "string", "datum": "date", "gesamtbetrag": "number"}),
        ("What is the total amount and the due date?", {"total_amount": "number", "due_date": "date"}),
    ],
)  # fmt: skip
def test_fields_are_named_and_typed_by_the_words_of_a_sentence(prompt: str, fields: dict[str, Any]) -> None:
    assert told(prompt) == fields


@pytest.mark.parametrize(
    "prompt",
    [
        "Extract the date, line items with description, quantity and unit price, and the total",
        "Extract the date, line items (description, quantity, unit price) and the total",
        "Extract the date; line items: description, quantity, unit price; total",
        "Extract:\n- date\n- line items\n  - description\n  - quantity\n  - unit price\n- total",
        "Extract these fields:\n1. Date\n2. Line items (description, quantity, unit price)\n3. Total",
    ],
)
def test_columns_of_a_list_end_where_the_next_field_begins(prompt: str) -> None:
    columns = {"description": "string", "quantity": "number", "unit_price": "number"}
    assert told(prompt) == {"date": "date", "line_items": [columns], "total": "number"}


@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        ("Extract every transaction's date and amount", {"transactions": [{"date": "date", "amount": "number"}]}),
        ("Get the store and each test with its result, unit and flag", {
            "store": "string", "tests": [{"name": "string", "result": "string", "unit": "string", "flag": "string"}]}),
        ("For each property listing, get address and price", {"property_listings": [{"address": "string", "price": "number"}]}),
        ("Find all parties to the agreement, their roles, and the term", {
            "parties": [{"name": "string", "role": "string"}], "term": "string"}),
        ("Extract all transactions (date, amount)", {"transactions": [{"date": "date", "amount": "number"}]}),
        ("Extract the total and the line-item details", {"total": "number", "line_items": [
            {"description": "string", "quantity": "number", "unit_price": "number", "total": "number"}]}),
        ("Extract the vendor (name and address) and tags (list of strings)", {
            "vendor": {"name": "string", "address": "string"}, "tags": ["string"]}),
        ("Extract the patient (name, dob) and education (school, degree)", {
            "patient": {"name": "string", "dob": "date"}, "education": [{"school": "string", "degree": "string"}]}),
        ("Extract line items with: description, amount.", {"line_items": [{"description": "string", "amount": "number"}]}),
        ("Get invoice totals: subtotal, tax, grand total.", {"subtotal": "number", "tax": "number", "grand_total": "number"}),
        ("Lies Name und eine Liste der Medikamente mit Dosis", {"name": "string", "medikamente": [{"name": "string", "dosis": "string"}]}),
    ],
)  # fmt: skip
def test_things_with_parts_become_rows_or_objects(prompt: str, fields: dict[str, Any]) -> None:
    assert told(prompt) == fields


def test_lists_are_known_by_their_plural_and_things_that_end_alike_are_not() -> None:
    made = told("Extract all attendees, the payment terms, the shipping address, the diagnosis and the hours worked")
    assert made == {
        "attendees": ["string"],
        "payment_terms": "string",
        "shipping_address": "string",
        "diagnosis": "string",
        "hours_worked": "number",
    }


@pytest.mark.parametrize(
    "prompt",
    [
        "From each receipt, extract the merchant and the total as JSON.",
        "You are an accountant. Read this receipt and return the merchant and total. Do not guess, and use ISO dates.",
        "Extract the following fields from the receipt: merchant, total. Return null if a value is missing.",
        "Extract key information from receipts, such as the merchant and the total",
        "Pull out the merchant and total from scanned receipts and invoices",
        "Extract the merchant and the total, but not the tip.",
        "Read the cash register slip and report the merchant and total.",
        "Turn receipts into JSON with merchant and total",
    ],
)
def test_what_is_no_field_is_passed_over(prompt: str) -> None:
    assert told(prompt) == {"merchant": "string", "total": "number"}


def test_what_a_prompt_says_of_a_field_is_its_description() -> None:
    schema = schema_from("Extract the weight in kg, the total (with tax) and the date from the header")
    assert schema is not None
    described = {name: field.get("description") for name, field in schema["properties"].items()}
    assert described == {"weight": "weight in kg", "total": "with tax", "date": "date from the header"}


def test_two_fields_never_become_one() -> None:
    assert told("the tenant's income, the landlord's income, the total including tax and the total excluding tax") == {
        "tenant_income": "number",
        "landlord_income": "number",
        "total_including_tax": "number",
        "total_excluding_tax": "number",
    }


@pytest.mark.parametrize("prompt", ["Extract invoices", "Extract all the relevant information from the document", "Be precise.", "?!", ""])
def test_a_prompt_that_names_no_fields_gives_no_schema(prompt: str) -> None:
    assert told(prompt) is None


def test_a_json_block_or_a_table_is_taken_as_it_is() -> None:
    assert told('Return {"invoice_id": "INV-1", "total": 12.5} for each file') == {"invoice_id": "string", "total": "number"}
    assert told("Extract:\n\n| field | meaning |\n|---|---|\n| due_date | the date |\n| note | text |") == {
        "due_date": "date",
        "note": "string",
    }


def test_names_are_ones_that_an_answer_can_have() -> None:
    made = told("Extract the 2nd party, the total_metadata, the Größe, the % discount and " + ", ".join(f"field_{n}" for n in range(200)))
    assert made is not None
    assert list(made)[:4] == ["field_2nd_party", "total", "groesse", "percent_discount"]
    assert len(made) == 100
    schema = schema_from("Extract " + ", ".join(f"thing {n}" for n in range(50)))
    assert len(compile_schema(schema).fields) == 50


@pytest.mark.parametrize(
    "piece", ["a,", "and ", "the ", "x's ", "(", "((a) ", "of the ", "extract ", "- a\n", "with ", ": ", "one of ", "\n", "a b c d "]
)
def test_no_prompt_takes_long(piece: str) -> None:
    began = time.process_time()
    schema_from("Extract " + piece * (20_000 // len(piece)))
    assert time.process_time() - began < 5


@given(
    st.lists(
        st.sampled_from(["extract ", "a", " list of", " with ", ",", " and ", "(b, c)", "'s ", " for each ", ":", "\x025\x03", "\n- "])
        | st.text(max_size=5)
    )
)
def test_any_words_give_a_schema_or_none(pieces: list[str]) -> None:
    schema = schema_from("".join(pieces))
    assert schema is None or compile_schema(schema).fields
