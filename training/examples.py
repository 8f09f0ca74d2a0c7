"""What to learn from: every answer of the extractor on labelled documents, with its traits and whether it was right.

A field that stays empty is an example too: right when the document does not hold it. Right means what `heliograph eval` calls right,
exact after normalisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from heliograph.evaluation.judging import kind_of, row_score
from heliograph.evaluation.kept import Pages
from heliograph.evaluation.metrics import same
from heliograph.evaluation.sets import Item, items
from heliograph.extraction.embedded import explained
from heliograph.extraction.schema import compile_schema
from heliograph.media.document import Document

ALIKE = 0.5
"""Share of common words from which on two first pages count as one template."""


class Example(msgspec.Struct):
    """One answer. `group` is shared by documents of one template or merchant; rows of lists are not judged by probability (`row`)."""

    set: str
    item: str
    group: str
    field: str
    traits: dict[str, float]
    right: bool
    row: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was answered."""
        return "absent" in self.traits


def examples(folders: Sequence[Path], pages: Path) -> list[Example]:
    """The examples of all documents of labelled folders whose pages were read into `pages` (`heliograph eval FOLDER --pages PAGES`)."""
    documents = [found for folder in folders for found in _documents(folder, pages)]
    names = groups([document for _, document in documents])
    return [example for (item, document), group in zip(documents, names, strict=True) for example in of_document(item, document, group)]


def of_document(item: Item, document: Document, group: str) -> Iterator[Example]:
    """One for every answer that the truth can judge."""
    extraction, reasons = explained(document, compile_schema(item.schema))
    for path, traits in reasons.items():
        right = _right(item, cast("dict[str, Any]", extraction.values), path)
        if right is not None:
            yield Example(item.set, item.id, group, cast("str", path[0]), traits, right, len(path) > 1)


def _documents(folder: Path, pages: Path) -> Iterator[tuple[Item, Document]]:
    for item in items(folder):
        read = Pages(pages, item.path).all()
        if read:
            yield item, Document("application/octet-stream", len(read), read)


def groups(documents: Sequence[Document]) -> list[str]:
    """A name for each document that those of the same template or merchant share: their first pages have most words in common."""
    words = [frozenset(re.findall(r"[^\W\d_]{3,}", document.pages[0].text.casefold()) if document.pages else ()) for document in documents]
    made = list(range(len(documents)))
    for a, mine in enumerate(words):
        for b in range(a):
            if mine and len(mine & words[b]) >= ALIKE * len(mine | words[b]):
                old, new = made[a], made[b]
                made = [new if group == old else group for group in made]
    return [f"group {group}" for group in made]


def _right(item: Item, values: dict[str, Any], path: tuple[str | int, ...]) -> bool | None:
    name = cast("str", path[0])
    if name in item.absent:
        return values[name] is None
    if name not in item.truth:
        return None
    want = item.truth[name]
    if len(path) == 1:
        return same(values[name], want, kind_of(item.schema["properties"][name]), day_first=item.day_first)
    key = path[-1]
    if not isinstance(want, list) or key not in ("name", "line_total"):
        return None
    true_rows = cast("list[dict[str, Any]]", want)
    if all(true.get(key) is None for true in true_rows):
        return None  # a truth without rows says that nobody wrote them down
    row = values[name][path[1]]
    return any(row_score({key: row.get(key)}, {key: true.get(key)}) >= 0.5 for true in true_rows)
