"""Where a page's words come from: its text layer, OCR, or both.

`media` looks at a text layer's characters and gives a verdict; this module decides what to read from pixels:

| verdict | what is done |
|---|---|
| good | the layer's words; pictures without words in the layer are read by OCR and added (`mixed`), also in DOCX, slides and mail |
| hidden (somebody's OCR under a picture) | a few of its lines are read again; if they agree, the layer is taken, else OCR |
| garbled, missing | OCR |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from rapidfuzz.distance import Levenshtein

from heliograph.media.content import PageContent
from heliograph.media.document import Line, Word
from heliograph.media.geometry import Box
from heliograph.perception.options import Detail

AGREES = 0.9
"""Mean likeness of sampled lines from which a hidden layer is taken at its word."""
SAMPLES = 5
TALLEST_LINE = 0.06
"""Lines taller than this fraction of the page are headings, and no sample."""


def needs_pixels(content: PageContent) -> bool:
    """Must (a part of) this page be read by OCR?"""
    return bool(content.regions) or (content.text != "good" and not content.structured)


def leave_pictures(content: PageContent, detail: Detail) -> None:
    """Let pictures beside a good text layer be when `detail` is `lo`."""
    if detail == "lo" and content.text == "good" and content.page.words:
        content.regions = []


def agrees(words: Sequence[Word], lines: Sequence[Line], read: Callable[[Box], str]) -> bool:
    """Does a hidden text layer say what the pixels show? `read` is asked for the text in the boxes of a few long lines."""
    worded = [line for line in lines if len(line.text) >= 8 and line.box.h < TALLEST_LINE and line.box.w > 2 * line.box.h]
    sample = sorted(worded, key=lambda line: -len(line.text))[: 4 * SAMPLES : 4] if len(worded) >= 4 * SAMPLES else worded[:SAMPLES]
    if not sample or not words:
        return False
    likeness = [Levenshtein.normalized_similarity(_letters(line.text), _letters(read(line.box))) for line in sample]
    return sum(likeness) / len(likeness) >= AGREES


def merged(layer: Sequence[Word], seen: Sequence[Word]) -> list[Word]:
    """The layer's words, and the words read from pixels where the layer has none."""
    added = [word for word in seen if not any(_covers(other.box, word.box) for other in layer)]
    return [*map(msgspec.structs.replace, layer), *added]


def _covers(box: Box, other: Box) -> bool:
    return box.intersection(other) > 0.3 * min(box.area, other.area)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
