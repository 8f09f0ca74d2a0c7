from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import InvalidRequest
from heliograph.extraction import domains
from heliograph.extraction.domains import HUB_VERSION, catalog, find, nearest, schema_hash
from heliograph.extraction.schema import compile_schema

OWN = Path(domains.__file__).parent / "own"
OF_THE_ENGINE = (
    "document.layout-detection", "document.markdown", "healthcare.phi-redaction", "healthcare.phi-edit-replace",
    "audio.transcription", "video.transcription",
)  # fmt: skip
"""Answers that are made whole, not extracted field by field."""


def test_the_catalogue_is_sorted_and_holds_both_sources() -> None:
    assert list(catalog()) == sorted(catalog())
    assert {"document.invoice", "healthcare.lab-report", "image.caption"} <= catalog().keys()
    assert HUB_VERSION == "0.1.35"


@pytest.mark.parametrize("name", sorted(catalog()))
def test_every_domain_compiles_and_says_what_it_is(name: str) -> None:
    domain = catalog()[name]
    assert compile_schema(domain.json_schema).root.leaves()
    assert domain.description
    assert domain.prompt
    assert domain.supported_inputs
    assert domain.gql_stmt.startswith("{\n")
    assert domain.schema_hash == schema_hash(domain.json_schema)
    assert len(domain.schema_hash) == 8


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    schema = catalog()["document.invoice"].json_schema
    assert schema_hash(json.loads(json.dumps(schema, sort_keys=True))) == catalog()["document.invoice"].schema_hash


def test_the_invoice_has_the_live_names_first_and_the_hubs_after_them() -> None:
    names = list(catalog()["document.invoice"].json_schema["properties"])
    live = [
        "invoice_id", "period_start", "period_end", "invoice_issue_date", "invoice_due_date", "customer_id", "issuer", "issuer_address",
        "customer", "customer_email", "customer_phone", "customer_billing_address", "customer_shipping_address", "items", "subtotal",
        "tax", "total", "currency", "notes",
    ]  # fmt: skip
    assert names[: len(live)] == live
    assert {"issuer_name", "customer_name", "tax_amount", "total_amount", "balance_due", "bank_details"} <= set(names[len(live) :])


def test_the_referral_has_the_published_shape() -> None:
    schema = catalog()["healthcare.patient-referral"].json_schema
    assert list(schema["properties"]) == [
        "document", "patient", "referral", "person", "provider", "contactPoint", "coverage", "consent", "medicalHistory", "location",
        "address", "organization", "period", "appointmentDetails",
    ]  # fmt: skip
    leaves = {field.dotted for field in compile_schema(schema).root.leaves()}
    assert {"patient.name.full_name", "patient.dateOfBirth", "patient.contact[].system", "referral.reasonForReferral"} <= leaves
    assert "medicalHistory.medicalConditions[]" in leaves


@pytest.mark.parametrize("name", [path.stem for path in sorted(OWN.glob("*.json")) if path.stem not in OF_THE_ENGINE])
def test_in_our_own_domains_every_field_may_be_null_and_none_is_called_as_its_type(name: str) -> None:
    domain = catalog()[name]

    def walk(node: Any) -> None:
        for field_name, field in node.get("properties", {}).items():
            options = field.get("anyOf", [])
            assert {"type": "null"} in options, field_name
            # generators of client classes trip over a field `date` of type date
            assert field_name not in {option.get("format") for option in options}, field_name
            for option in options:
                walk(option.get("items", option))
        for definition in node.get("$defs", {}).values():
            walk(definition)

    walk(domain.json_schema)


def test_names_are_found_with_slashes_and_neighbours_are_named() -> None:
    assert find("healthcare/lab-report").domain == "healthcare.lab-report"
    assert nearest("document.recipt")[0] == "document.receipt"
    assert nearest("lab_report")[0] == "healthcare.lab-report"
    assert nearest("zzzzzz") == []
    with pytest.raises(InvalidRequest, match="GET /v1/domains lists"):
        find("zzzzzz")
