"""Times of recordings in what people write: `0:30 to 1:15`, `the first 10 seconds`, `at 7s`."""

from __future__ import annotations

import re

import msgspec

from heliograph.agents.planner.slots import COUNTED

_UNIT = r"(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?"
_LENGTH = rf"\d+(?:[.,]\d+)?\s*{_UNIT}\b"
_POINT = rf"(?:{_CLOCK}|(?:second|minute)\s+\d+(?:[.,]\d+)?|{_LENGTH}|\d+(?:[.,]\d+)?)"
_SURE = rf"(?:{_CLOCK}|(?:second|minute)\s+\d+(?:[.,]\d+)?|{_LENGTH})"
_TO = r"\s*(?:-|–|—|to|until|till|and|through|up\s+to)\s*(?:the\s+)?"
_SPAN = re.compile(rf"(?:\b(?:from|between|seconds?|minutes?)\s+)?(?<![\w.:])({_POINT}){_TO}({_POINT})(?![\w:])", re.IGNORECASE)
_MANY = rf"(\d+(?:[.,]\d+)?|{'|'.join(COUNTED)}|a|half\s+a)"
_EDGE = re.compile(rf"\b(first|last|initial|final|opening|closing)\s+(?:{_MANY}[\s-]*)?({_UNIT})\b", re.IGNORECASE)
_SINCE = re.compile(rf"\b(?:from|after|starting\s+(?:at|from)|since)\s+({_SURE})(?:\s+(?:on|onwards?))?", re.IGNORECASE)
_UNTIL = re.compile(rf"\b(?:until|till|up\s+to|before)\s+({_SURE})", re.IGNORECASE)
_AT = re.compile(rf"\b(?:at|@)\s*({_SURE}(?:\s*(?:,|and|,\s*and)\s*(?:at\s+)?{_SURE})*)", re.IGNORECASE)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Times(msgspec.Struct, kw_only=True):
    """`span`: from, to (None: the end). `edge`: `first` or `last`, with so many seconds. `at`: points. `text`: what else is written."""

    text: str
    span: tuple[float, float | None] | None = None
    edge: tuple[str, float] | None = None
    at: list[float] = []


def times(text: str) -> Times:
    """Take the times out of a text."""
    found = Times(text=text)
    for match in _SPAN.finditer(text):
        timed = re.search(rf"{_SURE}", match[0], re.IGNORECASE) or re.match(
            r"(?:from|between|seconds?|minutes?)\b", match[0], re.IGNORECASE
        )
        listed = re.search(r"\band\b", match[0], re.IGNORECASE) and not re.match(r"between\b", match[0], re.IGNORECASE)
        if not timed or listed:
            continue
        unit = re.search(rf"{_UNIT}\b", match[2], re.IGNORECASE) or re.match(r"(?:seconds?|minutes?)\b", match[0], re.IGNORECASE)
        found.span = _seconds(match[1], unit[0] if unit else ""), _seconds(match[2], unit[0] if unit else "")
        return _without(found, match)
    if match := _EDGE.search(text):
        which = "first" if match[1].lower() in ("first", "initial", "opening") else "last"
        found.edge = which, _many(match[2]) * _UNITS[match[3][0].lower()]
        return _without(found, match)
    if match := _AT.search(text):
        found.at = [_seconds(point) for point in re.findall(_SURE, match[1], re.IGNORECASE)]
        return _without(found, match)
    if match := _SINCE.search(text):
        found.span = _seconds(match[1]), None
        return _without(found, match)
    if match := _UNTIL.search(text):
        found.span = 0.0, _seconds(match[1])
        return _without(found, match)
    return found


def _without(found: Times, match: re.Match[str]) -> Times:
    found.text = f"{found.text[: match.start()]} {found.text[match.end() :]}"
    return found


def _seconds(point: str, unit: str = "") -> float:
    """Seconds of a point; of a bare number as the unit beside it says."""
    if ":" in point:
        value = 0.0
        for part in point.replace(",", ".").split(":"):
            value = value * 60 + float(part)
        return value
    digits = re.search(r"\d+(?:[.,]\d+)?", point)
    own = re.sub(r"[\d.,\s]", "", point) or unit
    return float(digits[0].replace(",", ".") if digits else 0.0) * _UNITS.get(own[:1].lower(), 1.0)


def _many(written: str | None) -> float:
    if not written or written.lower() == "a":
        return 1.0
    if written.lower().startswith("half"):
        return 0.5
    return float(COUNTED.get(written.lower()) or written.replace(",", "."))
