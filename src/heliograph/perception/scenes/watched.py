"""What a watching child is asked for and tells; light, so that every process may import it."""

from __future__ import annotations

import msgspec

from heliograph.media.recording import Shot


class Sensitivity(msgspec.Struct, frozen=True):
    """What counts as a new shot. `ratio`: how many times the difference around it a cut differs, times how much of the picture before is
    found again; `same`: how much of it may be found again, 0-1; `least`: the least difference of a cut in levels of
    255; `blend`: how surely a dissolve is one, 0-1;
    `shortest`: seconds that a shot lasts at least."""

    ratio: float = 3.0
    least: float = 4.0
    same: float = 0.8
    blend: float = 0.35
    shortest: float = 0.35


class Block(msgspec.Struct):
    """Measured frames. `rows`: bytes of `measuring.MEASURED`, packed by zlib; `count` of them; `end`: when the last of them is gone;
    `stamp`: of the last one, to go on after it; `broken`: packets that could not be decoded; `done`: there are no more."""

    rows: bytes
    count: int
    end: float
    stamp: int | None
    done: bool
    broken: int = 0


class Wanted(msgspec.Struct, gc=False):
    """A frame to be looked at. `shot`: index of its shot, of which it may be the `best` frame; `stamp`: by which it is found again;
    `since`: from when on what it shows stands there."""

    time: float
    stamp: int
    shot: int
    since: float
    best: bool = True


class Choice(msgspec.Struct):
    """Shots, and the frames to be looked at, in order; `left_out`: how many more there would have been."""

    shots: list[Shot]
    frames: list[Wanted]
    left_out: int = 0
