"""When exactly a text came or went between two frames that were read: its place is compared, frame by frame, with how it looks with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2 as opencv
import numpy as np
from numpy.typing import NDArray

cv2: Any = opencv  # its types know nothing of numpy's
Plane = NDArray[np.uint8]

EDGES = 40
"""Differences between neighbouring pixels, in levels of 255, that belong to letters."""
LIKE = 36
"""Levels of 255 by which a pixel of a letter may differ and be it."""
STEP, CLEAR = 0.05, 2.0
"""Least difference in likeness before and after the moment, as a share of the pixels of letters, and in standard deviations."""


def likeness(crops: Sequence[Plane], reference: Plane) -> NDArray[np.float64]:
    """For each crop, the share of the reference's letters, by their edges, that are on it too."""
    letters = cv2.morphologyEx(reference, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > EDGES
    if not letters.any():
        letters = np.ones_like(reference, bool)
    return np.array([float((cv2.absdiff(crop, reference)[letters] < LIKE).mean()) for crop in crops])


def step(values: NDArray[np.float64], *, up: bool) -> int | None:
    """Where `values` change for good, upwards or downwards: the first place after the step that leaves the least deviation on both sides.

    None where there is no clear step.
    """
    count = len(values)
    if count < 2:
        return None
    places = np.arange(1, count)
    sums, squares = np.cumsum(values), np.cumsum(values**2)
    left, right = sums[:-1] / places, (sums[-1] - sums[:-1]) / (count - places)
    rest = squares[-1] - places * left**2 - (count - places) * right**2
    rise = (right - left) if up else (left - right)
    rest = np.where(rise > 0, rest, np.inf)
    best = int(np.argmin(rest))
    deviation = float(np.sqrt(max(float(rest[best]), 0.0) / count)) if np.isfinite(rest[best]) else np.inf
    return best + 1 if rise[best] >= max(STEP, CLEAR * deviation) else None
