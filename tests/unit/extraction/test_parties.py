"""Who issued a document, to whom, and where they live: what belongs to a name and to an address."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.extraction import mending
from heliograph.media.document import Document
from tests.unit.extraction.drawing import ask, document


def scanned(text: str) -> Document:
    """The same page, read from pixels."""
    made = document(text)
    made.pages = [msgspec.structs.replace(page, source="ocr") for page in made.pages]
    return made


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("LANTERN FOODS SON BHD (12345-V)", "LANTERN FOODS SDN BHD (12345-V)"),
        ("Laternen GmhH", "Laternen GmbH"),
        ("Lanternes SARI", "Lanternes SARL"),
        ("MY SON", "MY SON"),
        ("Corn and Bread", "Corn and Bread"),
        ("Lanterns Ltd", "Lanterns Ltd"),
    ],
)
def test_only_slips_in_legal_forms_are_mended(read: str, meant: str) -> None:
    assert " ".join(mending.names(read.split())) == meant


def test_slips_are_mended_on_scans_alone() -> None:
    text = """
LANTERN FOODS SON BHD
12 Jalan Besar
50000 Kuala Lumpur
"""
    assert ask(scanned(text), company="string").values == {"company": "LANTERN FOODS SDN BHD"}
    assert ask(text, company="string").values == {"company": "LANTERN FOODS SON BHD"}


def test_a_lost_decimal_point_is_put_back_in_a_column_of_amounts() -> None:
    found = ask(
        scanned(
            """
LANTERN FOODS
Rice                     12.20
Soap                     15.60
Oil                      20.00
Total                    47 80
"""
        ),
        total="number",
    ).values
    assert found == {"total": 47.8}


def test_a_registration_number_that_was_misread_is_no_part_of_the_name() -> None:
    found = ask(
        """
LANTERN CAKE HOUSE SDN BHD 8OZTZ5-U
12 Jalan Besar
""",
        company="string",
    ).values
    assert found == {"company": "LANTERN CAKE HOUSE SDN BHD"}


def test_what_kind_of_place_it_is_does_not_stand_for_its_name() -> None:
    found = ask(
        """
GOLDEN HERON
BISTRO & CAFE
14 Quay Street,
HARBOUR UTAMA

TABLE : 7
""",
        company="string",
        address="string",
    ).values
    assert found == {"company": "GOLDEN HERON", "address": "14 Quay Street, HARBOUR UTAMA"}


def test_an_address_begins_with_the_line_that_goes_on_with_a_comma() -> None:
    found = ask(
        """
HERON COFFEE
Unit G7 Heron House,
Bukit Tinggi Avenue,
43200 CHERAS, SELANGOR
Tel: 03-1234567
""",
        company="string",
        address="string",
    ).values
    assert found["address"] == "Unit G7 Heron House, Bukit Tinggi Avenue, 43200 CHERAS, SELANGOR"


def test_a_long_number_is_no_house() -> None:
    found = ask(
        """
HERON STORES
9 Sek U9, Shah Alam
05/se200209/42193        06/04/17
DISHWASH 11L
""",
        company="string",
        address="string",
    ).values
    assert found["address"] == "9 Sek U9, Shah Alam"


def test_a_name_of_two_lines_beside_its_label_is_whole() -> None:
    found = ask(
        """
Seller
Number:         549910

                Heron Mutual
Name:           Insurance Society Ltd

Address:        Quay 12
                DE 12345 Kiel
""",
        seller_name="string",
    ).values
    assert found == {"seller_name": "Heron Mutual Insurance Society Ltd"}


def test_the_window_of_a_letter_names_the_customer_though_the_towns_code_lost_its_space() -> None:
    found = ask(
        """






                                                                                            Heron Lampen GmbH
                                                                                            Ecke 12
     Heron Lampen GmbH  ●  Ecke 12  ●  12345 Stadthausen  ●  Germany                        12345 Stadthausen

     Paula Beispiel                                                                         phone (555) 23 78

     Bahnstr. 42

     88802Spielkreis
     Deutschland

Invoice # RE-1
""",
        seller_name="string",
        buyer_name="string",
    ).values
    assert found == {"seller_name": "Heron Lampen GmbH", "buyer_name": "Paula Beispiel"}


def test_the_seller_under_its_heading_beats_a_logo() -> None:
    found = ask(
        """
                                                                     LUX
Proveedor                   Cliente
NIF B1234567                NIF A7654321
FAROLES DEL SUR SL          Lámparas del Norte SA
Calle Mayor 9               Plaza Nueva 3
41001 Sevilla               48001 Bilbao
""",
        seller_name="string",
        buyer_name="string",
    ).values
    assert found == {"seller_name": "FAROLES DEL SUR SL", "buyer_name": "Lámparas del Norte SA"}


def test_the_legal_name_in_the_imprint_makes_a_trade_name_whole() -> None:
    found = ask(
        """
Leuchtwerk

Rechnung Nr. 77

Lampe             1       10,00




































Leuchtwerk Nord GmbH  ·  Hafenweg 7  ·  20457 Hamburg  ·  HRB 1
""",
        seller_name="string",
    ).values
    assert found == {"seller_name": "Leuchtwerk Nord GmbH"}


def test_a_field_named_for_a_vendors_phone_asks_for_a_phone() -> None:
    found = ask(
        """
Heron Lamps N.V.
Prinsengracht 224, 1723 TW Zwolle
Telefoon 088 555 0539    sales@heron.example

FACTUUR
""",
        vendor_phone="string",
        vendor_email="string",
    ).values
    assert found == {"vendor_phone": "088 555 0539", "vendor_email": "sales@heron.example"}


def test_the_next_columns_labelled_value_is_not_the_customers_name() -> None:
    found = ask(
        """
Heron Lamps S.p.A.

Cliente:                              Numero fattura: 7567-HM
Vetreria del Lago S.n.c.              Data: 26/05/2017
Viale Europa 13
15474 Cremona
""",
        buyer_name="string",
    ).values
    assert found == {"buyer_name": "Vetreria del Lago S.n.c."}


def test_a_title_over_the_address_window_is_no_part_of_its_block() -> None:
    found = ask(
        """
Bäckerei Heron GmbH
Dorfplatz 111, 9838 Salzburg
Telefon 0662 8844 72
RECHNUNG
Jürgen Beispiel                      Rechnung Nr.   84215
Ringstraße 153/6                     Belegdatum:    09.10.2022
3511 Bregenz                         Kd.-Nr.        40274
""",
        buyer_name="string",
        invoice_number="string",
        customer_number="string",
    ).values
    assert found == {"buyer_name": "Jürgen Beispiel", "invoice_number": "84215", "customer_number": "40274"}


def test_a_house_number_is_no_receipt_number() -> None:
    receipt = """
LANTERN & WICK ENTERPRISE
NO 167, JALAN MELUR 24, KAJANG
"""
    assert ask(receipt, receipt_number="string").values == {"receipt_number": None}
    assert ask(receipt + "N.º 7726/B\n", receipt_number="string").values == {"receipt_number": "7726/B"}


def test_an_address_goes_on_on_its_row_after_a_comma() -> None:
    found = ask(
        """
ELEKTRO HERON
DORFPLATZ 138,    1615 VILLACH
""",
        company="string",
        address="string",
    ).values
    assert found == {"company": "ELEKTRO HERON", "address": "DORFPLATZ 138, 1615 VILLACH"}
