"""Transcription in OpenAI's dialect: the form that is sent, and what is answered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from heliograph.wire.base import Sent


class TranscriptionForm(Sent):
    """The fields of the form. Only the OpenAPI document reads this."""

    file: str | None = Field(default=None, description="The recording.", json_schema_extra={"format": "binary"})
    url: str | None = Field(default=None, description="Or where it is: http, https or `data:`.")
    model: str = Field(
        default="whisper-1", description="`whisper-1`, `vlm-1`, or any name that requests may send: the server's engine hears for all."
    )
    language: str | None = Field(default=None, description="The language that is spoken, ISO 639-1.")
    prompt: str | None = Field(default=None, description="Words to expect, for engines that take them.")
    response_format: Literal["json", "text", "verbose_json", "srt", "vtt"] = Field(default="json", description="How it is answered.")
    temperature: float = Field(default=0.0, description="For engines that sample.")
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        default=["segment"], alias="timestamp_granularities[]", description="What `verbose_json` has the times of."
    )
    stream: bool = Field(default=False, description="Answer `transcript.text.delta` and `transcript.text.done` events when it is done.")


class TranscriptionResponse(Sent):
    """What `json` and `verbose_json` answer; the latter with all of it."""

    text: str
    usage: dict[str, Any] = Field(description="`duration`: seconds of the recording.")
    task: Literal["transcribe"] | None = None
    language: str | None = Field(default=None, description="ISO 639-1.")
    duration: float | None = None
    segments: list[dict[str, Any]] | None = None
    words: list[dict[str, Any]] | None = None
