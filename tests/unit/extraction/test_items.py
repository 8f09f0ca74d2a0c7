"""Items of invoices: which column is which, where the items end, and what a row is."""

from __future__ import annotations

from typing import Any

from tests.unit.extraction.drawing import ask

ITEMS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "quantity": {"type": "number"}, "line_total": {"type": "number"}},
    },
}


def items(text: str) -> Any:
    """Name, quantity and amount of each item."""
    return [tuple(row.values()) for row in ask(text, lines=ITEMS).values["lines"]]


def test_a_unit_price_is_not_the_amount_of_a_line() -> None:
    found = items(
        """
                                              Prix
Description                 Quantité                       Prix HT
                                              unitaire
Nougat 250g                 20                4,55         81,90
Biscuits 300g               15                3,20         48,00
                                              Total HT     129,90
"""
    )
    assert found == [("Nougat 250g", 20.0, 81.9), ("Biscuits 300g", 15.0, 48.0)]


def test_totals_beside_a_small_table_of_taxes_are_no_items() -> None:
    found = items(
        """
Description                 Quantité        PU HT          Montant HT
Nougat 250g                 20              4,55           81,90

Taxe         Base           Montant         Total HT       81,90
TVA 20%      81,90          16,38           Total TTC      98,28
"""
    )
    assert found == [("Nougat 250g", 20.0, 81.9)]


def test_shipping_with_a_quantity_and_a_price_is_an_item_and_without_ends_them() -> None:
    found = items(
        """
Omschrijving                Aantal          Prijs          Bedrag
Papier A4                   2               5,00           10,00
Verzendkosten               1               7,50           7,50
Inkt                        1               9,00           9,00

Verzendkosten                                              3,00
Totaal                                                     29,50
"""
    )
    assert found == [("Papier A4", 2.0, 10.0), ("Verzendkosten", 1.0, 7.5), ("Inkt", 1.0, 9.0)]


def test_a_sum_carried_over_is_no_item_and_does_not_end_them() -> None:
    found = items(
        """
Bezeichnung                 Menge           Einzelpreis    Gesamtpreis
Übertrag                                                   40,00
Lampe                       2               10,00          20,00
Docht                       1               5,00           5,00
Gesamtbetrag                                               65,00
"""
    )
    assert found == [("Lampe", 2.0, 20.0), ("Docht", 1.0, 5.0)]


def test_a_sentence_over_the_items_and_an_articles_number_are_no_part_of_a_name() -> None:
    found = items(
        """
Artikelnr.                  Menge           Preis          Nettowert
Artikelbezeichnung
Wie besprochen erhalten Sie die folgenden Leistungen gutgeschrieben.
ZS997                       -5              1,00           -5,00
Zitronensaft
GZ250                       -2              1,45           -2,90
Zucker fein
Nettobetrag                                                -7,90
"""
    )
    assert found == [("Zitronensaft", -5.0, -5.0), ("Zucker fein", -2.0, -2.9)]
