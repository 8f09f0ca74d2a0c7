"""What is measured of every frame of moving pictures, so that shots and keyframes can be found without looking at it again.

A frame is looked at small (`WIDE` pixels, and `WIDE / 2`), beside the few frames before it that a `Meter` remembers. What it makes of it
is one row of `MEASURED`.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2 as opencv
import numpy as np
from numpy.typing import NDArray

from heliograph.perception.scenes.standing import NONE, Standing

cv2: Any = opencv  # its types know nothing of numpy's
Plane = NDArray[np.uint8]

WIDE = 320
"""Pixels of the longer side at which sharpness and changes of text are measured; all else is measured at half of it."""
LAGS = 6
"""Frames back that a frame is compared with, so that a flash of up to `LAGS - 1` frames is seen to return to what was."""
BUSY = 1.2
"""A difference from the frame before, in levels of 255, from which a frame is looked at closer."""
SLIGHT = 4.0
"""A difference below which a picture that has anything in common with the one before it is no other: a waveform over a fixed title, say."""
STANDS_OUT = 1.6
"""How many times the difference between the frames just before it a frame must differ to be looked at closer."""
PATCHES = 3
"""A frame is looked for in the one before it in this many patches along each side."""
REACH = 0.12
"""How far a patch may have moved between two frames, as a fraction of the picture's sides."""
PACE = 0.08
"""Seconds between the pictures that gradual changes are looked for among."""
SLACK = 0.002
"""Seconds; times are rounded."""
SPANS = 4, 8, 12, 16, 24, 32
"""Lengths of gradual changes that are tried, in those pictures."""
LEAST_STEP, LEAST_SPREAD, MOST_ALIKE = 6.0, 8.0, 0.7
"""Of the two ends of a gradual change: their least difference, the least standard deviation of either, and their greatest correlation.
A picture that grows dark goes on being like itself, and black is like nothing."""


MEASURED = np.dtype([
    ("time", np.float64),  # seconds, as a player shows it
    ("change", np.float16),  # mean difference from the frame before, of brightness and colour, in levels of 255
    ("back", np.float16, (LAGS - 1,)),  # the same from the frame two before it, three before it, and so on
    ("light", np.float16),  # mean brightness, 0-255
    ("spread", np.float16),  # standard deviation of brightness: 0 on a frame of one colour
    ("same", np.float16),  # how much of the frame before is found again, 0-1, wherever it moved, however bright; 1 where nothing stood out
    ("blend", np.float16),  # how surely, 0-1, the last `span` seconds are one picture that turns into another
    ("span", np.float16),
    ("sharpness", np.float32),  # variance of the Laplacian
    ("news", np.float16),  # where more than 0: how much of what stands still here was not there on the last frame with news
    ("since", np.float64),  # from when on the news stands there
])  # fmt: skip
"""A frame, measured. Arrays of it travel as their bytes."""

Measured = NDArray[np.void]


