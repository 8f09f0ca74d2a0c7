"""Where a recording is cut for the engines: at pauses, into parts of 10 to 20 seconds, never in a word where that can be helped.

Cuts depend on nothing but the chances of voice window by window, so a rerun cuts in the same places, and memory holds the part in hand.
Where somebody talks on without a pause, the cut is at the quietest place; the parts overlap there, and `joining` finds the seam.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec

from heliograph.media.recording import SAMPLE_RATE
from heliograph.perception.speech.hearing import WINDOW

PER_SECOND = SAMPLE_RATE / WINDOW


def _windows(seconds: float) -> int:
    return round(seconds * PER_SECOND)


BEGINS, ENDS = 128, 90
"""Chances in 255ths from which a voice is taken to begin, and below which it is taken to pause."""
PAUSE = _windows(0.3)
"""Quiet that ends a span of speech."""
LEAST = _windows(0.13)
"""Windows with a voice that a span needs: less is a click."""
MARGIN = _windows(0.25)
"""Kept around speech: its first and last sounds are faint."""
APART = _windows(2.0)
"""A pause that always ends a part."""
GOOD, ENOUGH = _windows(0.5), _windows(12.0)
"""A pause that ends a part, once the part is that long."""
MOST = _windows(26.0)
"""The longest part, without margins."""
FROM = _windows(6.0)
"""A part that must be cut is cut after this at the earliest."""
OVERLAP = _windows(1.5)
"""To either side of a cut without a pause."""


class Cut(msgspec.Struct, frozen=True):
    """A part of a recording, in windows: from `start` up to `end`. `speech`: those in which somebody speaks, an overlap counted once.
    `seam`: where it begins to count when it overlaps the part before, else None."""

    start: int
    end: int
    speech: int
    seam: int | None = None


class Cutter:
    """Cuts a recording as its windows come. One per recording."""

    def __init__(self) -> None:
        self._now = 0
        self._spans: list[tuple[int, int]] = []
        self._begun: int | None = None
        self._voiced = 0
        self._quiet = 0
        self._past = 0
        """Where the part before ends."""
        self._seam: int | None = None
        self._chances: list[int] = []
        self._levels: list[int] = []
        """Of the windows of the part in hand, from `_first` on."""
        self._first = 0

    @property
    def idle(self) -> bool:
        """Whether no part is in hand: all that was said so far is in parts that were given."""
        return not self._spans and self._begun is None

    def feed(self, chances: bytes, levels: bytes) -> Iterator[Cut]:
        """The next windows, each with its chance of voice and how loud it is, both 0-255. Gives the parts that end in them."""
        for chance, level in zip(chances, levels, strict=True):
            yield from self._window(chance, level)

    def finish(self) -> Iterator[Cut]:
        """Gives what is left at the recording's end."""
        self._close(self._now)
        if self._spans:
            yield self._cut(len(self._spans))

    def _window(self, chance: int, level: int) -> Iterator[Cut]:
        at = self._now
        self._now += 1
        if self._spans or self._begun is not None:
            self._chances.append(chance)
            self._levels.append(level)
        if self._begun is None:
            if chance >= BEGINS:
                if not self._spans:
                    self._first, self._chances, self._levels = at, [chance], [level]
                self._begun, self._voiced, self._quiet = at, 1, 0
            elif self._spans:
                quiet = at + 1 - self._spans[-1][1]
                length = self._spans[-1][1] - self._spans[0][0]
                if quiet >= APART or (quiet >= GOOD and length >= ENOUGH):
                    yield self._cut(len(self._spans))
            return
        if chance >= ENDS:
            self._quiet = 0
            self._voiced += 1
        else:
            self._quiet += 1
            if self._quiet >= PAUSE:
                self._close(at + 1 - self._quiet)
                return
        if self._now - self._start(self._begun) >= MOST:
            yield self._divide(self._begun)

    def _start(self, begun: int) -> int:
        return self._spans[0][0] if self._spans else begun

    def _close(self, end: int) -> None:
        """The span of speech that has begun ends here."""
        if self._begun is not None and self._voiced >= LEAST:
            self._spans.append((self._begun, end))
        self._begun = None

    def _divide(self, begun: int) -> Cut:
        """Cut a part that has become too long: at its longest pause, else at its quietest window. `begun`: its last span, which goes on."""
        start, spans = self._start(begun), [*self._spans, (begun, self._now)]
        pauses = [(after[0] - before[1], n + 1) for n, (before, after) in enumerate(itertools.pairwise(spans))]
        pauses = [(length, n) for length, n in pauses if spans[n - 1][1] - start >= FROM]
        if pauses:
            return self._cut(max(pauses)[1])
        at = self._quietest(start + FROM, self._now - 2 * OVERLAP)
        end, speech = at + OVERLAP, at - (start if self._seam is None else self._seam)
        cut = Cut(max(self._past, start - MARGIN, 0) if self._seam is None else start, end, speech, self._seam)
        self._seam, self._past = at, at
        self._spans, self._begun = [], at - OVERLAP
        self._forget(at - OVERLAP)
        return cut

    def _quietest(self, start: int, end: int) -> int:
        """The window with the least voice and loudness around it."""
        sums = [chance + level for chance, level in zip(self._chances, self._levels, strict=True)]
        return min(range(start, end), key=lambda at: (sum(sums[at - 2 - self._first : at + 3 - self._first]), at))

    def _cut(self, count: int) -> Cut:
        """The first `count` spans are a part."""
        taken, rest = self._spans[:count], self._spans[count:]
        start, last = taken[0][0], taken[-1][1]
        following = rest[0][0] if rest else self._begun
        end = min(last + MARGIN, self._now) if following is None else last + min(MARGIN, (following - last) // 2)
        begin = start if self._seam is not None else max(self._past, start - MARGIN, 0)
        speech = sum(to - since for since, to in taken) - (0 if self._seam is None else OVERLAP)
        cut = Cut(begin, end, max(0, speech), self._seam)
        self._spans, self._seam, self._past = rest, None, end
        if following is not None:
            self._forget(following)
        return cut

    def _forget(self, before: int) -> None:
        gone = before - self._first
        del self._chances[:gone], self._levels[:gone]
        self._first = before
