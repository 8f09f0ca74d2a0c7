"""What is asked of an engine that hears, and what it answers."""

from __future__ import annotations

from typing import Protocol

import msgspec

from heliograph.media.recording import Said

WINDOW = 512
"""Samples, 32 ms, of which voice activity says one chance: the grid on which recordings are cut."""


class Voices(msgspec.Struct):
    """Of each window a byte. `chances` that it holds a voice, in 255ths; `levels`: loudness above silence, 255 at full scale."""

    chances: bytes
    levels: bytes


class Hearing(msgspec.Struct, frozen=True):
    """How a recording is to be heard. `language`: ISO 639-1, None when nobody said; `prompt`: words to expect, for engines that take it;
    `words`: also their times; `span`: only from here to there, in seconds."""

    language: str | None = None
    diarize: bool = False
    prompt: str | None = None
    words: bool = True
    span: tuple[float, float] | None = None


class Heard(msgspec.Struct):
    """What an engine heard in a part of a recording.

    `words`: their times in seconds from the part's beginning; each text as it is written, with the space before it if there is one.
    `language`: ISO 639-1. `sureness`: 0-1, how likely the engine takes what it heard to be; what it does not know looks unlikely.
    """

    words: list[Said] = []
    language: str | None = None
    sureness: float = 1.0


class Engine(Protocol):
    """Hears parts of recordings of up to half a minute."""

    name: str
    """What it is, such as `moonshine-tiny`; with the model's name where there are several."""

    async def hear(self, sound: bytes, hearing: Hearing) -> Heard:
        """`sound`: signed 16-bit, one channel, 16 kHz. Raises NotConfigured for what this engine cannot do."""
        ...
