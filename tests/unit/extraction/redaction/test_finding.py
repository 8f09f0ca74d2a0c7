"""What is taken for an identifier, and what is not."""

from __future__ import annotations

import pytest

from heliograph.extraction.redaction.finding import Suspect, find
from heliograph.extraction.redaction.found import Category
from heliograph.media.document import Document
from tests.unit.extraction.drawing import document


def found(text: str | Document) -> list[tuple[Category, str]]:
    made = text if isinstance(text, Document) else document(text)
    return [(one.category, one.text) for one in find(made)]


def left(text: str) -> str:
    """What is not found, as one line."""
    made = document(text)
    gone = {(one.page, part.word) for one in find(made) for part in one.parts}
    return " ".join(word.text for number, word in enumerate(made.pages[0].words) if (0, number) not in gone)


@pytest.mark.parametrize(
    ("text", "category", "secret"),
    [
        ("Patient: Zelmira Quoth", "name", "Zelmira Quoth"),
        ("Patient Name:   QUOTH, ZELMIRA X.", "name", "QUOTH, ZELMIRA X"),
        ("seen by Dr. Vantholm today", "name", "Vantholm"),
        ("Signed: Ulsa Brenk, M.D.", "name", "Ulsa Brenk"),
        ("reviewed with Ulsa Brenk, RN, on the ward", "name", "Ulsa Brenk"),
        ("the patient was seen with Quorra Vanth this morning", "name", "Quorra Vanth"),
        ("his wife Zelmira came along", "name", "Zelmira"),
        ("Margaret Xolby called", "name", "Margaret Xolby"),
        ("DOB: 04/12/1956", "date", "04/12/1956"),
        ("born 12.4.56 in hospital", "date", "12.4.56"),
        ("admitted March 5, 2021 at night", "date", "March 5, 2021"),
        ("since March 2021", "date", "March 2021"),
        ("on 3/14 he fell", "date", "3/14"),
        ("a 93-year-old man", "date", "93"),
        ("Age: 101", "date", "101"),
        ("call (415) 555-0162 ext. 4", "phone", "(415) 555-0162 ext. 4"),
        ("Fax: 415-555-0162", "fax", "415-555-0162"),
        ("jane.doe@mail.example.org", "email", "jane.doe@mail.example.org"),
        ("SSN 123-45-6789", "ssn", "123-45-6789"),
        ("SSN: XXX-XX-6789", "ssn", "XXX-XX-6789"),
        ("MRN: 44712", "medical_record_number", "44712"),
        ("Medical Record # A-4471", "medical_record_number", "A-4471"),
        ("Member ID:  XQJ114477", "health_plan_number", "XQJ114477"),
        ("Account No. 77812", "account_number", "77812"),
        ("NPI: 1234567893", "license_number", "1234567893"),
        ("DEA # BQ1234563", "license_number", "BQ1234563"),
        ("VIN 1HGCM82633A004352", "vehicle", "1HGCM82633A004352"),
        ("pacemaker serial number PM-77123", "device", "PM-77123"),
        ("device 00:1B:44:11:3A:B7", "device", "00:1B:44:11:3A:B7"),
        ("portal https://chart.example.com/p/77", "url", "https://chart.example.com/p/77"),
        ("from 10.11.12.13.", "ip_address", "10.11.12.13"),
        ("Accession: 24-118-00071", "other", "24-118-00071"),
        ("code ZX99123881 on the band", "other", "ZX99123881"),
        ("901 Pine St, Apt 4, Quellby, CA 94401", "address", "901 Pine St, Apt 4"),
        ("901 Pine St, Apt 4, Quellby, CA 94401", "address", "Quellby"),
        ("901 Pine St, Apt 4, Quellby, CA 94401", "address", "94401"),
        ("registrant 88 Quell Vale Aye NW Ste 600", "address", "88 Quell Vale Aye NW Ste 600"),
        ("kept at 14 Varnholm Sl, Suite 12", "address", "14 Varnholm Sl, Suite 12"),
        ("Address: 12 Rue des Lilas", "address", "12 Rue des Lilas"),
        ("lives in Quellby with", "address", "Quellby"),
        ("Varnholm County records", "address", "Varnholm County"),
        ("P.O. Box 221", "address", "P.O. Box 221"),
    ],
)  # fmt: skip
def test_each_kind_is_found(text: str, category: Category, secret: str) -> None:
    assert (category, secret) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Glucose 112 mg/dL (70-99) H",
        "Blood pressure 120/80 mmHg, pulse 72",
        "Metformin 500 mg PO BID",
        "Type 2 diabetes mellitus, unspecified",
        "ICD-10 M54.50 and CPT 99213",
        "Platelets 243000 /uL",
        "Physical Therapy Referral Form",
        "Pain 5/10 points, strength 4/5",
        "a 54-year-old woman in 2021",
        "Total charge $1,482.50",
        "Ohio and New York",
        "3 Tablets Morning and 2 Units Evening",
    ],
)
def test_what_identifies_nobody_stays(text: str) -> None:
    assert found(text) == []


def test_a_name_found_once_is_found_wherever_it_is_written() -> None:
    text = "Patient: Zelmira Quoth\n\nMs. Quoth slept well. ZELMIRA denies pain.\nZ.Q. was calm; see Quoth_Zelmira.pdf and quoth's file"
    assert left(text) == "Patient: Ms. slept well. denies pain. was calm; see and file"


def test_who_shares_a_known_name_is_found_with_the_name_beside_it() -> None:
    assert left("Patient: Zelmira Quoth\n\nOrlin Quoth agreed, and Quoth Pharmacy knows. Quoth: no. Zelmira Xandt too") == (
        "Patient: agreed, and Pharmacy knows. no. too"
    )


def test_values_stand_beside_below_or_over_their_labels_and_in_columns() -> None:
    assert ("name", "Ulsa Brenk") in found("Patient Name      Date of Birth     Sex\nUlsa Brenk        04/12/1956        F")
    assert ("medical_record_number", "44712") in found("MRN\n44712")
    assert ("name", "Ulsa Brenk") in found("Ulsa Brenk          04/12/1956\nPatient name        Date of birth\n\n\n\nOther")


def test_a_label_gives_its_values_kind_and_an_employer_may_be_a_firm() -> None:
    assert found("Employer: Varn Logistics Group, Inc.") == [("name", "Varn Logistics Group, Inc")]
    assert ("health_plan_number", "40417") in found("Group No.: 40417")
    assert found("Insurance company: Blue Harbor Health") == []


def test_what_a_model_names_is_found_too_however_it_is_spaced_and_cased() -> None:
    made = document("the lad whom they call   Zed   Tall Oak is here")
    assert [(one.category, one.text) for one in find(made, [Suspect("name", "zed tall oak"), Suspect("name", "absent")])] == [
        ("name", "Zed Tall Oak")
    ]


def test_names_misread_by_a_letter_are_found_on_pages_read_from_pictures() -> None:
    made = document("Patient: Zelmira Quothwell\n\nQuothwe1l and Quothweil returned", score=0.9)
    made.pages[0].source = "ocr"
    assert ("name", "Quothweil") in found(made)


def test_the_parts_of_a_finding_say_which_characters_of_which_words() -> None:
    one = next(one for one in find(document("DOB:04/12/1956 yes")) if one.category == "date")
    assert [(part.word, part.start, part.end) for part in one.parts] == [(0, 4, 14)]
