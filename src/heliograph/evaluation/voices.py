"""How well it was told who speaks when: the diarization error rate.

As NIST counts it (Rich Transcription evaluation plans, md-eval): of the seconds that people speak, two at once counting twice, the seconds
that were missed, given to nobody who speaks, or given to the wrong one, after the names of voices were matched in the best possible
way. `collar` seconds on both sides of each true begin and end of speech are not counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from heliograph.evaluation.likeness import Share
from heliograph.evaluation.metrics import assignment


class Turn(NamedTuple):
    """A voice speaks from `start` to `end` seconds."""

    start: float
    end: float
    voice: str


def confusion(want: Sequence[Turn], got: Sequence[Turn], collar: float = 0.0) -> Share:
    """Wrong seconds of the seconds spoken; the rate is the first over the last, and may exceed 1."""
    true, found = _joined(want), _joined(got)
    edges = sorted({edge for turn in true for edge in (turn.start, turn.end)})
    cuts = {edge for turn in [*true, *found] for edge in (turn.start, turn.end)} | {
        edge + side * collar for edge in edges for side in (-1, 1)
    }
    counted: list[tuple[float, frozenset[str], frozenset[str]]] = []
    together: defaultdict[tuple[str, str], float] = defaultdict(float)
    for start, end in pairwise(sorted(cuts)):
        middle = (start + end) / 2
        if any(abs(middle - edge) < collar for edge in edges):
            continue
        here, there = _speaking(true, middle), _speaking(found, middle)
        counted.append((end - start, here, there))
        for pair in ((mine, theirs) for mine in here for theirs in there):
            together[pair] += end - start
    mine, theirs = sorted({turn.voice for turn in true}), sorted({turn.voice for turn in found})
    same = {(mine[row], theirs[column]) for row, column in assignment([[together[a, b] for b in theirs] for a in mine])}
    wrong = sum(length * (max(len(here), len(there)) - sum((a, b) in same for a in here for b in there)) for length, here, there in counted)
    return Share(wrong, sum(length * len(there) for length, _, there in counted), sum(length * len(here) for length, here, _ in counted))


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    """Turns of one voice that touch or overlap are one: no collar stands where nobody begins or ends."""
    made: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.voice, turn.start)):
        if made and made[-1].voice == turn.voice and turn.start <= made[-1].end:
            made[-1] = made[-1]._replace(end=max(made[-1].end, turn.end))
        else:
            made.append(turn)
    return made


def _speaking(turns: Sequence[Turn], second: float) -> frozenset[str]:
    return frozenset(turn.voice for turn in turns if turn.start <= second < turn.end)
