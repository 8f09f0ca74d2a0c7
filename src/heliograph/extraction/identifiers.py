"""Values that are known by their own shape: account and tax numbers, addresses of mail and web, phones, codes.

Where a kind has check digits they are checked (python-stdnum: IBAN by ISO 13616, ISBN, VAT numbers by the rules of each country), so
that such a value is evidence of itself also where nothing labels it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stdnum import iban, isbn
from stdnum.ch import uid
from stdnum.ch import vat as swiss_vat
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as gb_vat
from stdnum.in_ import gstin

from heliograph.extraction.normalise import Span, dates

_IBAN = re.compile(r"(?<![A-Z0-9])([A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?)(?![A-Z0-9])")
_COUNTRY = (
    r"A[DEFGILMOQRSTUWXZ]|B[ABDEFGHIJLMNOQRSTVWYZ]|C[ACDFGHIKLMNORUVWXYZ]|D[EJKMOZ]|E[CEGHRST]|F[IJKMOR]"
    r"|G[ABDEFGHILMNPQRSTUWY]|H[KMNRTU]|I[DELMNOQRST]|J[EMOP]|K[EGHIMNPRWYZ]|L[ABCIKRSTUVY]"
    r"|M[ACDEFGHKLMNOPQRSTUVWXYZ]|N[ACEFGILOPRUZ]|O[M]|P[AEFGHKLMNRSTWY]|Q[A]|R[EOSUW]|S[ABCDEGHIJKLMNORSTVXYZ]"
    r"|T[CDFGHJKLMNORTVWZ]|U[AGMSYZ]|V[ACEGINU]|W[FS]|X[K]|Y[ET]|Z[AMW]"
)
"""ISO 3166-1 alpha-2, and XK, which banks use."""
_BIC = re.compile(rf"(?<![A-Z0-9])([A-Z]{{4}}(?:{_COUNTRY})[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)(?![A-Z0-9])")
_EMAIL = re.compile(r"[\w.+'-]+\s?@\s?[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s,;<>\"]+|(?<![@\w.])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|de|fr|es|it|nl|pt|my|uk|eu|io|gov|edu|info|biz)(?:/[^\s,;]*)?(?![\w@])",
    re.I,
)
_VAT = re.compile(r"(?<![A-Z0-9])([A-Z]{2,3}[ -]?[A-Z0-9](?:[ .-]?[A-Z0-9]){6,13}|\d{2}[A-Z]{5}\d{4}[A-Z]\dZ[A-Z0-9])(?![A-Z0-9])")
_VIN = re.compile(r"(?<![A-Z0-9])([A-HJ-NPR-Z0-9]{17})(?![A-Z0-9])")
_ISBN = re.compile(r"(?<!\d)((?:97[89][- ]?)?\d{1,5}[- ]?\d{1,7}[- ]?\d{1,7}[- ]?[\dX])(?!\d)")
_BLOOD = re.compile(r"(?<![A-Za-z0-9])((?:AB|A|B|O|0)\s?(?:\+|-|−|Rh\s?[+-]|positive|negative|pos|neg)(?:ve)?)(?![A-Za-z])", re.I)
_FLIGHT = re.compile(r"(?<![A-Z0-9])((?:[A-Z]{2}|[A-Z]\d|\d[A-Z])\s?\d{2,4})(?![A-Z0-9])")
_PHONE = re.compile(r"(?<![\w/])(\+?\(?\d[\d\s().\-/–]{5,20}\d)(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![\w])")
_CARD = re.compile(
    r"(?<![xX*•#])[xX*•#](?:[\s-]?[xX*•#])+[\s-]*(\d{4})(?!\d)|\b(?:ending(?: in)?|ends in|endet auf)\s+(\d{4})(?!\d)"
    r"|(?<!\d)\d{4}[\s-](?:\d{4}[\s-]){2}(\d{4})(?!\d)|(?<!\d)\d{12}(\d{4})(?!\d)"
)
_POSTAL = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,2}-)?(\d{5}(?=[A-Z][a-z]{2})|\d{5}(?:-\d{4})?|\d{4}\s?[A-Z]{2}|\d{4}|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{5}-\d{3}|\d{4}-\d{3}|\d{6})(?:(?![\w-])|(?<=\d{5})(?=[A-Z][a-z]{2}))"
)
_MASKED = re.compile(r"[*•#]|[xX]{3}")
_ID = re.compile(r"[A-Za-z0-9][\w\-/.#+*]*")
_PATTERNS = {
    "email": _EMAIL,
    "url": _URL,
    "vin": _VIN,
    "isbn": _ISBN,
    "blood": _BLOOD,
    "flight": _FLIGHT,
    "card4": _CARD,
    "phone": _PHONE,
}


def iban_valid(text: str) -> bool:
    """Check digits by ISO 13616 (modulo 97) and length."""
    code = re.sub(r"\s", "", text).upper()
    return 15 <= len(code) <= 34 and code.isalnum() and iban.is_valid(code, check_country=False)


def isbn_valid(text: str) -> bool:
    """Check digit of ISBN-10 or ISBN-13."""
    return isbn.is_valid(text)


def vat_valid(text: str) -> bool:
    """Whether a tax number with its country before it passes that country's rules: European Union, Britain, Switzerland; GSTIN of India."""
    code = re.sub(r"[ .-]", "", text).upper()
    if code[:2].isdigit():
        return gstin.is_valid(code)
    if code.startswith("GB"):
        return gb_vat.is_valid(code)
    if code.startswith("CHE"):
        return uid.is_valid(code) or swiss_vat.is_valid(code)
    try:
        return bool(eu_vat.validate(code)) and code[:2].isalpha()
    except ValidationError:
        return False


