"""A page drawn anew with parts of it painted over: for copies from which something was taken out. Runs in the reading child.

What is painted over is gone: the pixels are replaced before the picture is encoded. They are never blurred or pixelated, since what such
a filter leaves can be tried against every candidate text. Of a PDF only what a page shows is drawn; annotations that do not
show as part of the page, hidden layers and whatever else the file carries stay behind.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

from heliograph.media.document import PageImage
from heliograph.media.geometry import Box, to_pixels
from heliograph.media.mask import Encoding, Mask, Masked, Patch

FORMATS = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/tiff": "TIFF", "image/bmp": "BMP", "image/gif": "GIF",
}  # fmt: skip
"""Image files that are written as what they were; others (HEIC) become JPEG."""
FONTS = Path(__file__).parent / "fonts"
OWN = 100_000.0
"""A resolution that no picture has: an image file is then drawn in its own."""
BLACK = (0, 0, 0)
SEEN = 24
"""Levels of grey, of 255, by which a pixel must differ for a word to count as seen."""
PHOTO = 0.6
"""Share of the page from which a picture is the page itself, a scan, and not a picture on it."""
SMALLEST = 24.0
"""Points; a picture smaller than this both ways is a mark or a bullet."""


def masked(page: tuple[PageImage, PageImage | None, list[Box]], how: Mask) -> Masked:
    """`page` (its pixels, those without its text if it has any, its pictures' boxes) drawn as `how` says."""
    pixels, bare, pictures = page
    picture = _upright(pixels, how.rotation)
    covered = [box for box in (_turned(box, how.rotation) for box in pictures) if _is_picture(box, how)]
    blank = all(low == high for low, high in picture.getextrema())
    seen = _seen(picture, _upright(bare, how.rotation) if bare is not None else None, how.words)
    if how.whole:
        picture = Image.new("RGB", picture.size, BLACK)
    else:
        _paint(picture, [Patch(box) for box in covered] + [patch for patch in how.patches if patch.text is None])
        scale = picture.width / how.size[0]
        for patch in how.patches:
            if patch.text is not None:
                _write(picture, patch, scale)
    data, encoding, media_type = _as_file(picture, how.media_type) if how.media_type else _for_pdf(picture)
    return Masked(data, encoding, picture.width, picture.height, seen, covered, blank, media_type)


def _upright(pixels: PageImage, rotation: int) -> Any:
    picture = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data)
    turn = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}.get(rotation)
    return picture if turn is None else picture.transpose(turn)


def _turned(box: Box, rotation: int) -> Box:
    """A box after its page was turned clockwise."""
    if rotation == 90:
        return Box(1 - box.y1, box.x, box.h, box.w, box.page)
    if rotation == 180:
        return Box(1 - box.x1, 1 - box.y1, box.w, box.h, box.page)
    return Box(box.y, 1 - box.x1, box.h, box.w, box.page) if rotation == 270 else box


def _is_picture(box: Box, how: Mask) -> bool:
    width, height = how.size
    within = sum(box.x <= word.cx <= box.x1 and box.y <= word.cy <= box.y1 for word in how.words)
    return box.area <= PHOTO and within < how.few and (box.w * width >= SMALLEST or box.h * height >= SMALLEST)


def _seen(picture: Any, bare: Any | None, boxes: list[Box]) -> list[bool]:
    """Whether each box shows a word: what is there changes when the page's text is left out.

    A page most of whose words change nothing is a scan with the text of an OCR beneath it; there a box shows a word where it shows
    anything at all.
    """
    areas = [to_pixels(box, *picture.size) for box in boxes]
    if bare is not None and bare.size == picture.size:
        red, green, blue = ImageChops.difference(picture, bare).split()
        changed: Any = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        seen = [changed.crop(area).getextrema()[1] >= SEEN for area in areas]
        if 2 * sum(seen) >= len(seen):
            return seen
    return [any(high - low >= SEEN for low, high in picture.crop(area).getextrema()) for area in areas]


def _paint(picture: Any, patches: list[Patch]) -> None:
    draw = ImageDraw.Draw(picture)
    for patch in patches:
        left, top, right, bottom = to_pixels(patch.box, *picture.size)
        draw.rectangle((left, top, right - 1, bottom - 1), fill=BLACK)


def _write(picture: Any, patch: Patch, scale: float) -> None:
    """Paint the patch in its background's colour and write its text there, as large as fits; `scale`: pixels a point."""
    area = left, top, right, bottom = to_pixels(patch.box, *picture.size)
    part = picture.crop(area)
    colors = part.getcolors(part.width * part.height) or [(1, (255, 255, 255))]
    paper = max(colors)[1]
    light = sum(paper) > 3 * 127
    grey = part.convert("L")
    ink = grey.getextrema()[0 if light else 1]
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, right - 1, bottom - 1), fill=paper)
    if not patch.text:
        return
    size = max(patch.size * scale if patch.size else 0.8 * (bottom - top), 6.0)
    size = min(size, 1.1 * (bottom - top))
    room = right - left
    while size > 6 and _font(round(size), patch.bold).getlength(patch.text) > room:
        size *= 0.93
    draw.text((left, (top + bottom) / 2), patch.text, fill=(ink, ink, ink), font=_font(round(size), patch.bold), anchor="lm")


@lru_cache(maxsize=64)
def _font(size: int, bold: bool) -> Any:
    return ImageFont.truetype(
        str(FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")), size, layout_engine=ImageFont.Layout.BASIC
    )


def _as_file(picture: Any, media_type: str) -> tuple[bytes, Encoding, str]:
    """An image file that holds the pixels and nothing else."""
    name = FORMATS.get(media_type, "JPEG")
    how: dict[str, Any] = {
        "JPEG": {"quality": 92, "subsampling": 0}, "WEBP": {"quality": 92}, "TIFF": {"compression": "tiff_deflate"}
    }.get(name, {})  # fmt: skip
    sink = io.BytesIO()
    picture.info = {}
    picture.save(sink, name, **how)
    return sink.getvalue(), "file", media_type if media_type in FORMATS else "image/jpeg"


def _for_pdf(picture: Any) -> tuple[bytes, Encoding, None]:
    """The smaller of two encodings; grey where there is no colour."""
    red, green, blue = picture.split()
    differences: list[Any] = [ImageChops.difference(red, green), ImageChops.difference(green, blue)]
    grey: bool = max(difference.getextrema()[1] for difference in differences) <= 8
    plain = picture.convert("L") if grey else picture
    png, jpeg = io.BytesIO(), io.BytesIO()
    plain.info = {}
    plain.save(png, "PNG", compress_level=6)
    plain.save(jpeg, "JPEG", quality=80)
    rows = _rows(png.getvalue())
    if len(rows) <= jpeg.tell():
        return rows, "flate-grey" if grey else "flate-rgb", None
    return jpeg.getvalue(), "jpeg-grey" if grey else "jpeg-rgb", None


def _rows(png: bytes) -> bytes:
    """The filtered, deflated rows of a PNG: its IDAT chunks, joined. W3C PNG, 5.3 and 10."""
    at, rows = 8, bytearray()
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            rows += png[at + 8 : at + 8 + length]
        at += 12 + length
    return bytes(rows)
