"""Spoken forms as one writes them: `four one five five five five` becomes `415555`, `march fourteenth twenty twenty six` `March 14, 2026`,
`forty two dollars and fifty cents` `$42.50`, `karen dot miller at gmail dot com` `karen.miller@gmail.com`.

    for token in written(["call", "four", "one", "five,", "five", "five", "five"]): token.text, token.first, token.last

Engines write some of it themselves (`$42`, `3:30 pm`, `415-555`), and mix both; figures are taken as they are. Every token keeps which
words it was made of, so that what is read from it is cited by the words as they were said. Nothing is completed: a date without a year
stays one. English; words of other languages pass through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from heliograph.extraction.recordings.netnames import address, site
from heliograph.extraction.recordings.numerals import SCALES, cardinal, digit, literal, ordinal, small, year
from heliograph.extraction.recordings.parts import Found, Part, digits_said, parted, unbroken
from heliograph.extraction.recordings.spelling import letters_of

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CURRENCIES: Final = {
    "dollar": "$", "dollars": "$", "bucks": "$", "euro": "€", "euros": "€", "pound": "£", "pounds": "£", "yen": "¥", "rupees": "₹",
}  # fmt: skip
_HUNDREDTHS: Final = frozenset({"cent", "cents", "pence", "penny"})
_HOURS_LEAD: Final = frozenset({"at", "by", "until", "till", "from", "before", "after", "around", "about"})
_PHONE_LIKE = 7
"""Digits from which on groups that a full stop parts are one number: speakers pause between them."""


class Written(msgspec.Struct, frozen=True):
    """A token as one writes it, made of the words `first` to `last`, both included, of those that were given."""

    text: str
    first: int
    last: int


def written(words: Sequence[str]) -> list[Written]:
    """The tokens that `words`, with their punctuation, are written as, in order; each word belongs to exactly one."""
    parts = parted(words)
    made: list[Written] = []
    at = 0
    while at < len(parts):
        found = _read(parts, at)
        if found is None:
            last = at
            while last + 1 < len(parts) and parts[last + 1].word == parts[at].word:
                last += 1
            made.append(Written(words[parts[at].word], parts[at].word, parts[at].word))
            at = last + 1
            continue
        text, count = found
        while at + count < len(parts) and parts[at + count].word == parts[at + count - 1].word:
            count += 1  # never a part of a word
        first, last = parts[at], parts[at + count - 1]
        after = last.after.removeprefix(".") if text.endswith(".") else last.after
        made.append(Written(first.before + text + after, first.word, last.word))
        at += count
    return made


def _read(parts: Sequence[Part], at: int) -> Found:
    for way in _WAYS:
        if (found := way(parts, at)) is not None:
            return found
    return None


# -- numbers ----------------------------------------------------------------------------------------------------------


def _digits(parts: Sequence[Part], at: int) -> Found:
    """A number that is told digit by digit: three of them at least, or two groups of which one begins with a zero."""
    words = unbroken(parts, at, over=",-.;…")
    found = digits_said(words, 0)
    if found is None or not words[0] or (words[0] in ("o", "oh") and found[1] < 3):
        return None
    made, count = found
    used = [part.low for part in parts[at : at + count]]
    stops = [place for place in range(count - 1) if parts[at + place].after.strip(",-")]
    if stops and len(made) < _PHONE_LIKE:
        count = stops[0] + 1
        found = digits_said(words[:count], 0)
        if found is None:
            return None
        made, count = found
        used = used[:count]
    singles = sum(digit(word) is not None for word in used)
    commas = any(parts[at + place].after for place in range(count - 1))
    if len(made) < 3 or (singles < 2 and not ("double" in used or "triple" in used) and len(made) < _PHONE_LIKE):
        return None
    if commas and len(made) < 4:
        return None  # `one, two, three` counts
    if year(used, 0) == (int(made), count) if made.isdigit() and len(made) == 4 else False:
        return None
    return made, count


def _money(parts: Sequence[Part], at: int) -> Found:
    """An amount with its currency: `forty two dollars and fifty cents`, `42 dollars`, `ninety nine cents`, `five fifty dollars`."""
    words = unbroken(parts, at)
    if words[0].startswith(("$", "€", "£")) and len(words) > 1 and words[1] in SCALES:
        value = literal(words[0][1:])
        return (f"{words[0][0]}{_plain(value * SCALES[words[1]])}", 2) if value is not None else None
    found = cardinal(words)
    if found is None or found[1] >= len(words):
        return None
    value, count = found
    unit = words[count]
    if unit in _HUNDREDTHS and 0 < value < 100:
        return f"{'£' if unit in ('pence', 'penny') else '$'}{value / 100:.2f}", count + 1
    mark = _CURRENCIES.get(unit)
    if mark is None:
        return None
    count += 1
    rest = count + (count < len(words) and words[count] == "and")
    cents = cardinal(words, rest)
    if cents is not None and 0 < cents[0] < 100 and value == value.to_integral_value():
        after = rest + cents[1]
        if after < len(words) and words[after] in _HUNDREDTHS:
            return f"{mark}{value + cents[0] / 100:.2f}", after + 1
    return f"{mark}{_plain(value)}", count


def _percent(parts: Sequence[Part], at: int) -> Found:
    words = unbroken(parts, at)
    found = cardinal(words)
    if found is None or found[1] >= len(words):
        return None
    value, count = found
    if words[count] == "percent":
        return f"{_plain(value)}%", count + 1
    return (f"{_plain(value)}%", count + 2) if words[count : count + 2] == ["per", "cent"] else None


def _date(parts: Sequence[Part], at: int) -> Found:
    """A day with its month, and its year if that is said: `march fourteenth twenty twenty six`, `the 14th of march, 2026`."""
    words = unbroken(parts, at, over=",")
    start, day = 0, None
    month = _month(parts[at], words[1] if len(words) > 1 else "")
    if month is not None:
        start = 2 if len(words) > 2 and words[1] == "the" else 1
        day = ordinal(words, start) or _day(words, start)
        if day is None or (words[0] in ("may", "march") and parts[at].raw.islower() and ordinal(words, start) is None):
            return None
        end = start + day[1]
    else:
        skip = 1 if words[0] == "the" else 0
        day = ordinal(words, skip) or (_day(words, skip) if not skip else None)
        if day is None:
            return None
        end = skip + day[1]
        end += end < len(words) and words[end] == "of"
        month = _month(parts[at + end], "first") if end < len(words) else None
        if month is None or (words[end] in ("may", "march") and words[end - 1] != "of" and parts[at + end].raw.islower()):
            return None
        end += 1
    if not 1 <= day[0] <= 31:
        return None
    said = year(words, end)
    if said is not None:
        return f"{month} {day[0]}, {said[0]}", end + said[1]
    return f"{month} {day[0]}", end


def _month(part: Part, after: str) -> str | None:
    if part.low not in MONTHS or (part.after and not after):
        return None
    return part.low.capitalize()


def _day(words: Sequence[str], at: int) -> tuple[int, int] | None:
    if at < len(words) and re.fullmatch(r"\d{1,2}", words[at]):
        return int(words[at]), 1
    value, count = small(words, at)
    following = words[at + count] if at + count < len(words) else ""
    return (value, count) if count and 1 <= value <= 31 and following not in ("hundred", *SCALES) else None


def _time(parts: Sequence[Part], at: int) -> Found:
    """A time of day: `three thirty p m`, `quarter to five`, `ten o'clock`, `at seven forty five`."""
    words = unbroken(parts, at)
    found = _clock(words, 0)
    if found is None:
        return None
    hour, minute, count, sure = found
    half, more = _half(parts, at + count) if count <= len(words) and not parts[at + count - 1].after.strip(".") else ("", 0)
    led = at > 0 and parts[at - 1].low in _HOURS_LEAD and not parts[at - 1].after
    in_the = words[count : count + 2] == ["in", "the"]
    if not (half or sure or (minute is not None and (led or in_the))):
        return None
    text = f"{hour}:{minute or 0:02d}"
    return (f"{text} {half}" if half else text), count + more


def _clock(words: Sequence[str], at: int) -> tuple[int, int | None, int, bool] | None:
    """Hour, minutes, count of words, and whether the words alone say that it is a time."""
    if words[at] in ("half", "quarter", "five", "ten", "twenty") and at + 2 < len(words):
        minutes = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}[words[at]]
        hour, count = _hour(words, at + 2)
        if count and words[at + 1] in ("past", "after") and (words[at] in ("half", "quarter") or words[at + 1] == "past"):
            return hour, minutes, 2 + count, True
        if count and words[at + 1] in ("to", "till") and words[at] == "quarter":
            return (hour - 1) or 12, 60 - minutes, 2 + count, True
    if figures := re.fullmatch(r"(\d{1,2})[:.](\d\d)", words[at]):
        return int(figures[1]), int(figures[2]), 1, ":" in words[at]
    hour, count = _hour(words, at)
    if not count:
        return None
    after = at + count
    if after < len(words) and words[after] in ("o'clock", "oclock"):
        return hour, 0, count + 1, True
    if after + 1 < len(words) and words[after] in ("oh", "o") and (low := digit(words[after + 1])):
        return hour, low, count + 2, False
    minute, more = small(words, after)
    if more and 10 <= minute < 60:
        return hour, minute, count + more, False
    return hour, None, count, False


def _hour(words: Sequence[str], at: int) -> tuple[int, int]:
    if at < len(words) and re.fullmatch(r"\d{1,2}", words[at]) and 1 <= int(words[at]) <= 12:
        return int(words[at]), 1
    value, count = small(words, at)
    return (value, count) if count == 1 and 1 <= value <= 12 else (0, 0)


def _half(parts: Sequence[Part], at: int) -> tuple[str, int]:
    """`a.m.` or `p.m.` at `at`, and of how many words."""
    low = parts[at].low if at < len(parts) else ""
    if low.replace(".", "") in ("am", "pm"):
        return f"{low[0]}.m.", 1
    if low in ("a", "p") and at + 1 < len(parts) and parts[at + 1].low in ("m", "m."):
        return f"{low}.m.", 2
    return "", 0


def _year(parts: Sequence[Part], at: int) -> Found:
    words = unbroken(parts, at)
    found = year(words, 0)
    return (str(found[0]), found[1]) if found is not None and found[1] > 1 else None


def _ordinal(parts: Sequence[Part], at: int) -> Found:
    """An ordinal from `fourth` on: `first`, `second` and `third` are mostly no numbers."""
    words = unbroken(parts, at)
    found = ordinal(words, 0)
    if found is None or (found[1] == 1 and found[0] <= 3):
        return None
    value, count = found
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}", count


def _cardinal(parts: Sequence[Part], at: int) -> Found:
    """A number; `one` alone is mostly none (`this one`)."""
    words = unbroken(parts, at)
    found = cardinal(words)
    if found is None or (words[:1] == ["one"] and found[1] == 1):
        return None
    value, count = found
    if count == 1 and literal(words[0]) is not None:
        return None
    if words[count : count + 3] == ["and", "a", "half"]:
        return _plain(value + Decimal("0.5")), count + 3
    return _plain(value), count


def _plain(value: Decimal) -> str:
    return str(int(value)) if value == value.to_integral_value() else f"{value.normalize():f}"


_WAYS: Final[tuple[Callable[[Sequence[Part], int], Found], ...]] = (
    address, site, _money, _percent, _date, _time, letters_of, _digits, _year, _ordinal, _cardinal,
)  # fmt: skip
"""Ways to read what begins at a word, the first that can counts."""
