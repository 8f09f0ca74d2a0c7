"""Whether two values say the same, however each is written."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from rapidfuzz.distance import Levenshtein

from heliograph.extraction.alignment.folding import fold
from heliograph.extraction.normalise import amounts, dates

SAME, SIMILAR, OTHER = 1.0, 0.5, 0.0
_LIKE = 0.85
"""Likeness (Levenshtein) of texts that are spellings of one thing, when their digits are the same."""
_PART = 0.6
"""Share of a text that another one has which is only longer: `North Mill` and `North Mill Ltd`."""
_CENT = Decimal("0.005")


def agreement(a: Any, b: Any) -> float:
    """`SAME`, `SIMILAR` (spellings of one thing, or one a part of the other) or `OTHER`. Null agrees with null alone."""
    if a is None or b is None:
        return SAME if a is b else OTHER
    if isinstance(a, bool) or isinstance(b, bool):
        return SAME if a is b else OTHER
    if isinstance(a, (int, float)) or isinstance(b, (int, float)):
        first, second = _number(a), _number(b)
        return SAME if first is not None and second is not None and abs(first - second) <= _CENT else OTHER
    return _texts(str(a), str(b))


def within(a: str, b: str) -> bool:
    """Whether one of two texts is a part of the other, words whole, however each is spaced and punctuated."""
    shorter, longer = sorted((_words(a), _words(b)), key=len)
    return len(shorter) > 3 and f" {shorter} " in f" {longer} "


def same_letters(a: str, b: str) -> bool:
    """Whether two texts differ in nothing but spaces and punctuation."""
    return [c for c in a if c.isalnum()] == [c for c in b if c.isalnum()]


def _number(value: Any) -> Decimal | None:
    try:
        if isinstance(value, (int, float)):
            made = Decimal(str(value))
            return made if made.is_finite() else None
    except (InvalidOperation, ValueError):  # more digits than Python writes
        return None
    found = amounts(str(value)) if len(str(value)) <= 40 else ()
    return found[0].value if len(found) == 1 else None


def _texts(a: str, b: str) -> float:
    first, second = fold(a), fold(b)
    if first == second:
        return SAME if first or a.strip() == b.strip() else OTHER
    if len(a) <= 40 and len(b) <= 40:
        days = [{span.settle(day_first=day_first) for span in dates(text) for day_first in (True, False)} for text in (a, b)]
        if days[0] and days[1]:
            return SAME if days[0] & days[1] else OTHER
    (shorter, short), (longer, long) = sorted(((first, a), (second, b)), key=lambda pair: len(pair[0]))
    if len(shorter) > 3 and len(shorter) >= _PART * len(longer) and f" {_words(short)} " in f" {_words(long)} ":
        return SIMILAR
    if [c for c in first if c.isdigit()] != [c for c in second if c.isdigit()]:
        return OTHER
    return SIMILAR if Levenshtein.normalized_similarity(first, second, score_cutoff=_LIKE) >= _LIKE else OTHER


def _words(text: str) -> str:
    return " ".join(word for part in text.split() if (word := fold(part)))
