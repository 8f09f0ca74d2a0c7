"""A word does not last through the silence around it, whatever an engine says of its times."""

from __future__ import annotations

from heliograph.media.recording import SAMPLE_RATE, Said
from heliograph.perception.speech.cuts import ENDS, PAUSE
from heliograph.perception.speech.hearing import WINDOW

SECONDS = WINDOW / SAMPLE_RATE
SLACK = 1
"""Windows that a word may begin before and end after those with a voice: its first and last sounds are faint."""


def trimmed(word: Said, chances: bytes) -> Said:
    """`word` without the windows at its ends in which nobody speaks, nor what lies beyond a pause in it: engines let a word begin where
    the one before ends. `chances`: of voice, 0-255, in the part whose beginning is time 0."""
    first, last = int(word.start / SECONDS), min(int(word.end / SECONDS), len(chances) - 1)
    runs: list[list[int]] = []
    for window in range(first, last + 1):
        if chances[window] >= ENDS:
            if not runs or window - runs[-1][-1] > PAUSE:
                runs.append([])
            runs[-1].append(window)
    if not runs:
        return word
    longest = max(runs, key=len)
    start = max(word.start, (longest[0] - SLACK) * SECONDS)
    end = min(word.end, (longest[-1] + 1 + SLACK) * SECONDS)
    return Said(word.text, round(start, 3), round(max(start, end), 3), word.score)
