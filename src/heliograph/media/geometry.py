"""Boxes, and every conversion between the ways the world writes them.

A `Box` is `x, y, w, h` normalised to 0-1 of the upright page or image, top-left origin, with the 0-indexed page of the
original file. Nothing else in Heliograph writes coordinates in another dialect; what arrives in one is converted here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Coordinates = Literal["fraction", "0-999", "0-1000", "pixels", "0-1000-yx"]
"""How a model writes boxes: fractions of the picture, whole numbers to 999 or 1000, pixels of the picture as sent, 0-1000 with y first."""
Corners = Literal["xyxy", "xywh"]
"""Which four numbers a box is: two corners, or a corner and its width and height."""
_GRIDS = {"0-999": 999, "0-1000": 1000, "0-1000-yx": 1000}


class Box(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A rectangle on a page. `x, y, w, h` are fractions of the upright page's width and height; `page` is 0-indexed."""

    x: float
    y: float
    w: float
    h: float
    page: int = 0

    @property
    def x1(self) -> float:
        """Right edge, 0-1."""
        return self.x + self.w

    @property
    def y1(self) -> float:
        """Bottom edge, 0-1."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """Centre, 0-1."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """Centre, 0-1."""
        return self.y + self.h / 2

    @property
    def area(self) -> float:
        """Fraction of the page."""
        return self.w * self.h

    def xywh(self, digits: int = 4) -> list[float]:
        """`[x, y, w, h]` rounded for the wire."""
        return [round(self.x, digits), round(self.y, digits), round(self.w, digits), round(self.h, digits)]

    def intersection(self, other: Box) -> float:
        """Shared area as a fraction of the page; 0 across pages."""
        if self.page != other.page:
            return 0.0
        w = min(self.x1, other.x1) - max(self.x, other.x)
        h = min(self.y1, other.y1) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0.0

    def iou(self, other: Box) -> float:
        """Intersection over union, 0-1."""
        shared = self.intersection(other)
        whole = self.area + other.area - shared
        return shared / whole if whole > 0 else 0.0

    @classmethod
    def from_xyxy(cls, x0: float, y0: float, x1: float, y1: float, *, width: float = 1.0, height: float = 1.0, page: int = 0) -> Box:
        """From two corners in units of which the page has `width` x `height`; clipped to the page, corners in any order."""
        left, right = sorted((min(max(x0 / width, 0.0), 1.0), min(max(x1 / width, 0.0), 1.0)))
        top, bottom = sorted((min(max(y0 / height, 0.0), 1.0), min(max(y1 / height, 0.0), 1.0)))
        return cls(left, top, right - left, bottom - top, page)

    def to_xyxy(self, width: float = 1.0, height: float = 1.0) -> tuple[float, float, float, float]:
        """Two corners in units of which the page has `width` x `height`."""
        return self.x * width, self.y * height, self.x1 * width, self.y1 * height


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around `boxes`, which must be on one page and not empty."""
    all_boxes = list(boxes)
    first = all_boxes[0]
    if len(all_boxes) == 1:
        return first
    x0, y0 = min(b.x for b in all_boxes), min(b.y for b in all_boxes)
    return Box(x0, y0, max(b.x1 for b in all_boxes) - x0, max(b.y1 for b in all_boxes) - y0, first.page)


