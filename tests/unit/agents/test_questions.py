"""A value asked for in plain words becomes the field that is meant, or is said not to be understood."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.agents.questions import ANSWER, schema_of
from heliograph.errors import InvalidRequest


@pytest.mark.parametrize(
    ("said", "field", "kind"),
    [
        ("total", "total", "number"),
        ("What is the total?", "total", "number"),
        ("How much is due?", "amount_due", "number"),
        ("what's due", "amount_due", "number"),
        ("how much do I owe", "amount_due", "number"),
        ("How much did I pay?", "total", "number"),
        ("When is it due?", "due_date", "string"),
        ("when is payment due?", "due_date", "string"),
        ("When was the invoice issued?", "issue_date", "string"),
        ("When was the patient born?", "date_of_birth", "string"),
        ("who is this from?", "issuer_name", "string"),
        ("To whom was the letter addressed?", "customer_name", "string"),
        ("please tell me the invoice no.", "invoice_no", "string"),
        ("What's the patient's name?", "patient_name", "string"),
        ("subtotal excl. tax", "subtotal_excl_tax", "string"),
        ("is it signed?", "is_it_signed", "boolean"),
    ],
)
def test_what_is_asked_is_the_field_that_is_meant(said: str, field: str, kind: str) -> None:
    name, schema = schema_of(said, model=False)
    shape: dict[str, Any] = schema["properties"][field]
    types = [each["type"] for each in shape["anyOf"]] if "anyOf" in shape else shape["type"]
    assert (name, types[0]) == (field, kind)


@pytest.mark.parametrize("said", ["why was it sent back?", "how many pages are there", "which bank?", "where was it shipped to"])
def test_a_question_that_no_label_answers_is_left_to_a_model(said: str) -> None:
    with pytest.raises(InvalidRequest, match="name it as a label"):
        schema_of(said, model=False)
    name, schema = schema_of(said, model=True)
    assert (name, schema["properties"][ANSWER]["description"]) == (ANSWER, said)


def test_several_values_are_not_taken_for_one() -> None:
    with pytest.raises(InvalidRequest, match="total, due_date"):
        schema_of("total and due date", model=False)
