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


class Voice(msgspec.Struct):
    """A speaker within ten seconds. `turns`: spans in seconds from the beginning of the part; `alone`: seconds without others;
    `print`: 256 numbers of 4 bytes, which are alike for the same voice."""

    turns: list[tuple[float, float]]
    alone: float
    print: bytes


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
    `language`: ISO 639-1, as far as the engine tells. `sureness`: 0-1, how likely the engine takes what it heard to be; what it does not
    know looks unlikely.
    """

    words: list[Said] = []
    language: str | None = None
    sureness: float = 1.0


class Engine(Protocol):
    """Hears parts of recordings of up to half a minute."""

    @property
    def name(self) -> str:
        """What it is, such as `moonshine-tiny`; with the model's name where there are several."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """The only ones it knows, ISO 639-1; it takes any other for one of them. None: it knows many, and which of them it hears."""
        ...

    @property
    def parallel(self) -> int:
        """Parts that it hears at a time."""
        ...

    async def hear(self, sound: bytes, hearing: Hearing, guess: str | None) -> Heard:
        """`sound`: signed 16-bit, one channel, 16 kHz. `guess`: the language of the parts before, where the request names none.

        Raises NotConfigured for what it cannot do, Unavailable where another try may help.
        """
        ...

    @property
    def pids(self) -> list[int]:
        """Process ids of children of its own."""
        ...

    async def close(self) -> None:
        """End what it has started."""
        ...


def spread(text: str, start: float, end: float, score: float = 1.0) -> list[Said]:
    """The words of a text without times, spread over a time by their lengths; each with the space before it."""
    words = text.split()
    letters = sum(map(len, words)) or 1
    said, at = list[Said](), start
    for word in words:
        until = at + (end - start) * len(word) / letters
        said.append(Said(f" {word}", round(at, 3), round(until, 3), score))
        at = until
    return said
