"""From when to when: `March 2019 - Present`, `09/2015 – 02/2019`, `seit 2021`, `2010`. Months and years, days where they are written."""

from __future__ import annotations

import re

import msgspec

from heliograph.extraction.normalise import Conventions
from heliograph.extraction.vocabulary import plain, vocabulary

_YEAR = re.compile(
    r"(?<![\d.,/])(?:(?P<a>\d{1,2})[./](?:(?P<b>\d{1,2})[./])?)?(?P<year>(?:19|20)\d{2})"
    r"(?:-(?P<m>0[1-9]|1[0-2])(?:-(?P<d>[0-3]\d))?)?(?!\d|[.,]\d)"
)
_NAMED = re.compile(r"(?:(?P<day>\d{1,2})\.?\s+)?(?P<month>[^\W\d_]{3,12})\.?,?\s+(?:de\s+|of\s+)?$")
_UNTIL = re.compile(r"\s*(?:[-–—~]|to|until|till?|through|bis|à|au|al?|hasta|até|tot|fino a)\s*", re.IGNORECASE)
_SINCE = re.compile(r"(?:since|seit|depuis|desde|dal?|sinds|from|von|ab|de)\s+$", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+(?:[’' ][^\W\d_]+)?")


class Moment(msgspec.Struct, frozen=True):
    """A point in time as exactly as it is written, and where in the text."""

    start: int
    end: int
    year: int
    month: int = 0
    day: int = 0

    @property
    def iso(self) -> str | None:
        """The date; the first day of a month that is given without one. None for a year alone."""
        return f"{self.year:04}-{self.month:02}-{self.day or 1:02}" if self.month else None


class Period(msgspec.Struct, frozen=True):
    """A stretch of time and where it stands. `last` is None where it goes on (`ongoing`) or only one moment is given."""

    start: int
    end: int
    first: Moment
    last: Moment | None = None
    ongoing: bool = False

    @property
    def single(self) -> bool:
        """Whether it is one moment, and no stretch."""
        return self.last is None and not self.ongoing


def moments(text: str, writing: Conventions) -> list[Moment]:
    """The moments that a text names, left to right."""
    made: list[Moment] = []
    for found in _YEAR.finditer(text):
        start, end, month, day = found.start(), found.end(), int(found["m"] or 0), int(found["d"] or 0)
        if found["b"]:
            a, b = int(found["a"]), int(found["b"])
            day, month = (a, b) if (writing.day_first and b <= 12) or a > 12 else (b, a)
        elif found["a"]:
            month = int(found["a"])
        elif not month and (named := _NAMED.search(text[: found.start()])) and (known := vocabulary().months.get(plain(named["month"]))):
            start, month, day = named.start(), known, int(named["day"] or 0)
        if month <= 12 and day <= 31:
            made.append(Moment(start, end, int(found["year"]), month, day))
    return made


def period(text: str, writing: Conventions) -> Period | None:
    """The first stretch of time in a text, or else its last moment; parentheses around it are part of it."""
    found = moments(text, writing)
    made: Period | None = None
    for at, first in enumerate(found):
        joined = _UNTIL.match(text, first.end)
        if joined and at + 1 < len(found) and joined.end() == found[at + 1].start:
            made = Period(first.start, found[at + 1].end, first, found[at + 1])
        elif joined and (word := _open(text, joined.end())):
            made = Period(first.start, word, first, ongoing=True)
        elif (since := _SINCE.search(text[: first.start])) and not since.group().casefold().startswith(("from", "von", "de ")):
            made = Period(since.start(), first.end, first, ongoing=True)
        if made is not None:
            break
    if made is None and found:
        made = Period(found[-1].start, found[-1].end, found[-1])
    if made is not None and text[: made.start].rstrip().endswith("(") and text[made.end :].lstrip().startswith(")"):
        made = msgspec.structs.replace(made, start=text.rindex("(", 0, made.start), end=text.index(")", made.end) + 1)
    return made


def _open(text: str, start: int) -> int:
    """Where a word for an open end stops, if one stands at `start`; else 0."""
    words = _WORDS.match(text, start)
    if words is None:
        return 0
    known = {plain(word) for word in vocabulary().raw.careers["ongoing"]}
    for piece in (words.group(), words.group().split()[0]):
        if plain(piece) in known:
            return start + len(piece)
    return 0
