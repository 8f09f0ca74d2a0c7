"""Which frames of a recording are worth a look: the best one of every shot, and further ones where what stands on the screen changes."""

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
BEGIN = 0.5
"""Seconds after a cut in which what is new is new because of the cut."""
DARK, BRIGHT = 40.0, 225.0
"""Mean brightness beyond which little can be seen; most films call 16 black and 235 white."""
NEARLY = 0.9
"""Of frames this close to the best one, that nearest to the middle is taken."""

Worth = NDArray[np.float32]
Times = NDArray[np.float64]


def choose(frames: Measured, end: float, sensitivity: Sensitivity, most: int) -> Choice:
    """`end`: when the last frame is gone. At most `most` frames to be looked at: shots' best ones first, then where most changes."""
    if not len(frames):
        return Choice([], [])
    starts = [0, *find_cuts(frames, sensitivity)]
    stops = [*starts[1:], len(frames)]
    times, worth = frames["time"], _worth(frames)
    shots: list[Shot] = []
    wanted: list[tuple[float, Wanted]] = []
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        begin = 0.0 if number == 0 else float(times[start])
        until = float(times[stop]) if stop < len(frames) else end
        stretches = _stretches(frames, start, stop, begin)
        whole = np.zeros(stop - start, bool)  # but for what changes between two stretches
        for _, _, first, last in stretches:
            whole[first - start : last - start] = True
        best = start + _best(times[start:stop], np.where(whole, worth[start:stop], 0), begin, until)
        shots.append(Shot(begin, until, start, stop - 1, float(times[best]), round(float(frames["sharpness"][best]), 2)))
        for amount, since, first, last in stretches:
            held = first <= best < last
            frame = best if held else first + _best(times[first:last], worth[first:last], since, float(times[last - 1]))
            chosen = Wanted(float(times[frame]), number, since, held)
            wanted.append((float("inf") if held else amount, chosen))
    kept = _most(wanted, most)
    return Choice(shots, kept, len(wanted) - len(kept))


def _stretches(frames: Measured, start: int, stop: int, begin: float) -> list[tuple[float, float, int, int]]:
    """A shot's stretches between news: how much is new, since when, and the frames `first` to `last` (excluded) that show it."""
    times = frames["time"]
    found: list[tuple[float, float, int, int]] = [(0.0, begin, start, stop)]
    for frame in start + np.flatnonzero(frames["news"][start:stop] > 0):
        since = float(frames["since"][frame])
        if since < begin + BEGIN and float(times[frame]) < begin + 2 * BEGIN:
            continue
        since = max(since, begin)
        amount, before, first, _ = found[-1]
        edge = max(first + 1, int(np.searchsorted(times, since)))
        found[-1] = amount, before, first, min(edge, int(frame))
        found.append((float(frames["news"][frame]), since, int(frame), stop))
    return found


def _worth(frames: Measured) -> Worth:
    """How good a picture of its shot a frame is: sharp, still, neither dark nor blank."""
    change = frames["change"].astype(np.float32)
    moving = np.maximum(change, np.append(change[1:], 0))
    light = frames["light"].astype(np.float32)
    seen = np.clip(np.minimum(light / DARK, (255 - light) / (255 - BRIGHT)), 0.05, 1)
    blank = np.where(frames["spread"] < BLANK, 0.01, 1)
    return ((frames["sharpness"] + 1) / (1 + (moving / CALM) ** 2) * seen * blank).astype(np.float32)


def _best(times: Times, worth: Worth, start: float, end: float) -> int:
    """Of the frames that are nearly as good as the best, the one nearest to the middle."""
    inside = (times >= start + EDGE) & (times <= end - EDGE)
    worth = np.where(inside, worth, worth * 0.3)
    good = np.flatnonzero(worth >= NEARLY * worth.max())
    return int(good[np.argmin(np.abs(times[good] - (start + end) / 2))])


def _most(wanted: list[tuple[float, Wanted]], most: int) -> list[Wanted]:
    """At most `most` of the frames, in order: those of the greatest amount, and of equal ones some all along."""
    if len(wanted) <= most:
        return [frame for _, frame in wanted]
    first = [index for index, (amount, _) in enumerate(wanted) if amount == float("inf")]
    if len(first) >= most:
        kept = [first[round(place * (len(first) - 1) / max(1, most - 1))] for place in range(most)]
    else:
        others = [index for index, (amount, _) in enumerate(wanted) if amount != float("inf")]
        others.sort(key=lambda index: -wanted[index][0])
        kept = sorted([*first, *others[: most - len(first)]])
    return [wanted[index][1] for index in kept]
