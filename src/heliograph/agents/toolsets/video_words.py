"""The toolset `video`: what is said and written in recordings: transcripts, searches, captions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from heliograph.agents import cards, looking, recordings, spoken
from heliograph.agents.context import Context
from heliograph.agents.recordings import Opened, RecordingRef, Time, VideoRef, opened
from heliograph.agents.spoken import Spoken
from heliograph.agents.tools import Made, tool
from heliograph.errors import InvalidRequest
from heliograph.filming.orders import Cut, Timeline
from heliograph.media import subtitles
from heliograph.media.recording import Transcript
from heliograph.media.subtitles import Cue
from heliograph.media.timecode import clock
from heliograph.perception.scenes.watcher import EVERYTHING
from heliograph.perception.speech.hearing import Hearing

Language = Annotated[str | None, Field(description="What is spoken, such as en; found out when left out.", pattern=r"^[A-Za-z]{2,3}$")]
Style = Literal["burnt", "track", "srt", "vtt"]
MOST_FRAMES = 12
"""Frames of a video that a model is shown to say what it is about."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What is said between two pauses. Times in seconds. `speaker`: a letter, where voices were told apart."""

    start: float
    end: float
    text: str
    speaker: str | None = None


class Transcribed(msgspec.Struct, frozen=True, kw_only=True):
    """All that is said. `duration` in seconds. `file`: a text file of it. Without speech, `segments` is empty and `warnings` say so."""

    text: str
    segments: list[Heard]
    duration: float
    language: str | None = None
    file: str | None = None
    warnings: list[str] = []


