"""Examples of a skill: documents with their right answers, which show a model how it is meant and teach the embedded engine labels.

    lessons = Lessons(plan.examples, source)
    learned = await lessons.labels(schema)          # for the embedded engine
    shown = await lessons.shown(schema, longest)    # for a model

An example that does not fit what is asked teaches nothing; nor does one that cannot be read, which `lessons.warnings` tells. No request
fails for either.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from heliograph.errors import HeliographError
from heliograph.extraction.fitting import fitted
from heliograph.extraction.instructions import Hints
from heliograph.extraction.plan import Example
from heliograph.extraction.result import walk
from heliograph.extraction.schema import Schema
from heliograph.extraction.synonyms import Worked, synonyms
from heliograph.media.content import Limits
from heliograph.media.document import Document
from heliograph.media.flow import Element, Flow, FlowFile
from heliograph.media.markdown import flow_markdown, is_markdown
from heliograph.media.plaintext import flow_text, grid_of
from heliograph.media.sniff import delimiter_of

if TYPE_CHECKING:
    from heliograph.perception.reader import Reader

Json = Any

MOST_PAGES = 20
"""Pages of an example that are looked at."""
_REMEMBERED = 64
"""Skills whose labels a process remembers."""


async def first_pages(reader: Reader, path: Path) -> Document:
    """The file of an example, read as far as it is looked at. Raises what reading raises."""
    count = (await reader.inspect(path)).page_count
    return await reader.read(path, pages=range(MOST_PAGES) if count > MOST_PAGES else None)


class Examples(Protocol):
    """Where the files of examples are, beside those whose text is in the plan."""

    async def document(self, example: Example) -> Document:
        """The file at `example.path` of the package `example.package`, read. Raises a `HeliographError` where it cannot be."""
        ...


class Shown(msgspec.Struct, frozen=True):
    """An example as a model is shown it: the words of the document, and the right answer in the shape of the schema."""

    text: str
    answer: Json
    choice: str | None = None


_learned: OrderedDict[str, Hints] = OrderedDict()


class Lessons:
    """The examples of one request. Each is read once, when it is needed first."""

    def __init__(self, examples: Sequence[Example], source: Examples | None = None) -> None:
        self._examples, self._source = list(examples), source
        self._documents: dict[int, Document | None] = {}
        self.warnings: list[str] = []

    async def labels(self, schema: Schema, choice: str | None = None) -> Hints:
        """Labels that the examples show for the fields of `schema`; of those for `choice`, where the skill has several schemas."""
        numbers = self._of(choice)
        if not numbers:
            return {}
        key = _digest([self._examples[number] for number in numbers], schema)
        if (known := _learned.get(key)) is not None:
            _learned.move_to_end(key)
            return known
        worked = [
            Worked(document, fitted(self._examples[number].answer, schema.root))
            for number in numbers
            if (document := await self._document(number)) is not None
        ]
        made = await asyncio.to_thread(synonyms, worked, schema)
        if len(worked) == len(numbers):
            _learned[key] = made
            while len(_learned) > _REMEMBERED:
                _learned.popitem(last=False)
        return made

    async def shown(self, schema: Schema, choice: str | None = None) -> list[Shown]:
        """The examples whose answers fit `schema`, in their order; of an answer that says more, what the schema asks for."""
        made: list[Shown] = []
        for number in self._of(choice):
            example = self._examples[number]
            answer = fitted(example.answer, schema.root)
            if not any(value is not None for _, value in walk(answer)):
                continue
            text = example.text
            if text is None:
                document = await self._document(number)
                text = document.text if document is not None else None
            if text and text.strip():
                made.append(Shown(text.strip(), answer, example.choice))
        return made

    def _of(self, choice: str | None) -> list[int]:
        return [number for number, example in enumerate(self._examples) if example.choice == choice]

    async def _document(self, number: int) -> Document | None:
        if number not in self._documents:
            example = self._examples[number]
            try:
                if example.text is not None:
                    separated = (example.path or "").lower().endswith(".csv")
                    self._documents[number] = await asyncio.to_thread(laid_out, example.text, separated=separated)
                elif self._source is not None:
                    self._documents[number] = await self._source.document(example)
                else:
                    raise HeliographError("files of skills cannot be read here")
            except HeliographError as error:
                self._documents[number] = None
                self.warnings.append(f"example_not_read: {example.path or f'example {number + 1}'}: {error.message}")
        return self._documents[number]


def laid_out(text: str, *, separated: bool = False) -> Document:
    """Text as the pages of a document: Markdown as what it stands for, else its lines as they stand; `separated` values as a table."""
    lines = text.replace("\r\n", "\n")
    rows = [row for row in csv.reader(lines.splitlines(), delimiter=delimiter_of(text) or ",") if row] if separated else []
    marked = not rows and is_markdown(lines)
    elements: list[Element] = [grid_of(rows, 1)] if rows else flow_markdown(lines) if marked else flow_text(lines)
    laid = FlowFile(Flow(elements, structured=bool(rows) or marked), Limits(max_pages=MOST_PAGES))
    pages = [laid.open_page(index, None, want_text=True).page for index in range(laid.page_count)]
    return Document("text/csv" if separated else "text/plain", len(pages), pages)


def _digest(examples: Sequence[Example], schema: Schema) -> str:
    return hashlib.sha256(msgspec.json.encode([examples, schema.source])).hexdigest()
