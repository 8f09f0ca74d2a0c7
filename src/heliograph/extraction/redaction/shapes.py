"""Identifiers that are known by their own shape, wherever they stand: dates, numbers, addresses of mail and web.

Recall comes first: a number that may be somebody's is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from heliograph.extraction.identifiers import patterned
from heliograph.extraction.normalise import dates
from heliograph.extraction.redaction.found import Category
from heliograph.extraction.vocabulary import plain, vocabulary

Hit = tuple[Category, int, int]
"""A kind, and where it stands in a text."""

_NUMERIC_DATE = re.compile(
    r"(?<![\w.])(?:\d{1,2}\s?([/.\-\u2010-\u2013])\s?\d{1,2}\s?\1\s?(?:\d{4}|\d{2})|\d{4}\s?([/.\-])\s?\d{1,2}\s?\2\s?\d{1,2})(?![\d]|\.\d)"
)
_READ_DATE = re.compile(r"(?<!\w)[\dOIlSB|]{1,2}[/\-][\dOIlSB|]{1,2}[/\-][\dOIlSB|]{2,4}(?!\w)")
"""A date that was read from a picture, with letters for digits."""
_MONTH_YEAR = re.compile(r"(?<![\w./])(?:0?[1-9]|1[0-2])\s?[/\-]\s?(?:19|20)\d{2}(?![\w/])")
_DAY_MONTH = re.compile(
    r"(?<![\w./\-])(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?![\w/%]|\.\d)"
    r"(?!\s*(?:pain|scale|strength|points?|visits?|murmur|mm|mg|mL|units?\b|of\b))"
)
_GRADED = re.compile(r"\b(?:pain|strength|scale|score|motor|grade|reflex(?:es)?|power|murmur)\b[^.\n]*$", re.I)
"""What is graded out of five or ten and not written on a day."""
_COMPACT = re.compile(r"(?<!\w)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
_AGE = re.compile(
    r"(?:\b(?:age|aged)\s*[:=]?\s*(?:of\s+)?(?P<a>9\d|1[0-2]\d)\b)"
    r"|\b(?P<b>9\d|1[0-2]\d)\s*-?\s*(?:years?|yrs?|y\s*/\s*o|yo|y\.o\.)(?![a-z])",
    re.I,
)
_EMAIL = re.compile(r"[\w.+'%-]+\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)*\.?\w+")
_URL = re.compile(r"(?:https?|ftp)\s?:\s?/\s?/\s?[^\s<>\"]+|\bwww\s?\.[^\s<>\",;]+", re.I)
_HOST = re.compile(
    r"(?<![@\w.])[A-Za-z0-9][\w-]*(?:\.[\w-]+)*"
    r"\.(?:com|org|net|edu|gov|mil|int|info|biz|io|co|us|uk|ca|eu|de|fr|es|it|nl|au|health|care|clinic|app|dev|example)(?:/[^\s,;]*)?(?![\w@])",
    re.I,
)
_IP = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)")
_IP6 = re.compile(
    r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}(?::|[0-9A-Fa-f]{1,4})(?:[0-9A-Fa-f:]*)(?![\w:])|(?<![\w:])[0-9A-Fa-f:]*::[0-9A-Fa-f:]+(?![\w:])"
)
_MAC = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}(?![\w:])")
_SSN = re.compile(r"(?<![\w-])(?:\d{3}\s?[-–]\s?\d{2}\s?[-–]\s?\d{4}|\d{3} \d{2} \d{4}|[Xx*#•]{3}[- ]?[Xx*#•]{2}[- ]?\d{4})(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w/.])(?:\+?1\s?[-. ]?\s?)?(?:\(\s?\d{3}\s?\)\s?[-.]?\s?|\d{3}\s?[-.\u2010-\u2013/ ]\s?)\d{3}\s?[-.\u2010-\u2013 ]\s?\d{4}"
    r"(?:\s*(?:x|ext\.?|extension)\s?\.?\s?\d{1,6})?(?!\w)"
    r"|(?<![\w/.-])\d{3}\s?[-\u2010-\u2013]\s?\d{4}(?![\w-])"
    r"|\+\s?\d[\d\s().\-/]{6,18}\d(?!\w)"
    r"|(?<![\w/.])\(?0\d{1,5}\)?\s?[/\-]\s?\d{2,4}(?:[\s-]?\d{2,5}){1,3}(?!\w)",
    re.I,
)
_FAX = re.compile(r"\b(?:fax|facsimile|telefax)\b[^\n\d]{0,14}$", re.I)
_UDI = re.compile(r"\(01\)\s?\d{14}(?:\s?\(\d{2}\)\s?[\w-]+)*")
_CODE = re.compile(r"(?<![\w.,])[A-Za-z0-9]+(?:[-/_#][A-Za-z0-9]+)*(?![\w]|[.,]\d)")
_UNIT = re.compile(
    r"\s*(?:/\s?[a-zA-Zµμ]|x\s?10|cells|copies|mg|mcg|ug|µg|ng|pg|g\b|kg|lb|mL|ml|dL|L\b|IU|U/|units?|mm|cm|%|K/|M/|mEq|mmol|bpm|ft|in\b)"
)
_MEASURED = re.compile(r"\d+(?:mg|mcg|ug|g|kg|ml|l|iu|u|mm|cm|k|m|hz|x\d+)(?:/\w+)?", re.I)
_RANGE = re.compile(r"\d{1,4}-\d{1,4}")
_NDC = re.compile(r"\d{4,5}-\d{3,4}-\d{1,2}")


_BREAK = "\ue000"
"""Stands for the end of a line where figures of two lines must not meet: neither a blank nor a letter."""


@cache
def _named_dates() -> re.Pattern[str]:
    """A month's name with a day or a year beside it, in the languages of the vocabulary."""
    names = "|".join(sorted((re.escape(name) for name in vocabulary().months if len(name) >= 3), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w.,$])(?:\d{{1,2}}(?:st|nd|rd|th|er|º)?[.,]?[\s\-/]*(?:of\s+|de\s+)?)?(?P<month>{names})(?![^\W\d_])\.?"
        r"(?:[\s\-/,'’]*(?:de[l]?\s+)?\d{1,2}(?:st|nd|rd|th)?(?![\d:]))?(?:[\s\-/,'’]*(?:de[l]?\s+)?(?:(?:19|20)\d{2})(?!\d))?",
        re.I,
    )


