"""What a child is told to make of a picture, and what it answers; light, so that every process may import it."""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.media.geometry import Box

Format = Literal["png", "jpeg"]
"""What pictures are written as. Everything that images are served as (`agents.artifacts.SERVED`)."""
Cover = Literal["blur", "pixelate", "black"]
Shape = Literal["box", "ellipse"]


class Sheet(msgspec.Struct, frozen=True):
    """A picture to work on: the file at `path`, of which the page or frame `page` (from 0)."""

    path: str
    page: int = 0


class Crop(msgspec.Struct, frozen=True, tag="crop"):
    """Keep what is in `box`."""

    box: Box


class Turn(msgspec.Struct, frozen=True, tag="turn"):
    """Turn counter-clockwise by `degrees`. The canvas grows to hold all of it; its new corners are white."""

    degrees: float


class Resize(msgspec.Struct, frozen=True, tag="resize"):
    """Scale to `width` x `height` pixels; the side that is None keeps the proportions. Both None: `scale`."""

    width: int | None = None
    height: int | None = None
    scale: float | None = None


class Flip(msgspec.Struct, frozen=True, tag="flip"):
    """Mirror: `horizontal` swaps left and right, `vertical` top and bottom."""

    direction: Literal["horizontal", "vertical"]


class Grey(msgspec.Struct, frozen=True, tag="grey"):
    """Take the colours out."""


class Hide(msgspec.Struct, frozen=True, tag="hide"):
    """Make what is in the boxes unrecognisable."""

    boxes: list[Box]
    cover: Cover = "blur"
    shape: Shape = "box"


class Enhance(msgspec.Struct, frozen=True, tag="enhance"):
    """Raise the contrast where it is low, take noise out, sharpen; each from 0 (nothing) to 1 (strongly). `brighten`: from -1 to 1."""

    contrast: float = 0.0
    denoise: float = 0.0
    sharpen: float = 0.0
    brighten: float = 0.0


Edit = Crop | Turn | Resize | Flip | Grey | Hide | Enhance


class Mark(msgspec.Struct, frozen=True):
    """A box to be drawn. `color`: as CSS writes it; None takes the next of the palette for its label. `score`: 0-1."""

    box: Box
    label: str = ""
    score: float | None = None
    color: str | None = None


class Point(msgspec.Struct, frozen=True):
    """A point to be drawn; `x`, `y` as fractions of the picture."""

    x: float
    y: float
    label: str = ""
    color: str | None = None


class Shade(msgspec.Struct, frozen=True):
    """An area to be tinted. One of: `polygon`, corners `[x, y]` as fractions of the picture; `sheet`, a picture of the mask, white where it
    is; `box`."""

    polygon: list[tuple[float, float]] = []
    sheet: Sheet | None = None
    box: Box | None = None
    label: str = ""
    color: str | None = None


class Tile(msgspec.Struct, frozen=True):
    """A picture of a grid and what is written under it."""

    sheet: Sheet
    caption: str = ""


ChartKind = Literal["bar", "line", "pie", "scatter", "histogram", "table"]


class Series(msgspec.Struct, frozen=True):
    """Numbers that belong together. A missing number is None. `x`: of a scatter or line chart, where each number stands."""

    values: list[float | None]
    name: str = ""
    x: list[float] | None = None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart. `labels`: of the values of every series, by place; ISO dates make an axis of time. `rows`: of a table, after `labels` as its
    head. `unit` stands behind every number, in front where it is a currency's sign."""

    kind: ChartKind
    series: list[Series] = []
    labels: list[str] = []
    rows: list[list[str]] = []
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    unit: str = ""
    bins: int | None = None
    stacked: bool = False
    horizontal: bool | None = None
    """Bars from left to right; None when their labels are long."""
    colors: list[str] = []


class Drawn(msgspec.Struct, frozen=True):
    """A picture that was made, encoded."""

    data: bytes
    width: int
    height: int
    media_type: Literal["image/png", "image/jpeg"]


class Match(msgspec.Struct, frozen=True):
    """Where a template was found. `score`: normalised correlation, 0-1. `scale`: of the template's size there."""

    box: Box
    score: float
    scale: float
