"""Time stamps become times as a player shows them: seconds from the beginning, never running backwards. Runs in the child."""

from __future__ import annotations

RESET = 1.0
"""Seconds by which stamps must go back to be a new beginning and no disorder: files that were joined, counters that were set anew."""
LEAP = 10.0
"""Seconds ahead that are a new beginning too, where stamps are a broadcaster's clock; elsewhere they are a pause."""
BEYOND = 1.0
"""Seconds after the end of the recording at which a stamp is damage."""


class Clock:
    """The time of one track's frames, told in order.

    `origin`: the stamp in seconds at which the recording begins; `end`: when it ends; `leaps`: stamps are a broadcaster's clock.
    """

    def __init__(self, origin: float, end: float, *, leaps: bool = False) -> None:
        self._origin, self._end, self._leaps = origin, end, leaps
        self._due: float | None = None
        self._doubted: float | None = None
        self.even = True
        """No new beginning was met so far."""

    def time(self, stamp: float | None, length: float) -> float:
        """When the frame with this stamp, of `length` seconds, is shown; without a stamp, after the one before.

            A stamp that goes far back is believed when the next one agrees with it, until then it may be damage; and where stamps are no
        broadcaster's clock, only when it leads to the very beginning, as that of a file that was appended does.
        """
        time = stamp - self._origin if stamp is not None else self._due or 0.0
        if self._due is not None:
            back = time < self._due - RESET and (self._leaps or time < RESET)
            ahead = self._leaps and time > self._due + LEAP
            if ahead or (back and self._doubted is not None and abs(time - self._doubted) < RESET):
                self._origin += time - self._due
                self.even = False
            self._doubted = time + length if back else None
            if ahead or back or time > self._end + BEYOND:
                time = self._due
        self._due = max(self._due or 0.0, time + length)
        return time
