"""The whole way from a recording to an answer: hear it, watch it, then write down what was said and shown, or look for values in it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from heliograph.errors import NotConfigured
from heliograph.extraction.answered import Answer
from heliograph.extraction.calibration import calibration
from heliograph.extraction.choosing import Chosen, choose, enveloped
from heliograph.extraction.confidence import HI
from heliograph.extraction.examples import Lessons
from heliograph.extraction.instructions import Hints
from heliograph.extraction.made import MadeFiles
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.options import Recorded
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.asking import Asking
from heliograph.extraction.prompted.looking import Sight
from heliograph.extraction.prompted.proposing import propose as propose_richer
from heliograph.extraction.prompted.seeing import see
from heliograph.extraction.recordings import overview, values
from heliograph.extraction.recordings.captions import Captioner, Captions
from heliograph.extraction.recordings.gist import topics
from heliograph.extraction.recordings.pictures import FramePictures
from heliograph.extraction.recordings.proposing import propose, proposed_schema
from heliograph.extraction.recordings.senses import Senses
from heliograph.extraction.recordings.sights import texts_in
from heliograph.extraction.recordings.sources import Sources, seconds
from heliograph.extraction.recordings.spoken_values import CAP, CLEAR
from heliograph.extraction.recordings.transcription import Stretch, audio_transcription, stretches, video_transcription
from heliograph.extraction.result import Extraction
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.extraction.shortcomings import shortcomings
from heliograph.media.document import Document
from heliograph.media.recording import Recording, Transcript, Viewing
from heliograph.models.errors import ModelUnavailable
from heliograph.perception.reader import Reader
from heliograph.perception.scenes.watcher import Watching
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.steps import NoSteps, Progress, Steps

if TYPE_CHECKING:
    from heliograph.extraction.examples import Examples
    from heliograph.models.serving import Models

Json = Any

PIECE: Final = 300.0
"""Seconds of a recording that count as one element."""
LEAST: Final = 2
"""Elements of a recording of under ten minutes."""
KEYFRAME_SIDE: Final = 1280
"""Pixels of the longest side of a keyframe."""
MOST_KEYFRAMES: Final = 500
LANGUAGE: Final = "config.language"
"""The parameter that errors about the language of what is said name."""


async def answer_recording(
    reader: Reader,
    path: Path,
    plan: Plan,
    *,
    models: Models | None = None,
    steps: Steps | None = None,
    examples: Examples | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Answer `plan` from the recording at `path`. `progress` is told of media time.

    Raises MediaErrors for what is no recording, or has no pictures where they are asked for, and as `extraction.answer.answer`.
    """
    senses = cast("Senses", reader)
    recording = await senses.player.inspect(path)
    plan.check_recording(recording)
    request = _Request(senses, path, recording, plan, models, steps, progress)
    transcript = await request.heard()
    viewing = await request.watched() if plan.kind == "video" else None
    request.warnings += [*transcript.warnings, *(viewing.warnings if viewing is not None else [])]
    sources = await asyncio.to_thread(Sources, transcript, viewing)
    answer = Answer(
        response=None,
        elements=elements(recording.duration),
        element_type="audio" if plan.kind == "audio" else "video",
        warnings=[],
        document=sources.document,
        recording=recording,
        transcript=transcript,
        viewing=viewing,
    )
    try:
        if plan.mode == "transcribe":
            answer.files = MadeFiles() if request.asked.keyframes and viewing is not None else None
            answer.response = await request.transcribed(transcript, viewing, answer.files)
        elif plan.mode == "propose":
            answer.response = await request.proposed(sources)
        else:
            answer.response, answer.extraction = await _Valuing(request, reader, sources, viewing, examples).valued()
    except BaseException:
        answer.close()
        raise
    answer.warnings = list(dict.fromkeys([*request.warnings, *recording.warnings]))
    return answer


def elements(duration: float) -> int:
    """What a recording of `duration` seconds counts as: pieces of five minutes, two at least."""
    return max(LEAST, math.ceil(duration / PIECE))


