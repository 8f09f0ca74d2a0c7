"""The functions that run in a child of the studio. Call them through a `ChildPool("heliograph.imaging.working")`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from heliograph.errors import InvalidRequest
from heliograph.imaging.charting import charted
from heliograph.imaging.editing import edited
from heliograph.imaging.grids import grid as laid_out
from heliograph.imaging.marking import with_boxes, with_points, with_shades
from heliograph.imaging.orders import Chart, Drawn, Edit, Format, Mark, Match, Point, Shade, Sheet, Tile
from heliograph.imaging.seeking import found
from heliograph.media.content import Limits
from heliograph.media.masking import OWN
from heliograph.media.opening import inspect, render

PAGE_DPI = 150.0
"""At which a page of a document is drawn that is to be worked on as a picture."""
PHOTOS = ("image/jpeg", "image/heic", "image/webp")
"""What is written as JPEG again, unless something else is asked for; all else becomes PNG, which loses nothing."""
QUALITY = 92
SQUEEZED = 4
"""Of 9: a third of the time of Pillow's own 6, and files a tenth larger at most."""


def edit(sheet: Sheet, edits: list[Edit], form: Format | None, limits: Limits) -> Drawn:
    """The picture after all `edits`. Raises MediaErrors, InvalidRequest."""
    picture, own = _opened(sheet, limits)
    return encoded(edited(picture, edits), form or own)


def boxes(sheet: Sheet, marks: list[Mark], limits: Limits) -> Drawn:
    """The picture with boxes drawn on it."""
    picture, own = _opened(sheet, limits)
    return encoded(with_boxes(picture, marks), own)


def points(sheet: Sheet, marks: list[Point], limits: Limits) -> Drawn:
    """The picture with points drawn on it."""
    picture, own = _opened(sheet, limits)
    return encoded(with_points(picture, marks), own)


def shades(sheet: Sheet, areas: list[Shade], limits: Limits) -> Drawn:
    """The picture with areas tinted."""
    masks = [_opened(area.sheet, limits)[0] if area.sheet else None for area in areas]
    picture, own = _opened(sheet, limits)
    return encoded(with_shades(picture, areas, masks), own)


def grid(tiles: list[Tile], columns: int | None, cell: int, limits: Limits) -> Drawn:
    """The pictures side by side."""
    opened: list[tuple[Any, Format]] = []
    for tile in tiles:
        picture, own = _opened(tile.sheet, limits)
        picture.thumbnail((cell, cell), Image.Resampling.LANCZOS, reducing_gap=3.0)
        opened.append((picture, own))
    form: Format = "jpeg" if all(own == "jpeg" for _, own in opened) else "png"
    return encoded(laid_out([picture for picture, _ in opened], [tile.caption for tile in tiles], columns, cell), form)


def seek(sheet: Sheet, template: Sheet, least: float, most: int, scales: bool, limits: Limits) -> list[Match]:
    """Where the template's picture is in the other."""
    small, _ = _opened(template, limits)
    picture, _ = _opened(sheet, limits)
    return found(picture, small, least=least, most=most, scales=scales)


def chart(asked: Chart) -> Drawn:
    """A chart of numbers."""
    return encoded(charted(asked), "png")


def size(sheet: Sheet, limits: Limits) -> tuple[int, int]:
    """Width and height in pixels, upright."""
    return _opened(sheet, limits)[0].size


def encoded(picture: Any, form: Format) -> Drawn:
    """PNG, or JPEG with full colour resolution, without anything that the file carried beside its pixels."""
    sink = io.BytesIO()
    picture.info = {}
    if form == "jpeg":
        picture.save(sink, "JPEG", quality=QUALITY, subsampling=0)
        return Drawn(sink.getvalue(), picture.width, picture.height, "image/jpeg")
    picture.save(sink, "PNG", compress_level=SQUEEZED)
    return Drawn(sink.getvalue(), picture.width, picture.height, "image/png")


def _opened(sheet: Sheet, limits: Limits) -> tuple[Any, Format]:
    path = Path(sheet.path)
    seen = inspect(path, limits)
    if not 0 <= sheet.page < seen.page_count:
        raise InvalidRequest(f"There is no page {sheet.page}; the file has {seen.page_count}, counted from 0.", param="page")
    image = seen.media_type.startswith("image/")
    pixels = render(path, sheet.page, OWN if image else PAGE_DPI, limits)
    picture = Image.frombuffer("RGB", (pixels.width, pixels.height), pixels.data, "raw", "RGB", 0, 1)
    return picture, "jpeg" if seen.media_type in PHOTOS else "png"
