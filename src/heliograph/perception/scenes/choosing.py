"""Which frames of a recording are worth reading: the best one of every shot, and further ones where what is shown changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heliograph.media.recording import Shot
from heliograph.perception.scenes.measuring import Measured
from heliograph.perception.scenes.shots import BLANK, find_cuts
from heliograph.perception.scenes.watched import Choice, Sensitivity, Wanted

CALM = 6.0
"""A difference from the frames beside it, in levels of 255, from which a frame counts as moving."""
EDGE = 0.12
"""Seconds beside a cut in which encoders smear, and dissolves still show the other picture."""
DARK, BRIGHT = 24.0, 235.0
"""Mean brightness beyond which little can be seen."""


def choose(frames: Measured, end: float, sensitivity: Sensitivity, most: int) -> Choice:
    """`end`: when the last frame is gone. At most `most` frames to be read."""
    if not len(frames):
        return Choice([], [])
    starts = [0, *find_cuts(frames, sensitivity)]
    stops = [*starts[1:], len(frames)]
    times = frames["time"]
    worth = _worth(frames)
    shots: list[Shot] = []
    wanted: list[Wanted] = []
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        best = (
            _best(times[start:stop], worth[start:stop], float(times[start]), until := float(times[stop]) if stop < len(frames) else end)
            + start
        )
        begin = 0.0 if number == 0 else float(times[start])
        shots.append(Shot(begin, until, start, stop - 1, float(times[best]), round(float(frames["sharpness"][best]), 2)))
        wanted.append(Wanted(float(times[best]), int(frames["stamp"][best]), number, begin))
    kept = wanted
    if len(wanted) > most:
        kept = [wanted[round(index * (len(wanted) - 1) / max(1, most - 1))] for index in range(most)]
    return Choice(shots, kept, len(wanted) - len(kept))


def _worth(frames: Measured) -> NDArray[np.float32]:
    """How good a picture of its shot a frame is: sharp, still, neither dark nor blank."""
    change = frames["change"].astype(np.float32)
    moving = np.maximum(change, np.append(change[1:], 0))
    light = frames["light"].astype(np.float32)
    seen = np.clip(np.minimum(light / DARK, (255 - light) / (255 - BRIGHT)), 0.05, 1)
    blank = np.where(frames["spread"] < BLANK, 0.01, 1)
    return ((frames["sharpness"] + 1) / (1 + (moving / CALM) ** 2) * seen * blank).astype(np.float32)


def _best(times: NDArray[np.float64], worth: NDArray[np.float32], start: float, end: float) -> int:
    """Of the frames that are nearly as good as the best, the one nearest to the middle of the shot."""
    inside = (times >= start + EDGE) & (times <= end - EDGE)
    worth = np.where(inside, worth, worth * 0.3)
    good = np.flatnonzero(worth >= 0.9 * worth.max())
    return int(good[np.argmin(np.abs(times[good] - (start + end) / 2))])