class FoundAt(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a video where the words are said or shown. `frame`: an image of it."""

    start: float
    end: float
    how: Literal["said", "shown"]
    text: str
    context: str
    score: float
    speaker: str | None = None
    frame: str | None = None


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """Places in the order of time, and how many there are in all. `warnings`: such as that nobody speaks."""

    matches: list[FoundAt]
    count: int
    warnings: list[str] = []


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A text on screen, from `start` to `end` in seconds; `xywh`: where, on the frame, as fractions of it."""

    start: float
    end: float
    text: str
    xywh: list[float]
    confidence: float


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read in a video, without repeats, and the barcodes in it."""

    texts: list[Written]
    codes: list[Written]
    warnings: list[str] = []


class Captioned(Made, frozen=True, kw_only=True):
    """A captioned video, or a file of captions. `captions`: how many there are."""

    captions: int
    seconds: float | None = None
    warnings: list[str] = msgspec.field(default_factory=list[str])


class Caption(BaseModel):
    """A line of your own, from `start` to `end` in seconds."""

    model_config = ConfigDict(extra="ignore")

    start: Time
    end: Time
    text: str = Field(min_length=1, max_length=1_000)


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says that a video shows, and which one. `frames`: the times of the frames that it was shown."""

    text: str
    answered_by: str
    frames: list[float]


@tool("video")
async def transcribe_video(
    at: Context,
    video: RecordingRef,
    language: Language = None,
    speakers: Annotated[bool, Field(description="Tell voices apart: A, B, ...")] = False,
    start: Time | None = None,
    end: Time | None = None,
    file: Annotated[Literal["srt", "vtt", "txt"] | None, Field(description="Also write it to a file that can be downloaded.")] = None,
) -> Transcribed:
    """Write down what is said in a video or audio recording, or in a part of it, with times."""
    async with opened(at, video) as source:
        span = source.span(start or 0.0, end) if start is not None or end is not None else None
        transcript = await at.recordings.transcript(at, source, Hearing(language=language, diarize=speakers, span=span))
    kept = await _file(at, source, transcript, file) if file else None
    return Transcribed(
        text=transcript.text,
        segments=[Heard(start=round(s.start, 2), end=round(s.end, 2), text=s.text, speaker=s.speaker) for s in transcript.segments],
        duration=round(transcript.duration, 2),
        language=transcript.language,
        file=kept,
        warnings=transcript.warnings,
    )


@tool("video")
async def search_video(
    at: Context,
    video: RecordingRef,
    query: Annotated[str, Field(description="Words to look for.", min_length=1, max_length=200)],
    where: Annotated[
        Literal["said", "shown", "both"], Field(description="In what is said, in what can be read on screen, or both.")
    ] = "both",
    most: Annotated[int, Field(ge=1, le=200, description="Most matches to answer with.")] = 20,
    frames: Annotated[bool, Field(description="Give an image of each place (up to 12).")] = True,
    language: Language = None,
) -> Searched:
    """Find where words are said or shown in a video or audio recording: times, what stands around them, and a picture of each place."""
    found: list[Spoken] = []
    warnings: list[str] = []
    async with opened(at, video) as source:
        audible, visible = source.recording.audio is not None, source.recording.video is not None
        if where != "shown" and audible:
            transcript = await at.recordings.transcript(at, source, Hearing(language=language))
            found += spoken.said(transcript, query)
            warnings += transcript.warnings
        if where != "said" and visible:
            viewing = await at.recordings.viewing(at, source, EVERYTHING)
            found += spoken.shown(viewing.texts, query)
            warnings += viewing.warnings
        if (where == "shown" and not visible) or (where == "said" and not audible):
            warnings.append(f"{source.artifact.name} has no {'pictures' if where == 'shown' else 'sound'}.")
        found.sort(key=lambda hit: (hit.start, hit.end))
        shown = found[:most]
        refs: list[str | None] = [None] * len(shown)
        if frames and visible and shown:
            times = [min((hit.start + hit.end) / 2, max(0.0, source.recording.duration - 0.05)) for hit in shown[:MOST_FRAMES]]
            for number, drawn in enumerate(await at.reader.cutter.frames(source.path, times, longest=640)):
                facts: dict[str, int | float | str] = {"width": drawn.width, "height": drawn.height}
                refs[number] = (await at.artifacts.put(drawn.data, kind="img", media_type=drawn.media_type, facts=facts)).ref
    pictures = [ref for ref in refs if ref]
    if pictures:
        await at.show("preview.grid", cards.grid(pictures, titles=[clock(hit.start) for hit in shown], title=query))
    matches = [
        FoundAt(
            start=hit.start, end=hit.end, how=hit.how, text=hit.text, context=hit.context, score=hit.score, speaker=hit.speaker, frame=ref
        )
        for hit, ref in zip(shown, refs, strict=True)
    ]  # fmt: skip
    return Searched(matches=matches, count=len(found), warnings=warnings)


@tool("video")
async def read_video(at: Context, video: VideoRef) -> Texts:
    """Read what stands on screen in a video (titles, slides, signs, barcodes), each text once with the times at which it is shown."""
    async with opened(at, video) as source:
        viewing = await at.recordings.viewing(at, source.watched(), EVERYTHING)
    texts = [
        Written(start=round(t.start, 2), end=round(t.end, 2), text=t.text, xywh=t.box.xywh(), confidence=round(t.score, 3))
        for t in viewing.texts
    ]  # fmt: skip
    codes = [
        Written(start=round(c.start, 2), end=round(c.end, 2), text=c.text, xywh=c.box.xywh(), confidence=1.0) for c in viewing.codes
    ]  # fmt: skip
    return Texts(texts=texts, codes=codes, warnings=viewing.warnings)


@tool("video")
async def add_video_captions(
    at: Context,
    video: RecordingRef,
    style: Annotated[
        Style, Field(description="burnt: into the picture; track: one that players can switch on; srt, vtt: a file beside the video.")
    ] = "burnt",
    captions: Annotated[
        list[Caption] | str | None,
        Field(description="Lines of your own, or the text of an .srt or .vtt file; what is said in the video when left out."),
    ] = None,
    language: Language = None,
) -> Captioned:
    """Give a video captions: what is said in it, or lines of your own."""
    async with opened(at, video) as source:
        if style in ("burnt", "track"):
            source.watched()
        shown, heard_in, warnings = await _captions(at, source, captions, language)
        if not shown:
            raise InvalidRequest(f"There is nothing to caption: {'; '.join(warnings) or 'nothing is said'}.", param="captions")
        if style in ("srt", "vtt"):
            text = subtitles.srt(shown) if style == "srt" else subtitles.vtt(shown, language=heard_in)
            ref = await _text(at, text, f"{_stem(source)}.{style}")
            return Captioned(id=ref, filename=f"{_stem(source)}.{style}", captions=len(shown), warnings=warnings)
        burnt = style == "burnt"
        cuts = [Cut(str(source.path))]
        timeline = Timeline(cuts=cuts, captions=shown if burnt else [], track=[] if burnt else shown, language=_three(heard_in))
        made = await recordings.film(at, timeline, source.recording.duration, title=f"{source.artifact.name}, with captions")
    return Captioned(
        id=made.id, width=made.width, height=made.height, captions=len(shown), seconds=made.seconds, warnings=[*warnings, *made.warnings]
    )


@tool("video", needs=looking.needs)
async def caption_video(
    at: Context,
    video: VideoRef,
    prompt: Annotated[str | None, Field(description="A question about the video; a summary when left out.", max_length=20_000)] = None,
    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES, description="How many frames are looked at.")] = 8,
) -> Described:
    """Say what happens in a video, or answer a question about what it shows, with a vision model that is shown frames of it."""
    async with opened(at, video) as source:
        lasts = source.watched().recording.duration
        times = [lasts * (place + 0.5) / frames for place in range(frames)]
        sheet = await at.reader.cutter.sheet(source.path, times, cell=480)
    facts: dict[str, int | float | str] = {"width": sheet.width, "height": sheet.height}
    kept = await at.artifacts.put(sheet.data, kind="img", media_type=sheet.media_type, facts=facts)
    asked = prompt or "Say what happens in this video, in a few sentences."
    question = f"The picture shows {frames} frames of one video of {lasts:.0f} seconds, in order, each over its time. {asked}"
    text, by = await looking.look(at, kept.ref, question)
    return Described(text=text, answered_by=by, frames=[round(time, 2) for time in times])