class Meter:
    """Measures frames in their order. One per recording; a few frames after it is made it has seen all it needs."""

    def __init__(self) -> None:
        self._before: deque[tuple[Plane, Plane]] = deque(maxlen=LAGS)
        self._changes: deque[float] = deque(maxlen=12)
        self._slow: deque[NDArray[np.float32]] = deque(maxlen=SPANS[-1] + 1)
        self._slow_time = float("-inf")
        self._standing = Standing()

    def measure(self, time: float, luma: Plane, colour: Plane) -> tuple[object, ...]:
        """A row of `MEASURED`. `luma`: brightness, `WIDE` pixels on its longer side; `colour`: both colour differences, one above the
        other, at a quarter of it."""
        sharpness = float(cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))[1][0, 0]) ** 2
        small: Plane = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        light, spread = (float(number[0, 0]) for number in cv2.meanStdDev(small))
        backs = [_difference(small, colour, *other) for other in self._before]
        same = 1.0
        if backs:
            usual = float(np.mean(self._changes)) if self._changes else 0.0
            if backs[0] > BUSY and backs[0] > STANDS_OUT * usual:
                same = _found_again(self._before[0][0], small, slight=backs[0] < SLIGHT)
            self._changes.append(backs[0])
        self._before.appendleft((small, colour))
        blend, span, news = 0.0, 0.0, NONE
        if time - self._slow_time > PACE - SLACK:
            tiny = cv2.resize(small, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.float32)
            blend, span = self._blended(time, tiny)
            news = self._standing.look(time, luma, tiny)
        padded = (backs + [backs[-1] if backs else 0.0] * LAGS)[:LAGS]
        return time, padded[0], padded[1:], light, spread, same, blend, span, sharpness, news.amount, news.since

    def _blended(self, time: float, tiny: NDArray[np.float32]) -> tuple[float, float]:
        """The best evidence that a gradual change ends here, and its length in seconds."""
        step = time - self._slow_time
        self._slow_time = time
        self._slow.appendleft(tiny)
        best = 0.0, 0.0
        for span in SPANS:
            if span >= len(self._slow):
                break
            score = _blend([self._slow[span], *(self._slow[span * part // 4] for part in (3, 2, 1)), tiny])
            if score > best[0]:
                best = score, span * step
        return best


def _difference(small: Plane, colour: Plane, other: Plane, other_colour: Plane) -> float:
    brightness = cv2.mean(cv2.absdiff(small, other))[0]
    tint = cv2.mean(cv2.absdiff(colour, other_colour))[0]
    return brightness + tint


def _found_again(before: Plane, now: Plane, *, slight: bool) -> float:
    """How well patches of one picture are found on the next, within reach: the mean of their correlations; after a slight difference
    the best of them, and of those along the edges, which stay where they are."""
    height, width = now.shape
    dy, dx = max(1, int(REACH * height)), max(1, int(REACH * width))
    found = _correlations(before, now, dy, dx)
    if slight:
        found += _correlations(before, now, 0, 0)
    if not found:
        return 0.0
    return max(found) if slight else sum(found) / len(found)


def _correlations(before: Plane, now: Plane, dy: int, dx: int) -> list[float]:
    """For each patch with anything on it, its correlation with the next picture where that is greatest."""
    height, width = now.shape
    tall, wide = (height - 2 * dy) // PATCHES, (width - 2 * dx) // PATCHES
    found: list[float] = []
    if min(tall, wide) < 4:
        return found
    for top in range(dy, dy + PATCHES * tall, tall):
        for left in range(dx, dx + PATCHES * wide, wide):
            patch = before[top : top + tall, left : left + wide]
            if float(cv2.meanStdDev(patch)[1][0, 0]) < 2:  # nothing on it that could be found
                continue
            around = now[top - dy : top + tall + dy, left - dx : left + wide + dx]
            found.append(max(0.0, float(cv2.minMaxLoc(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED))[1])))
    return found


def _blend(pictures: list[NDArray[np.float32]]) -> float:
    """How surely five pictures, evenly spaced, are mixtures of the first and the last in growing shares, and these are different, 0-1.

    A mixture misses what it should be by .17 of the step between the two at most, on films of ours with dissolves of 8 to 40 frames between
    scenes that move gently, and what moves by itself by .27 at least (.38 on real films without dissolves).
    """
    first, last = pictures[0], pictures[-1]
    step = last - first
    size = float(np.abs(step).mean())
    spreads = float(first.std()), float(last.std())
    if size < LEAST_STEP or min(spreads) < LEAST_SPREAD:
        return 0.0
    alike = float(((first - first.mean()) * (last - last.mean())).mean()) / (spreads[0] * spreads[1])
    if alike > MOST_ALIKE:
        return 0.0
    energy = float((step * step).sum())
    shares: list[float] = []
    missed = 0.0
    for picture in pictures[1:-1]:
        offset = picture - first
        share = float((offset * step).sum()) / energy
        shares.append(share)
        missed = max(missed, float(np.abs(offset - share * step).mean()) / size)
    if not (-0.1 < shares[0] < shares[1] < shares[2] < 1.1 and 0.2 < shares[1] < 0.8):
        return 0.0
    return max(0.0, 1 - 3 * missed) * (1 - max(alike, 0.0))
