"""The extractor that asks a model, as the list of what happens.

    extraction = await extract(document, schema, request, backend, pictures, steps)

or, while the pages are still being read,

    extractor = await Extractor.begin(schema, request, backend, pictures, steps)
    for page in pages: extractor.add(page)
    extraction = await extractor.finish(document)
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Literal, Protocol, Self

from heliograph.extraction import embedded
from heliograph.extraction.alignment import Found
from heliograph.extraction.calibration import Calibration
from heliograph.extraction.combining import combine
from heliograph.extraction.instructions import Hints
from heliograph.extraction.prompted.accounting import account, embedded_rows, shorter
from heliograph.extraction.prompted.answering import Answered, Known, Questioner, added
from heliograph.extraction.prompted.merging import Merged, Part, merge
from heliograph.extraction.prompted.prompts import question, shows_picture
from heliograph.extraction.prompted.request import Pictures, Request
from heliograph.extraction.prompted.states import reopened
from heliograph.extraction.prompted.windows import Budget, Cutter, Window
from heliograph.extraction.result import Extraction, Path
from heliograph.extraction.schema import Schema
from heliograph.media.document import Document, Page
from heliograph.models.contract import Backend
from heliograph.models.errors import ModelError
from heliograph.perception.steps import Steps

log = logging.getLogger(__name__)

Beside = Literal["likelier", "cited", "nothing"]
"""What stands beside the model's answer: the embedded extractor's, the likelier of two values standing; the same, but every value of the
model's that is on the pages stands (which shows how often it is right); or nothing."""


class Engine(Protocol):
    """An extractor that needs no model, as `embedded.extract`."""

    def __call__(self, document: Document, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None) -> Extraction:
        """Answer `schema` from `document`."""
        ...


async def extract(
    document: Document,
    schema: Schema,
    request: Request,
    backend: Backend,
    pictures: Pictures,
    steps: Steps,
    *,
    calibration: Calibration | None = None,
    learned: Hints | None = None,
    beside: Beside = "likelier",
) -> Extraction:
    """Answer `schema` from `document` by asking the model behind `backend`. `calibration`: how likely what it says is right; `learned`:
    labels for the embedded extractor beside it; `beside`: other than clients get it, to see what the model is worth.

    Raises `ModelError`s: `ModelUnavailable` where another try later may help (what was answered is in `steps`), and what `steps` raises.
    """
    extractor = await Extractor.begin(schema, request, backend, pictures, steps, calibration=calibration)
    try:
        for page in document.pages:
            extractor.add(page)
        return await extractor.finish(document, learned=learned, beside=beside)
    finally:
        await extractor.close()


