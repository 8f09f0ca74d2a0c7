"""Labels that end in a colon, and their values, whatever they are called: what an open map (`additionalProperties`) is filled with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from heliograph.extraction.segments import Segment, Sheet

Pair = tuple[str, Segment, int, int]
"""A label, and where its value stands: `segment.text[start:end]`."""

_LABEL = re.compile(r"\s*([^:\d][^:]{1,40}?)\s*:(?!//)\s*")
_WORDS = 6
"""Words of the longest label."""


def pairs(sheet: Sheet) -> Iterator[Pair]:
    """The pairs of a page, in order; a segment is the value of one label."""
    taken: set[int] = set()
    for segment in sheet.segments:
        if segment.index in taken:
            continue
        found = _LABEL.match(segment.text)
        label = found[1] if found else ""
        if found is None or len(label.split()) > _WORDS or sum(c.isalpha() for c in label) < 2:
            continue
        if found.end() < len(segment.text):
            yield label, segment, found.end(), len(segment.text)
            continue
        value = next(sheet.right_of(segment), None) or next(sheet.below(segment, reach=1.5), None)
        if value is not None and value.index not in taken and not _LABEL.match(value.text):
            taken.add(value.index)
            yield label, value, 0, len(value.text)
