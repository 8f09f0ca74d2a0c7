"""Boxes, points and areas drawn on a picture, with labels that can be read on any of them. Runs in the child.

Lines have a dark and a light edge, labels stand on a plate of their colour, and both grow with the picture. A label goes where it covers
the least of other labels and boxes; a small picture is enlarged until labels are smaller than what they name.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2 as opencv
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from heliograph.errors import InvalidRequest
from heliograph.imaging.orders import Mark, Point, Shade
from heliograph.media.geometry import to_pixels
from heliograph.media.masking import FONTS

cv2: Any = opencv  # its types know nothing of numpy's
Color = tuple[int, int, int]
Area = tuple[float, float, float, float]

PALETTE: tuple[Color, ...] = (
    (230, 57, 70), (29, 120, 220), (42, 157, 80), (244, 140, 6), (131, 56, 200),
    (0, 160, 170), (214, 40, 140), (120, 94, 60), (90, 110, 20), (70, 80, 100),
)  # fmt: skip
"""Told apart by most eyes, in this order, and each carries white letters."""
READABLE = 640
"""Pixels of the longer side from which labels have room; smaller pictures are enlarged to it."""
LONGEST = 60
"""Characters of a label that are shown."""
OPAQUE, TINT = 235, 105
"""Of 255: of plates, and of areas that show what is beneath."""
_TINTED = [value * TINT // 255 for value in range(256)]
_HALVES = [255 if value >= 128 else 0 for value in range(256)]


def with_boxes(picture: Any, marks: list[Mark]) -> Any:
    """`picture` with `marks` drawn on it. Raises InvalidRequest for a colour that is none."""
    picture = _readable(picture, any(mark.label or mark.score is not None for mark in marks))
    colors = _colors([(mark.label, mark.color) for mark in marks])
    width, draw = _stroke(picture), ImageDraw.Draw(picture)
    areas = [_area(mark, picture) for mark in marks]
    for (left, top, right, bottom), color in zip(areas, colors, strict=True):
        draw.rectangle((left - 1, top - 1, right, bottom), outline=(255, 255, 255), width=width + 2)
        draw.rectangle((left, top, right - 1, bottom - 1), outline=color, width=width)
    labels = _Labels(picture, areas)
    for mark, area, color in zip(marks, areas, colors, strict=True):
        text = " ".join(part for part in (mark.label[:LONGEST], "" if mark.score is None else f"{mark.score:.2f}") if part)
        labels.beside(area, text, color)
    return labels.drawn()


def with_points(picture: Any, points: list[Point]) -> Any:
    """`picture` with `points` drawn on it, each in a ring. Raises InvalidRequest for a colour that is none."""
    picture = _readable(picture, labelled=any(point.label for point in points))
    colors = _colors([(point.label, point.color) for point in points])
    radius, draw = 2 * _stroke(picture) + 1, ImageDraw.Draw(picture)
    areas: list[Area] = []
    for point, color in zip(points, colors, strict=True):
        x, y = point.x * (picture.width - 1), point.y * (picture.height - 1)
        for reach, fill in ((radius + 3, (0, 0, 0)), (radius + 2, (255, 255, 255)), (radius, color)):
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)
        areas.append((x - radius, y - radius, x + radius, y + radius))
    labels = _Labels(picture, areas)
    for point, area, color in zip(points, areas, colors, strict=True):
        labels.beside(area, point.label[:LONGEST], color)
    return labels.drawn()


def with_shades(picture: Any, shades: list[Shade], masks: list[Any | None]) -> Any:
    """`picture` with areas tinted and outlined. `masks`: of each shade the picture of its mask, where it has one."""
    picture = _readable(picture, labelled=any(shade.label for shade in shades))
    colors = _colors([(shade.label, shade.color) for shade in shades])
    whole = (0, 0, *picture.size)
    areas: list[Area] = []
    for shade, mask, color in zip(shades, masks, colors, strict=True):
        cover = _cover(shade, mask, picture.size)
        picture.paste(color, whole, cover.point(_TINTED))
        picture.paste(color, whole, _edge(cover, _stroke(picture)))
        areas.append(cover.getbbox() or (0, 0, 0, 0))
    labels = _Labels(picture, areas)
    for shade, area, color in zip(shades, areas, colors, strict=True):
        if area != (0, 0, 0, 0):
            labels.beside(area, shade.label[:LONGEST], color)
    return labels.drawn()


class _Labels:
    """Plates with words, each put where it hides the least."""

    def __init__(self, picture: Any, areas: list[Area]) -> None:
        self._picture, self._areas = picture, areas
        self._layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        self._pen = ImageDraw.Draw(self._layer)
        self._size = max(13, min(160, round(math.sqrt(picture.width * picture.height) / 50)))
        if len(areas) > 40:
            self._size = max(12, round(self._size * 0.75))
        self._taken: list[Area] = []

    def beside(self, area: Area, text: str, color: Color) -> None:
        """Write `text` at one of the sides of `area`."""
        if not text:
            return
        font, pad = _font(self._size), self._size * 0.3
        text = _shortened(text, font, self._picture.width - 2 * pad)
        wide, high = font.getlength(text) + 2 * pad, self._size * 1.32
        left, top, right, bottom = area
        places = ((left, top - high), (left, bottom), (right - wide, top - high), (right - wide, bottom), (left, top), (right, top),
                  (left - wide, top), (left, bottom - high), (right - wide, top))  # fmt: skip
        plates = [self._within(x, y, wide, high) for x, y in places]
        plate = min(enumerate(plates), key=lambda place: (self._cost(place[1], area), place[0]))[1]
        self._taken.append(plate)
        self._pen.rectangle(plate, fill=(*color, OPAQUE))
        ink = (255, 255, 255) if _luminance(color) < 0.6 else (0, 0, 0)
        self._pen.text((plate[0] + pad, (plate[1] + plate[3]) / 2), text, fill=(*ink, 255), font=font, anchor="lm")

    def drawn(self) -> Any:
        """The picture with all labels."""
        self._picture.paste(self._layer, (0, 0), self._layer)
        return self._picture

    def _within(self, x: float, y: float, wide: float, high: float) -> Area:
        x = max(0.0, min(x, self._picture.width - wide))
        y = max(0.0, min(y, self._picture.height - high))
        return x, y, x + wide, y + high

    def _cost(self, plate: Area, own: Area) -> float:
        """Shares of the plate: over other labels counts most, over what it names more than over other boxes."""
        size = (plate[2] - plate[0]) * (plate[3] - plate[1])
        over = sum(_shared(plate, other) for other in self._taken) * 10
        others = sum(_shared(plate, other) for other in self._areas if other != own)
        return (over + others + 2 * _shared(plate, own)) / size


def _shared(one: Area, other: Area) -> float:
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _readable(picture: Any, labelled: bool) -> Any:
    longer = max(picture.size)
    if not labelled or longer >= READABLE:
        return picture.copy()
    scale = READABLE / longer
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)


def _stroke(picture: Any) -> int:
    return max(2, round(math.sqrt(picture.width * picture.height) / 300))


def _area(mark: Mark, picture: Any) -> Area:
    return to_pixels(mark.box, *picture.size)


def _colors(named: list[tuple[str, str | None]]) -> list[Color]:
    """Of each its own colour, or that of its label: labels take the palette's in the order in which they come."""
    labels: dict[str, Color] = {}
    colors: list[Color] = []
    for label, color in named:
        if color is not None:
            colors.append(color_of(color))
            continue
        labels.setdefault(label, PALETTE[len(labels) % len(PALETTE)])
        colors.append(labels[label])
    return colors


