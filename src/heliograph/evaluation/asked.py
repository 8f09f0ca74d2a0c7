"""A model route as the system under test, in this process: as its clients get it, or the model alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

import heliograph
from heliograph.config import Settings
from heliograph.errors import InvalidRequest
from heliograph.evaluation.kept import Kept, code
from heliograph.evaluation.runner import Embedded
from heliograph.extraction.answer import Answer, Known, OnPage, answer
from heliograph.extraction.calibration import calibration
from heliograph.extraction.examples import Examples
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.plan import Plan, SkillReader
from heliograph.extraction.prompted.extractor import extract
from heliograph.extraction.prompted.pictures import ReadPictures
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.schema import compile_schema
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

ALONE = "alone:"


class Asked(Embedded):
    """The model route that `via` names; with `alone:` before it, without the embedded engine beside the model. Close it.

    What the model answers about a window of pages is kept apart from what is made of it, so that both ways ask it once.
    """

    def __init__(
        self,
        reader: Reader,
        settings: Settings,
        via: str,
        *,
        pages: Path | None = None,
        kept: Kept,
        calibrating: bool = False,
        attached: SkillReader | None = None,
        examples: Examples | None = None,
    ) -> None:
        """`calibrating`: let every value of the model's stand that is on the pages, so that it is seen how often it is right."""
        super().__init__(reader, pages, attached=attached, examples=examples)
        self.alone, self.route = via.startswith(ALONE), via.removeprefix(ALONE)
        self.calibrating = calibrating
        told = settings.routes()[self.route]
        self._models = Models(settings)
        self._windows = _Windows(kept, f"{told.model_dump_json()} {code('extraction/prompted', 'models')}")
        rooms = code("media", "perception", "extraction", "models")
        sure = hashlib.sha256(msgspec.json.encode(calibration(settings.data_dir, self.route))).hexdigest()[:12]
        self.version = f"{via} {calibrating} {told.model_dump_json()} {heliograph.__version__} {rooms} {sure}"

    @property
    def what(self) -> str:
        """What is measured, for a heading."""
        return f"the model route {self.route} {'without' if self.alone else 'and'} the embedded engine"

    async def close(self) -> None:
        """Let go of the model."""
        await self._models.close()

    async def _answer(self, path: Path, plan: Plan, known: Known, on_page: OnPage) -> Answer:
        plan = msgspec.structs.replace(plan, model=self.route, route=self.route)
        if not self.alone and not self.calibrating:
            return await answer(
                self.reader, [path], plan, known=known, on_page=on_page, models=self._models, steps=self._windows, examples=self.examples
            )
        if plan.choices:
            raise InvalidRequest(
                "Which of several schemas a document is for is measured as clients get it: leave out `alone:` and --calibrate."
            )
        document = await self.reader.read(path, detail=plan.detail, known=known, on_page=on_page)
        pictures = ReadPictures(self.reader, [path], [document.page_count])
        for page in document.pages:
            pictures.add(page)
        schema = compile_schema(plan.schema or {})
        backend = self._models.backend(self.route)
        asked = Request.of(plan)
        extraction = await extract(document, schema, asked, backend, pictures, self._windows, beside="nothing" if self.alone else "cited")
        return Answer(
            response=with_metadata(extraction, schema, grounding=plan.grounding, confidence=plan.confidence),
            elements=len(document.pages),
            element_type="image" if document.kind == "image" else "page",
            warnings=extraction.warnings,
            document=document,
            extraction=extraction,
        )


class _Content(msgspec.Struct):
    content: bytes


class _Windows:
    """Answers about windows of pages, kept in the evaluation's folder (`prompted.request.Steps`)."""

    def __init__(self, kept: Kept, version: str) -> None:
        self._kept, self._version = kept, version

    async def known(self, step: str) -> bytes | None:
        found = self._kept.find(_Content, self._version, step)
        return found.content if found is not None else None

    async def keep(self, step: str, content: bytes) -> None:
        self._kept.keep(_Content(content), self._version, step)
