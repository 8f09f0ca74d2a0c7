"""Which of several schemas a document is for, told by its labels."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.choosing import choose
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document

from .drawing import document

TEXT: dict[str, Any] = {"type": ["string", "null"]}


def _schema(title: str, *names: str) -> Schema:
    return compile_schema({"title": title, "type": "object", "properties": dict.fromkeys(names, TEXT)})


SCHEMAS = {
    "invoice": _schema("Supplier invoice", "invoice_number", "invoice_date", "due_date", "total"),
    "referral": _schema("", "patient_name", "date_of_birth", "referring_provider", "reason_for_referral", "phone"),
    "authorization": _schema("", "patient_name", "date_of_birth", "authorization_number", "procedure_code", "phone"),
}
INVOICE = document("INVOICE\n\nInvoice number: A-17     Invoice date: 2024-03-05\nDue date: 2024-04-05\nTotal: 12.50")
REFERRAL = document(
    "Patient name: Ada Byron      Date of birth: 1990-02-01\nPhone: 555 0100\nReferring provider: Dr. Hill\nReason for referral: pain"
)


@pytest.mark.parametrize(("given", "name", "kind"), [(INVOICE, "invoice", "Supplier invoice"), (REFERRAL, "referral", "referral")])
def test_the_schema_is_taken_whose_labels_are_on_the_pages(given: Document, name: str, kind: str) -> None:
    chosen = choose(given, SCHEMAS)
    assert (chosen.name, chosen.kind, chosen.uncertain) == (name, kind, None)


def test_the_reason_names_labels_and_the_next_likely_schema() -> None:
    chosen = choose(REFERRAL, SCHEMAS)
    assert chosen.rationale.startswith("5 of 5 fields of referral are labelled or answered (patient name, date of birth,")
    assert "3 of 5 fields of authorization" in chosen.rationale


def test_what_two_schemas_share_does_not_decide_between_them() -> None:
    told = document("Patient name: Ada Byron   Date of birth: 1990-02-01\nPhone: 555 0100\nAuthorization number: 77-1")
    assert choose(told, SCHEMAS).name == "authorization"


def test_a_heading_decides_where_the_labels_are_the_same() -> None:
    schemas = {name: _schema("", "name", "date_of_birth") for name in ("enrolment", "withdrawal")}
    chosen = choose(document("Notice of withdrawal\n\nName: Ada Byron\nDate of birth: 1990-02-01"), schemas)
    assert chosen.name == "withdrawal"
    assert '"Notice of withdrawal" stands on the first page' in chosen.rationale


def test_a_close_choice_says_so() -> None:
    schemas = {"first": _schema("", "name", "date_of_birth"), "second": _schema("", "name", "date_of_birth")}
    chosen = choose(document("Name: Ada Byron\nDate of birth: 1990-02-01"), schemas)
    assert chosen.name == "first"
    assert chosen.uncertain == "schema_uncertain: first was taken, and second is nearly as likely"


@pytest.mark.parametrize("text", ["It was a dark and stormy night; the rain fell in torrents.", " "])
def test_where_hardly_a_label_is_there_none_fits(text: str) -> None:
    chosen = choose(document(text), SCHEMAS)
    assert (chosen.name, chosen.kind) == (None, None)
    assert "Hardly any field" in chosen.rationale


CLAIM = _schema("Expense Claim", "employee_name", "employee_id", "cost_center", "purpose", "date", "description", "total", "approved_by")
LEAVE = _schema("Leave Request", "employee_name", "leave_type", "first_day", "last_day", "substitute")


def test_a_date_and_a_total_are_on_papers_of_every_kind_and_make_none_of_them_a_claim() -> None:
    bill = "Northgate Timber\nDate: 2024-03-05     Customer name: Ada Byron\nDescription     Amount\nOak posts     12.50\nTotal: 12.50"
    chosen = choose(document(bill), {"claim": CLAIM, "leave": LEAVE})
    assert chosen.name is None
    assert "on papers of many kinds" in chosen.rationale
    claim = "Employee ID: E-17\nCost center: 4410\nPurpose: fair in Ghent\nDate: 2024-03-05\nTotal: 12.50"
    assert choose(document(claim), {"claim": CLAIM, "leave": LEAVE}).name == "claim"
    assert choose(document(f"Expense Claim\n\n{bill}"), {"claim": CLAIM, "leave": LEAVE}).name == "claim"


def test_labels_that_examples_taught_count() -> None:
    given = document("Ledger ref: A-17\nNot after: 2024-04-05\nTo settle: 12.50")
    assert choose(given, SCHEMAS).name is None
    learned = {
        ("invoice_number",): {("ledger", "reference"): 1.0},
        ("due_date",): {("not", "after"): 1.0},
        ("total",): {("to", "settle"): 1.0},
    }
    assert choose(given, SCHEMAS, learned={"invoice": learned}).name == "invoice"


def test_columns_of_lists_count_too() -> None:
    rows = {"type": "array", "items": {"type": "object", "properties": {"medication": TEXT, "dosage": TEXT, "frequency": TEXT}}}
    schemas = {**SCHEMAS, "medications": compile_schema({"type": "object", "properties": {"lines": rows}})}
    assert choose(document("Medication      Dosage     Frequency\nIbuprofen       200 mg     daily"), schemas).name == "medications"


def test_one_of_very_many_schemas_is_found() -> None:
    many = {f"other_{n}": _schema("", f"quantum_{n}", f"gluon_{n}", "date_of_birth") for n in range(40)}
    assert choose(REFERRAL, {**many, **SCHEMAS}).name == "referral"


def test_a_date_alone_is_on_every_letter() -> None:
    assert choose(document("March 5, 2024\n\nDear Ada, it rains."), {"note": _schema("", "date", "sender_code")}).name is None


def test_a_wide_schema_needs_no_more_than_a_few_of_its_own_fields() -> None:
    wide = _schema("", "invoice_number", "due_date", "order_number", "iban", *(f"quantum_{n}" for n in range(26)))
    text = "Invoice number: A-17\nDue date: 2024-04-05\nOrder number: 991-X\nIBAN: DE89 3704 0044 0532 0130 00"
    assert choose(document(text), {"wide": wide, "leave": LEAVE}).name == "wide"
