"""Between the answer to a request and the extractor that asks a model: begun with the first page, fed while the others are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from heliograph.errors import NotConfigured
from heliograph.extraction import embedded
from heliograph.extraction.calibration import calibration
from heliograph.extraction.choosing import Chosen
from heliograph.extraction.examples import Lessons, Shown
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.choosing import Unusable, choose
from heliograph.extraction.prompted.extractor import Engine, Extractor
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.pictures import ReadPictures
from heliograph.extraction.prompted.prompts import exemplified
from heliograph.extraction.prompted.request import Pictures, Request
from heliograph.extraction.prompted.windows import ASCII_CHARACTERS
from heliograph.extraction.result import Extraction
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.media.document import Document, Page
from heliograph.models.contract import Backend
from heliograph.models.errors import ModelLimit, ModelRefused, ModelUnavailable
from heliograph.perception.reader import Reader
from heliograph.perception.steps import NoSteps, Steps

if TYPE_CHECKING:
    from heliograph.models.serving import Models

EXAMPLES_SHARE = 0.25
"""Of a model's context, what examples may take: more of it would be taken from the pages."""
_GLANCE = 1_500
"""Characters of an example by which it is seen what kind of document it is."""

OnPage = Callable[[Page], Awaitable[None]]


class Asking:
    """What a model is asked about one request. Raises `NotConfigured` where there is none to ask."""

    def __init__(
        self,
        reader: Reader,
        paths: Sequence[Path],
        counts: Sequence[int],
        plan: Plan,
        models: Models | None,
        steps: Steps | None,
        lessons: Lessons,
        *,
        pictures: Pictures | None = None,
        engine: Engine = embedded.extract,
    ) -> None:
        """`pictures`: of the pages, where they are not those of files; `engine`: the extractor that stands beside the model."""
        if models is None or plan.route is None:
            raise NotConfigured(f"The model {plan.model} cannot be asked from here.", param="model")
        self._plan, self._lessons = plan, lessons
        self._backend: Backend = models.backend(plan.route)
        self._calibration = calibration(models.settings.data_dir, plan.route)
        self._pictures = pictures or ReadPictures(reader, paths, counts)
        self._engine = engine
        self._steps = steps or NoSteps()
        self._schema = compile_schema(plan.schema) if plan.schema is not None and not plan.choices else None
        self._metrics = models.metrics
        self._ends_embedded = models.ends_embedded(plan.route)
        self._given_up: ModelUnavailable | None = None
        self._extractor: Extractor | None = None

    def beside(self, on_page: OnPage | None) -> OnPage:
        """`on_page`, and the page goes to the model as soon as its window is full."""

        async def told(page: Page) -> None:
            if on_page is not None:
                await on_page(page)
            with self._giving_up():
                await self._add(page)

        return told

    async def chosen(self, document: Document, schemas: Mapping[str, Schema], warnings: list[str]) -> Chosen | None:
        """Which of `schemas` the model takes the document to be for; None, with a warning, where it is no use or away, and its fallback is
        the embedded engine."""
        with self._giving_up():
            shown = [
                Shown(one.text[:_GLANCE], {"kind": one.choice})
                for name, schema in schemas.items()
                for one in await self._lessons.shown(schema, name)
                if one.choice is not None
            ]
            request = await self._request(shown, warnings)
            try:
                made, said = await choose(document, schemas, request, Sight(self._backend, self._pictures, self._steps))
                warnings += said
                return made
            except (Unusable, ModelRefused, ModelLimit) as problem:
                warnings.append(f"schema_chosen_without_model: {problem.message}; the labels on the pages decided")
        return None

    async def extraction(self, document: Document, schema: Schema, warnings: list[str], *, choice: str | None = None) -> Extraction | None:
        """The answer, when all pages are read; None, with a warning, where the model is away and its fallback is the embedded engine.

        `choice`: which of several schemas `schema` is.
        """
        with self._giving_up():
            if self._extractor is None and self._given_up is None:
                self._extractor = await self._begin(schema, choice)  # the document has said what to ask
                for page in document.pages:
                    self._extractor.add(page)
            if self._extractor is not None and self._given_up is None:
                learned = await self._lessons.labels(schema, choice)
                made = await self._extractor.finish(document, learned=learned, engine=self._engine)
                self._metrics.windows(self._backend.name, asked=self._extractor.asked, resumed=self._extractor.resumed)
                return made
        said = self._given_up.message if self._given_up is not None else ""
        warnings.append(f"model_unavailable: the embedded engine answered alone, as the fallback of {self._backend.name} says. {said}")
        return None

    @contextmanager
    def _giving_up(self) -> Generator[None]:
        """Where the settings let the embedded engine stand in, a model that is away ends the asking, not the request."""
        try:
            yield
        except ModelUnavailable as problem:
            if not self._ends_embedded:
                raise
            self._given_up = self._given_up or problem

    async def close(self) -> None:
        """Stop asking, whatever happened."""
        if self._extractor is not None:
            await self._extractor.close()

    async def _add(self, page: Page) -> None:
        if isinstance(self._pictures, ReadPictures):
            self._pictures.add(page)
        if self._schema is None or self._given_up is not None:
            return  # the document says what to ask, so its last page comes first
        if self._extractor is None:
            self._extractor = await self._begin(self._schema)
        self._extractor.add(page)

    async def _begin(self, schema: Schema, choice: str | None = None) -> Extractor:
        request = await self._request(await self._lessons.shown(schema, choice), self._lessons.warnings)
        parts = request, self._backend, self._pictures, self._steps
        return await Extractor.begin(schema, *parts, calibration=self._calibration)

    async def _request(self, shown: Sequence[Shown], warnings: list[str]) -> Request:
        """What the plan says, and as many examples as leave the document its room."""
        if not shown:
            return Request.of(self._plan)
        profile = await self._backend.profile()
        told, left = exemplified(shown, int(profile.context * EXAMPLES_SHARE * ASCII_CHARACTERS))
        if left:
            warnings.append(f"examples_left_out: {left} of {len(shown)} examples do not fit what the model takes beside the document")
        return msgspec.structs.replace(Request.of(self._plan), examples=told)
