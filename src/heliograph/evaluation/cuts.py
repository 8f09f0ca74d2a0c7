"""How well cuts between shots were found, as TRECVID counts them (Smeaton, Over and Doherty, 2010): one to one, within a few frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from heliograph.evaluation.likeness import Share

TOLERANCE = 2
"""Frames by which a cut may be off."""


class Cuts(NamedTuple):
    """Cuts found among those there are, and by how many frames each found one is late (early: negative)."""

    share: Share
    late: list[int]


def compare(want: Iterable[int], got: Iterable[int], tolerance: int = TOLERANCE) -> Cuts:
    """`want` and `got`: the first frames of shots. Frame 0 begins a recording and is no cut.

    Both are walked in order, which pairs as many as can be paired when every tolerance is the same.
    """
    true, found = (sorted({frame for frame in frames if frame > 0}) for frames in (want, got))
    late: list[int] = []
    at = 0
    for frame in found:
        while at < len(true) and true[at] < frame - tolerance:
            at += 1
        if at < len(true) and true[at] <= frame + tolerance:
            late.append(frame - true[at])
            at += 1
    return Cuts(Share(len(late), len(found), len(true)), late)