class Extractor:
    """Asks about the pages of a document as they come. `begin` it, `add` pages in order, `finish`; `close` it whatever happened.

    `asked`, `resumed`: windows that this run asked about and that an earlier one had, once it has finished.
    """

    def __init__(
        self,
        schema: Schema,
        request: Request,
        backend: Backend,
        budget: Budget,
        pictures: Pictures,
        steps: Steps,
        calibration: Calibration | None = None,
    ) -> None:
        self._schema, self._request, self._backend, self._budget, self._calibration = schema, request, backend, budget, calibration
        self._questioner = Questioner(schema, request, backend, budget, pictures, steps)
        self._cutter = Cutter(budget)
        self._places = asyncio.Semaphore(max(1, budget.profile.concurrency))
        self._asking: list[asyncio.Task[list[Answered]]] = []
        self._problem: BaseException | None = None
        self.asked = self.resumed = 0

    @classmethod
    async def begin(
        cls,
        schema: Schema,
        request: Request,
        backend: Backend,
        pictures: Pictures,
        steps: Steps,
        *,
        calibration: Calibration | None = None,
    ) -> Self:
        """Find out what the model can do, and what it can take at a time."""
        profile = await backend.profile()
        told = question(schema, request.instructions, [], part=False)
        return cls(schema, request, backend, Budget.of(profile, schema, request, told), pictures, steps, calibration)

    def add(self, page: Page) -> None:
        """The next page; windows that are complete with it are asked about at once. Raises what asking about an earlier one raised."""
        if self._problem is not None:
            raise self._problem
        for window in self._cutter.add(page):
            self._ask(window)

    async def finish(
        self, document: Document, *, learned: Hints | None = None, beside: Beside = "likelier", engine: Engine = embedded.extract
    ) -> Extraction:
        """The answer, once no page follows. `document`: all that were added; `learned`: labels for the embedded extractor, `engine`."""
        began = time.monotonic()
        for window in self._cutter.close():
            self._ask(window)
        evidence_of = partial(engine, document, self._schema, instructions=self._request.instructions, learned=learned)
        evidence, answered = await asyncio.gather(
            asyncio.to_thread(evidence_of if beside != "nothing" else partial(Extraction, None, {})),
            self._answers(),
        )
        extraction = await asyncio.to_thread(self._joined, document, answered, evidence, likelier=beside == "likelier")
        self._note(document, answered, time.monotonic() - began)
        return extraction

    async def close(self) -> None:
        """Stop asking. Nothing happens where everything was answered."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    # -- asking -------------------------------------------------------------------------------------------------------

    def _ask(self, window: Window) -> None:
        self._asking.append(asyncio.create_task(self._asked(window)))

    async def _asked(self, window: Window) -> list[Answered]:
        async with self._places:
            if self._problem is not None:
                return []
            try:
                return await self._questioner.answers(window)
            except Exception as problem:
                self._problem = self._problem or problem
                raise

    async def _answers(self) -> list[Answered]:
        """The answers in page order. When one fails for want of the model, those under way come to their end, and are kept."""
        waiting = set(self._asking)
        while waiting:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if self._problem is not None and not isinstance(self._problem, ModelError):
                break  # cancelled, handed back, or a mistake of ours: nothing more may be kept
        if self._problem is not None:
            raise self._problem
        return [answer for task in self._asking for answer in task.result()]

    # -- making one answer --------------------------------------------------------------------------------------------

    def _joined(self, document: Document, answered: list[Answered], evidence: Extraction, *, likelier: bool) -> Extraction:
        known = {id(one.found.leaf): one for answer in answered for one in answer.known}
        parts = [
            Part(answer.pages, answer.value, {tuple(one.path): one.found.leaf for one in answer.known}, answer.carried)
            for answer in answered
        ]
        merged = merge(parts, self._schema.root)
        warnings = [*self._schema.warnings, *(warning for answer in answered for warning in answer.warnings), *merged.conflicts]
        warnings += self._unseen(document, merged)
        warnings += self._counted(document, merged, evidence)
        made = self._combined(merged, known, evidence, likelier=likelier)
        made.warnings = list(dict.fromkeys([*warnings, *made.warnings]))
        return made

    def _unseen(self, document: Document, merged: Merged) -> list[str]:
        """What may stand on pages that nobody looked at is not absent."""
        shown = any(shows_picture(page, self._request.detail, self._budget.profile) for page in document.pages)
        if shown or any(page.words for page in document.pages):
            return []
        reopened(merged.leaves, "unreadable")
        return [f"page_not_seen: there is no text that could be read, and the model {self._backend.name} takes no images"]

    def _counted(self, document: Document, merged: Merged, evidence: Extraction) -> list[str]:
        """Rows against the table reader's; those that only the embedded engine has are taken from it, and said."""
        warnings: list[str] = []
        accounts = account(merged.value, merged.leaves, self._schema.root, document.pages)
        for one in accounts:
            if one.missing and (taken := embedded_rows(one, merged, evidence)):
                warnings.append(f"rows_added: {one.name}: {taken} rows that the model left out, as the embedded engine read them")
        if warnings:  # what was taken changed what there is to count
            accounts = account(merged.value, merged.leaves, self._schema.root, document.pages)
        warnings += [one.warning for one in accounts if one.missing]
        return warnings + shorter(merged.value, evidence.values, self._schema.root, [one.path for one in accounts])

    def _combined(self, merged: Merged, known: dict[int, Known], evidence: Extraction, *, likelier: bool) -> Extraction:
        found: dict[Path, Found] = {}
        logprobs: dict[Path, float] = {}
        for path, leaf in merged.leaves.items():
            one = known.get(id(leaf))
            found[path] = one.found if one is not None else Found(leaf)
            if one is not None and one.logprob is not None:
                logprobs[path] = one.logprob
        return combine(merged.value, self._schema, found, evidence, logprobs=logprobs, calibration=self._calibration, likelier=likelier)

    def _note(self, document: Document, answered: list[Answered], seconds: float) -> None:
        self.resumed = sum(answer.resumed for answer in answered)
        self.asked = len(answered) - self.resumed
        spent = added(answer.spent for answer in answered if not answer.resumed)
        log.info(
            "model %s: %d pages in %d windows (%d resumed), %d requests, tokens %d read (%d cached) and %d written, %.1f s after reading",
            self._backend.name, len(document.pages), len(answered), self.resumed,
            sum(answer.asked for answer in answered if not answer.resumed), spent.input, spent.cached, spent.output, seconds,
        )  # fmt: skip
