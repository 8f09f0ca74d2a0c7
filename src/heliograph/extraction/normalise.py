"""Text as documents write it to values as schemas ask for it.

Dates to ISO 8601, amounts by the document's own decimal convention, currencies to ISO 4217. What cannot be read as asked gives None,
never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import msgspec

from heliograph.extraction.vocabulary import plain, vocabulary


class Span(msgspec.Struct, frozen=True):
    """A value found in a text at `[start, end)`."""

    start: int
    end: int
    value: object
    raw: str


class Conventions(msgspec.Struct):
    """What the document as a whole says about how it writes."""

    decimal: str = "."
    day_first: bool = True
    currency: str | None = None
    currency_share: float = 0.0


class DateSpan(msgspec.Struct, frozen=True):
    """A date found in a text: `order` says how it was written; ambiguous ones are settled by `Conventions.day_first`."""

    start: int
    end: int
    a: int
    b: int
    year: int
    order: str  # "ymd" | "named" | "numeric"

    def settle(self, *, day_first: bool) -> date | None:
        """The calendar date, or None where there is no such day."""
        if self.order != "numeric":
            return _date(self.year, self.a, self.b)
        first, second = (self.b, self.a) if day_first else (self.a, self.b)
        return _date(self.year, first, second) or _date(self.year, second, first)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_NUMERIC = re.compile(
    r"(?:(?<![\d.,/-])|(?<=[./]\d\d-)|(?<=[./]\d{4}-))(\d{1,2})\s?([./\-\u2010-\u2013,'’])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?!\d|[./]\d)"
)
_ISO = re.compile(r"(?:(?<![\d.-])|(?<=[./]\d\d-))(\d{4})\s?([./\-])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)")
_CJK = re.compile(r"(\d{4})\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日")
_DAY_NAME = re.compile(
    r"(?<![\d./])(\d{1,2})(?:st|nd|rd|th|er|º|ª)?[\s.\-/,]{0,3}(?:de\s|of\s)?\s?([^\W\d_]{3,10})\.?[\s.\-/,']{0,3}(?:de\s|del\s)?\s?(\d{4}|\d{2})(?!\d)",
    re.I,
)
_NAME_DAY = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,10})\.?[\s\-]{0,2}(\d{1,2})(?:st|nd|rd|th)?\s?[,.\s\-]\s?(\d{4})(?!\d)", re.I)
_YEAR_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[\s.\-/,]{0,3}([^\W\d_]{3,10})\.?[\s.\-/,]{0,3}(\d \d(?=\s[^\W\d]|$)|\d{1,2}(?![\d:]))", re.I
)
_ZERO = re.compile(r"(?<![^\W_])0(?=CT(?![^\W\d_]))|(?<=(?<![^\W_])N)0(?=V(?![^\W\d_]))")
"""A nought that was read for the letter in OCT or NOV."""
_CLOCKED = re.compile(
    r"(?<![^\W\d_])([^\W\d_]{3,10})\.?\s?(\d{1,2})[\s,]+\d{1,2}\s?[\s:.]\s?\d{2}\s?[AP]\.?M\.?\s?['’,]?\s?(\d{4}|\d{2})(?!\d)", re.I
)
"""How time clocks stamp what comes in: `APR 5 11 45 AM '73`."""
_NAMED = ((_DAY_NAME, (3, 2, 1)), (_NAME_DAY, (3, 1, 2)), (_YEAR_NAME, (1, 2, 3)), (_CLOCKED, (3, 1, 2)))
"""Which groups are year, month and day."""
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


def _year(text: str) -> int:
    value = int(text)
    return value if len(text) == 4 else 2000 + value if value < 70 else 1900 + value


def _named(text: str) -> Iterator[DateSpan]:
    """The dates whose month is a word, or whose parts are named as in `2026年5月4日`."""
    for m in _CJK.finditer(text):
        yield DateSpan(m.start(), m.end(), int(m[2]), int(m[3]), int(m[1]), "ymd")
    months = vocabulary().months
    for pattern, (year, month, day) in _NAMED:
        for m in pattern.finditer(text):
            number = months.get(plain(m[month]))
            if number:
                yield DateSpan(m.start(), m.end(), number, int(m[day].replace(" ", "")), _year(m[year]), "named")


def dates(text: str, *, compact: bool = False) -> list[DateSpan]:
    """Every date in a text, left to right, none overlapping."""
    if not _DIGIT.search(text):
        return []
    text = _ZERO.sub("O", text)
    found = [DateSpan(m.start(), m.end(), int(m[3]), int(m[4]), int(m[1]), "ymd") for m in _ISO.finditer(text)]
    if _LETTER.search(text):
        found += _named(text)
    for m in _NUMERIC.finditer(text):
        found.append(DateSpan(m.start(), m.end(), int(m[1]), int(m[3]), _year(m[4]), "numeric"))
    if compact:
        for m in _COMPACT.finditer(text):
            found.append(DateSpan(m.start(), m.end(), int(m[2]), int(m[3]), int(m[1]), "ymd"))
    kept: list[DateSpan] = []
    for span in found:
        if span.settle(day_first=True) is None or not 1900 <= span.year <= 2099:
            continue
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


_TIME = re.compile(r"(?<![\d:.])([01]?\d|2[0-3])\s?[:.h]\s?([0-5]\d)(?:\s?[:.]\s?([0-5]\d))?\s?([AaPp]\.?\s?[Mm]\.?)?(?![\d])")


def times(text: str) -> Iterator[Span]:
    """Times of day as `HH:MM:SS`."""
    for m in _TIME.finditer(text):
        hour = int(m[1])
        half = (m[4] or "").lower().replace(".", "").replace(" ", "")
        if ":" not in m.group() and not half and "h" not in m.group():
            continue
        if half and hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
        yield Span(m.start(), m.end(), f"{hour:02d}:{m[2]}:{m[3] or '00'}", m.group())


_SYMBOL = (
    r"(?:US\$|A\$|C\$|S\$|R\$|HK\$|NT\$|[$€£¥₹₩₽₺฿₱₫₪₴₦]|(?<![^\W\d_])(?:EUR|USD|GBP|MYR|RM|CHF|JPY|CNY|INR|Rs\.?"
    r"|SGD|AUD|CAD|NZD|BRL|IDR|Rp|THB|PLN|CZK|DKK|SEK|NOK|HUF|kr|zł|Kč)(?![^\W\d_]))"
)
_AMOUNT = re.compile(
    rf"(?P<open>\()?\s?(?P<pre>{_SYMBOL})?\s?(?P<sign>[-−–+])?\s?(?P<pre2>{_SYMBOL})?\s?"
    r"(?P<number>\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d{1,4})?(?!\d)"
    r"|\d{1,3}(?:[.,'’]\s?\d{3})+(?:\s?[.,]\s?\d{1,4})?(?!\d)|\d+(?:\s?[.,]\s?\d{1,4}(?!\d))?|[.,]\d{2}(?!\d))"
    rf"\s?(?P<tail>-(?![\d\w])|CR(?!\w))?\s?(?P<percent>%)?\s?(?P<post>{_SYMBOL})?(?P<close>\))?"
)


GLUED_CURRENCY = re.compile(r"(?<=[a-z])(?:RM|[A-Z]{3})$")
"""A currency that lost the space before it: `TotalRM15.40`."""


class Amount(msgspec.Struct, frozen=True):
    """A number found in a text. `value` is exact; `decimals` counts digits after the separator."""

    start: int
    end: int
    value: Decimal
    decimals: int
    currency: str
    percent: bool
    raw: str
    grouped: bool = False


@lru_cache(maxsize=16384)
def amounts(text: str, decimal: str = ".") -> tuple[Amount, ...]:
    """Every free-standing number in a text, left to right, read with `decimal` as the document's decimal separator."""
    if not _DIGIT.search(text):
        return ()
    found: list[Amount] = []
    taken = [(span.start, span.end) for span in dates(text)]
    for m in _AMOUNT.finditer(text):
        start, end = m.span("number")
        before = text[start - 1] if start else " "
        after = text[end] if end < len(text) else " "
        if any(start < e and end > s for s, e in taken):
            continue
        if (
            m["pre"] is None
            and m["pre2"] is None
            and not GLUED_CURRENCY.search(text[:start])
            and (
                before.isalpha()
                or before in "#/_\\"
                or (before in ":.-,*" and start > 1 and text[start - 2].isalnum() and not (before in ":-*" and text[start - 2].isalpha()))
            )
        ):
            continue
        if after.isalpha() and not m["post"] and not re.match(r"[A-Za-z]{1,3}\b", text[end:]):
            continue
        if after in "/:-_" and end + 1 < len(text) and text[end + 1].isalnum() and not (m["tail"]):
            continue
        value, decimals = number(m["number"], decimal)
        if value is None:
            continue
        if m["sign"] in ("-", "−", "–") or m["tail"] or (m["open"] and m["close"]):
            value = -value
        symbol = m["pre"] or m["pre2"] or m["post"] or ""
        currency = vocabulary().currencies.get(plain(symbol), "") if symbol else ""
        first, last = m.start(), m.end()
        if m["open"] and not m["close"]:
            first = m.start() + 1
        if m["close"] and not m["open"]:
            last -= 1
        raw = text[first:last]
        first += len(raw) - len(raw.lstrip())
        last -= len(raw) - len(raw.rstrip())
        found.append(Amount(first, last, value, decimals, currency, m["percent"] is not None, text[first:last], not m["number"].isdigit()))
    return tuple(found)