def could_be(kind: str, text: str) -> bool:
    """Whether a text that was given as a value of this kind can be one, letters misread and digits masked: a company number is no IBAN."""
    code = re.sub(r"[\s.-]", "", text)
    if _MASKED.search(text):
        return True
    match kind:
        case "iban":
            return 15 <= len(code) <= 34 and code[:2].isalpha()
        case "bic":
            return len(code) in (8, 11) and code[:4].isalpha()
        case "vin":
            return len(code) == 17 and code.isalnum()
        case "isbn":
            return len(code) in (10, 13)
        case "email":
            return "@" in text
        case _:
            return True


def patterned(kind: str, text: str) -> Iterator[Span]:
    """Values of a shape of their own, wherever they stand: iban, bic, email, url, vat, vin, isbn, blood, flight, card4, phone."""
    if kind == "iban":
        yield from _checked(_IBAN, text, iban_valid, " ", joined=True)
        return
    if kind == "vat":
        yield from _checked(_VAT, text, vat_valid, " ", joined=False)
        return
    if kind == "bic":
        yield from (Span(m.start(), m.end(), m[1], m[1]) for m in _BIC.finditer(text))
        return
    pattern = _PATTERNS.get(kind)
    for m in pattern.finditer(text) if pattern is not None else ():
        group = next((g for g in range(1, (pattern.groups if pattern else 0) + 1) if m[g] is not None), 0)
        raw = m[group]
        if kind == "isbn" and not isbn_valid(raw):
            continue
        if kind == "vin" and not (any(c.isdigit() for c in raw) and any(c.isalpha() for c in raw)):
            continue
        if kind == "phone" and not 6 <= sum(c.isdigit() for c in raw) <= 15:
            continue
        if kind == "phone" and (dates(raw) or re.fullmatch(r"\d+[.,]\d{2}", raw)):
            continue
        value = re.sub(r"\s*@\s*", "@", raw) if kind == "email" else raw.rstrip(".,;)") if kind == "url" else raw
        yield Span(m.start(group), m.start(group) + len(raw.rstrip(".,;)") if kind == "url" else raw), value, raw)


def _checked(pattern: re.Pattern[str], text: str, valid: Callable[[str], bool], blank: str, *, joined: bool) -> Iterator[Span]:
    """Matches cut back, word by word, to what passes its check."""
    at = 0
    while (m := pattern.search(text, at)) is not None:
        at = m.end()
        words = m[1].split(blank)
        for keep in range(len(words), 0, -1):
            raw = blank.join(words[:keep])
            if valid(raw):
                yield Span(m.start(1), m.start(1) + len(raw), raw.replace(blank, "") if joined else raw, raw)
                at = m.start(1) + len(raw)
                break


def identifiers(text: str) -> Iterator[Span]:
    """Tokens that could be a number or code of something: they hold a digit, or stand alone in capitals."""
    for m in _ID.finditer(text):
        raw = m.group().rstrip(".,;:-/")
        if any(c.isdigit() for c in raw):
            yield Span(m.start(), m.start() + len(raw), raw, raw)


def postal_codes(text: str) -> Iterator[Span]:
    """Postal codes by the shapes of many countries."""
    for m in _POSTAL.finditer(text):
        yield Span(m.start(), m.end(), m.group(), m.group())
