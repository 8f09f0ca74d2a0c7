"""The numbered fields of driving licences: `1 FAIRWEATHER`, `3 06/05/1959`, `4b 03/26/2028`, with or without a word behind the number.

The numbers are those of ISO/IEC 18013-1 and of the AAMVA DL/ID card design standard, which North American cards follow. A number is
a label only on a page that has many of them, dates behind those for birth and for issue or expiry among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from heliograph.extraction.candidates import Candidate, Part, read_as
from heliograph.extraction.fields import Ask
from heliograph.extraction.labels import Occurrence
from heliograph.extraction.normalise import dates
from heliograph.extraction.reading import Reading
from heliograph.extraction.segments import Segment
from heliograph.extraction.vocabulary import split_name, tokens_of

_CODED = re.compile(
    r"(?P<code>1[2-9]|4[a-d]|[1-9])[.:]?\s+"
    r"(?P<word>(?:LN|FN|DOB|ISS|EXP|DL(?:\s?NO)?|LIC(?:\s?NO)?|NO|DD|ADDR?|CLASS|END|REST|SEX|HGT|WGT|EYES?|HAIR|NAME|ADDRESS)\b[.:#]?\s*)?"
    r"(?=\S)",
    re.IGNORECASE,
)
_ASKED = {
    "1": {"last", "family", "surname"},
    "2": {"first", "given", "forename"},
    "3": {"birth", "dob", "birthday"},
    "4a": {"issue", "issued"},
    "4b": {"expiration", "expiry", "expires", "expire"},
    "8": {"address"},
    "9": {"class"},
    "15": {"sex", "gender"},
    "16": {"height"},
    "17": {"weight"},
    "18": {"eye", "eyes"},
    "19": {"hair"},
}
_MANY = 5
"""Different numbers from which on a document is taken for a licence."""


class _Place(msgspec.Struct):
    code: str
    segment: Segment
    start: int


def numbered_fields(reading: Reading, asks: Sequence[Ask]) -> Iterator[tuple[int, Candidate]]:
    """What the numbered fields of a licence answer, by the place of the question in `asks`."""
    places = _places(reading)
    if not places:
        return
    middle = next((index for index, ask in enumerate(asks) if "middle" in _words(ask)), None)
    for index, ask in enumerate(asks):
        code = _code(ask, places)
        place = places.get(code)
        if place is None:
            continue
        if code == "8":
            yield index, _candidate(" ".join(s.text[a:b] for s, a, b in _address(place)), _address(place), place)
            continue
        end = len(place.segment.text)
        found = read_as(ask, place.segment.text, reading.conventions, start=place.start, end=end)[:1]
        for one in found:
            space = place.segment.text.find(" ", one.start, one.end)
            if code == "2" and middle is not None and space > 0:
                yield index, _candidate(place.segment.text[one.start : space], [(place.segment, one.start, space)], place)
                rest = (place.segment, space + 1, one.end)
                yield middle, _candidate(place.segment.text[space + 1 : one.end], [rest], place)
            else:
                yield index, _candidate(one.value, [(place.segment, one.start, one.end)], place)


def _places(reading: Reading) -> dict[str, _Place]:
    """Where each number stands, if the document is a licence; of one that stands twice, the first."""
    made: dict[str, _Place] = {}
    for segment in reading.segments():
        found = _CODED.match(segment.text)
        if found:
            made.setdefault(found["code"].casefold(), _Place(found["code"].casefold(), segment, found.end()))
    dated = [code for code in ("3", "4a", "4b") if code in made and dates(made[code].segment.text[made[code].start :])]
    return made if len(made) >= _MANY and "3" in dated and len(dated) >= 2 else {}


def _code(ask: Ask, places: dict[str, _Place]) -> str:
    """The number under which a licence gives what a field asks; empty where it has none."""
    words = _words(ask)
    if words & {"license", "licence", "licen"} and "no" in words:
        return "4d" if "4d" in places else "5"
    if ask.kind == "address":
        return "8"
    return next((code for code, names in _ASKED.items() if code != "8" and words & names), "")


def _words(ask: Ask) -> set[str]:
    return set(tokens_of(split_name(ask.field.name)))


def _address(place: _Place) -> list[Part]:
    """The rest of the line and the line under it, where the town stands."""
    parts: list[Part] = [(place.segment, place.start, len(place.segment.text))]
    below = next(place.segment.sheet.below(place.segment, reach=1.5), None)
    if below is not None and not _CODED.match(below.text) and any(c.isdigit() for c in below.text):
        parts.append((below, 0, len(below.text)))
    return parts


def _candidate(value: object, parts: list[Part], place: _Place) -> Candidate:
    at = Occurrence(0, place.segment, 0, place.start, 1.0, colon=False, heading=False)
    features = {"fit": 1.0, "same": 1.0, "quality": 1.0, "likeness": 1.0, "reading": place.segment.score}
    return Candidate(value, parts, features, occurrence=at)
