"""Several channels become one, as loud as the loudest of them. Runs in the child.

The mean alone would make the one voice of a call whose other side is silent half as loud, and the middle of a film's six channels
quieter still; a channel that was wired the wrong way round would take its twin away. So the mean is brought to the loudness of the loudest
channel, and channels that cancel each other give way to the first of them. Both follow the sound slowly, without steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from heliograph.media.recording import SAMPLE_RATE

Sound = np.ndarray[Any, np.dtype[np.float32]]

FOLLOWING = 0.3
"""Seconds over which loudness is averaged."""
SILENT = 1e-8
"""Mean square of samples, of at most 1, below which nothing is learnt from them."""
CANCELLED = 0.02
"""Share of the loudest channel's power below which the mean says that channels cancel each other."""


class Mixer:
    """Mixes the blocks of one sound, in order."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._power = np.zeros(channels + 1)  # of each channel, and of their mean
        self._weights = np.full(channels, 1.0 / channels)
        self._begun = False

    def mixed(self, block: Sound) -> Sound:
        """One channel of a block of shape (channels, n)."""
        if self._channels == 1:
            return block[0]
        before, after = self._weights, self._follow(block)
        if not self._begun:
            before = after
        self._begun, self._weights = True, after
        if np.array_equal(before, after):
            return np.asarray(after @ block, np.float32)
        ramp = np.linspace(0.0, 1.0, block.shape[1], dtype=np.float32)
        return np.asarray((before @ block) * (1 - ramp) + (after @ block) * ramp, np.float32)

    def _follow(self, block: Sound) -> Any:
        power = np.square(np.vstack([block, block.mean(axis=0)])).mean(axis=1)
        if power[:-1].max() < SILENT:
            return self._weights
        kept = float(np.exp(-block.shape[1] / SAMPLE_RATE / FOLLOWING)) if self._begun else 0.0
        self._power = self._power * kept + power * (1 - kept)
        loudest, mean = float(self._power[:-1].max()), float(self._power[-1])
        if mean < CANCELLED * loudest and self._channels == 2:
            return np.array([1.0, 0.0])
        gain = min(float(np.sqrt(loudest / max(mean, SILENT))), float(self._channels))
        return np.full(self._channels, max(1.0, gain) / self._channels)