class _Request:
    """One request about one recording."""

    def __init__(
        self,
        senses: Senses,
        path: Path,
        recording: Recording,
        plan: Plan,
        models: Models | None,
        steps: Steps | None,
        progress: Progress | None,
    ) -> None:
        self.senses, self.path, self.recording, self.plan = senses, path, recording, plan
        self.models, self.steps = models, steps
        self.asked = plan.recorded or Recorded()
        self.warnings = [*plan.warnings]
        self._progress = progress

    async def heard(self) -> Transcript:
        """What is said; nothing where that is not to be listened to, or of a video whose language the engine does not know."""
        if self.asked.transcribe_audio is False and self.plan.kind == "video" and self.plan.mode == "transcribe":
            said = "not_transcribed: video_transcribe_audio is false, so what is said was not listened to; leave it out to have it"
            return Transcript(self.recording.duration, warnings=[said])
        hearing = Hearing(language=self.asked.language, diarize=self.asked.diarization)
        listener, told = self.senses.listener, self.told("listening")
        try:
            return await listener.transcript(self.path, self.recording, hearing, steps=self.steps, heard=told)
        except NotConfigured as problem:
            if self.plan.kind == "audio" or problem.param != LANGUAGE:
                raise
            return Transcript(self.recording.duration, warnings=[f"not_understood: {problem.message}"])

    async def watched(self) -> Viewing:
        """What is seen."""
        watching = Watching(faces=True, detail=self.plan.detail)
        return await self.senses.watcher.viewing(self.path, self.recording, watching, steps=self.steps, seen=self.told("watching"))

    def told(self, step: str) -> Any:
        """Who is told the seconds that a step has done."""
        progress = self._progress
        if progress is None:
            return None

        async def done(seconds: float) -> None:
            await progress(step, seconds, self.recording.duration)

        return done

    def segments(self, transcript: Transcript) -> list[Stretch]:
        """The segments of a video."""
        return stretches(self.recording, transcript, self.asked.segment_duration, aligned=self.asked.transcribe_audio is True)

    async def transcribed(self, transcript: Transcript, viewing: Viewing | None, files: MadeFiles | None) -> Json:
        """The response of the domains of transcription."""
        response: Json
        if viewing is None:
            response = audio_transcription(self.recording, transcript)
        else:
            keyframes = await self.keyframes(viewing, files) if files is not None else None
            segments = self.segments(transcript)
            said = [segment.text for segment in transcript.segments]
            captions = await self.captions(segments, viewing)
            about = captions.topics or await asyncio.to_thread(topics, [*said, *texts_in(viewing, 0.0, math.inf)])
            response = video_transcription(
                self.recording, transcript, viewing, segments,
                topics=about, shown=captions.shown, description=captions.description,
            )  # fmt: skip
            if keyframes is not None:
                response["keyframes"] = keyframes
        schema = self.plan.schema
        return selected(response, schema) if self.plan.schema_from == "gql_stmt" and schema is not None else response

    async def captions(self, segments: Sequence[Stretch], viewing: Viewing) -> Captions:
        """What a model says that segments show; nothing where none that sees is asked, which a warning tells."""
        route = self.asked.video_route or self.plan.route
        if route is None:
            return Captions()
        if self.models is None:
            raise NotConfigured(f"The model {self.asked.video_model or self.plan.model} cannot be asked from here.", param="model")
        backend = self.models.backend(route)
        try:
            profile = await backend.profile()
            steps = self.steps or NoSteps()
            captioner = Captioner(backend, profile, self.senses.player, self.path, self.recording, self.plan, steps)
            if not captioner.sees:
                self.warnings.append(f"needs_model: the model of the route {route} takes no pictures, so nobody says what segments show")
                return Captions()
            made = await captioner.captions(segments, viewing)
        except ModelUnavailable as problem:
            if not self.models.ends_embedded(route):
                raise
            self.warnings.append(f"model_unavailable: segments say what can be told without a model. {problem.message}")
            return Captions()
        self.warnings += made.warnings
        return made

    async def keyframes(self, viewing: Viewing, files: MadeFiles) -> list[Json]:
        """The sharpest frame of each shot, as pictures among `files`."""
        made: list[Json] = []
        for number, shot in enumerate(viewing.shots[:MOST_KEYFRAMES]):
            picture = await self.senses.player.jpeg(self.path, self.recording, shot.best, KEYFRAME_SIDE)
            url = files.keep(f"keyframe-{number}", "image/jpeg", picture.data)
            made.append({"time": seconds(shot.best), "shot": number, "url": url})
        if len(viewing.shots) > MOST_KEYFRAMES:
            self.warnings.append(f"keyframes: those of the first {MOST_KEYFRAMES} of {len(viewing.shots)} shots are kept")
        return made

    async def proposed(self, sources: Sources) -> Json:
        """A schema for the recording."""
        today = datetime.now(UTC).date()
        sight = self.sight(sources)
        if sight is not None:
            try:
                response, said = await propose_richer(sources.document, self.plan, sight, today)
                self.warnings += said
                return response
            except ModelUnavailable as problem:
                if not sight.stands_in:
                    raise
                self.warnings.append(f"model_unavailable: the embedded engine proposed alone. {problem.message}")
        return await asyncio.to_thread(propose, sources, self.plan.kind, today)

    def sight(self, sources: Sources) -> Sight | None:
        """The model of the plan, and the frames that it may be shown; None where the embedded engine answers."""
        if self.plan.route is None:
            return None
        if self.models is None:
            raise NotConfigured(f"The model {self.plan.model} cannot be asked from here.", param="model")
        weighed = calibration(self.models.settings.data_dir, self.plan.route)
        ends = self.models.ends_embedded(self.plan.route)
        return Sight(self.models.backend(self.plan.route), self.pictures(sources), self.steps or NoSteps(), weighed, ends)

    def pictures(self, sources: Sources) -> FramePictures:
        """The frames, for a model."""
        return FramePictures(self.senses.player, self.path, self.recording, sources)


