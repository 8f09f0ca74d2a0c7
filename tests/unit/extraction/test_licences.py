"""The numbered fields of driving licences."""

from __future__ import annotations

from tests.unit.extraction.drawing import DATE, ask

NUMBERED = """
WYOMING   DRIVER LICENSE
1 BRANDVOLD
2 IDA MAREN
3 11/02/1984      15 F
4a 01/09/2023     16 5'-07"
4b 11/02/2028     18 BLU
4d 77120-4461     17 140 lb
8 12 SALTMARSH RD
OTTERBY, WY 82001
9 C
"""
FIELDS = {
    "last_name": "string",
    "first_name": "string",
    "middle_name": "string",
    "date_of_birth": DATE,
    "issue_date": DATE,
    "expiration_date": DATE,
    "license_number": "string",
    "gender": "string",
    "height": "string",
    "weight": "number",
    "eye_color": "string",
    "hair_color": "string",
    "license_class": "string",
}


def test_numbers_alone_are_labels_where_a_card_has_many() -> None:
    assert ask(NUMBERED, **FIELDS).values == {
        "last_name": "BRANDVOLD",
        "first_name": "IDA",
        "middle_name": "MAREN",
        "date_of_birth": "1984-11-02",
        "issue_date": "2023-01-09",
        "expiration_date": "2028-11-02",
        "license_number": "77120-4461",
        "gender": "F",
        "height": "5'-07\"",
        "weight": 140,
        "eye_color": "BLU",
        "hair_color": None,
        "license_class": "C",
    }


def test_the_address_goes_on_in_the_next_line_and_is_taken_apart() -> None:
    parts = {name: {"type": ["string", "null"]} for name in ("street", "city", "state", "zip_code")}
    got = ask(NUMBERED, address={"type": "object", "properties": parts}).values["address"]
    assert got == {"street": "12 SALTMARSH RD", "city": "OTTERBY", "state": "WY", "zip_code": "82001"}


def test_a_numbered_list_is_no_card() -> None:
    steps = "1 Loosen the screw\n2 Lift the lid\n3 Check 11/02/1984\n4 Close it\n5 Turn it on\n8 Done\n9 Rest"
    assert ask(steps, last_name="string", license_class="string").values == {"last_name": None, "license_class": None}
