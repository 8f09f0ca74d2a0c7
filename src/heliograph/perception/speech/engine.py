"""The functions that run in a child that hears. Call them through a `ChildPool` of this module.

Networks load at their first use and stay warm.
"""

from __future__ import annotations

from functools import cache

from heliograph.perception.speech.hearing import Heard, Voices
from heliograph.perception.speech.moonshine import Moonshine
from heliograph.perception.speech.voice import find_voices, samples_of


def voices(sound: bytes, lead: int) -> Voices:
    """Where somebody speaks; see `find_voices`."""
    return find_voices(sound, lead)


def hear_embedded(sound: bytes, threads: int, times: bool) -> Heard:
    """The words in `sound`: signed 16-bit, one channel, 16 kHz. Raises NotConfigured when the weights are missing."""
    return _moonshine(threads).hear(samples_of(sound), times=times)


@cache
def _moonshine(threads: int) -> Moonshine:
    return Moonshine(threads)
