"""What a watching child is asked for and tells; light, so that every process may import it."""

from __future__ import annotations

import msgspec

from heliograph.media.geometry import Box
from heliograph.media.recording import Shot


class Sensitivity(msgspec.Struct, frozen=True):
    """What counts as a new shot. `ratio`: how many times the difference around it a cut differs, times how much of the picture before is
    found again; `same`: how much of it may be found again, 0-1; `least`: the least difference of a cut in levels of
    255; `blend`: how surely a dissolve is one, 0-1;
    `shortest`: seconds that a shot lasts at least."""

    ratio: float = 3.0
    least: float = 1.8
    same: float = 0.8
    blend: float = 0.22
    shortest: float = 0.35


class Block(msgspec.Struct):
    """Measured frames. `rows`: bytes of `measuring.MEASURED`, packed by zlib; `count` of them; `end`: when the last of them is gone;
    `last`: its time, to go on after it; `broken`: places that could not be decoded; `done`: there are no more."""

    rows: bytes
    count: int
    end: float
    last: float | None
    done: bool
    broken: int = 0


class Wanted(msgspec.Struct, gc=False):
    """A frame to be looked at. `shot`: index of its shot, of which it may be the `best` frame; `since`: from when on what it shows stands
    there."""

    time: float
    shot: int
    since: float
    best: bool = True


class Turn(msgspec.Struct):
    """A moment at which texts come or go: between the frames at `before` and `after`, about `since`. `came`: boxes of those that are there
    after it; `went`: of those that are there before; `number`: of the second of the two frames that were read."""

    number: int
    before: float
    after: float
    since: float
    came: list[Box]
    went: list[Box]


class Moments(msgspec.Struct):
    """When what came and went did so, in seconds, in the order of a `Turn`; None where it cannot be told."""

    came: list[float | None]
    went: list[float | None]


class Choice(msgspec.Struct):
    """Shots, and the frames to be looked at, in order; `left_out`: how many more there would have been."""

    shots: list[Shot]
    frames: list[Wanted]
    left_out: int = 0
