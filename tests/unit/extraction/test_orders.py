"""Orders, contracts and the invoices for them: whose number is asked, and what stands under it."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.extraction.embedded import extract
from heliograph.extraction.schema import compile_schema
from tests.unit.extraction.drawing import DATE, document

NUMBER = {"type": ["string", "null"], "description": "Contract or order number"}

INVOICE = """
                              INVOICE
Harbour Signal Company     Invoice #      40117-2      Order #        40117
2 Quay Road                Invoice Date   01/19/2020   Alt Order #    0973

Advertiser                 Lamp Oil for All
"""
ORDER = """
ORDER                                  North Light Radio

Orders       Order / Rev:     55021          3
             Alt Order #:     QX-77812

Advertiser   Name:            Lamp Oil for All
             Demographic:     Sailors        Advertiser External ID:     1879

Bill Plan
Start Date      End Date      # Spots     Gross Amount     Net Amount
01/06/20        01/12/20      10          $900.00          $765.00
Totals                        10          $900.00          $765.00
"""
CONTRACT = """
CONTRACT
                     Contract / Revision          Alt Order #
                     66045   /                    0983345
                     Flight Dates                 Estimate #
                     06/07/20-06/13/20            12
Total Ratings
234.86

Week      # Spots     Gross Amount     Net Amount
one       8           $610.00          $518.50
Totals    8           $610.00          $518.50
"""


def order(text: str, title: str = "Advertising order", **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "title": title, "properties": fields}
    return extract(document(text), compile_schema(schema)).values


@pytest.mark.parametrize(("text", "number"), [(INVOICE, "40117-2"), (ORDER, "55021"), (CONTRACT, "66045")])
def test_a_schema_for_orders_asks_for_the_number_of_the_paper_at_hand(text: str, number: str) -> None:
    assert order(text, contract_num=NUMBER) == {"contract_num": number}


def test_an_order_that_an_invoice_refers_to_is_what_other_schemas_ask_for() -> None:
    assert order(INVOICE, "Invoice", contract_num=NUMBER) == {"contract_num": "40117"}
    assert order(INVOICE, order_number=NUMBER) == {"order_number": "40117"}
    both = order(INVOICE, invoice_number={"type": "string"}, contract_num=NUMBER)
    assert both == {"invoice_number": "40117-2", "contract_num": "40117"}


def test_the_number_of_another_paper_is_found_when_it_is_asked_for() -> None:
    assert order(ORDER, alt_order_number={"type": "string"}) == {"alt_order_number": "QX-77812"}


def test_a_label_that_ends_in_a_colon_holds_no_value() -> None:
    assert order(ORDER, advertiser={"type": "string"}) == {"advertiser": "Lamp Oil for All"}


def test_both_ends_of_a_period_written_without_blanks_are_read() -> None:
    assert order(CONTRACT, flight_from=DATE, flight_to=DATE) == {"flight_from": "2020-06-07", "flight_to": "2020-06-13"}


@pytest.mark.parametrize(("text", "gross", "net"), [(ORDER, 900.0, 765.0), (CONTRACT, 610.0, 518.5)])
def test_a_total_stands_in_the_column_that_the_field_names(text: str, gross: float, net: float) -> None:
    number = {"type": "number"}
    assert order(text, gross_amount=number, net_amount=number) == {"gross_amount": gross, "net_amount": net}
