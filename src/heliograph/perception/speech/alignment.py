"""When each token was said, from what the decoder looked at while it wrote it.

As Whisper's word times are found (A. Radford and others, Robust Speech Recognition via Large-Scale Weak Supervision, 2022; its
`timing.py`): attention from tokens to sound, each head made comparable and smoothed, and the likeliest way through it on which each
token follows the one before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def token_starts(attention: Array) -> NDArray[np.int64]:
    """The frame in which each token begins. `attention`: heads x tokens x frames, tokens and their order as written."""
    comparable: Array = attention - attention.mean(axis=1, keepdims=True)
    comparable /= np.maximum(np.sqrt((comparable**2).mean(axis=1, keepdims=True)), np.float32(1e-6))
    return _path(_smoothed(comparable).mean(axis=0))


def _smoothed(values: Array) -> Array:
    """The running median of three frames."""
    padded = np.pad(values, ((0, 0), (0, 0), (1, 1)), mode="edge")
    before, after = padded[:, :, :-2], padded[:, :, 2:]
    return np.maximum(np.minimum(before, after), np.minimum(np.maximum(before, after), values))


def _path(gain: Array) -> NDArray[np.int64]:
    """Give each frame to a token, in order and with the most gain; a token has a frame at least, as far as there are enough."""
    tokens, frames = gain.shape
    if frames <= tokens:
        return np.minimum(np.arange(tokens, dtype=np.int64), max(frames - 1, 0))
    best = np.full(tokens, -np.inf, np.float32)
    best[0] = gain[0, 0]
    moved = np.zeros((frames, tokens), bool)
    for frame in range(1, frames):
        before = np.concatenate([[-np.inf], best[:-1]])
        moved[frame] = before > best
        best = (np.maximum(best, before) + gain[:, frame]).astype(np.float32)
    starts = np.zeros(tokens, np.int64)
    token = tokens - 1
    for frame in range(frames - 1, 0, -1):
        if moved[frame, token]:
            starts[token] = frame
            token -= 1
    return starts