def color_of(text: str) -> Color:
    """A colour as CSS writes it: a name, `#rrggbb`, `rgb(...)`. Raises InvalidRequest."""
    try:
        return ImageColor.getrgb(text.strip().replace(" ", ""))[:3]
    except ValueError:
        raise InvalidRequest(f"{text[:40]!r} is no colour; give a name such as red, or #rrggbb.", param="color") from None


def _cover(shade: Shade, mask: Any | None, size: tuple[int, int]) -> Any:
    """The area as a picture of greys of this size, white where it is."""
    if mask is not None:
        grey = mask.convert("L").resize(size, Image.Resampling.BILINEAR)
        return grey.point(_HALVES)
    cover = Image.new("L", size, 0)
    pen = ImageDraw.Draw(cover)
    if len(shade.polygon) >= 3:
        pen.polygon([(x * size[0], y * size[1]) for x, y in shade.polygon], fill=255)
    elif shade.box is not None:
        left, top, right, bottom = to_pixels(shade.box, *size)
        pen.rectangle((left, top, right - 1, bottom - 1), fill=255)
    return cover


def _edge(cover: Any, width: int) -> Any:
    reach = np.ones((width, width), np.uint8)
    return Image.fromarray(cv2.morphologyEx(np.asarray(cover), cv2.MORPH_GRADIENT, reach))


def _luminance(color: Color) -> float:
    red, green, blue = color
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


def _shortened(text: str, font: Any, room: float) -> str:
    while len(text) > 1 and font.getlength(text) > room:
        text = text.removesuffix("…")[:-1] + "…"
    return text


@lru_cache(maxsize=64)
def _font(size: int) -> Any:
    return ImageFont.truetype(str(FONTS / "DejaVuSans-Bold.ttf"), size, layout_engine=ImageFont.Layout.BASIC)
