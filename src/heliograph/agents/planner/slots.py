"""What a request says in figures, quotes and names: angles, sizes, pages, colours, references, labelled numbers."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from heliograph.agents.artifacts import REF

COLOURS: Final[dict[str, str]] = {
    "red": "#e5484d", "green": "#30a46c", "blue": "#0090ff", "yellow": "#ffc53d", "orange": "#f76b15", "purple": "#8e4ec6",
    "pink": "#d6409f", "black": "#111111", "white": "#ffffff", "gray": "#808080", "grey": "#808080", "cyan": "#00a2c7",
    "magenta": "#ff00ff",
}  # fmt: skip
"""Names of colours, as red, green and blue in hexadecimal."""
ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "last": -1}
COUNTED: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10}

_NUMBER = r"-?\d+(?:[.,]\d+)*"
_URL = re.compile(r"https?://[^\s<>\"']+")
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|(?<!\w)'([^'\n]{1,200})'(?!\w)")
_ANGLE = re.compile(rf"(?<![\w.])({_NUMBER})\s*(?:°|degrees?\b|degs?\b)", re.IGNORECASE)
_SIZE = re.compile(r"(?<![\w.])(\d{1,5})\s*(?:x|×|by)\s*(\d{1,5})(?:\s*(?:px|pixels?))?(?!\w)", re.IGNORECASE)
_PIXELS = re.compile(r"(?<![\w.])(\d{1,5})\s*(?:px|pixels?)\b", re.IGNORECASE)
_PERCENT = re.compile(rf"(?<![\w.])({_NUMBER})\s*(?:%|percent\b|per cent\b)", re.IGNORECASE)
_FACTOR = re.compile(r"(?<![\w.])(\d(?:\.\d+)?)\s*(?:x|×|times)(?!\w)|(?<!\w)x\s?(\d)(?!\w)", re.IGNORECASE)
_PAGES = re.compile(r"\b(?:pages?|pp?\.)\s*(\d+(?:\s*(?:-|–|to|through|,|and|&)\s*\d+)*)", re.IGNORECASE)
_NTH_PAGE = re.compile(rf"\b({'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))\s+page\b", re.IGNORECASE)
_FIRST_PAGES = re.compile(rf"\b(first|last)\s+(\d+|{'|'.join(COUNTED)})\s+pages\b", re.IGNORECASE)
_COLOUR = re.compile(rf"\b({'|'.join(COLOURS)})\b", re.IGNORECASE)
_PAIR = re.compile(
    rf"([^\W\d][^\d,;:=()\n]{{0,40}}?)\s*(?:[:=]|\bis\b|\bare\b|-|–|\bwith\b|\()?\s*\$?€?({_NUMBER})\s*[%)k]?(?=\s*(?:[,;.\n)]|and\b|&|$))"
)
_PLAIN = re.compile(rf"(?<![\w.,])({_NUMBER})(?![\w])")


class Slots(msgspec.Struct, kw_only=True):
    """What was found, and the text without it. `pages` are 0-indexed; -1 is the last. `scale` is a factor, `angle` in degrees as written.

    `pairs`: labels with numbers; `numbers`: bare ones, in order.
    """

    text: str
    refs: list[str] = []
    urls: list[str] = []
    quoted: list[str] = []
    angle: float | None = None
    size: tuple[int, int] | None = None
    pixels: int | None = None
    percent: float | None = None
    factor: float | None = None
    pages: list[int] = []
    colour: str | None = None
    numbers: list[float] = []


def slots(text: str) -> Slots:
    """Take what is written in figures, quotes and names out of a text."""
    found = Slots(text=text)
    found.quoted = [next(group for group in match if group) for match in _QUOTED.findall(found.text)]
    found.text = _QUOTED.sub(" ", found.text)
    found.urls = [url.rstrip(".,;:!?)") for url in _URL.findall(found.text)]
    found.text = _URL.sub(" ", found.text)
    found.refs = list(dict.fromkeys(REF.findall(found.text)))
    found.text = REF.sub(" it ", found.text)
    found.pages = _pages(found)
    found.size = next(((int(one), int(other)) for one, other in _SIZE.findall(found.text)), None)
    found.text = _SIZE.sub(" ", found.text)
    for field, pattern in (("angle", _ANGLE), ("percent", _PERCENT), ("pixels", _PIXELS), ("factor", _FACTOR)):
        match = pattern.search(found.text)
        if match is not None:
            value = number(next(group for group in match.groups() if group))
            setattr(found, field, int(value) if field == "pixels" else value)
            found.text = found.text[: match.start()] + " " + found.text[match.end() :]
    colour = _COLOUR.search(found.text)
    if colour is not None and not re.search(r"black\s+(and|&)\s+white|black\s*out|gr[ae]y", found.text, re.IGNORECASE):
        found.colour = colour[1].lower()
        found.text = found.text[: colour.start()] + found.text[colour.end() :]
    found.numbers = [number(match) for match in _PLAIN.findall(found.text)]
    found.text = _PLAIN.sub(" ", found.text)
    return found


def number(text: str) -> float:
    """A number as people write it: `1,200`, `1.200,50`, `3.5`, `3,5`."""
    text = text.replace(" ", "")
    point, comma = text.rfind("."), text.rfind(",")
    if comma > point:
        groups = text.split(",")
        thousands = all(len(group) == 3 for group in groups[1:]) and "." not in text
        text = text.replace(",", "") if thousands else text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", "")
        if text.count(".") > 1:
            text = text.replace(".", "")
    return float(text)


def pairs(text: str) -> list[tuple[str, float]]:
    """The labelled numbers of a list: `apples 3, pears: 5 and plums (2)`."""
    found: list[tuple[str, float]] = []
    for label, value in _PAIR.findall(text):
        cleaned = re.sub(
            r"^(?:\W|\b(?:and|with|of|for|the|a|an|values?|data|showing|where|to|from|these|as|please|pls|me)\b)+",
            "",
            label.strip(),
            flags=re.IGNORECASE,
        )
        cleaned = re.sub(r"[\s:=(–-]+$", "", cleaned)
        if cleaned:
            found.append((cleaned, number(value)))
    return found


def _pages(found: Slots) -> list[int]:
    pages: list[int] = []
    for first, many in _FIRST_PAGES.findall(found.text):
        count = int(many) if many.isdigit() else COUNTED[many.lower()]
        pages += range(count) if first.lower() == "first" else range(-count, 0)
    found.text = _FIRST_PAGES.sub(" page ", found.text)
    for match in _NTH_PAGE.findall(found.text):
        nth = ORDINALS.get(match.lower()) or int(re.sub(r"\D", "", match))
        pages.append(nth - 1 if nth > 0 else nth)
    found.text = _NTH_PAGE.sub(" page ", found.text)
    for match in _PAGES.findall(found.text):
        pages += _span(match)
    found.text = _PAGES.sub(" page ", found.text)
    return list(dict.fromkeys(pages))


def _span(text: str) -> list[int]:
    pages: list[int] = []
    for piece in re.split(r",|\band\b|&", text):
        ends = [int(end) for end in re.findall(r"\d+", piece)]
        if len(ends) == 2 and ends[0] <= ends[1] <= ends[0] + 2000:
            pages += range(ends[0] - 1, ends[1])
        else:
            pages += [end - 1 for end in ends]
    return [page for page in pages if page >= 0]
