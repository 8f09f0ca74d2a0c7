"""Labels that examples teach the embedded extractor: what is learned, that it helps, and what is left."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.extraction.synonyms import Worked, synonyms

from .drawing import DATE, document

TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}


def _schema(**fields: Any) -> Schema:
    return compile_schema({"type": "object", "properties": fields})


BILL = _schema(invoice_number=TEXT, due_date=DATE, total=NUMBER)
TAUGHT = Worked(
    document("Fakturo 8841-B        Zahlbarius: 2024-05-02\nVendisto Kolmark\nSumo          77.50\nAliaj         12.00"),
    {"invoice_number": "8841-B", "due_date": "2024-05-02", "total": 77.5},
)
ASKED = document("Fakturo 9013-C        Zahlbarius: 2024-07-19\nVendisto Brilon\nSumo          18.25\nAliaj         66.00")


def test_a_document_with_the_same_unknown_words_is_answered() -> None:
    assert extract(ASKED, BILL).values == {"invoice_number": None, "due_date": None, "total": None}
    learned = synonyms([TAUGHT], BILL)
    assert learned.keys() == {("invoice_number",), ("due_date",), ("total",)}
    assert extract(ASKED, BILL, learned=learned).values == {"invoice_number": "9013-C", "due_date": "2024-07-19", "total": 18.25}


def test_a_label_over_a_value_is_learned() -> None:
    schema = _schema(invoice_number=TEXT)
    example = Worked(document("Kodfako         Vendisto\n8841-B          Kolmark"), {"invoice_number": "8841-B"})
    learned = synonyms([example], schema)
    assert [*learned[("invoice_number",)]] == [("kodfako",)]
    assert (
        extract(document("Kodfako         Vendisto\n9013-C          Brilon"), schema, learned=learned).values["invoice_number"] == "9013-C"
    )


def test_headings_of_a_lists_columns_are_learned() -> None:
    row = {"type": "object", "properties": {"description": TEXT, "quantity": NUMBER, "amount": NUMBER}}
    schema = _schema(lines={"type": "array", "items": row})

    def drawn(*rows: tuple[str, str, str]) -> str:
        return "\n".join(f"{name:<24}{count:<16}{price}" for name, count, price in [("Varonom", "Kvanto", "Prezoj"), *rows])

    lines = [{"description": "Copper wire", "quantity": 3, "amount": 41.5}, {"description": "Brass nails", "quantity": 20, "amount": 6.25}]
    learned = synonyms([Worked(document(drawn(("Copper wire", "3", "41.50"), ("Brass nails", "20", "6.25"))), {"lines": lines})], schema)
    made = extract(document(drawn(("Iron bolts", "7", "19.00"), ("Tin foil", "2", "3.75"))), schema, learned=learned)
    assert made.values["lines"] == [
        {"description": "Iron bolts", "quantity": 7, "amount": 19.0},
        {"description": "Tin foil", "quantity": 2, "amount": 3.75},
    ]


def test_what_the_engine_finds_by_itself_is_not_learned_anew() -> None:
    example = Worked(document("Invoice number: 8841-B\nTotal: 77.50"), {"invoice_number": "8841-B", "total": 77.5})
    assert synonyms([example], BILL) == {}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Sumo: 77.50\nSaldo: 77.50", {"total": 77.5, "paid": 77.5}),  # either label may be either's
        ("Sumo 77.50     Sumo 31.20", {"total": 77.5, "paid": 31.2}),
    ],
)
def test_what_cannot_be_told_apart_is_not_learned(text: str, answer: dict[str, Any]) -> None:
    assert synonyms([Worked(document(text), answer)], _schema(total=NUMBER, paid=NUMBER)) == {}


def test_another_fields_own_name_is_no_label() -> None:
    schema = _schema(reference=TEXT, customer_number=TEXT)
    example = Worked(document("Customer number: 8841-B"), {"reference": "8841-B", "customer_number": None})
    assert ("reference",) not in synonyms([example], schema)


def test_a_value_beside_a_value_is_no_label() -> None:
    schema = _schema(seller=TEXT, invoice_number=TEXT)
    example = Worked(document("Kolmark Metals       8841-B"), {"seller": "Kolmark Metals", "invoice_number": "8841-B"})
    assert ("invoice_number",) not in synonyms([example], schema)


@pytest.mark.parametrize("answer", [{}, {"total": None}, {"total": 1234567.0}, {"unknown": "Sumo"}, {"total": [1, {"a": None}]}])
def test_an_answer_that_the_document_does_not_hold_teaches_nothing(answer: Any) -> None:
    assert synonyms([Worked(document("Sumo: 77.50"), answer), Worked(document(" "), answer)], BILL) == {}


def test_a_fields_own_name_wins_over_what_was_learned() -> None:
    learned = synonyms([TAUGHT], BILL)
    both = document("Sumo          18.25\nTotal         91.00")
    assert extract(both, BILL, learned=learned).values["total"] == 91.0


def test_no_more_pages_are_learned_from_than_can_be_paid_for() -> None:
    long = Worked(document(*("Vendisto Kolmark" for _ in range(300)), "Sumo 77.50"), {"total": 77.5})
    assert synonyms([long], BILL) == {}
    filler = Worked(document(*("Vendisto Kolmark" for _ in range(4))), {"total": 1.5})
    assert synonyms([filler] * 3 + [TAUGHT], BILL) == synonyms([TAUGHT], BILL)
    assert synonyms([filler] * 4 + [TAUGHT], BILL) == {}