def number(text: str, decimal: str = ".") -> tuple[Decimal | None, int]:
    """A written number and how many decimals it has. Two different separators: the last is the decimal one; one that can only
    group or only divide is read so; otherwise `decimal` decides."""
    digits = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    separators = [c for c in digits if c in ".,"]
    mark = ""
    if len(set(separators)) == 2:
        mark = separators[-1] if digits.count(separators[-1]) == 1 else ""
    elif len(separators) == 1:
        after = len(digits) - digits.index(separators[0]) - 1
        before = digits.index(separators[0])
        if after != 3 or before == 0 or before > 3 or digits[0] == "0":
            mark = separators[0]
        else:
            mark = separators[0] if separators[0] == decimal else ""
    elif len(separators) > 1:
        mark = ""
    if mark:
        whole, _, fraction = digits.rpartition(mark)
        plain_digits = re.sub(r"[.,]", "", whole) + "." + fraction
        decimals = len(fraction)
    else:
        plain_digits, decimals = re.sub(r"[.,]", "", digits), 0
    try:
        return Decimal(plain_digits), decimals
    except InvalidOperation:
        return None, 0


_COMMA = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{3})*,\d{2}(?![\d,])")
_POINT = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3})*\.\d{2}(?![\d.])")
_CURRENCY_WORD = re.compile(r"(?<![^\W\d_])(?:euros?|ringgit|dollars?|pounds? sterling)(?![^\W\d_])", re.I)
_AMERICAN_CITY = re.compile(r"\b[A-Z]{2},?\s+\d{5}(?:-\d{4})?\b")
_AMERICAN_PHONE = re.compile(r"\(\d{3}\)\s?\d{3}-\d{4}")


