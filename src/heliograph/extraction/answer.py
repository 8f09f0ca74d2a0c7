"""The whole way from files to an answer: read them, then extract, write Markdown, lay out or propose, as the plan says.

Jobs, `heliograph extract` and the evaluation all come through here; none of it knows tenants, queues or HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction.answered import Answer
from heliograph.extraction.calibration import calibration
from heliograph.extraction.choosing import Chosen, choose, enveloped
from heliograph.extraction.embedded import extract
from heliograph.extraction.examples import Examples, Lessons
from heliograph.extraction.instructions import Hints
from heliograph.extraction.layout import layout
from heliograph.extraction.markdown import markdown
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.asking import Asking
from heliograph.extraction.prompted.described import Described
from heliograph.extraction.prompted.describing import describe
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.pictures import ReadPictures
from heliograph.extraction.prompted.proposing import propose as propose_richer
from heliograph.extraction.prompted.seeing import detect, see
from heliograph.extraction.prompted.states import reopened
from heliograph.extraction.propose import propose, proposed_schema
from heliograph.extraction.recordings import answer_recording
from heliograph.extraction.redaction.copying import Made
from heliograph.extraction.redaction.redacting import redacted
from heliograph.extraction.result import Extraction
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.extraction.shortcomings import shortcomings
from heliograph.media.document import Barcode, Block, Cell, Document, Line, Page, Table, Word
from heliograph.media.geometry import Box
from heliograph.models.errors import ModelUnavailable
from heliograph.perception.reader import Reader
from heliograph.perception.steps import NoSteps, Progress, Steps

if TYPE_CHECKING:
    from heliograph.models.serving import Models

Known = Callable[[int], Awaitable[Page | None]]
"""A page that was read before, by its index in the answer; None to have it read."""
OnPage = Callable[[Page], Awaitable[None]]
Redact = Callable[[Document, Plan, list[str]], Awaitable[tuple[dict[str, Any], Made]]]
"""`redacting.redacted`, told of everything but what was read, what is asked, and where warnings go."""
MAX_WARNINGS = 20
Placed = TypeVar("Placed", Word, Line, Block, Table, Cell, Barcode)


async def answer(
    reader: Reader,
    paths: Sequence[Path],
    plan: Plan,
    *,
    known: Known | None = None,
    on_page: OnPage | None = None,
    models: Models | None = None,
    steps: Steps | None = None,
    examples: Examples | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answer `plan` from the files at `paths`, which are one document: pages of a later file go on where the earlier one ended; a recording
    is one file.

    `known` and `on_page` are asked and told by that running index. `models`: where `plan.route` leads; `steps`: where what a model
    answered is kept, so that a rerun asks for the rest; `examples`: where files of the skills' examples are read; `progress` is told how
    far it is, in pages or seconds. Raises `MediaError`
    for files that cannot be read, `InvalidRequest` for pages that are not there, `RequiredMissing` where a strict schema stays without a
    required value, `ModelError` where the model fails.
    """
    if plan.kind in ("audio", "video"):
        return await answer_recording(reader, paths[0], plan, models=models, steps=steps, examples=examples, progress=progress)
    counts = await _counts(reader, paths, plan)
    reading = _Reading(progress, on_page, _chosen_pages(plan, counts)) if progress is not None else None
    asks = plan.route is not None and plan.mode == "extract" and not plan.vision
    lessons = Lessons(plan.examples, examples)
    asking = Asking(reader, paths, counts, plan, models, steps, lessons) if asks else None
    try:
        told = on_page if reading is None else reading.page
        document = await _read(reader, paths, plan, counts, known, told if asking is None else asking.beside(told), reading)
        sight = None if asking is not None or plan.route is None else _sight(reader, paths, counts, document, plan, models, steps)
        backend, alone = (sight.backend, sight.stands_in) if sight is not None else (None, False)
        redact = partial(redacted, reader, paths, backend=backend, alone=alone, steps=steps)
        return await _answered(document, plan, asking, sight, redact, lessons)
    finally:
        if asking is not None:
            await asking.close()


class _Reading:
    """Tells how far the reading is, in pages. `total`: how many there are, where that is known before the only file is opened."""

    def __init__(self, progress: Progress, on_page: OnPage | None, total: int | None) -> None:
        self._progress, self._on_page = progress, on_page
        self._done, self._total, self._fixed = 0, total or 0, total is not None

    def expected(self, count: int) -> None:
        """So many pages of a file are to be read."""
        if not self._fixed:
            self._total = count

    async def page(self, page: Page) -> None:
        """One more is read."""
        self._done += 1
        await self._progress("reading", self._done, max(self._total, self._done))
        if self._on_page:
            await self._on_page(page)


