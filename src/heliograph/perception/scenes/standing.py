"""When what stands still on the pictures changes: a line that appears on a slide, the next second of a clock, another subtitle.

What stands still are strong edges that were there, as bright, a third of a second before; so texts over moving pictures do, and the moving
pictures do not. Their pixels, and those that stood there the last time that something was new, are compared with what they were then.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import cv2 as opencv
import numpy as np
from numpy.typing import NDArray

cv2: Any = opencv  # its types know nothing of numpy's
Plane = NDArray[np.uint8]

SETTLED = 4
"""Looks for which something must stand still."""
STEADY = 14
"""Levels of 255 by which a pixel that stands still may flicker."""
STRONG = 48
"""Difference between neighbouring pixels, in levels of 255, of an edge."""
OTHER = 40
"""Levels of 255 by which a pixel of an edge differs that shows something else."""
WINDOW = 15, 9
"""Pixels wide and high: about a letter or two of small text."""
LEAST = 8
"""Edge pixels within a window that are new, or gone, from which something changed."""
GAP = 0.9
"""Seconds between two news at least: a clock's every second is seen, its tenths are not."""
MOVED_ON, MOVED_GAP = 0.5, 3.0
"""Correlation with the last picture with news below which a picture shows something else, and the seconds between two such."""


class News(NamedTuple):
    """`amount`: edge pixels that are new or gone, in the window with the most of them; `since`: from when on it stands there."""

    amount: float
    since: float


NONE = News(0.0, 0.0)
_NEAR: Plane = np.ones((3, 3), np.uint8)


class Standing:
    """Looks at pictures some times a second."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Plane]] = deque(maxlen=SETTLED + 1)
        self._strong: Plane | None = None
        self._picture: Plane | None = None
        self._tiny: NDArray[np.float32] | None = None
        self._last = float("-inf")
        self._waiting: float | None = None

    def look(self, time: float, picture: Plane, tiny: NDArray[np.float32]) -> News:
        """What is new on `picture` (brightness), of which `tiny` is a small copy."""
        self._looks.appendleft((time, picture))
        if len(self._looks) <= SETTLED:
            return NONE
        began = self._looks[-1][0]
        edges = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, _NEAR)
        moved = cv2.max(cv2.absdiff(picture, self._looks[SETTLED // 2][1]), cv2.absdiff(picture, self._looks[SETTLED][1]))
        steady: Plane = (cv2.dilate(moved, _NEAR) < STEADY).astype(np.uint8)
        strong: Plane = (edges > STRONG).astype(np.uint8) & steady
        if self._strong is None or self._picture is None or self._tiny is None:
            self._take(time, strong, picture, tiny)
            return NONE
        other: Plane = cv2.absdiff(picture, self._picture)
        # what stood there is gone when it stays away, whatever is there now
        away: Plane = cv2.min(other, cv2.min(*(cv2.absdiff(self._looks[back][1], self._picture) for back in (SETTLED // 2, SETTLED - 1))))
        changed = (strong & (other > OTHER)) | (self._strong & (away > OTHER))
        amount = float(cv2.boxFilter(changed, cv2.CV_16S, WINDOW, normalize=False).max())
        if amount >= LEAST:
            self._waiting = began if self._waiting is None else self._waiting
        elif _correlation(tiny, self._tiny) < MOVED_ON and time - self._last >= MOVED_GAP:
            amount = float(LEAST)
            self._waiting = time
        else:
            self._waiting = None
        if self._waiting is None or time - self._last < GAP:
            return NONE
        since, self._waiting = self._waiting, None
        self._take(time, strong, picture, tiny)
        return News(amount, since)

    def _take(self, time: float, strong: Plane, picture: Plane, tiny: NDArray[np.float32]) -> None:
        self._strong, self._picture, self._tiny, self._last = strong, picture, tiny, time


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    spreads = float(one.std()) * float(other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spreads if spreads > 1 else 1.0
