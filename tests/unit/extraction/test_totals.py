"""Totals of invoices and receipts: by their labels, by what adds up, and by what was paid."""

from __future__ import annotations

import msgspec

from heliograph.media.document import Cell, Table
from heliograph.media.geometry import union
from tests.unit.extraction.drawing import DATE, ask, document

NUMBER = "number"


def test_a_label_whose_letters_came_apart_or_that_is_hyphenated_is_read() -> None:
    found = ask(
        """
Kestrel Optik AG                     Rechnung
                                     Beleg-Datum:    04.02.2021
                                     Rechnungs-Nr.:  KO-771
Fernglas 8x42                                        310,00

                                     Zwischen-summe  310,00
                                     MwSt. 8,1 %     25,11
                                     Br uttosumme    335,11
""",
        invoice_number="string",
        invoice_date=DATE,
        total=NUMBER,
    ).values
    assert found == {"invoice_number": "KO-771", "invoice_date": "2021-02-04", "total": 335.11}


def test_a_number_behind_a_compound_and_a_remark_in_brackets_is_the_documents() -> None:
    found = ask(
        """
Wartungsrechnung (384) Nr. W-2209/00/B vom 03.05.2022

Bestellung:    88123
""",
        invoice_number="string",
    ).values
    assert found == {"invoice_number": "W-2209/00/B"}


def test_cash_less_change_is_the_total_where_its_label_cannot_be_read() -> None:
    found = ask(
        """
LANTERN GROCER
Rice 5kg                27.10
Soap                     4.30
T0T4                    31.40
CASH                    50.00
CHANGE                  18.60
""",
        total=NUMBER,
    ).values
    assert found == {"total": 31.4}


def test_the_rounded_total_that_was_paid_beats_the_one_before_rounding() -> None:
    found = ask(
        """
LANTERN GROCER
Bun                      2.25
Mochi                   13.14
Total (incl GST)        15.39
Rounding                 0.01
Grand TotalRM15.40
Cash                    20.00
Change                   4.60
""",
        total=NUMBER,
    ).values
    assert found == {"total": 15.4}


def test_the_net_amount_in_a_tax_summary_is_not_the_total() -> None:
    found = ask(
        """
LANTERN GROCER
Filter                   5.90
Sub-total                5.90
Total After Adj Incl GST 5.90
CASH                    10.00
Change Amt               4.10
GST Summary     Amount    Tax
SR @ 6%           5.57   0.33
Total             5.57   0.33
""",
        total=NUMBER,
    ).values
    assert found == {"total": 5.9}


def test_of_totals_by_rate_side_by_side_the_last_row_is_the_sum() -> None:
    found = ask(
        """
Nota de crédito NC-18                      2019-03-04

Base imponible      Tipo     Cuota IVA     Total
-100,00             21,0     -21,00        -121,00
-50,00              10,0     -5,00         -55,00
-150,00             EUR      -26,00        -176,00
""",
        subtotal=NUMBER,
        tax_amount=NUMBER,
        total=NUMBER,
    ).values
    assert found == {"subtotal": -150.0, "tax_amount": -26.0, "total": -176.0}


def test_what_is_left_to_pay_is_told_from_the_total() -> None:
    lines = """
Fattura 2020/14

Imponibile               200,00 €
IVA 22%                   44,00 €
Totale fattura           244,00 €
Acconto                  100,00 €
Saldo da pagare          144,00 €
"""
    assert ask(lines, total=NUMBER, due_payable=NUMBER).values == {"total": 244.0, "due_payable": 144.0}


def test_what_was_handed_over_and_what_was_paid_before_are_asked_for_by_many_names() -> None:
    receipt = """
HERON COFFEE
Café                         4,20
A PAGAR:                     4,20
Numerário:                  10,00
Troco:                       5,80
"""
    assert ask(receipt, total=NUMBER, cash_given=NUMBER, change=NUMBER).values == {"total": 4.2, "cash_given": 10.0, "change": 5.8}
    invoice = """
Subtotal:                9,238.46
VAT @ 6%:                  554.31
Total:                   9,792.77
Deposit:                 2,937.83
To pay:                  6,854.94
"""
    assert ask(invoice, total=NUMBER, paid=NUMBER).values == {"total": 9792.77, "paid": 2937.83}


def test_what_is_to_pay_is_the_total_where_nothing_else_is_said() -> None:
    lines = """
Imponibile:              3.031,10
IVA 22%:                   666,84
Totale documento:        3.697,94
"""
    assert ask(lines, due_payable=NUMBER).values == {"due_payable": 3697.94}
    paid = (
        lines
        + """Acconto:                 1.000,00
Saldo da pagare:         2.697,94
"""
    )
    assert ask(paid, due_payable=NUMBER).values == {"due_payable": 2697.94}


def test_an_item_called_shipping_is_not_what_shipping_cost() -> None:
    found = ask(
        """
Aantal    Artikel           Prijs     Bedrag
10        Verzendkosten     46,73     467,30
Totaal                                467,30
""",
        shipping=NUMBER,
    ).values
    assert found == {"shipping": None}


def test_no_border_goes_through_the_thousands_of_an_amount() -> None:
    made = document(
        """
Montant HT      1 000,00 €
TVA               200,00 €
Montant TTC     1 200,00 €
"""
    )
    page = made.pages[0]
    cells = [Cell(word.text, word.box, word.line, n, words=[n]) for n, word in enumerate(page.words)]  # every word a cell of its own
    made.pages[0] = msgspec.structs.replace(page, tables=[Table(union(word.box for word in page.words), 3, len(cells), cells)])
    assert ask(made, total=NUMBER).values == {"total": 1200.0}
