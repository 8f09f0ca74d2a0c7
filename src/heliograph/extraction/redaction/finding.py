"""Everything that identifies someone, in a document that was read: `find(document)`.

What labels name comes first, then what is known by its shape, then people and places in running text, then what a model named if one was
asked; last, every name and city found anywhere is looked for everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from heliograph.extraction.redaction.found import Category, Findings, Found, Passage, passages
from heliograph.extraction.redaction.labelled import inline, labelled
from heliograph.extraction.redaction.people import again, beside, lists, names, parts_of
from heliograph.extraction.redaction.places import STATES, places
from heliograph.extraction.redaction.shapes import shapes
from heliograph.extraction.segments import Sheet
from heliograph.extraction.vocabulary import plain
from heliograph.media.document import Document, Page


class Suspect(msgspec.Struct, frozen=True):
    """A string that a model calls an identifier, and which kind it says it is."""

    category: Category
    text: str


def find(document: Document, suspects: Sequence[Suspect] = ()) -> list[Found]:
    """The identifiers of a document, by page and in the order of its words. `suspects`: strings to look for beside."""
    findings = Findings()
    read = [(page, passages(page)) for page in document.pages]
    cities: set[str] = set()
    for page, texts in read:
        _shaped(page, texts, findings, sure=True)
        labelled(Sheet(page), findings)
        for passage in texts:
            inline(passage, findings)
            for start, end, city in places(passage.text):
                findings.add("address", passage, start, end)
                if city:
                    cities.add(city)
        _shaped(page, texts, findings, sure=False)
        for passage in texts:
            for start, end in names(passage.text):
                findings.add("name", passage, start, end)
    for _, texts in read:
        for passage in texts:
            for suspect in suspects:
                for start, end in _written(passage.text, suspect.text):
                    findings.add(suspect.category, passage, start, end)
    _again(read, findings, cities)
    order = {page.index: number for number, page in enumerate(document.pages)}
    return sorted(findings.found, key=lambda found: (order[found.page], found.parts[0].word))


def _shaped(page: Page, texts: list[Passage], findings: Findings, *, sure: bool) -> None:
    """Add what is known by its shape. `sure`: all but bare codes, which a label may say more about."""
    for passage in texts:
        for category, start, end in shapes(passage.text, read=page.source != "text"):
            if (category not in {"other", "phone"}) == sure:
                findings.add(category, passage, start, end)


def _again(read: list[tuple[Page, list[Passage]]], findings: Findings, cities: Iterable[str]) -> None:
    """Add what is named again: parts and initials of every name, and cities."""
    parts: set[str] = set()
    initials: set[str] = set()
    for found in findings.found:
        if found.category == "name":
            more, letters = parts_of(found.text)
            parts |= more
            initials |= letters
    parts -= {plain(word) for word in ("Unknown", *STATES.replace("|", " ").split())}
    towns = {city for city in cities if plain(city) not in lists().never and len(city) >= 4}
    town = (
        re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(one) for one in sorted(towns, key=len, reverse=True))})(?!\w)", re.I) if towns else None
    )
    for page, texts in read:
        for passage in texts:
            for start, end in again(passage.text, parts, initials, read=page.source != "text"):
                findings.add("name", passage, *beside(passage.text, start, end))
            for m in town.finditer(passage.text) if town else ():
                findings.add("address", passage, *m.span())


def _written(text: str, wanted: str) -> Iterable[tuple[int, int]]:
    """Where `wanted` is written in `text`, whatever blanks and case it is written with."""
    words = [re.escape(word) for word in wanted.split()]
    if not words or sum(c.isalnum() for c in wanted) < 2:
        return []
    pattern = r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)"
    return [m.span() for m in re.finditer(pattern, text, re.I)]
