"""Documents for tests, drawn as text: each line a row, two spaces or more begin a new place on it."""

from __future__ import annotations

import re
from typing import Any

from heliograph.extraction.embedded import extract
from heliograph.extraction.result import Extraction
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document, Line, Page, Word
from heliograph.media.geometry import Box, union

ROW, CHARACTER, WIDTH, HEIGHT = 14.0, 5.0, 600.0, 842.0


def page(text: str, *, index: int = 0, score: float = 1.0) -> Page:
    """A page with one word for each run of non-spaces, at its row and column."""
    words: list[Word] = []
    lines: list[Line] = []
    for row, content in enumerate(text.strip("\n").split("\n")):
        ids: list[int] = []
        for found in re.finditer(r"\S+", content):
            x0, x1 = 20 + found.start() * CHARACTER, 20 + found.end() * CHARACTER
            y0 = 30 + row * ROW
            box = Box.from_xyxy(x0, y0, x1, y0 + 9, width=WIDTH, height=HEIGHT, page=index)
            ids.append(len(words))
            words.append(Word(found.group(), box, score, len(lines), 9.0))
        if ids:
            lines.append(Line(" ".join(words[i].text for i in ids), union(words[i].box for i in ids), ids))
    return Page(index, WIDTH, HEIGHT, words, lines, source="text")


def document(*pages: str, score: float = 1.0) -> Document:
    """A document of drawn pages."""
    return Document("application/pdf", len(pages), [page(text, index=index, score=score) for index, text in enumerate(pages)])


def ask(text: str | Document, **fields: Any) -> Extraction:
    """Extract a flat object: each field is a JSON Schema, or a type name."""
    properties = {name: {"type": [kind, "null"]} if isinstance(kind, str) else kind for name, kind in fields.items()}
    made = text if isinstance(text, Document) else document(text)
    return extract(made, compile_schema({"type": "object", "properties": properties}))


DATE = {"type": ["string", "null"], "format": "date"}
