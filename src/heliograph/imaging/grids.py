"""Pictures side by side on one sheet, each with a caption. Runs in the child."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from heliograph.imaging.editing import WHITE, checked
from heliograph.media.masking import FONTS

GAP = 12
INK, EDGE = (60, 60, 60), (215, 219, 224)


def grid(pictures: list[Any], captions: list[str], columns: int | None, cell: int) -> Any:
    """`pictures` in rows of `columns` (None: about as wide as it is tall), each within `cell` x `cell` pixels, captions beneath."""
    columns = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    rows = math.ceil(len(pictures) / columns)
    small = [_fitted(picture, cell) for picture in pictures]
    font = ImageFont.truetype(str(FONTS / "DejaVuSans.ttf"), max(13, cell // 20), layout_engine=ImageFont.Layout.BASIC)
    line = round(font.size * 1.5) if any(captions) else 0
    widths = [max(picture.width for picture in small[column::columns]) for column in range(columns)]
    heights = [max(picture.height for picture in small[row * columns : (row + 1) * columns]) + line for row in range(rows)]
    size = checked(sum(widths) + GAP * (columns + 1), sum(heights) + GAP * (rows + 1))
    sheet = Image.new("RGB", size, WHITE)
    pen = ImageDraw.Draw(sheet)
    for number, (picture, caption) in enumerate(zip(small, captions, strict=True)):
        row, column = divmod(number, columns)
        x = GAP + sum(widths[:column]) + GAP * column
        y = GAP + sum(heights[:row]) + GAP * row
        top = y + (heights[row] - line - picture.height) // 2
        left = x + (widths[column] - picture.width) // 2
        sheet.paste(picture, (left, top))
        pen.rectangle((left - 1, top - 1, left + picture.width, top + picture.height), outline=EDGE)
        if caption:
            text = _shortened(caption, font, widths[column])
            pen.text((x + widths[column] / 2, top + picture.height + line / 2), text, fill=INK, font=font, anchor="mm")
    return sheet


def _fitted(picture: Any, cell: int) -> Any:
    scale = min(cell / picture.width, cell / picture.height, 4.0)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _shortened(text: str, font: Any, room: float) -> str:
    while len(text) > 1 and font.getlength(text) > room:
        text = text.removesuffix("…")[:-1] + "…"
    return text
