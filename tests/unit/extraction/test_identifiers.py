from __future__ import annotations

import pytest

from heliograph.extraction.identifiers import iban_valid, isbn_valid, patterned, vat_valid
from tests.unit.extraction.drawing import ask


def test_check_digits_are_checked() -> None:
    assert iban_valid("DE89 3704 0044 0532 0130 00")
    assert not iban_valid("DE89 3704 0044 0532 0130 01")
    assert isbn_valid("978-3-16-148410-0")
    assert not isbn_valid("978-3-16-148410-1")
    assert [span.value for span in patterned("iban", "IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX")] == ["DE89370400440532013000"]


@pytest.mark.parametrize(
    "number",
    [
        "DE136695976", "DE 136 695 976", "ATU13585627", "BE 0428.759.497", "NL 004495445B01", "FR 61 954 506 077", "IT 00743110157",
        "PL 8567346215", "GB 980 7806 84", "CHE-100.155.212 MWST", "27AAPFU0939F1ZV",
    ],
)  # fmt: skip
def test_tax_numbers_are_known_by_their_countrys_rules(number: str) -> None:
    """The numbers are the examples of python-stdnum's documentation."""
    assert vat_valid(number)
    assert [span.raw for span in patterned("vat", f"USt-IdNr.: {number} Tel. 030 12345")] == [number]
    digits = [at for at, char in enumerate(number) if char.isdigit()]
    broken = number[: digits[3]] + str((int(number[digits[3]]) + 1) % 10) + number[digits[3] + 1 :]
    assert not vat_valid(broken)


def test_a_word_in_capitals_is_no_bank() -> None:
    assert [span.value for span in patterned("bic", "DESCRIPTION QUANTITY COBADEFFXXX")] == ["COBADEFFXXX"]


def test_mail_and_phones() -> None:
    assert [s.value for s in patterned("email", "write to a.b@c-d.co.uk, please")] == ["a.b@c-d.co.uk"]
    assert [s.raw for s in patterned("phone", "Tel. +49 (0)89 1234-567")] == ["+49 (0)89 1234-567"]


LETTERHEAD = """
Northwind Lanterns Ltd
12 Harbour Street
Dover CT16 1AA
987-654-3210

INVOICE                             DESCRIPTION  QUANTITY
Order                               4471         12
Ref 136-695-976

Northwind Lanterns Ltd    Sparkasse Kiel                Steuernr. 044 241 601 03
www.northwind.example     DE89370400440532013000        DE 136 695 976
                          COBADEFFXXX
"""


def test_what_is_known_by_its_shape_needs_no_label() -> None:
    found = ask(LETTERHEAD, seller_vat="string", bic="string", iban="string", merchant_phone="string").values
    assert found == {
        "seller_vat": "DE 136 695 976",
        "bic": "COBADEFFXXX",
        "iban": "DE89370400440532013000",
        "merchant_phone": "987-654-3210",
    }


def test_the_number_of_a_tax_office_is_taken_whole_and_no_short_number_for_one() -> None:
    assert ask("Steuer-Nr. 044 241 601 03", seller_tax_number="string").values["seller_tax_number"] == "044 241 601 03"
    assert ask("Seller Tax: 0", seller_tax="string").values["seller_tax"] is None
