"""Values from words: what is found, where, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from tests.unit.extraction.drawing import DATE, ask, document

INVOICE = """
Northwind Lanterns Ltd                              INVOICE
12 Harbour Street
Dover CT16 1AA
                                                    Invoice No:    NL-2291
Bill To:                                            Invoice Date:  3 April 2024
Perkins & Daughter GmbH                             Due Date:      03/05/2024
Hafenweg 7
20457 Hamburg

Description               Qty     Unit Price      Amount
Brass lantern             2       40.00           80.00
Signal mirror,            3       15.50           46.50
hand polished
Paraffin 5 l              10      4.00            40.00

                                  Subtotal        166.50
                                  VAT 20%         33.30
                                  Total EUR       199.80
"""
LINES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "quantity": {"type": "number"},
            "unit_price": {"type": "number"},
            "total_price": {"type": "number"},
        },
    },
}


def test_an_invoice_is_read() -> None:
    found = ask(
        INVOICE, invoice_number="string", invoice_date=DATE, due_date=DATE, seller_name="string", customer_name="string",
        subtotal="number", tax_amount="number", total="number", currency="string", items=LINES,
    ).values  # fmt: skip
    assert found == {
        "invoice_number": "NL-2291",
        "invoice_date": "2024-04-03",
        "due_date": "2024-05-03",
        "seller_name": "Northwind Lanterns Ltd",
        "customer_name": "Perkins & Daughter GmbH",
        "subtotal": 166.5,
        "tax_amount": 33.3,
        "total": 199.8,
        "currency": "EUR",
        "items": [
            {"description": "Brass lantern", "quantity": 2.0, "unit_price": 40.0, "total_price": 80.0},
            {"description": "Signal mirror, hand polished", "quantity": 3.0, "unit_price": 15.5, "total_price": 46.5},
            {"description": "Paraffin 5 l", "quantity": 10.0, "unit_price": 4.0, "total_price": 40.0},
        ],
    }


def test_nested_parties_get_each_their_own() -> None:
    party = {"type": "object", "properties": {"name": {"type": "string"}, "address": {"type": "string"}}}
    found = ask(INVOICE, issuer=party, customer=party).values
    assert found["issuer"] == {"name": "Northwind Lanterns Ltd", "address": "12 Harbour Street Dover CT16 1AA"}
    assert found["customer"] == {"name": "Perkins & Daughter GmbH", "address": "Hafenweg 7 20457 Hamburg"}


def test_every_value_stands_on_its_words() -> None:
    made = document(INVOICE)
    extraction = extract(
        made, compile_schema({"properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}, "items": LINES}})
    )
    words = {word.text: word.box for word in made.pages[0].words}
    number = extraction.leaves[("invoice_number",)]
    assert [part.content for part in number.evidence] == ["NL-2291"]
    assert number.evidence[0].box.iou(words["NL-2291"]) > 0.99
    assert extraction.leaves[("total",)].evidence[0].content == "199.80"
    wrapped = extraction.leaves[("items", 1, "description")]
    assert [part.content for part in wrapped.evidence] == ["Signal mirror,", "hand polished"]


def test_a_value_in_one_word_with_its_label_has_a_box_of_its_own_part() -> None:
    leaf = ask("Total:12.50", total="number").leaves[("total",)]
    word = document("Total:12.50").pages[0].words[0].box
    assert leaf.evidence[0].content == "12.50"
    assert leaf.evidence[0].box.x > word.x + word.w * 0.4
    assert leaf.evidence[0].box.x1 == pytest.approx(word.x1)


@pytest.mark.parametrize(
    "field", ["iban", "passport_number", "blood_type", "vehicle_vin", "isbn", "flight_number", "patient_name", "tip_amount"]
)
def test_what_the_document_does_not_hold_stays_null(field: str) -> None:
    extraction = ask(INVOICE, **{field: "string"})
    assert extraction.values[field] is None
    assert extraction.leaves[field,].state == "absent"


@pytest.mark.parametrize("text", ["", "   ", "just some words of no consequence in a row"])
def test_a_document_that_says_nothing_answers_nothing(text: str) -> None:
    found = ask(text, total="number", date=DATE, company="string", items=LINES).values
    assert found == {"total": None, "date": None, "company": None, "items": []}


def test_a_required_field_that_is_absent_is_null_with_a_warning() -> None:
    schema = compile_schema({"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}})
    extraction = extract(document("nothing here"), schema)
    assert extraction.values == {"total": None}
    assert extraction.warnings == ["required_missing: total"]


@pytest.mark.parametrize(
    ("text", "name", "schema", "value"),
    [
        ("Rechnungsnummer: 4711-B", "invoice_number", {"type": "string"}, "4711-B"),
        ("Numéro de facture : F-88", "invoice_number", {"type": "string"}, "F-88"),
        ("Fecha de vencimiento: 07/09/2023   25/08/2023", "due_date", DATE, "2023-09-07"),
        ("Totale fattura   1.234,56 EUR", "total", {"type": "number"}, 1234.56),
        ("Jumlah besar   RM 45.90", "total", {"type": "number"}, 45.9),
        ("Vervaldatum\n01-02-2022", "due_date", DATE, "2022-02-01"),
        ("Número da fatura: A/17", "invoice_number", {"type": "string"}, "A/17"),
        ("Coating thickness: 12 microns", "coating_thickness", {"type": "number"}, 12),
        ("Ship's master   Jane Doe", "master", {"type": "string"}, "Jane Doe"),
        ("Contract Period: 01/02/2020 - 28/02/2021", "contract_end", DATE, "2021-02-28"),
        ("Contract Period: 01/02/2020 - 28/02/2021", "contract_start", DATE, "2020-02-01"),
        ("Member ID  XZ-991", "memberId", {"type": "string"}, "XZ-991"),
        ("IBAN DE89 3704 0044 0532 0130 00", "iban", {"type": "string"}, "DE89370400440532013000"),
        ("Colour: light green", "colour", {"enum": ["red", "light_green", "blue"]}, "light_green"),
        ("Insured: Yes", "insured", {"type": "boolean"}, True),
        ("☒ Express delivery", "express_delivery", {"type": "boolean"}, True),
        ("☐ Express delivery", "express_delivery", {"type": "boolean"}, False),
        ("Expiry date: 12/2031 31/12/2031", "expiry_date", DATE, "2031-12-31"),
    ],
)
def test_labels_in_many_languages_and_fields_of_any_name(text: str, name: str, schema: Any, value: Any) -> None:
    assert ask(text, **{name: schema}).values[name] == value


def test_the_total_is_neither_a_subtotal_nor_the_cash_given() -> None:
    text = "SUB TOTAL   9.40\nGST 6%   0.56\nTOTAL   9.96\nROUNDING   -0.01\nTOTAL AFTER ROUNDING   9.95\nCASH   20.00\nCHANGE   10.05"
    found = ask(text, subtotal="number", total="number", change="number").values
    assert found == {"subtotal": 9.4, "total": 9.95, "change": 10.05}


def test_items_of_a_receipt_without_headings_are_lines_that_end_in_amounts() -> None:
    text = "CORNER CAFE\n1 High Street\n\n2 x 3.50 Flat white      7.00\nCheese toast             4.20\n\nTOTAL                   11.20"
    found = ask(text, items=LINES).values["items"]
    assert [(item["description"], item["quantity"], item["total_price"]) for item in found] == [
        ("Flat white", 2.0, 7.0),
        ("Cheese toast", None, 4.2),
    ]


def test_one_span_does_not_answer_two_different_questions() -> None:
    found = ask("Reference: A-17", reference="string", order_number="string").values
    assert found == {"reference": "A-17", "order_number": None}


def test_words_read_too_badly_are_called_unreadable() -> None:
    extraction = ask(document("Total: 12.50", score=0.1), total="number")
    assert extraction.values["total"] is None
    assert extraction.leaves[("total",)].state == "unreadable"


def test_lists_of_scalars_come_from_bullets_and_commas() -> None:
    tags = {"type": "array", "items": {"type": "string"}}
    assert ask("Skills: welding, brazing, soldering", skills=tags).values["skills"] == ["welding", "brazing", "soldering"]
    assert ask("Interests\n- chess\n- rowing", interests=tags).values["interests"] == ["chess", "rowing"]


def test_a_constant_is_given_only_beside_something_found() -> None:
    kind = {"type": "object", "properties": {"type": {"const": "card"}, "member_id": {"type": "string"}}}
    assert ask("Member ID: Q1234", card=kind).values["card"] == {"type": "card", "member_id": "Q1234"}
    assert ask("nothing", card=kind).values["card"] == {"type": None, "member_id": None}


def test_what_the_schema_forbids_is_taken_back() -> None:
    found = ask("Total: 12.50", total={"type": "number", "maximum": 10}).values
    assert found == {"total": None}


@settings(max_examples=40, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=300),
    st.dictionaries(st.text(min_size=1, max_size=12), st.sampled_from(["string", "number", "integer", "boolean"]), max_size=6),
)
def test_any_document_and_any_schema_give_an_answer_that_fits_with_words_under_it(text: str, fields: dict[str, str]) -> None:
    fields = {name: kind for name, kind in fields.items() if not name.endswith("_metadata")}
    made = document(text)
    schema = compile_schema({"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}})
    extraction = extract(made, schema)
    assert schema.check(extraction.values) == []
    for leaf in extraction.leaves.values():
        assert (leaf.value is None) or leaf.evidence
        assert 0 <= leaf.probability <= 1


def test_an_address_beside_the_companys_name_is_the_companys() -> None:
    text = "LAMPLIGHT BAKERY LTD\n4 Mill Road\nYork YO1 7HZ\n\nTOTAL   3.20"
    assert ask(text, company="string", address="string").values == {
        "company": "LAMPLIGHT BAKERY LTD",
        "address": "4 Mill Road York YO1 7HZ",
    }
    assert ask(text, address="string").values == {"address": None}


def test_an_address_is_taken_apart_for_the_party_it_belongs_to() -> None:
    parts = {"type": "object", "properties": {name: {"type": "string"} for name in ("street", "city", "state", "postal_code", "country")}}
    found = ask(INVOICE, issuer_address=parts, customer_billing_address=parts, customer_shipping_address=parts).values
    assert found["issuer_address"] == {
        "street": "12 Harbour Street",
        "city": "Dover",
        "state": None,
        "postal_code": "CT16 1AA",
        "country": None,
    }
    assert found["customer_billing_address"] == {
        "street": "Hafenweg 7",
        "city": "Hamburg",
        "state": None,
        "postal_code": "20457",
        "country": None,
    }
    assert found["customer_shipping_address"] == dict.fromkeys(parts["properties"])
    american = ask("HARBOR CAFE LLC\n214 Harbor Street\nAstoria, OR 97103\nUSA\n\nTOTAL   3.20", merchant_address=parts).values[
        "merchant_address"
    ]
    assert american == {"street": "214 Harbor Street", "city": "Astoria", "state": "OR", "postal_code": "97103", "country": "USA"}


def test_a_date_time_is_what_rfc_3339_asks_for_and_its_citation_what_the_page_says() -> None:
    moment = {"type": "string", "format": "date-time"}
    alone = ask("Date: 05/01/2018", transaction_date=moment)
    assert alone.values == {"transaction_date": "2018-01-05T00:00:00Z"}
    assert [part.content for part in alone.leaves["transaction_date",].evidence] == ["05/01/2018"]
    assert ask("Date: 05/01/2018 14:20", transaction_date=moment).values == {"transaction_date": "2018-01-05T14:20:00Z"}
    assert ask("Date: 05/01/2018     Time: 14:20", transaction_date=moment).values == {"transaction_date": "2018-01-05T14:20:00Z"}
