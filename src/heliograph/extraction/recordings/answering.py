"""The whole way from a recording to an answer: hear it, watch it, then write down what was said and shown, or look for values in it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from heliograph.errors import NotConfigured
from heliograph.extraction.answered import Answer
from heliograph.extraction.made import MadeFiles
from heliograph.extraction.options import Recorded
from heliograph.extraction.plan import Plan
from heliograph.extraction.recordings.gist import topics
from heliograph.extraction.recordings.senses import Senses
from heliograph.extraction.recordings.sights import texts_in
from heliograph.extraction.recordings.sources import Sources, seconds
from heliograph.extraction.recordings.transcription import audio_transcription, stretches, video_transcription
from heliograph.media.recording import Recording, Transcript, Viewing
from heliograph.perception.reader import Reader
from heliograph.perception.scenes.watcher import Watching
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.steps import Progress, Steps

if TYPE_CHECKING:
    from heliograph.extraction.examples import Examples
    from heliograph.models.serving import Models

Json = Any

PIECE: Final = 300.0
"""Seconds of a recording that count as one element."""
KEYFRAME_SIDE: Final = 1280
"""Pixels of the longest side of a keyframe."""
MOST_KEYFRAMES: Final = 500
LEAST: Final = 2
"""Elements of a recording of under ten minutes."""


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
    request = _Request(senses, path, recording, plan, steps, progress)
    transcript = await request.heard()
    viewing = await request.watched() if plan.kind == "video" else None
    warnings = [*plan.warnings, *transcript.warnings, *(viewing.warnings if viewing is not None else [])]
    sources = await asyncio.to_thread(Sources, transcript, viewing)
    if plan.mode != "transcribe":
        raise NotConfigured("Only transcription of recordings is answered yet.")
    files = MadeFiles() if request.asked.keyframes and viewing is not None else None
    try:
        shown = await request.keyframes(viewing, files, warnings) if files is not None and viewing is not None else None
        response = await asyncio.to_thread(_transcribed, recording, plan, transcript, viewing, shown)
    except BaseException:
        if files is not None:
            files.close()
        raise
    warnings += recording.warnings
    return Answer(
        response=response,
        elements=elements(recording.duration),
        element_type="audio" if plan.kind == "audio" else "video",
        warnings=list(dict.fromkeys(warnings)),
        document=sources.document,
        files=files,
        recording=recording,
        transcript=transcript,
        viewing=viewing,
    )


def elements(duration: float) -> int:
    """What a recording of `duration` seconds counts as: pieces of five minutes, two at least."""
    return max(LEAST, math.ceil(duration / PIECE))


class _Request:
    """One request about one recording."""

    def __init__(
        self, senses: Senses, path: Path, recording: Recording, plan: Plan, steps: Steps | None, progress: Progress | None
    ) -> None:
        self.senses, self.path, self.recording, self.plan, self.steps = senses, path, recording, plan, steps
        self.asked = plan.recorded or Recorded()
        self._progress = progress

    async def heard(self) -> Transcript:
        """What is said; nothing where that is not to be listened to."""
        if self.asked.transcribe_audio is False and self.plan.kind == "video" and self.plan.mode == "transcribe":
            said = "not_transcribed: video_transcribe_audio is false, so what is said was not listened to; leave it out to have it"
            return Transcript(self.recording.duration, warnings=[said])
        hearing = Hearing(language=self.asked.language, diarize=self.asked.diarization)
        return await self.senses.listener.transcript(self.path, self.recording, hearing, steps=self.steps, heard=self.told("listening"))

    async def watched(self) -> Viewing:
        """What is seen."""
        watching = Watching(faces=True, detail=self.plan.detail)
        return await self.senses.watcher.viewing(self.path, self.recording, watching, steps=self.steps, seen=self.told("watching"))

    async def keyframes(self, viewing: Viewing, files: MadeFiles, warnings: list[str]) -> list[Json]:
        """The sharpest frame of each shot, as pictures among `files`."""
        made: list[Json] = []
        for number, shot in enumerate(viewing.shots[:MOST_KEYFRAMES]):
            picture = await self.senses.player.jpeg(self.path, self.recording, shot.best, KEYFRAME_SIDE)
            url = files.keep(f"keyframe-{number}", "image/jpeg", picture.data)
            made.append({"time": seconds(shot.best), "shot": number, "url": url})
        if len(viewing.shots) > MOST_KEYFRAMES:
            warnings.append(f"keyframes: those of the first {MOST_KEYFRAMES} of {len(viewing.shots)} shots are kept")
        return made

    def told(self, step: str) -> Any:
        """Who is told the seconds that a step has done."""
        progress = self._progress
        if progress is None:
            return None

        async def done(seconds: float) -> None:
            await progress(step, seconds, self.recording.duration)

        return done


def _transcribed(recording: Recording, plan: Plan, transcript: Transcript, viewing: Viewing | None, keyframes: list[Json] | None) -> Json:
    if viewing is None:
        response = audio_transcription(recording, transcript)
    else:
        asked = plan.recorded or Recorded()
        segments = stretches(recording, transcript, asked.segment_duration, aligned=asked.transcribe_audio is True)
        said = [segment.text for segment in transcript.segments]
        about = topics([*said, *texts_in(viewing, 0.0, math.inf)])
        response = video_transcription(recording, transcript, viewing, segments, topics=about)
        if keyframes is not None:
            response["keyframes"] = keyframes
    return selected(response, plan.schema) if plan.schema_from == "gql_stmt" and plan.schema is not None else response


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