class _Valuing:
    """Looks for the values of a schema in one recording."""

    def __init__(self, request: _Request, reader: Reader, sources: Sources, viewing: Viewing | None, examples: Examples | None) -> None:
        self._request, self._plan, self._sources, self._viewing = request, request.plan, sources, viewing
        self._lessons = Lessons(request.plan.examples, examples)
        self._asking: Asking | None = None
        plan = request.plan
        if plan.route is not None and not plan.vision:
            parts = reader, [request.path], [0], plan, request.models, request.steps, self._lessons
            self._asking = Asking(*parts, pictures=request.pictures(sources), engine=self._embedded)

    async def valued(self) -> tuple[Json, Extraction | None]:
        """The response, and how its values are known."""
        try:
            return await self._valued()
        finally:
            if self._asking is not None:
                await self._asking.close()

    async def _valued(self) -> tuple[Json, Extraction | None]:
        plan, warnings = self._plan, self._request.warnings
        chosen = await self._chosen() if plan.choices else None
        asked = await asyncio.to_thread(self._schema, chosen)
        if asked is None:
            return enveloped(cast("Chosen", chosen), None, None), None
        sums_up = overview.sums_up(plan)
        schema = compile_schema(overview.asked_of_others(asked) if sums_up else asked)
        choice = chosen.name if chosen is not None else None
        extraction = await self._extraction(schema, choice)
        if sums_up:
            parts = self._sources, schema, extraction, self._request.recording, self._viewing
            warnings += overview.in_its_own_words(*parts, written=self._asking is not None)
        self._capped(extraction)
        warnings += [warning for warning in extraction.warnings if not warning.startswith("required_missing")]
        warnings += shortcomings(extraction.values, schema, strict=plan.strict)
        warnings += self._lessons.warnings
        response = with_metadata(extraction, schema, grounding=plan.grounding, confidence=plan.confidence, located=self._sources.located)
        if sums_up:
            segments = self._request.segments(self._sources.speech.transcript)
            captions = Captions()
            if self._viewing is not None and "segments" in asked["properties"]:
                captions = await self._request.captions(segments, self._viewing)
            known = overview.computed(asked, self._request.recording, self._sources, self._viewing, segments, captions.shown)
            known = {name: selected(value, asked["properties"][name]) for name, value in known.items()}
            response = overview.joined(asked, known, response)
        return (enveloped(chosen, schema, response) if chosen is not None else response), extraction

    async def _extraction(self, schema: Schema, choice: str | None) -> Extraction:
        if self._asking is not None:
            said = await self._asking.extraction(self._sources.document, schema, self._request.warnings, choice=choice)
            if said is not None:
                return said
        elif self._plan.vision:
            sight = self._request.sight(self._sources)
            if sight is None:
                raise NotConfigured(f"{self._plan.domain} asks for what pictures show, and no model answers.", param="domain")
            return await see(self._sources.read, self._plan, sight)
        learned = await self._lessons.labels(schema, choice)
        return await asyncio.to_thread(partial(self._embedded, self._sources.document, schema, learned=learned))

    def _embedded(self, document: Document, schema: Schema, *, instructions: str | None = None, learned: Hints | None = None) -> Extraction:
        """`embedded.Engine` over what was heard and read."""
        return values.extract(self._sources, schema, instructions=instructions or self._plan.instructions, learned=learned)

    async def _chosen(self) -> Chosen:
        schemas = {name: compile_schema(schema) for name, schema in self._plan.choices.items()}
        if self._asking is not None:
            said = await self._asking.chosen(self._sources.document, schemas, self._request.warnings)
            if said is not None:
                return said
        made = await asyncio.to_thread(choose, self._sources.document, schemas)
        if made.uncertain is not None:
            self._request.warnings.append(made.uncertain)
        return made

    def _schema(self, chosen: Chosen | None) -> dict[str, Any] | None:
        if chosen is not None and chosen.name is not None:
            return self._plan.choices[chosen.name]
        if self._plan.schema is not None:
            return self._plan.schema
        return proposed_schema(self._sources) if chosen is None else None

    def _capped(self, extraction: Extraction) -> None:
        """What was heard is no surer than speech allows: probabilities were measured on documents."""
        for leaf in extraction.leaves.values():
            heard = [part for part in leaf.evidence if self._sources.frame_of(part.box.page) is None]
            clear = leaf.match == "exact" and all(part.score >= CLEAR for part in heard)
            if heard and leaf.probability >= HI and not clear:
                leaf.probability = CAP


def selected(response: Json, schema: Json) -> Json:
    """Of `response` what `schema` has, in its order."""
    shape = cast("dict[str, Json]", schema) if isinstance(schema, dict) else {}
    shapes = [shape, *cast("list[dict[str, Json]]", shape.get("anyOf", []))]
    if isinstance(response, list):
        item: Json = next((each["items"] for each in shapes if "items" in each), None)
        return [selected(one, item) for one in cast("list[Json]", response)]
    fields = next((cast("dict[str, Json]", each["properties"]) for each in shapes if "properties" in each), None)
    if isinstance(response, dict) and fields is not None:
        table = cast("dict[str, Json]", response)
        return {name: selected(table[name], field) for name, field in fields.items() if name in table}
    return cast("Json", response)