def shapes(text: str, *, read: bool = False) -> Iterator[Hit]:
    """Every identifier of a shape of its own; the surest kinds first. `read`: the text comes from a picture and may be misread."""
    sure: tuple[tuple[Category, tuple[re.Pattern[str], ...]], ...] = (
        ("email", (_EMAIL,)),
        ("url", (_URL, _HOST)),
        ("device", (_MAC, _UDI)),
        ("ip_address", (_IP, _IP6)),
        ("ssn", (_SSN,)),
    )
    for category, patterns in sure:
        for pattern in patterns:
            for m in pattern.finditer(text):
                yield category, m.start(), m.end()
    for span in patterned("vin", text):
        if sum(c.isdigit() for c in span.raw) >= 4:
            yield "vehicle", span.start, span.end
    yield from _dates(text, read=read)
    for m in _PHONE.finditer(text):
        yield ("fax" if _FAX.search(text, max(0, m.start() - 30), m.start()) else "phone"), m.start(), m.end()
    for span in patterned("iban", text):
        yield "account_number", span.start, span.end
    yield from _codes(text)


def _dates(text: str, *, read: bool) -> Iterator[Hit]:
    apart = text.replace("\n", _BREAK)
    for span in dates(apart):
        yield "date", span.start, span.end
    for pattern in (_NUMERIC_DATE, _MONTH_YEAR, _DAY_MONTH, _COMPACT) + ((_READ_DATE,) if read else ()):
        for m in pattern.finditer(apart):
            if pattern is not _DAY_MONTH or not _GRADED.search(text, max(0, m.start() - 30), m.start()):
                yield "date", m.start(), m.end()
    for m in _named_dates().finditer(text):
        word = m["month"]
        alone = not any(c.isdigit() for c in m.group())
        if plain(word) in vocabulary().months and not alone and (word[0].isupper() or len(word) > 3):
            yield "date", m.start(), m.end()
    for m in _AGE.finditer(text):
        group = "a" if m["a"] else "b"
        yield "date", m.start(group), m.end(group)


def _codes(text: str) -> Iterator[Hit]:
    """Numbers and codes long enough to be somebody's own, which nothing says the kind of."""
    for m in _CODE.finditer(text):
        code = m.group()
        digits = sum(c.isdigit() for c in code)
        if digits < 4 or _RANGE.fullmatch(code) or _NDC.fullmatch(code) or _MEASURED.fullmatch(code) or _UNIT.match(text, m.end()):
            continue
        letters = sum(c.isalpha() for c in code)
        if (letters and len(code) >= 6 and digits >= 4) or (not letters and digits >= 6):
            yield "other", m.start(), m.end()