def _sight(
    reader: Reader, paths: Sequence[Path], counts: Sequence[int], document: Document, plan: Plan, models: Models | None, steps: Steps | None
) -> Sight:
    """What the model of `plan.route` may be shown of a document that has been read."""
    if models is None or plan.route is None:
        raise NotConfigured(f"The model {plan.model} cannot be asked from here.", param="model")
    pictures = ReadPictures(reader, paths, counts)
    for page in document.pages:
        pictures.add(page)
    weighed = calibration(models.settings.data_dir, plan.route)
    return Sight(models.backend(plan.route), pictures, steps or NoSteps(), weighed, models.ends_embedded(plan.route))


@contextmanager
def _standing_in(sight: Sight, warnings: list[str]) -> Generator[None]:
    """Where the settings let the embedded engine stand in, a model that is away ends the asking, not the request."""
    try:
        yield
    except ModelUnavailable as problem:
        if not sight.stands_in:
            raise
        said = f"the embedded engine answered alone, as the fallback of {sight.backend.name} says. {problem.message}"
        warnings.append(f"model_unavailable: {said}")


async def _answered(document: Document, plan: Plan, asking: Asking | None, sight: Sight | None, redact: Redact, lessons: Lessons) -> Answer:
    warnings = [*plan.warnings, *_reading_warnings(document)]
    response: Any
    extraction: Extraction | None = None
    made: Made | None = None
    match plan.mode:
        case "markdown" | "layout":
            described: dict[int, Described] = {}
            if sight is not None:
                with _standing_in(sight, warnings):
                    described, said = await describe(document, plan, sight, tables=plan.mode == "markdown")
                    warnings += said
            response = await asyncio.to_thread(markdown if plan.mode == "markdown" else layout, document, described)
        case "detect":
            response, said = await detect(document, plan, _needed(sight, plan))
            warnings += said
        case "propose":
            today = datetime.now(UTC).date()
            response = None
            if sight is not None:
                with _standing_in(sight, warnings):
                    response, said = await propose_richer(document, plan, sight, today)
                    warnings += said
            response = response or await asyncio.to_thread(propose, document, today)
        case "redact" | "replace":
            response, made = await redact(document, plan, warnings)
        case "transcribe":
            raise InvalidRequest(f"{plan.domain} is about recordings.", param="domain")
        case "extract":
            chosen = await _chosen(document, plan, asking, lessons, warnings) if plan.choices else None
            schema = await asyncio.to_thread(_schema, document, plan, chosen)
            response = None
            if schema is not None:
                choice = chosen.name if chosen is not None else None
                if asking is not None:
                    extraction = await asking.extraction(document, schema, warnings, choice=choice)
                elif plan.vision:
                    extraction = await see(document, plan, _needed(sight, plan))
                learned = await lessons.labels(schema, choice) if extraction is None else {}
                response, extraction = await asyncio.to_thread(_extract, document, plan, schema, extraction, learned, warnings)
            if chosen is not None:
                response = enveloped(chosen, schema, response)
            warnings += lessons.warnings
    return Answer(
        response=response,
        elements=len(document.pages),
        element_type="image" if document.kind == "image" else "page",
        warnings=list(dict.fromkeys(warnings)),
        document=document,
        extraction=extraction,
        made=made,
    )


def _needed(sight: Sight | None, plan: Plan) -> Sight:
    if sight is None:
        raise NotConfigured(f"{plan.domain} asks for what a picture shows, and no model answers for {plan.model}.", param="domain")
    return sight


async def _chosen(document: Document, plan: Plan, asking: Asking | None, lessons: Lessons, warnings: list[str]) -> Chosen:
    """Which of the plan's schemas the document is for, as the model says, else by its labels."""
    schemas = {name: compile_schema(schema) for name, schema in plan.choices.items()}
    if asking is not None and (said := await asking.chosen(document, schemas, warnings)) is not None:
        return said
    learned = {name: await lessons.labels(schema, name) for name, schema in schemas.items()}
    made = await asyncio.to_thread(choose, document, schemas, learned=learned)
    if made.uncertain is not None:
        warnings.append(made.uncertain)
    return made


def _schema(document: Document, plan: Plan, chosen: Chosen | None) -> Schema | None:
    """What is asked; None where there are several schemas, none fits, and none is to be taken then."""
    if chosen is not None and chosen.name is not None:
        return compile_schema(plan.choices[chosen.name])
    if plan.schema is not None:
        return compile_schema(plan.schema)
    return compile_schema(proposed_schema(document)) if chosen is None else None


