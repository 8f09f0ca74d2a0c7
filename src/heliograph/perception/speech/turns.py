"""Which word is whose."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from heliograph.media.recording import Said

INTERJECTION = 0.5
"""Seconds: a single word that is shorter, between words of somebody else without a pause, is that one's."""
PAUSE = 0.3


def speakers(words: Sequence[Said], turns: Sequence[tuple[float, float, int]]) -> list[str | None]:
    """The label of the speaker of each word: `A` for the one who speaks first, then `B`; None for all without turns.

    `turns`: start, end and number of the speaker. A word belongs to the turn that it shares most time with, else to the nearest.
    """
    if not turns:
        return [None] * len(words)
    ordered = sorted(turns)
    starts = [start for start, _, _ in ordered]
    longest = max(end - start for start, end, _ in ordered)
    numbers: list[int] = []
    for word in words:
        first = bisect.bisect_left(starts, word.start - longest)
        last = bisect.bisect_right(starts, word.end)
        near = ordered[max(0, first - 1) : last + 1] or ordered[-1:]
        numbers.append(max(near, key=lambda turn: min(turn[1], word.end) - max(turn[0], word.start))[2])
    for at in range(1, len(words) - 1):
        word, before, after = words[at], words[at - 1], words[at + 1]
        alone = numbers[at - 1] == numbers[at + 1] != numbers[at]
        close = word.start - before.end < PAUSE and after.start - word.end < PAUSE
        if alone and close and word.end - word.start < INTERJECTION:
            numbers[at] = numbers[at - 1]
    order = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    return [label(order[number]) for number in numbers]


def label(place: int) -> str:
    """`A` to `Z`, then `AA`."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
