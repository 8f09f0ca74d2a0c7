"""Objects of a schema: whose part of the page a value stands in, wholes taken apart, lists with one labelled entry."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from tests.unit.extraction.drawing import ask, document


def text(description: str = "") -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


def of(description: str = "", **fields: Any) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": fields}


PLACE = of("Home address", street=text("Street"), city=text("City"), state=text("State"), postal_code=text("ZIP code"))
PERSON = {"name": text("Name"), "phone": text("Phone number")}
PAGE = """
Patient
Patient name:      Imogen Van Horn
Home address:      167 Commerce Pkwy, Bangor, ME 32421
Home phone:        (405) 555-0101

Emergency contact
Name:              Dale Okafor
Phone:             (648) 555-0173

Diagnosis code:    M17.11
"""


def answered(page: str = PAGE, **fields: Any) -> Any:
    return extract(document(page), compile_schema(of(**fields))).values


def test_an_object_that_the_page_does_not_name_is_not_answered_from_anothers_part() -> None:
    got = answered(emergency_contact=of("Emergency contact", **PERSON), guarantor=of("Guarantor or responsible party", **PERSON))
    assert got["emergency_contact"] == {"name": "Dale Okafor", "phone": "(648) 555-0173"}
    assert got["guarantor"] == {"name": None, "phone": None}


def test_an_address_under_one_label_is_taken_apart() -> None:
    got = answered(home_address=PLACE)
    assert got["home_address"] == {"street": "167 Commerce Pkwy", "city": "Bangor", "state": "ME", "postal_code": "32421"}


def test_a_name_under_one_label_is_taken_apart_with_what_belongs_to_the_last_name() -> None:
    name = of("Name of the patient", first_name=text("First name"), last_name=text("Last name"), full_name=text("The whole name"))
    assert answered(patient_name=name)["patient_name"] == {"first_name": "Imogen", "last_name": "Van Horn", "full_name": "Imogen Van Horn"}
    turned = answered(PAGE.replace("Imogen Van Horn", "Van Horn, Imogen"), patient_name=name)["patient_name"]
    assert (turned["first_name"], turned["last_name"]) == ("Imogen", "Van Horn")


def test_a_list_whose_one_entry_is_labelled_has_one_entry() -> None:
    diagnoses = {"type": "array", "items": of(code=text("ICD-10 code"), meaning=text("In words"))}
    assert answered(diagnoses=diagnoses)["diagnoses"] == [{"code": "M17.11", "meaning": None}]
    assert answered(PAGE.replace("Diagnosis", "Parking"), diagnoses=diagnoses)["diagnoses"] == []


def test_the_name_of_a_provider_stands_behind_the_words_for_the_provider_and_a_person_not_named_stays_empty() -> None:
    text = {"type": ["string", "null"]}
    person = {"type": "object", "properties": {"name": text, "phone": text}}
    page = "Patient name: Ida Brandvold\nReferring provider: Dr. Noor Salt\nReceiving provider: Dr. Tom Ellery"
    schema = {
        "patient": {"type": "object", "properties": {"full_name": text, "guarantor": person, "emergency_contact": person}},
        "referring_provider": person,
        "receiving_provider": person,
    }
    got = ask(page, **schema).values
    assert (got["referring_provider"]["name"], got["receiving_provider"]["name"]) == ("Dr. Noor Salt", "Dr. Tom Ellery")
    assert (got["patient"]["guarantor"]["name"], got["patient"]["emergency_contact"]["name"]) == (None, None)
