"""The options of a request, `config`, typed. What becomes of each is in docs/reference/options.md and in `plan`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.perception.speech.languages import code

Detail = Literal["auto", "hi", "lo"]
InputMode = Literal["frames", "native_video"]
Medium = Literal["pages", "audio", "video"]
"""What options are about: documents and images, sound, or moving pictures with their sound."""
Positive = Annotated[int, msgspec.Meta(ge=1)]

MAX_PROMPT = 200_000
"""Characters of `config.prompt`."""
SEGMENT_DURATION = 150.0
FRAMES_PER_SEGMENT = 8


class Options(msgspec.Struct):
    """GenerationConfig. Null is absent and was taken out."""

    prompt: str | None = None
    detail: Detail = "auto"
    json_schema: dict[str, Any] | None = None
    skills: list[dict[str, Any]] = []
    gql_stmt: str | None = None
    max_retries: int = 1
    max_tokens: int = 65535
    temperature: float = 0.0
    confidence: bool = False
    grounding: bool = False
    keyframes: bool = False
    video_segment_duration: Annotated[float, msgspec.Meta(ge=1)] | None = None
    video_frames_per_segment: Positive | None = None
    video_model: str | None = None
    video_input_mode: InputMode | None = None
    video_transcribe_audio: bool | None = None
    chat_context: str | None = None
    page_indices: list[int] | None = None
    use_context_cache: bool = True
    service_tier: Literal["auto", "default", "standard", "flex", "priority"] = "auto"
    language: str | None = None
    diarization: bool = False


class Recorded(msgspec.Struct, kw_only=True, frozen=True):
    """What is decided about a recording. Times in seconds.

    `video_model`: the name as it was asked for, and `video_route` the configured model that it leads to, which captions segments; None is
    the plan's own. `video_input_mode`: how that model is shown a segment; None leaves it to what the model takes. `transcribe_audio`: True:
    segments of a video end where speech pauses; False: what is said is not listened to; None: it is, and segments are of equal length.
    `language`: ISO 639-1 of what is said; None has it found out.
    """

    keyframes: bool = False
    segment_duration: float = SEGMENT_DURATION
    frames_per_segment: int = FRAMES_PER_SEGMENT
    video_model: str | None = None
    video_route: str | None = None
    video_input_mode: InputMode | None = None
    transcribe_audio: bool | None = None
    chat_context: str | None = None
    language: str | None = None
    diarization: bool = False


_OF_VIDEO = (
    "keyframes", "video_segment_duration", "video_frames_per_segment", "video_model", "video_input_mode", "video_transcribe_audio",
    "chat_context",
)  # fmt: skip
_OF_SPEECH = ("language", "diarization")
_OF_PAGES = ("page_indices",)
_ELSEWHERE: dict[Medium, dict[tuple[str, ...], str]] = {
    "pages": {_OF_VIDEO: "video", _OF_SPEECH: "what is said in recordings"},
    "audio": {_OF_VIDEO: "video", _OF_PAGES: "pages"},
    "video": {_OF_PAGES: "pages"},
}
"""For each medium the options of others, and what those are about."""
_CODE = re.compile(r"[a-z]{2,3}")


def options(config: dict[str, Any], medium: Medium = "pages") -> tuple[Options, list[str]]:
    """The typed options, and warnings about those that have no effect on `medium`. Raises InvalidRequest with the field at fault."""
    known = set(Options.__struct_fields__)
    given = {key: value for key, value in config.items() if value is not None}
    try:
        asked = msgspec.convert({key: value for key, value in given.items() if key in known}, Options)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        where = f"config{path.rstrip('`')}"
        raise InvalidRequest(f"{where}: {message}.", param=where) from None
    if asked.prompt and len(asked.prompt) > MAX_PROMPT:
        raise InvalidRequest(f"config.prompt is longer than {MAX_PROMPT} characters.", param="config.prompt")
    warnings = [
        f"config.{name} is about {what} and has no effect here"
        for names, what in _ELSEWHERE[medium].items()
        for name in names
        if getattr(asked, name) not in (None, False)
    ]
    unknown = sorted(key[:50] for key in given if key not in known)
    warnings += [f"config.{name} is not an option and has no effect" for name in unknown[:10]]
    return asked, warnings


def recorded(asked: Options) -> Recorded:
    """What is decided about a recording, but for whom `video_model` leads to. Raises InvalidRequest for a language that is none."""
    return Recorded(
        keyframes=asked.keyframes,
        segment_duration=asked.video_segment_duration or SEGMENT_DURATION,
        frames_per_segment=asked.video_frames_per_segment or FRAMES_PER_SEGMENT,
        video_model=asked.video_model or None,
        video_input_mode=asked.video_input_mode,
        transcribe_audio=asked.video_transcribe_audio,
        chat_context=asked.chat_context,
        language=language(asked.language, "config.language"),
        diarization=asked.diarization,
    )


def language(given: str | None, param: str) -> str | None:
    """The code of a language by its tag or English name: `en` for `en-US` and `English`. Raises InvalidRequest for what is neither."""
    if not given:
        return None
    found = code(given)
    if found is None or _CODE.fullmatch(found) is None:
        raise InvalidRequest(f"{given[:50]!r} is no code of a language, such as 'en' or 'de' (ISO 639-1).", param=param)
    return found


def pages(indices: list[int] | None, warnings: list[str]) -> list[int] | None:
    """`page_indices`, ascending without repeats; None is all pages."""
    if indices is None:
        return None
    if not indices:
        raise InvalidRequest("page_indices is empty; leave it out for all pages.", param="config.page_indices")
    if min(indices) < 0:
        raise InvalidRequest(f"page_indices counts from 0 and has no page {min(indices)}.", param="config.page_indices")
    unique = sorted(set(indices))
    if len(unique) < len(indices):
        warnings.append("page_indices names a page twice; it is read once")
    return unique


def bare_schema(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """`json_schema` and whether it is strict: as it came, or out of OpenAI's envelope `{name, schema, strict}`, as clients that know
    that API send it."""
    inner = schema.get("schema")
    if isinstance(inner, dict) and not schema.keys() & {"type", "properties", "$ref", "anyOf", "allOf", "oneOf", "enum"}:
        return cast("dict[str, Any]", inner), schema.get("strict") is True
    if schema.get("type") == "json_schema":
        inner = schema.get("json_schema", inner)
        if isinstance(inner, dict):
            bare, strict = bare_schema(cast("dict[str, Any]", inner))
            return bare, strict or schema.get("strict") is True
    return schema, False
