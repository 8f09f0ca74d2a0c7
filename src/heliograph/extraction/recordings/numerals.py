"""English number words: what each says, and the runs of them that are one number.

A run is read as it is said: `two thousand five hundred and six`, `three point one four`, `one point five million`, `minus five`. What is
no number of that grammar, such as the digits of a telephone number, is for `spoken` to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

DIGITS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
TEENS: Final = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60,
    "seventieth": 70, "eightieth": 80, "ninetieth": 90,
}  # fmt: skip
_LITERAL = re.compile(r"\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_LITERAL_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


def digit(word: str) -> int | None:
    """The value of a word for one digit, `oh` and `o` as people say for zero, or of a digit itself."""
    if word in ("oh", "o"):
        return 0
    return int(word) if len(word) == 1 and "0" <= word <= "9" else DIGITS.get(word)


def literal(word: str) -> Decimal | None:
    """The value of a number in figures."""
    return Decimal(word.replace(",", "")) if _LITERAL.fullmatch(word) else None


def small(words: Sequence[str], at: int) -> tuple[int, int]:
    """A number below 100 in words at `at`: its value and how many words it has; 0 words where there is none."""
    word = words[at] if at < len(words) else ""
    if word in DIGITS:
        return DIGITS[word], 1
    if word in TEENS:
        return TEENS[word], 1
    if word in TENS:
        after = DIGITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return TENS[word] + after, 2 if after else 1
    return 0, 0


def cardinal(words: Sequence[str], at: int = 0) -> tuple[Decimal, int] | None:
    """The longest number that begins at `at`, with its count of words; words are lower case, hyphens parted. None where there is none."""
    start = at
    sign = 1
    if at < len(words) and words[at] in ("minus", "negative") and at + 1 < len(words):
        sign, at = -1, at + 1
    whole = _whole(words, at)
    if whole is None:
        return None
    value, at = whole
    if at + 1 < len(words) and words[at] == "point" and value == value.to_integral_value():
        figures = ""
        after = at + 1
        while after < len(words) and (found := _fraction(words[after])) is not None:
            figures += found
            after += 1
        if figures:
            value, at = value + Decimal(f"0.{figures}"), after
            if at < len(words) and words[at] in SCALES:
                value, at = value * SCALES[words[at]], at + 1
    return sign * value, at - start


def _fraction(word: str) -> str | None:
    """The figures that a word after `point` stands for."""
    if word.isascii() and word.isdigit():
        return word
    found = digit(word)
    return str(found) if found is not None else None


def _whole(words: Sequence[str], at: int) -> tuple[Decimal, int] | None:
    """Groups of hundreds with falling scales, from `at`; where the number ends."""
    total, limit, begun = Decimal(0), 10**15, False
    while True:
        group = _hundreds(words, at, first=not begun)
        if group is None:
            break
        value, after = group
        scale = SCALES.get(words[after], 1) if after < len(words) else 1
        if scale >= limit or (begun and value >= limit):
            break
        total += value * scale
        at, limit, begun = after + (scale > 1), scale, True
        if scale == 1:
            break
        if at + 1 < len(words) and words[at] == "and":
            joined = _hundreds(words, at + 1, first=False)
            if joined is None or joined[0] >= 100:
                break
            at += 1
    return (total, at) if begun else None


def _hundreds(words: Sequence[str], at: int, *, first: bool) -> tuple[Decimal, int] | None:
    """A number below 1000 in words, or any in figures."""
    if at >= len(words):
        return None
    if (figures := literal(words[at])) is not None:
        if not first:
            return None
        if at + 1 < len(words) and words[at + 1] == "hundred":
            return _after_hundred(words, at + 2, figures * 100)
        return figures, at + 1
    if words[at] == "a" and at + 1 < len(words) and (words[at + 1] == "hundred" or words[at + 1] in SCALES):
        return _after_hundred(words, at + 2, Decimal(100)) if words[at + 1] == "hundred" else (Decimal(1), at + 1)
    value, count = small(words, at)
    if not count:
        return None
    if value and at + count < len(words) and words[at + count] == "hundred":
        return _after_hundred(words, at + count + 1, Decimal(value * 100))
    return Decimal(value), at + count


def _after_hundred(words: Sequence[str], at: int, value: Decimal) -> tuple[Decimal, int]:
    joined = at + 1 if at < len(words) and words[at] == "and" else at
    rest, count = small(words, joined)
    return (value + rest, joined + count) if count and rest else (value, at)


def ordinal(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """An ordinal at `at`, such as `twenty first`, `14th`: its value and count of words."""
    if at >= len(words):
        return None
    word = words[at]
    if figures := _LITERAL_ORDINAL.fullmatch(word):
        return int(figures[1]), 1
    if word in ORDINALS:
        return ORDINALS[word], 1
    if word in TENS and at + 1 < len(words) and 0 < ORDINALS.get(words[at + 1], 0) < 10:
        return TENS[word] + ORDINALS[words[at + 1]], 2
    return None


def year(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """A year as it is said, 1900 to 2099: `twenty twenty six`, `nineteen oh five`, `two thousand and six`, `2026`."""
    if at >= len(words):
        return None
    if re.fullmatch(r"(?:19|20)\d\d", words[at]):
        return int(words[at]), 1
    century, count = small(words, at)
    if count == 1 and century in (19, 20):
        if at + 2 < len(words) and words[at + 1] in ("oh", "o") and (low := digit(words[at + 2])):
            return century * 100 + low, 3
        rest, more = small(words, at + 1)
        if more and rest >= 10:
            return century * 100 + rest, 1 + more
        if at + 1 < len(words) and words[at + 1] == "hundred" and century == 19:
            return 1900, 2
    found = cardinal(words, at)
    if found is not None and 2000 <= found[0] <= 2099 and words[at] == "two":
        return int(found[0]), found[1]
    return None
