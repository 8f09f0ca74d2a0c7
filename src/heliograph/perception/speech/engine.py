"""The functions that run in a child that hears. Call them through a `ChildPool` of this module.

Networks load at their first use and stay warm.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from heliograph.perception.speech.hearing import Heard, Hearing, Voice, Voices
from heliograph.perception.speech.moonshine import Moonshine
from heliograph.perception.speech.speakers import Speakers, grouped
from heliograph.perception.speech.voice import find_voices, samples_of
from heliograph.perception.speech.whisper import Whisper


def voices(sound: bytes, lead: int) -> Voices:
    """Where somebody speaks; see `find_voices`."""
    return find_voices(sound, lead)


def hear_embedded(sound: bytes, threads: int) -> Heard:
    """The words in `sound`: signed 16-bit, one channel, 16 kHz. Raises NotConfigured when the weights are missing."""
    return _moonshine(threads).hear(samples_of(sound))


def hear_whisper(sound: bytes, folder: Path, threads: int, hearing: Hearing, guess: str | None) -> Heard:
    """The same with the Whisper model in `folder`. Raises NotConfigured when there is none, or not for this language."""
    model = _whisper(folder, threads)
    return model.hear(samples_of(sound), language=hearing.language, guess=guess, prompt=hearing.prompt)


def find_speakers(sound: bytes, threads: int) -> list[Voice]:
    """The voices in `sound`, ten seconds by ten seconds. Raises NotConfigured when the networks are missing."""
    return _speakers(threads).find(samples_of(sound))


def group_speakers(found: list[Voice]) -> list[int]:
    """Which of the voices of a recording are the same speaker; see `grouped`."""
    return grouped(found)


@cache
def _speakers(threads: int) -> Speakers:
    return Speakers(threads)


@cache
def _moonshine(threads: int) -> Moonshine:
    return Moonshine(threads)


@cache
def _whisper(folder: Path, threads: int) -> Whisper:
    return Whisper(folder, threads)
