"""A circuit breaker: a model that fails again and again is left alone for a while, then asked once to see whether it is back."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from heliograph.models.errors import CircuitOpen

log = logging.getLogger(__name__)

State = Literal["closed", "half_open", "open"]

FAILURES: Final = 5
"""In a row, after which the circuit opens. What was under way together and fails together has failed once."""
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 120.0
"""Seconds: a pause doubles with each trial that fails, up to this."""


class Entry(NamedTuple):
    """A call that was let through: when, and whether it is the trial on which the circuit depends."""

    at: float
    trial: bool


class Breaker:
    """The circuit of one model. Every call that `enter`s reports once how it went."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._failures = 0
        self._failed_at = -math.inf
        self._pause = FIRST_PAUSE
        self._until: float | None = None
        """When the next trial may be made; None while the circuit is closed."""
        self._trying = False

    @property
    def state(self) -> State:
        """`half_open` while a trial is due or made."""
        if self._until is None:
            return "closed"
        return "open" if self._clock() < self._until and not self._trying else "half_open"

    def check(self) -> None:
        """Raises CircuitOpen, saying when to come again, if a call could not enter now."""
        if self._until is None:
            return
        left = self._until - self._clock()
        if self._trying or left > 0:
            wait = max(1, math.ceil(left))
            raise CircuitOpen(
                f"The model route {self._name!r} failed {self._failures} times in a row and is not asked for the next {wait} s.",
                retry_after=wait,
            )

    def enter(self) -> Entry:
        """Begin a call. Raises CircuitOpen."""
        self.check()
        self._trying = self._until is not None
        return Entry(self._clock(), self._trying)

    def succeeded(self) -> None:
        """The model answered, if only to refuse: it is there."""
        if self._until is not None:
            log.warning("model route %s answers again", self._name)
        self._failures, self._pause, self._until, self._trying = 0, FIRST_PAUSE, None, False

    def failed(self, entry: Entry, *, retry_after: float | None = None) -> None:
        """The model did not answer. `retry_after`: seconds for which it asked to be left alone."""
        if not entry.trial and (self._until is not None or entry.at < self._failed_at):
            return  # a call from before the last failure: it says nothing new
        self._failures, self._failed_at = self._failures + 1, self._clock()
        if entry.trial:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._failures < FAILURES:
            return
        self._trying = False
        pause = max(self._pause, min(retry_after or 0.0, LONGEST_PAUSE))
        self._until = self._clock() + pause
        log.warning("model route %s failed %d times in a row; it is left alone for %g s", self._name, self._failures, pause)

    def abandoned(self, entry: Entry) -> None:
        """The call was cancelled, or never reached the model: nothing is known."""
        if entry.trial:
            self._trying = False
