"""Boxes, and every conversion between the ways the world writes them.

A `Box` is `x, y, w, h` normalised to 0-1 of the upright page or image, top-left origin, with the 0-indexed page of the
original file. Nothing else in Heliograph writes coordinates in another dialect; what arrives in one is converted here.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


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
    x0, y0 = min(b.x for b in all_boxes), min(b.y for b in all_boxes)
    return Box(x0, y0, max(b.x1 for b in all_boxes) - x0, max(b.y1 for b in all_boxes) - y0, first.page)