def _extract(
    document: Document, plan: Plan, schema: Schema, extraction: Extraction | None, learned: Hints, warnings: list[str]
) -> tuple[Any, Extraction]:
    """The response, from the model's `extraction` or else the embedded one."""
    if extraction is None:
        extraction = extract(document, schema, instructions=plan.instructions, learned=learned)
    if plan.page_indices is None and len(document.pages) < document.page_count:
        reopened(extraction.leaves, "not_reached")
    # the extractor names each required leaf on its own; here they are one line, with the objects that are missing whole
    warnings += [warning for warning in extraction.warnings if not warning.startswith("required_missing")]
    warnings += shortcomings(extraction.values, schema, strict=plan.strict)
    return with_metadata(extraction, schema, grounding=plan.grounding, confidence=plan.confidence), extraction


def _reading_warnings(document: Document) -> list[str]:
    """What could not be read, each said once and not for more pages than a person would go through."""
    said = list(dict.fromkeys([*document.warnings, *(warning for page in document.pages for warning in page.warnings)]))
    return said[:MAX_WARNINGS] + ([f"and {len(said) - MAX_WARNINGS} more about its pages"] if len(said) > MAX_WARNINGS else [])


def _chosen_pages(plan: Plan, counts: Sequence[int]) -> int | None:
    """How many pages are asked for; None where the only file says that when it is opened."""
    return len(plan.page_indices) if plan.page_indices else sum(counts) if len(counts) > 1 else None


async def _counts(reader: Reader, paths: Sequence[Path], plan: Plan) -> list[int]:
    """The pages of each file, where they are to be told apart."""
    return [(await reader.inspect(path)).page_count for path in paths] if len(paths) > 1 or plan.page_indices else [0]


async def _read(
    reader: Reader,
    paths: Sequence[Path],
    plan: Plan,
    counts: Sequence[int],
    known: Known | None,
    on_page: OnPage | None,
    reading: _Reading | None,
) -> Document:
    if plan.page_indices:
        plan.check_pages(sum(counts))
    parts: list[Document] = []
    first = 0
    for path, count in zip(paths, counts, strict=True):
        pages = None if plan.page_indices is None else [index - first for index in plan.page_indices if first <= index < first + count]
        if pages is None or pages:
            parts.append(await _read_one(reader, path, plan, pages, first=first, known=known, on_page=on_page, reading=reading))
        first += count
    if len(parts) == 1:
        return parts[0]
    return Document(
        media_type=parts[0].media_type,
        page_count=sum(counts),
        pages=[page for part in parts for page in part.pages],
        kind="image" if all(part.kind == "image" for part in parts) else "document",
        warnings=[warning for part in parts for warning in part.warnings],
    )


async def _read_one(
    reader: Reader,
    path: Path,
    plan: Plan,
    pages: list[int] | None,
    *,
    first: int,
    known: Known | None,
    on_page: OnPage | None,
    reading: _Reading | None,
) -> Document:
    """One file, its pages renumbered to begin at `first`."""

    async def known_here(index: int) -> Page | None:
        page = await known(index + first) if known else None
        return _moved(page, -first) if page else None

    async def on_page_here(page: Page) -> None:
        if on_page:
            await on_page(_moved(page, first))

    told: dict[str, Any] = {} if reading is None else {"expected": reading.expected}
    document = await reader.read(
        path,
        pages=pages,
        detail=plan.detail,
        structure="full" if plan.mode in ("markdown", "layout", "redact", "replace") else "light",
        known=known_here if known else None,
        on_page=on_page_here if on_page else None,
        **told,
    )
    return msgspec.structs.replace(document, pages=[_moved(page, first) for page in document.pages])


def _moved(page: Page, by: int) -> Page:
    """`page` with an index, and boxes, `by` pages further on."""
    if by == 0:
        return page
    index = page.index + by

    def at(box: Box) -> Box:
        return Box(box.x, box.y, box.w, box.h, index)

    def moved(part: Placed) -> Placed:
        return msgspec.structs.replace(part, box=at(part.box))

    return msgspec.structs.replace(
        page,
        index=index,
        words=[moved(word) for word in page.words],
        lines=[moved(line) for line in page.lines],
        blocks=[moved(block) for block in page.blocks],
        tables=[msgspec.structs.replace(moved(table), cells=[moved(cell) for cell in table.cells]) for table in page.tables],
        barcodes=[moved(barcode) for barcode in page.barcodes],
    )