class PdfFrame(msgspec.Struct, frozen=True):
    """Where a PDF page lies in its user space: the visible box `left, bottom, right, top` (CropBox within MediaBox, in user units),
    its clockwise rotation in degrees, and how many points a unit is (UserUnit). ISO 32000-2, 7.7.3.3 and 8.3.2.3.
    """

    left: float
    bottom: float
    right: float
    top: float
    rotate: int = 0
    unit: float = 1.0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the upright page in points."""
        width, height = (self.right - self.left) * self.unit, (self.top - self.bottom) * self.unit
        return (height, width) if self.rotate % 180 else (width, height)

    def to_box(self, x0: float, y0: float, x1: float, y1: float, page: int = 0) -> Box | None:
        """From two corners in user space (y upwards); clipped to the page, None when nothing of it is on the page."""
        wide, high = self.right - self.left, self.top - self.bottom
        if self.rotate == 0:
            u0, v0, u1, v1 = (x0 - self.left) / wide, (self.top - y1) / high, (x1 - self.left) / wide, (self.top - y0) / high
        elif self.rotate == 90:
            u0, v0, u1, v1 = (y0 - self.bottom) / high, (x0 - self.left) / wide, (y1 - self.bottom) / high, (x1 - self.left) / wide
        elif self.rotate == 180:
            u0, v0, u1, v1 = (self.right - x1) / wide, (y0 - self.bottom) / high, (self.right - x0) / wide, (y1 - self.bottom) / high
        else:
            u0, v0, u1, v1 = (self.top - y1) / high, (self.right - x1) / wide, (self.top - y0) / high, (self.right - x0) / wide
        if u1 < 0 or v1 < 0 or u0 > 1 or v0 > 1:
            return None
        u0, v0 = (u0 if u0 > 0 else 0.0), (v0 if v0 > 0 else 0.0)
        return Box(u0, v0, (u1 if u1 < 1 else 1.0) - u0, (v1 if v1 < 1 else 1.0) - v0, page)

    def from_box(self, box: Box) -> tuple[float, float, float, float]:
        """`left, bottom, right, top` in user space."""
        wide, high = self.right - self.left, self.top - self.bottom
        if self.rotate == 0:
            return self.left + box.x * wide, self.top - box.y1 * high, self.left + box.x1 * wide, self.top - box.y * high
        if self.rotate == 90:
            return self.left + box.y * wide, self.bottom + box.x * high, self.left + box.y1 * wide, self.bottom + box.x1 * high
        if self.rotate == 180:
            return self.right - box.x1 * wide, self.bottom + box.y * high, self.right - box.x * wide, self.bottom + box.y1 * high
        return self.right - box.y1 * wide, self.top - box.x1 * high, self.right - box.y * wide, self.top - box.x * high


def from_exif(box: Box, orientation: int) -> Box:
    """A box on the stored pixels of an image with this EXIF orientation (1-8) as a box on the upright image. CIPA DC-008, tag 0x0112."""
    x, y, w, h = box.x, box.y, box.w, box.h
    mx, my = 1 - x - w, 1 - y - h
    placed = {
        2: (mx, y, w, h), 3: (mx, my, w, h), 4: (x, my, w, h),
        5: (y, x, h, w), 6: (my, x, h, w), 7: (my, mx, h, w), 8: (y, mx, h, w),
    }.get(orientation, (x, y, w, h))  # fmt: skip
    return Box(*placed, box.page)


def to_exif(box: Box, orientation: int) -> Box:
    """The inverse of `from_exif`: a box on the upright image as one on the stored pixels."""
    return from_exif(box, {6: 8, 8: 6}.get(orientation, orientation))


def from_grid(x0: float, y0: float, x1: float, y1: float, *, grid: int = 1000, page: int = 0) -> Box:
    """From two corners on a grid of `grid` steps a side, as models write them: 0-1000 is `grid=1000`, 0-999 is `grid=999`."""
    return Box.from_xyxy(x0, y0, x1, y1, width=grid, height=grid, page=page)


def to_grid(box: Box, *, grid: int = 1000) -> tuple[int, int, int, int]:
    """Two corners on a grid of `grid` steps a side, rounded outwards so that nothing is cut off."""
    slack = 1e-9
    x0, y0, x1, y1 = box.to_xyxy(grid, grid)
    return math.floor(x0 + slack), math.floor(y0 + slack), math.ceil(x1 - slack), math.ceil(y1 - slack)


def to_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of an image of this size: the pixels that the box touches; at least one."""
    slack = 1e-6
    x0, y0, x1, y1 = box.to_xyxy(width, height)
    left, top = min(math.floor(x0 + slack), width - 1), min(math.floor(y0 + slack), height - 1)
    return left, top, min(max(math.ceil(x1 - slack), left + 1), width), min(max(math.ceil(y1 - slack), top + 1), height)


def from_model(
    numbers: Sequence[float], coordinates: Coordinates, *, width: int, height: int, form: Corners = "xyxy", page: int = 0
) -> Box | None:
    """A box as a model writes it about a picture that was sent to it `width` x `height` pixels large, clipped to the picture.

    With y first (`0-1000-yx`, as Gemini writes) the numbers are `ymin, xmin, ymax, xmax`, or `y, x, h, w`. None for what is no box: not
    four finite numbers, or nothing of it on the picture.
    """
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        return None
    a, b, c, d = numbers
    if coordinates == "0-1000-yx":
        a, b, c, d = b, a, d, c
    if form == "xywh":
        c, d = a + c, b + d
    grid = _GRIDS.get(coordinates, 1)
    wide, high = (width, height) if coordinates == "pixels" else (grid, grid)
    if max(a, c) < 0 or max(b, d) < 0 or min(a, c) > wide or min(b, d) > high:
        return None
    return Box.from_xyxy(a, b, c, d, width=wide, height=high, page=page)


def to_model(box: Box, coordinates: Coordinates, *, width: int, height: int, form: Corners = "xyxy") -> tuple[float, float, float, float]:
    """The inverse of `from_model`: four numbers as a model writes them; all but fractions are whole, rounded outwards."""
    if coordinates == "fraction":
        a, b, c, d = box.to_xyxy()
    elif coordinates == "pixels":
        a, b, c, d = to_pixels(box, width, height)
    else:
        a, b, c, d = to_grid(box, grid=_GRIDS[coordinates])
    if form == "xywh":
        c, d = c - a, d - b
    return (b, a, d, c) if coordinates == "0-1000-yx" else (a, b, c, d)
