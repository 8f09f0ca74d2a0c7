"""Spoken forms as one writes them. What people say is drawn here by rules of its own, so that both cannot be wrong alike."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.extraction.recordings.spoken import written

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def say(number: int, *, joined: bool = False, hyphens: bool = False) -> str:
    """A whole number in words; `joined`: with `and` behind hundreds, as the British say it."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (("-" if hyphens else " ") + _ONES[ones] if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_ONES[hundreds]} hundred" + ((" and " if joined else " ") + say(rest, hyphens=hyphens) if rest else "")
    for scale, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")):
        if number >= scale:
            top, rest = divmod(number, scale)
            link = " and " if joined and rest < 100 else " "
            return f"{say(top, joined=joined, hyphens=hyphens)} {word}" + (link + say(rest, joined=joined, hyphens=hyphens) if rest else "")
    raise AssertionError(number)


def write(text: str) -> str:
    return " ".join(token.text for token in written(text.split()))


@given(st.integers(2, 10**12 - 1), st.booleans(), st.booleans())
def test_numbers_come_back_from_their_words(number: int, joined: bool, hyphens: bool) -> None:
    assert write(f"we counted {say(number, joined=joined, hyphens=hyphens)} of them") == f"we counted {number} of them"


@given(st.integers(0, 999), st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_decimals_come_back_from_their_words(whole: int, figures: list[int]) -> None:
    said = f"{say(whole)} point {' '.join(_ONES[figure] for figure in figures)}"
    assert float(write(f"it is {said} exactly").split()[2]) == float(f"{whole}.{''.join(map(str, figures))}")


@given(st.lists(st.integers(0, 9), min_size=4, max_size=16), st.booleans())
def test_digits_said_one_by_one_stay_as_they_are(digits: list[int], oh: bool) -> None:
    said = " ".join("oh" if oh and digit == 0 else _ONES[digit] for digit in digits)
    if digits[0] == 0 and oh:
        said = "zero" + said[2:]
    assert write(f"code {said} please") == f"code {''.join(map(str, digits))} please"


@given(st.integers(0, 999_999), st.integers(1, 99))
def test_amounts_come_back_with_their_cents(dollars: int, cents: int) -> None:
    assert write(f"it costs {say(dollars)} dollars and {say(cents)} cents today") == f"it costs ${dollars}.{cents:02d} today"


@given(st.dates())
def test_days_come_back_with_their_months_and_years(day: date) -> None:
    year = 1900 + day.year % 200
    if year % 100 < 10:
        return
    ordinals = ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"]
    name = day.strftime("%B")
    spoken_day = ordinals[day.day] if day.day <= 12 else say(day.day)
    said = f"{name} {spoken_day} {say(year // 100)} {say(year % 100)}"
    assert write(f"we met on {said} at home") == f"we met on {name} {day.day}, {year} at home"


@given(st.text(max_size=80))
def test_every_word_is_in_exactly_one_token_whatever_is_said(text: str) -> None:
    words = text.split()
    covered = [index for token in written(words) for index in range(token.first, token.last + 1)]
    assert covered == list(range(len(words)))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("call four one five, five five five, zero one three four.", "call 4155550134."),
        ("it is four fifteen five fifty five oh one thirty four", "it is 4155550134"),
        ("it is 415-555 zero one three four okay", "it is 4155550134 okay"),
        ("agent double o seven", "agent 007"),
        ("case seven seven one zero dash three three four six", "case 7710-3346"),
        ("the 14th of March, 2026 please", "March 14, 2026 please"),
        ("on march fourteenth twenty twenty six.", "on March 14, 2026."),
        ("we may five times march on", "we may 5 times march on"),
        ("the twenty first of june", "June 21"),
        ("the total is 42 dollars and 50 cents", "the total is $42.50"),
        ("a hundred dollars or ninety nine cents", "$100 or $0.99"),
        ("five point five million euros", "€5500000"),
        ("five point five percent or five per cent", "5.5% or 5%"),
        ("at three thirty p m on friday", "at 3:30 p.m. on friday"),
        ("at three thirty p.m. tomorrow", "at 3:30 p.m. tomorrow"),
        ("it's 3 p.m. now", "it's 3:00 p.m. now"),
        ("quarter to five or half past two", "4:45 or 2:30"),
        ("at ten o'clock", "at 10:00"),
        ("my email is karen dot miller at gmail dot com.", "my email is karen.miller@gmail.com."),
        ("it's k m i l l e r forty two at acme dot co dot uk", "it's kmiller42@acme.co.uk"),
        ("email karen at gmail.com please", "email karen@gmail.com please"),
        ("look at acme dot com slash help", "look at acme.com/help"),
        ("b as in bravo, c as in charlie, one two", "BC12"),
        ("A B C one two", "ABC12"),
        ("order number SO dash five five one zero two", "order number SO-55102"),
        ("flight alpha bravo seven seven", "flight AB77"),
        ("this one is for one of you and I, a man, agree", "this one is for one of you and I, a man, agree"),
        ("I ordered two. Three came.", "I ordered 2. 3 came."),
        ("on the twenty-first", "on the 21st"),
        ("first of all a second thought", "first of all a second thought"),
        ("$42.50 and 50% at 3:30 pm", "$42.50 and 50% at 3:30 p.m."),
        ("", ""),
    ],
)
def test_forms_are_written_as_people_write_them(said: str, expected: str) -> None:
    assert write(said) == expected


def test_a_token_keeps_which_words_it_was_made_of() -> None:
    tokens = written(["due", "on", "march", "fourteenth", "twenty", "twenty", "six", "please"])
    assert [(token.text, token.first, token.last) for token in tokens][2] == ("March 14, 2026", 2, 6)