async def _captions(
    at: Context, source: Opened, given: list[Caption] | str | None, language: str | None
) -> tuple[list[Cue], str | None, list[str]]:
    """Captions, their language, and warnings. Raises InvalidRequest."""
    shown: list[Cue] = []
    warnings: list[str] = []
    if isinstance(given, str):
        shown = subtitles.parse(given)
    elif given is not None:
        for line in given:
            if line.end <= line.start:
                raise InvalidRequest(f"The caption {line.text[:40]!r} ends before it begins.", param="captions")
            shown.append(Cue(line.start, line.end, subtitles.laid(line.text)))
        shown.sort(key=lambda cue: cue.start)
    else:
        transcript = await at.recordings.transcript(at, source.heard(), Hearing(language=language))
        return subtitles.cues(transcript), transcript.language, transcript.warnings
    lasts = source.recording.duration
    late = [cue for cue in shown if cue.start >= lasts]
    if late:
        warnings = [f"{len(late)} of {len(shown)} captions begin after the end, at {lasts:.1f} seconds, and are left out."]
    return [cue for cue in shown if cue.start < lasts], language, warnings


async def _file(at: Context, source: Opened, transcript: Transcript, form: Literal["srt", "vtt", "txt"]) -> str:
    if form == "txt":
        text = "\n".join(f"{s.speaker}: {s.text}" if s.speaker else s.text for s in transcript.segments)
    else:
        cues = subtitles.cues(transcript)
        text = subtitles.srt(cues) if form == "srt" else subtitles.vtt(cues, language=transcript.language)
    return await _text(at, text, f"{_stem(source)}.{form}")


async def _text(at: Context, text: str, filename: str) -> str:
    kept = await at.artifacts.put(text.encode(), kind="doc", media_type="text/plain", filename=filename, source="workspace")
    return kept.ref


def _stem(source: Opened) -> str:
    """What a file beside the recording is called, without its suffix."""
    return (source.artifact.filename or source.artifact.ref).rpartition(".")[0] or source.artifact.ref


_THREE: dict[str, Any] = {
    "en": "eng", "de": "deu", "fr": "fra", "es": "spa", "it": "ita", "pt": "por", "nl": "nld", "pl": "pol", "ru": "rus", "uk": "ukr",
    "ja": "jpn", "zh": "zho", "ko": "kor", "ar": "ara", "hi": "hin", "tr": "tur", "sv": "swe", "da": "dan", "fi": "fin", "cs": "ces",
}  # fmt: skip
"""Languages as MP4 calls them, ISO 639-2."""


def _three(language: str | None) -> str | None:
    return _THREE.get(language) if language and len(language) == 2 else language
