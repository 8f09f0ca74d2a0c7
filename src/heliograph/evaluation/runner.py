"""Shows labelled documents to the system under test, one after another, and judges what it says.

The system gets a file under a neutral name and a schema, no more. What it said is kept in a folder, so that a run that was broken off
goes on where it was; what is kept is the answer, not the verdict, so that it is judged anew with the truth and the metrics of the day.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
from PIL import Image

import heliograph
from heliograph import skills
from heliograph.evaluation.judging import Judged, Outcome, judge
from heliograph.evaluation.kept import Kept, Pages, code, digest
from heliograph.evaluation.sets import Item
from heliograph.extraction.answer import Answer, Known, OnPage, answer
from heliograph.extraction.examples import Examples
from heliograph.extraction.plan import Plan, SkillReader, resolve
from heliograph.extraction.result import Extraction
from heliograph.media.document import Page, PageImage
from heliograph.perception.reader import Reader

Json = Any
SCAN_DPI = 150
"""At which PDFs become page images."""


class Said(msgspec.Struct):
    """What the system under test said about a document. `words` and `rotations` (of pages that stand askew) only when it tells."""

    response: dict[str, Json]
    seconds: float
    words: list[str] | None = None
    absent: dict[str, float] = {}
    """How likely it is that the document holds none of an empty field, by the field's name; only when the system tells."""
    rotations: dict[int, int] = {}
    reasons: dict[str, dict[str, float]] = {}
    """By the field's dotted name, the traits that its probability came from; only where a model was asked (`evaluation.calibration`)."""
    kept: bool = False
    """Whether it was said in an earlier run."""


class System(Protocol):
    """What is measured."""

    version: str
    """What answers are kept under: changes when the system may answer otherwise."""

    async def ask(self, path: Path, config: dict[str, Json]) -> Said:
        """Answer `config` (with its `json_schema` or `skills`) from a file. Raises whatever it likes when it cannot."""
        ...


class Embedded:
    """The engine in this process: `extraction.answer.answer`, what a client of the API gets."""

    def __init__(
        self, reader: Reader, pages: Path | None = None, *, attached: SkillReader | None = None, examples: Examples | None = None
    ) -> None:
        """With `pages`, read pages are kept in that folder and not read again (by content). `attached` and `examples` read skills and
        their examples, where some are asked with."""
        self.reader, self.pages, self.examples = reader, pages, examples
        self._attached = attached or skills.reader()
        self.version = f"embedded {heliograph.__version__} {code('media', 'perception', 'extraction')}"

    async def ask(self, path: Path, config: dict[str, Json]) -> Said:
        """Read and extract."""
        plan = resolve("document", config=config, skills=self._attached)
        pages = Pages(self.pages, path) if self.pages is not None else None

        async def known(index: int) -> Page | None:
            return pages.find(index) if pages is not None else None

        async def on_page(page: Page) -> None:
            if pages is not None:
                pages.keep(page)

        started = time.monotonic()
        made = await self._answer(path, plan, known, on_page)
        read = made.document.pages
        leaves = made.extraction.leaves if made.extraction is not None else {}
        return Said(
            cast("dict[str, Json]", made.response),
            time.monotonic() - started,
            [word.text for page in read for word in page.words],
            {".".join(str(step) for step in path): leaf.probability for path, leaf in leaves.items() if leaf.value is None},
            {page.index: page.rotation for page in read if page.rotation},
            reasons_of(made.extraction),
        )

    async def _answer(self, path: Path, plan: Plan, known: Known, on_page: OnPage) -> Answer:
        return await answer(self.reader, [path], plan, known=known, on_page=on_page, examples=self.examples)


def reasons_of(extraction: Extraction | None) -> dict[str, dict[str, float]]:
    """The traits of each answer, by the field's dotted name."""
    return {".".join(str(step) for step in path): traits for path, traits in (extraction.reasons if extraction else {}).items()}


async def run(
    system: System, reader: Reader, items: Iterable[Item], *, state: Path | None = None, fresh: bool = False
) -> AsyncIterator[tuple[Item, Outcome, Said | None]]:
    """Judge document after document. A document without an answer is an outcome too.

    `state`: the folder in which answers are kept; `fresh`: take none from there.
    """
    kept = Kept(state, fresh=fresh)
    with tempfile.TemporaryDirectory(prefix="heliograph-eval-") as folder:
        for item in items:
            try:
                question = (system.version, item.schema, digest(item.path), item.as_images, *([item.config] if item.config else []))
                earlier = kept.find(Said, *question)
                if earlier is not None:
                    said = msgspec.structs.replace(earlier, kept=True)
                else:
                    said = await _ask(system, reader, item, Path(folder))
                    kept.keep(said, *question)
                yield item, judge(item, said.response, said.words, absent=said.absent), said
            except Exception as error:  # an evaluation goes on, and says what failed
                yield item, Outcome(item.id, item.set, _unanswered(item), {}, error=f"{type(error).__name__}: {error}"), None


def _unanswered(item: Item) -> list[Judged]:
    """Every true value of a document that got no answer is missing."""
    return [judged for judged in judge(item, {}).fields if judged.want is not None]


async def _ask(system: System, reader: Reader, item: Item, folder: Path) -> Said:
    path = folder / f"document{'.tiff' if item.as_images else item.path.suffix.lower()}"
    try:
        if item.as_images:
            await _draw(reader, item.path, path)
        else:
            shutil.copyfile(item.path, path)
        return await system.ask(path, {**(item.config or {"json_schema": item.schema}), "grounding": True, "confidence": True})
    finally:
        path.unlink(missing_ok=True)


async def _draw(reader: Reader, source: Path, target: Path) -> None:
    """A PDF's pages as they would come from a scanner: one TIFF, lossless."""
    count = (await reader.inspect(source)).page_count
    pages = [picture(await reader.image(source, index, SCAN_DPI)) for index in range(count)]
    await asyncio.to_thread(
        pages[0].save, target, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_deflate", dpi=(SCAN_DPI, SCAN_DPI)
    )


def picture(image: PageImage) -> Image.Image:
    """A page's pixels for Pillow."""
    return Image.frombytes("RGB", (image.width, image.height), image.data)
