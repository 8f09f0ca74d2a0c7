"""A transcription in the shapes of OpenAI's: `json`, `text`, `verbose_json`, `srt` and `vtt`, and the events of a stream."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any, Literal, get_args

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.media import subtitles
from heliograph.media.recording import Said, Segment, Transcript

Format = Literal["json", "text", "verbose_json", "srt", "vtt"]
Granularity = Literal["word", "segment"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "verbose_json": "application/json",
    "text": "text/plain; charset=utf-8",
    "srt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


class _Word(msgspec.Struct):
    content: str
    start_time: float
    end_time: float
    confidence: float = 1.0


class _Segment(msgspec.Struct):
    start_time: float
    end_time: float
    content: str
    words: list[_Word] = []
    speaker: str | None = None


class _About(msgspec.Struct):
    duration: float = 0.0
    language: str | None = None


class _Answered(msgspec.Struct):
    """The response of `audio.transcription`."""

    metadata: _About
    segments: list[_Segment] = []


def transcript(response: str) -> Transcript:
    """The transcript that the JSON text of an `audio.transcription` holds."""
    answered = msgspec.json.decode(response, type=_Answered)
    return Transcript(
        duration=answered.metadata.duration,
        language=answered.metadata.language,
        segments=[
            Segment(
                part.start_time,
                part.end_time,
                part.content,
                [Said(word.content, word.start_time, word.end_time, word.confidence) for word in part.words],
                part.speaker,
            )
            for part in answered.segments
        ],
    )


def format_of(given: str) -> Format:
    """The `response_format` of this name. Raises InvalidRequest with those there are."""
    for known in get_args(Format):
        if given == known:
            return known
    raise InvalidRequest(f"response_format is one of {', '.join(get_args(Format))}; {given[:50]!r} is none.", param="response_format")


def granularities_of(given: list[str]) -> list[Granularity]:
    """The `timestamp_granularities`; segments where none are given. Raises InvalidRequest with those there are."""
    if unknown := [each for each in given if each not in get_args(Granularity)]:
        raise InvalidRequest(
            f"timestamp_granularities holds word and segment; {unknown[0][:50]!r} is none.", param="timestamp_granularities"
        )
    return [each for each in get_args(Granularity) if each in given] or ["segment"]


def shown(heard: Transcript, format: Format, granularities: list[Granularity]) -> bytes:
    """The body that a client asked for, UTF-8."""
    match format:
        case "text":
            return f"{_text(heard)}\n".encode()
        case "srt":
            return subtitles.srt(subtitles.cues(heard)).encode()
        case "vtt":
            return subtitles.vtt(subtitles.cues(heard)).encode()
        case "json":
            return msgspec.json.encode({"text": _text(heard), "usage": _usage(heard)})
        case "verbose_json":
            return msgspec.json.encode(_verbose(heard, granularities))


def events(heard: Transcript) -> Iterator[bytes]:
    """The events of a stream, as server-sent events: a piece of text for each segment, then all of it."""
    for number, segment in enumerate(heard.segments):
        text = f" {segment.text}" if number else segment.text
        yield event({"type": "transcript.text.delta", "delta": text})
    yield event({"type": "transcript.text.done", "text": _text(heard), "usage": _usage(heard)})


def event(content: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def _text(heard: Transcript) -> str:
    return " ".join(segment.text for segment in heard.segments)


def _usage(heard: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(heard.duration)}


def _verbose(heard: Transcript, granularities: list[Granularity]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "task": "transcribe",
        "language": heard.language or "",
        "duration": heard.duration,
        "text": _text(heard),
    }
    if "word" in granularities:
        made["words"] = [{"word": word.text, "start": word.start, "end": word.end} for segment in heard.segments for word in segment.words]
    if "segment" in granularities:
        made["segments"] = [_segment(number, segment) for number, segment in enumerate(heard.segments)]
    return made | {"usage": _usage(heard)}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """A segment with all that OpenAI's has. `tokens` there are none of; silence is not transcribed, so it is never likely."""
    scores = [math.log(max(word.score, 1e-6)) for word in segment.words]
    raw = segment.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(sum(scores) / len(scores), 4) if scores else 0.0,
        "compression_ratio": round(len(raw) / len(zlib.compress(raw)), 4),
        "no_speech_prob": 0.0,
    }
