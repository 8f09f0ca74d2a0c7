"""Text as documents write it, read as values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.extraction.normalise import amounts, conventions, currency_code, dates, number, times


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Date: 31/12/2019", "2019-12-31"), ("31.12.19", "2019-12-31"), ("2019-12-31T10:00", "2019-12-31"),
        ("31 December 2019", "2019-12-31"),
        ("December 31st, 2019", "2019-12-31"), ("31. Dezember 2019", "2019-12-31"), ("le 31 décembre 2019", "2019-12-31"),
        ("31 de diciembre de 2019", "2019-12-31"), ("31 dicembre 2019", "2019-12-31"), ("31-DES-2019", None),
        ("31 Disember 2019", "2019-12-31"),
        ("2019年12月31日", "2019-12-31"), ("31DEC19", "2019-12-31"), ("12/31/2019", "2019-12-31"), ("32/12/2019", None),
        ("2019 DEC 31 PM 3:13", "2019-12-31"), ("2019DEC-31AM10:16", "2019-12-31"),
        ("2019 0CT 3 1 PM", "2019-10-31"), ("2019 MAR 31:17", None),
        ("DEC 31 11 45 AM'19", "2019-12-31"), ("Dec. 31, 4:05 pm 2019", "2019-12-31"),
        ("1.234,56", None), ("192.168.0.1", None),
    ],
)  # fmt: skip
def test_dates_in_many_styles_and_languages(text: str, iso: str | None) -> None:
    found = [span.settle(day_first=True) for span in dates(text)]
    assert [day.isoformat() for day in found if day] == ([iso] if iso else [])


@pytest.mark.parametrize("text", ["03/04/20-03/09/20", "3/4/2020-3/9/2020", "03.04.2020-03.09.2020", "2020/03/04-2020/03/09"])
def test_a_period_without_blanks_is_two_dates(text: str) -> None:
    assert [str(span.settle(day_first=False)) for span in dates(text)] == ["2020-03-04", "2020-03-09"]


def test_the_order_of_day_and_month_is_decided_by_all_dates_of_a_document() -> None:
    assert conventions(["05/01/2019", "25/01/2019"]).day_first
    assert not conventions(["05/01/2019", "01/25/2019"]).day_first
    assert not conventions(["05/01/2019", "Fresno, CA 93727", "$ 12.00"]).day_first


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1.234,56", ".", "1234.56"), ("1,234.56", ",", "1234.56"), ("1.234", ",", "1234"), ("1.234", ".", "1.234"), ("1,5", ".", "1.5"),
        ("12 345,60", ",", "12345.60"), ("1'234.50", ".", "1234.50"), ("1,234,567", ".", "1234567"),
        ("0.005", ",", "0.005"), ("12", ".", "12"),
    ],
)  # fmt: skip
def test_numbers_follow_the_documents_own_decimal_convention(text: str, decimal: str, value: str) -> None:
    assert number(text, decimal)[0] == Decimal(value)


def test_amounts_know_signs_currencies_and_what_is_no_amount() -> None:
    assert [(a.value, a.currency) for a in amounts("RM85.54 and (12.00) and 10,40- €")] == [
        (Decimal("85.54"), "MYR"), (Decimal("-12.00"), ""), (Decimal("-10.40"), "EUR"),
    ]  # fmt: skip
    assert amounts("on 31.12.2019") == ()
    assert amounts("DE123456789") == ()
    assert [a.percent for a in amounts("19 % of 3.00")] == [True, False]


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_amount_written_in_either_convention_is_read_back(value: Decimal) -> None:
    english, german = f"{value:,.2f}", f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    assert number(english, ".")[0] == value
    assert number(german, ",")[0] == value
    assert conventions([f"Summe {german} EUR", f"{german}"]).decimal == ","


@given(st.dates(min_value=date(1951, 1, 1), max_value=date(2049, 12, 31)))
def test_a_date_written_in_any_way_is_read_back(day: date) -> None:
    for style in ("%d/%m/%Y", "%d.%m.%y" if 1970 <= day.year <= 2049 else "%d.%m.%Y", "%Y-%m-%d", "%d %B %Y", "%B %d, %Y"):
        found = dates(f"on {day.strftime(style)} at noon")
        assert [span.settle(day_first=True) for span in found] == [day], style


def test_currencies_and_times() -> None:
    assert (currency_code("€"), currency_code("rm"), currency_code("Euro"), currency_code("potato")) == ("EUR", "MYR", "EUR", None)
    assert [t.value for t in times("at 2:05 PM")] == ["14:05:00"]
