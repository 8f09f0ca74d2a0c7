"""Slips of the reader that the shape of a word gives away: a digit among letters, a letter among digits, an accent from nowhere.

Nothing is looked up and nothing invented: a doubtful character gives way only to another that the recogniser itself saw there, and
takes over its lower score.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from heliograph.perception.recognition import Glyphs

LETTER, DIGIT = 0.1, 0.15
"""Least score of a letter in the place of a digit, and of a digit in the place of a letter, which units and codes end with as well."""
NO_ACCENT = 0.15
"""Least score of a letter without the accent."""
COMMA = 0.3
"""Least score of a comma in the place of a point: a comma's tail is what poor print loses first."""
WORD = 4
"""Letters that make a word also in capitals; fewer begin codes (`VE05`, `RM0.40`)."""
APART = 0.3
"""This much of a blank parts two words."""


def mend(lines: Sequence[Glyphs]) -> None:
    """Put right what can be in the `lines` of one picture."""
    accents = any(_base(char) != char and score >= 0.95 for line in lines for char, score in zip(line.text, line.scores, strict=True))
    for line in lines:
        for place, others in enumerate(line.others):
            if others and (better := _better(line, place, others, accents=accents)):
                line.text = line.text[:place] + better + line.text[place + 1 :]
                line.scores[place] = others.pop(better)


def _better(line: Glyphs, place: int, others: dict[str, float], *, accents: bool) -> str | None:
    char = line.text[place]
    base = _base(char)
    if char.isalpha() and base != char:
        return base if not accents and others.get(base, 0.0) >= NO_ACCENT else None
    if _kind(char) == "digit" and _in_word(line, place):
        return _best(others, "letter", LETTER)
    if _kind(char) == "letter" and _in_number(line, place):
        return _best(others, "digit", DIGIT)
    if char == "×":
        return _best({other: score for other, score in others.items() if other in "xX"}, "letter", NO_ACCENT)
    if char == "." and others.get(",", 0.0) >= COMMA and 0 < place < len(line.text) - 1:
        before, after = line.text[place - 1], line.text[place + 1]
        goes_on = after.isalpha() or line.blanks[place + 1] >= APART
        return "," if goes_on and (before.isupper() or before.isdigit()) else None
    return None


def _best(others: dict[str, float], kind: str, least: float) -> str | None:
    wanted = {other: score for other, score in others.items() if score >= least and _kind(other) == kind}
    return max(wanted, key=lambda other: wanted[other]) if wanted else None


def _in_word(line: Glyphs, place: int) -> bool:
    """Letters stand around, no digit that is sure, and either they make a word or small letters come before."""
    start, end = place, place + 1
    while start and line.blanks[start] < APART and line.text[start - 1].isalnum():
        start -= 1
    while end < len(line.text) and line.blanks[end] < APART and line.text[end].isalnum():
        end += 1
    rest = [number for number in range(start, end) if number != place]
    if any(_kind(line.text[number]) == "digit" and not _best(line.others[number], "letter", LETTER) for number in rest):
        return False
    letters = sum(line.text[number].isalpha() for number in rest)
    return letters >= WORD or (letters > 1 and place > start and line.text[place - 1].islower())


def _in_number(line: Glyphs, place: int) -> bool:
    """A digit before it in the same word, past a point or comma, and no letter beside it that is sure."""
    before = place - 1
    if before >= 0 and line.text[before] in ".,":
        before -= 1
    if before < 0 or not line.text[before].isdigit() or any(line.blanks[number] >= APART for number in range(before + 1, place + 1)):
        return False
    after = place + 1
    if after == len(line.text) or line.blanks[after] >= APART or not line.text[after].isalpha():
        return True
    return _best(line.others[after], "digit", DIGIT) is not None


def _kind(char: str) -> str:
    return "letter" if char.isalpha() and char.isascii() else "digit" if char.isdigit() else ""


def _base(char: str) -> str:
    return unicodedata.normalize("NFD", char)[0]
