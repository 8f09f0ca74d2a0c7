"""Where one shot ends and the next begins, from what was measured of every frame.

The ideas are those of PySceneDetect's detectors (https://www.scenedetect.com/docs/latest/api/detectors.html), written anew: a cut
differs from the frame before it by far more than the frames around it do from theirs (its AdaptiveDetector), and a fade passes
through a frame of one colour (its ThresholdDetector). Beside them: a flash returns to what was before it, a jerk of the
camera shows the same things elsewhere, and a dissolve is a mixture of the pictures before and after it.
"""

from __future__ import annotations

from bisect import bisect

import numpy as np
from numpy.typing import NDArray

from heliograph.perception.scenes.measuring import Measured
from heliograph.perception.scenes.watched import Sensitivity

Numbers = NDArray[np.float32]
Times = NDArray[np.float64]


AROUND = 8
"""Frames on either side of a frame that say how much is usual there."""
RETURNS, RETURNS_LIT = 0.45, 0.8
"""A frame that differs by no more than this share of a flash's own difference from the frame before the flash is back where it was; the
second where the frames between are brighter than both by `LIT`."""
LIT = 20.0
"""Levels of 255."""
BESIDE = 0.8
"""Seconds beside frames of one colour in which pictures change because they fade."""
BLANK = 5.0
"""Standard deviation of brightness below which a frame is of one colour."""


def find_cuts(frames: Measured, sensitivity: Sensitivity) -> list[int]:
    """The first frames of all shots but the first, in order."""
    if len(frames) < 2:
        return []
    times: Times = frames["time"]
    hard = _hard(frames, sensitivity)
    strength = {frame: 1000.0 + float(frames["change"][frame]) for frame in hard}
    for start, stop in _fades(frames, hard):
        strength.setdefault((start + stop) // 2, 500.0)
    blank = np.flatnonzero(frames["spread"] < BLANK)
    for frame, score in _dissolves(frames, sensitivity, times[[*hard]], times[blank]):
        strength.setdefault(frame, score)
    return _apart(times, strength, sensitivity.shortest)


def _hard(frames: Measured, sensitivity: Sensitivity) -> list[int]:
    change, same = frames["change"].astype(np.float32), frames["same"]
    usual = _around(change)
    stands_out = change >= sensitivity.ratio * same * (usual + 0.3)
    spikes = np.flatnonzero((change >= sensitivity.least) & stands_out & (same < sensitivity.same))
    return [int(frame) for frame in spikes if frame > 0 and not _flash(frames, int(frame)) and not _fading(frames, int(frame))]


def _around(change: Numbers) -> Numbers:
    """What is usual around each frame: the mean over its neighbours without the frame itself and without the largest of them."""
    count = len(change)
    total, largest, seen = np.zeros(count, np.float32), np.zeros(count, np.float32), np.zeros(count, np.float32)
    for step in [*range(-AROUND, 0), *range(1, AROUND + 1)]:
        low, high = max(0, -step), min(count, count - step)
        if low >= high:
            continue
        neighbours = change[low + step : high + step]
        total[low:high] += neighbours
        largest[low:high] = np.maximum(largest[low:high], neighbours)
        seen[low:high] += 1
    return ((total - largest) / np.maximum(seen - 1, 1)).astype(np.float32)


def _flash(frames: Measured, frame: int) -> bool:
    """Whether the picture is back soon after, or was the same shortly before: a flash's beginning or end."""
    back, light = frames["back"], frames["light"]
    own = float(frames["change"][frame])
    for lag in range(2, back.shape[1] + 2):
        for first in (frame, frame - lag + 1):  # of the frames that may be lit
            after = first + lag - 1
            if first < 1 or after >= len(frames):
                continue
            before, within, behind = float(light[first - 1]), float(light[first:after].min()), float(light[after])
            lit = within - before > LIT and abs(behind - before) < LIT / 2  # then a camera may have moved on
            if back[after, lag - 2] < own * (RETURNS_LIT if lit else RETURNS):
                return True
    return False


def _fading(frames: Measured, frame: int) -> bool:
    """Whether a step out of one colour, or into it, is but the first or the last of many."""
    beside = frames["change"][max(1, frame - 1) : frame + 2]
    plain = min(float(frames["spread"][frame - 1]), float(frames["spread"][frame])) < BLANK
    return plain and float(beside.max()) <= 2 * float(np.partition(beside, -2)[-2]) if len(beside) > 1 else False


def _fades(frames: Measured, hard: list[int]) -> list[tuple[int, int]]:
    """Runs of frames of one colour between pictures, where no cut leads into or out of them."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames["spread"] < BLANK, [False]]).astype(np.int8)))
    found: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        outside = start == 0 or stop == len(frames)
        if outside or any(start <= frame <= stop for frame in hard) or _flash(frames, int(start)):
            continue
        found.append((int(start), int(stop)))
    return found


def _dissolves(frames: Measured, sensitivity: Sensitivity, cuts: Times, blank: Times) -> list[tuple[int, float]]:
    """The middles of dissolves, with how sure they are; none across a cut, and none beside frames of one colour, as fades have."""
    times, blend, span = frames["time"], frames["blend"], frames["span"]
    candidates: list[tuple[float, float, float]] = []
    for frame in np.flatnonzero(blend >= sensitivity.blend):
        middle, half = float(times[frame] - span[frame] / 2), float(span[frame]) / 2
        if not _within(cuts, middle, half * 1.2) and not _within(blank, middle, half + BESIDE):
            candidates.append((float(blend[frame]), middle, half))
    chosen: list[tuple[int, float]] = []
    taken: list[tuple[float, float]] = []
    for score, middle, half in sorted(candidates, reverse=True):
        if all(abs(middle - other) > half + reach for other, reach in taken):
            taken.append((middle, half))
            chosen.append((int(np.searchsorted(times, middle)), score))
    return chosen


def _within(times: Times, middle: float, reach: float) -> bool:
    """Whether any of `times`, which are in order, is at most `reach` seconds away from the `middle`."""
    return bool(np.searchsorted(times, middle + reach, "right") > np.searchsorted(times, middle - reach))


def _apart(times: Times, strength: dict[int, float], shortest: float) -> list[int]:
    """Cuts at least `shortest` seconds apart, and from both ends; of two too close together the stronger one stays."""
    kept: list[int] = []
    taken = [float(times[0]), float(times[-1]) + shortest / 2]
    for frame in sorted(strength, key=lambda frame: -strength[frame]):
        time = float(times[frame])
        place = bisect(taken, time)
        if 0 < place < len(taken) and min(time - taken[place - 1], taken[place] - time) >= shortest:
            taken.insert(place, time)
            kept.append(frame)
    return sorted(kept)
