"""Invented values: the same shape, the same for the same, nobody's."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.extraction.redaction.finding import find
from heliograph.extraction.redaction.found import CATEGORIES, Category
from heliograph.extraction.redaction.inventing import Inventor
from tests.unit.extraction.drawing import document


def inventor(text: str = "Patient: Zelmira Quoth born 09/15/2001") -> Inventor:
    return Inventor(document(text))


def test_a_person_has_one_invented_name_in_whatever_way_it_is_written() -> None:
    made = inventor()
    first, last = made.invent("name", "Zelmira Quoth").split()
    assert {first, last}.isdisjoint({"Zelmira", "Quoth"})
    assert made.invent("name", "QUOTH, ZELMIRA") == f"{last.upper()}, {first.upper()}"
    assert made.invent("name", "Mr. Quoth") == f"Mr. {last}"
    assert made.invent("name", "Z.Q.") == f"{first[0]}.{last[0]}."
    assert made.invent("email", "zelmira.quoth@corp.com") == f"{first}.{last}@example.com".lower()
    other = made.invent("name", "Ulsa Brenk").split()
    assert {first, last}.isdisjoint(other)


def test_all_dates_move_by_the_same_days_and_keep_their_form() -> None:
    made = inventor()
    moved = made.invent("date", "2001-09-15")
    days = date(2001, 9, 15) - date.fromisoformat(moved)
    assert 30 <= days.days <= 700
    second = date(2024, 2, 14) - days
    assert made.invent("date", "2024-02-14") == second.isoformat()
    assert made.invent("date", "02/14/2024") == second.strftime("%m/%d/%Y")
    assert made.invent("date", "February 14, 2024") == f"{second:%B} {second.day}, {second.year}"
    assert made.invent("date", "14 Feb 2024") == f"{second.day:02} {second:%b} {second.year}"
    assert made.invent("date", "93") == "90"


@pytest.mark.parametrize(
    ("category", "text", "shape"),
    [
        ("phone", "(415) 271-0162", r"\(\d{3}\) 555-01\d\d"),
        ("fax", "+1 415 271 0162", r"\+1 \d{3} 555 01\d\d"),
        ("ssn", "123-45-6789", r"9\d\d-(0[1-9]|[1-4]\d)-\d{4}"),
        ("email", "a.b@c.org", r"[a-z.]+@example\.com"),
        ("ip_address", "10.1.2.3", r"192\.0\.2\.\d+"),
        ("device", "00:1B:44:11:3A:B7", r"00:00:5E:00:53:[0-9A-F]{2}"),
        ("url", "https://a.b/c", r"https://www\.example\.com"),
        ("medical_record_number", "MRN-44712A", r"[A-Z]{3}-\d{5}[A-Z]"),
        ("address", "901 Pine St, Quellby, CA 94401", r"\d{3} \w+ St, \w+, CA 000\d\d"),
    ],
)
def test_numbers_and_addresses_keep_their_pattern_and_are_nobodys(category: Category, text: str, shape: str) -> None:
    made = inventor()
    invented = made.invent(category, text)
    assert re.fullmatch(shape, invented), invented
    assert invented != text
    assert made.invent(category, text) == invented


def test_the_same_document_gets_the_same_inventions_and_another_gets_others() -> None:
    def all_of(made: Inventor) -> list[str]:
        return [made.invent("name", "Zelmira Quoth"), made.invent("date", "2001-09-15"), made.invent("other", "ZX99123881")]

    assert all_of(inventor()) == all_of(inventor())
    assert all_of(inventor()) != all_of(inventor("Patient: Zelmira Quoth born 09/15/2001 again"))


@given(category=st.sampled_from(CATEGORIES), text=st.text(min_size=1, max_size=40))
def test_no_text_stops_the_inventing(category: Category, text: str) -> None:
    assert isinstance(inventor().invent(category, text), str)


def test_words_change_in_part_where_only_a_part_was_found() -> None:
    made = document("DOB:04/12/1956 Patient: Zelmira Quoth")
    changed = Inventor(made).replaced(made.pages[0], find(made))
    assert re.fullmatch(r"DOB:\d\d/\d\d/\d{4}", changed[0])
    assert set(changed) == {0, 2, 3}
