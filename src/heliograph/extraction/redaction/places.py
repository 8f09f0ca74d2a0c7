"""Places smaller than a state: streets, cities, counties, ZIP and postal codes. A state's or a country's name may stay.

The rule allows the first three digits of most ZIP codes to stay; here the whole code goes, since which three-digit areas hold 20,000
people or fewer changes with each census.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky"
    "|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey"
    "|New Mexico|New York|North Carolina|North Dakota"
    "|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas"
    "|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|Wyoming|District of Columbia|Puerto Rico|Guam"
)
CODES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]"
    "|ON|QC|BC|AB|MB|SK|NS|NB|NL|PE"
)
_STREET = (
    r"St|Str|Street|Ave|Av|Avenue|Rd|Road|Blvd|Boulevard|Dr|Drive|Ln|Lane|Ct|Court|Pl|Place|Ter|Terrace|Way|Pkwy|Parkway|Cir|Circle|Hwy"
    r"|Highway|Sq|Square|Trl|Trail|Loop|Run|Path|Pike|Row|Alley|Aly|Plaza|Plz|Crescent|Cres|Close|Xing|Crossing|Expy|Fwy|Broadway|Route|Rte"
    r"|Walk|Grove|Gardens|Ridge|Hill|Hills|Bend|Point|Cove|Landing|Commons|Heights|Hts|Mews|Park|View"
)
_ROOM = r"(?:\s*,?\s*\n?\s*(?:Apt|Apartment|Suite|Ste|Unit|Rm|Room|Floor|Fl|Bldg|Building|Lot|Trlr|Box|#)\.?\s*#?\s*[\w-]+)"
_NUMBER = r"(?<![\w.$/-])\d{1,6}[A-Za-z]?(?:[-/]\d{1,4})?,?[ ]+"
_CAPITAL = r"[A-ZÀ-Þ][\w'’.\-]*"
_MORE = rf"(?:\s+{_CAPITAL}){{0,3}}"
_ZIP = r"(?P<zip>\d{5}(?:\s?-\s?\d{4})?)(?!\d)"
_TOWN = r"(?:(?:St|Ft|Mt)\.\s+)?[A-Z][a-zA-Z'’.\-]+(?:[ ]+(?:[a-z]{2,3}[ ]+)?[A-Z][a-zA-Z'’.\-]+){0,2}"
_STATE = rf"(?:{STATES}|(?:{CODES})\b)\.?"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # 12 North Elm Street, Apt 4; 12 ELM ST
        rf"{_NUMBER}(?:[NSEW]{{1,2}}\.?[ ]+)?(?:(?:{_CAPITAL}|\d{{1,3}}(?:st|nd|rd|th))[ ]+){{1,4}}(?:{_STREET})\b\.?"
        rf"(?:[ ]+[NSEW]{{1,2}}\b\.?)?{_ROOM}*",
        rf"{_NUMBER}(?:[A-Z0-9]+[ ]+){{1,4}}(?:{_STREET.upper()})\b\.?{_ROOM}*",
        # a street whose own word was misread, known by what follows: 1640 Rhode Island Aye NW, 12 Elm Sl Ste 600
        rf"{_NUMBER}{_CAPITAL}(?:[ ]+{_CAPITAL}){{0,4}}(?:[ ]+[NS][EW]\b\.?{_ROOM}*|{_ROOM}+)",
        r"(?i:\bP\.?\s?O\.?\s?Box\s+#?\s?\w+)",
        r"\b(?:Apt|Apartment|Suite|Ste)\b\.?\s*#?\s*[\w-]*\d[\w-]*",
        # as other countries write streets
        r"(?<!\w)[A-ZÄÖÜ][\wäöüß.\-]*(?:straße|strasse|str\.|weg|platz|gasse|allee|damm|ring|ufer)\s+\d+\s?[a-z]?\b",
        rf"(?<!\w)(?:\d{{1,4}}\s?(?:bis|ter)?,?\s+)?(?i:rue|avenue|boulevard|bd|chemin|allée|impasse|quai|cours)\s+"
        rf"(?:d[eu'’]\s?|de la\s|des\s)*{_CAPITAL}{_MORE}(?:\s+\d+)?",
        rf"(?<!\w)(?:Calle|Avenida|Paseo|Plaza|Via|Viale|Piazza|Corso|Rua|Travessa|Largo)\s+(?:d[aeo]s?\s+|del\s+|la\s+)*"
        rf"{_CAPITAL}{_MORE},?\s*(?:n[.ºo°]*\s*)?\d*",
        rf"(?<!\w){_CAPITAL}(?:straat|laan|plein|gracht|kade|dijk)\s+\d+",
        # codes of their own: ZIP+4, British, Canadian
        r"(?<![\w-])\d{5}-\d{4}(?![\w-])",
        r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}(?!\w)|(?<!\w)[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?\d[A-Z]\d(?!\w)",
        rf"(?<!\w){_CAPITAL}(?:\s+{_CAPITAL}){{0,2}}\s+(?:County|Parish|Township|Borough|Precinct|Census Tract)\b",
        rf"\b(?:County|City|Town|Township|Village)\s+of\s+{_CAPITAL}{_MORE}",
    )
)
_CITIES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![\w'])(?P<city>{_TOWN})\s*,\s*{_STATE}(?:\s*,?\s*{_ZIP})?(?![a-z])",
        rf"(?<![\w'])(?P<city>{_TOWN}),?\s+{_STATE},?\s+{_ZIP}",
        r"\b(?:[Ll]iv(?:es?|ing)|[Rr]esid(?:es?|ing)|[Bb]orn|[Nn]ative|[Rr]esident|[Mm]oved|[Tt]ravel(?:ed|led|s)|[Vv]acation(?:ed)?|[Rr]eturned)"
        rf"\s+(?:in|of|at|to|from|near)\s+(?P<city>{_CAPITAL}(?:\s+{_CAPITAL}){{0,2}})(?P<zip>)",
    )
)
_CODE_CITY = re.compile(
    r"(?<![\w.#-])(?P<zip>(?:[A-Z]{1,2}-)?\d{4,5}(?:\s?[A-Z]{2})?)[ ]+"
    r"(?P<city>[A-ZÀ-Þ][a-zà-ÿ'’\-]{2,}(?:[ ]+[A-ZÀ-Þ][a-zà-ÿ'’\-]{2,}){0,2})"
)
"""As most of Europe writes it: believed right behind a street."""
_CODE = re.compile(rf"[\s,]*{_ZIP}")
"""A ZIP code right behind a street."""
_STATE_ZIP = re.compile(rf"(?<!\w){_STATE},?\s+{_ZIP}")
_NAMED = re.compile(rf"(?:{STATES})$")


def places(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Where a place smaller than a state is named, and the name when it is a city's, to look for elsewhere."""
    for pattern in _PATTERNS:
        for m in pattern.finditer(text):
            yield m.start(), m.end(), None
            code = _CODE.match(text, m.end())
            if code:
                yield code.start("zip"), code.end("zip"), None
            behind = _CODE_CITY.match(text, len(text) - len(text[m.end() :].lstrip(" \n,·|")))
            if behind:
                yield behind.start("zip"), behind.end("zip"), None
                yield behind.start("city"), behind.end("city"), behind["city"]
    for pattern in _CITIES:
        for m in pattern.finditer(text):
            if not _NAMED.match(m["city"]) or m["zip"]:
                yield m.start("city"), m.end("city"), m["city"]
            if m["zip"]:
                yield m.start("zip"), m.end("zip"), None
    for m in _STATE_ZIP.finditer(text):
        yield m.start("zip"), m.end("zip"), None