def conventions(texts: list[str], *, language: str | None = None) -> Conventions:
    """Read the decimal separator, the order of day and month and the currency off the whole document."""
    comma = point = 0
    day = month = 0
    counts: dict[str, float] = {}
    american = 0
    known = vocabulary().currencies
    for text in texts:
        if _DIGIT.search(text):
            comma += len(_COMMA.findall(text))
            point += len(_POINT.findall(text))
            american += len(_AMERICAN_CITY.findall(text)) + len(_AMERICAN_PHONE.findall(text))
            for span in dates(text):
                if span.order == "numeric":
                    day += span.a > 12
                    month += span.b > 12
        for found in re.finditer(_SYMBOL, text):
            code = known.get(plain(found.group()))
            if code:
                counts[code] = counts.get(code, 0) + 1
        for found in _CURRENCY_WORD.finditer(text):
            code = known.get(plain(found.group()))
            if code:
                counts[code] = counts.get(code, 0) + 1
    best = max(counts, key=lambda code: counts[code]) if counts else None
    total = sum(counts.values())
    if day == month:
        usual = american > 0 and (best in (None, "USD"))
        day_first = not usual and not (language == "en" and best == "USD")
    else:
        day_first = day > month
    return Conventions("," if comma > point else ".", day_first, best, counts[best] / total if best else 0.0)


def currency_code(text: str) -> str | None:
    """ISO 4217 of a symbol, code or name; None when unknown."""
    word = plain(text.strip().strip("()[]:.").strip())
    return vocabulary().currencies.get(word)


def instant(moment: str) -> str:
    """An ISO day or local time as the RFC 3339 `date-time` that the format asks for.

    The format has no way to leave out the time of day or the offset, and clients refuse what lacks them. Where the document gives no
    time it is 00:00:00, where it gives no offset it is `Z`; the citation keeps what the page says.
    """
    moment = moment if "T" in moment else f"{moment}T00:00:00"
    return moment if re.search(r"(?:Z|[+-]\d\d:\d\d)$", moment) else f"{moment}Z"
