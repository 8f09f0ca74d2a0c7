"""What a child is told to make of recordings, and what it answers; light, so that every process may import it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from heliograph.media.subtitles import Cue

Position = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]
Turn = Literal[0, 90, 180, 270]


class Cut(msgspec.Struct, frozen=True):
    """A part of the recording at `path`, from `start` up to `end` in seconds (None: its end), `speed` times as fast. `muted`: without its
    sound."""

    path: str
    start: float = 0.0
    end: float | None = None
    speed: float = 1.0
    muted: bool = False


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What stands over the picture: `text`, or the picture file at `picture`. `size`: of its height, as a share of the film's.

    `opacity`: 0-1. `start` and `end`: seconds of the finished film; None is its end.
    """

    text: str = ""
    picture: str | None = None
    position: Position = "bottom-right"
    opacity: float = 0.6
    size: float = 0.08
    color: str = "white"
    start: float = 0.0
    end: float | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """A film to be made: `cuts` one after the other, at the size and rate of the first, or as `width`, `height` (pixels, even; one alone
    keeps the proportions) and `fps` say; other shapes get bars. Times of `captions`, `track` and `marks` are the finished film's.

    `captions` are drawn into the picture, `track` becomes a track of text that players can show. `turn`: degrees clockwise. `sound`: in
    place of the cuts' own.
    """

    cuts: list[Cut]
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    turn: Turn = 0
    captions: list[Cue] = []
    track: list[Cue] = []
    language: str | None = None
    marks: list[Mark] = []
    sound: Cut | None = None
    muted: bool = False


class Bounds(msgspec.Struct, frozen=True):
    """Limits of what is made: `bytes` of a file, `pixels` of a picture, `frames` of a GIF; `threads` of an encoder."""

    bytes: int
    pixels: int
    frames: int = 600
    threads: int = 2


class Filmed(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: a file of `bytes` that lasts `seconds`. `width`, `height` in pixels, 0 for sound alone. `frames`: how many were
    written. `copied`: whether the pictures are the source's own, not encoded anew."""

    seconds: float
    bytes: int
    width: int = 0
    height: int = 0
    frames: int = 0
    copied: bool = False
    sound: bool = False
    warnings: list[str] = []


class Still(msgspec.Struct, frozen=True):
    """A picture of a recording at a time, for a contact sheet, and what is written beneath: its time where `caption` is None."""

    time: float
    caption: str | None = None


def progress_at(target: Path) -> Path:
    """Where a child notes how many seconds of the file that it writes are done."""
    return target.with_name(f"{target.name}.progress")
