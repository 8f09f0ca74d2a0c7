"""Captions and marks as pictures that are laid over frames. Runs in the child.

Captions stand at the lower edge of the safe area, white with a dark edge; their height goes with the picture's shorter side, so they
can be read on a phone's upright film and on a wide one. What DejaVu Sans has not is drawn in a font of the machine that has it; where none
has, that is said, and no boxes are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont, features

from heliograph.errors import InvalidRequest, MediaError
from heliograph.filming.orders import Mark, Position
from heliograph.imaging.grids import FONTS
from heliograph.media.subtitles import Cue, columns, laid

LETTER = 0.052
"""Height of a caption's letters, of the picture's shorter side."""
SAFE = 0.05
"""Of each side, kept free: EBU R 95."""
EDGE = 0.09
"""Of a letter's height: the dark edge around it."""
SMALLEST = 10
MOST_FONTS = 400
Layer = tuple[int, int, Any]
"""Where it stands (left, top) and its pixels: uint8 of shape (height, width, 4), red, green, blue, opacity."""


def caption(cue: Cue, width: int, height: int) -> Layer:
    """A caption for a picture of `width` x `height` pixels. Raises InvalidRequest for letters that no font here has."""
    size = max(SMALLEST, round(min(height, width) * LETTER))
    room = width * (1 - 2 * SAFE)
    text = cue.text
    font = _font(legible(text), size)
    lines = list(cue.lines)
    if max(_wide(font, line) for line in lines) > room:
        most = max(8, int(columns(text) * room / max(_wide(font, text), 1.0)))
        lines = laid(text, most)
        while len(lines) > 3 and size > SMALLEST:
            size -= 1
            font = _font(legible(text), size)
            lines = laid(text, max(8, int(columns(text) * room / max(_wide(font, text), 1.0))))
    return _lettered(lines, font, size, "white", 1.0, "bottom", width, height)


def mark(asked: Mark, width: int, height: int) -> Layer:
    """A watermark for such a picture. Raises InvalidRequest (colour, letters without a font), MediaError (its file)."""
    high = max(SMALLEST, round(height * asked.size))
    if asked.picture is None:
        text = " ".join(asked.text.split())
        name = legible(text)
        size = max(SMALLEST, round(high * 0.75))
        room = width * (1 - 2 * SAFE)
        wide = _wide(_font(name, size), text)
        if wide > room:
            size = max(SMALLEST, int(size * room / wide))
        return _lettered([text], _font(name, size), size, asked.color, asked.opacity, asked.position, width, height)
    picture = _opened(asked.picture)
    scale = min(high / picture.height, width * 0.5 / picture.width)
    picture = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)
    pixels = np.array(picture)
    pixels[..., 3] = (pixels[..., 3] * asked.opacity).astype(np.uint8)
    return *_placed(picture.size, asked.position, width, height), pixels


def _lettered(lines: list[str], font: Any, size: int, color: str, opacity: float, position: Position, width: int, height: int) -> Layer:
    try:
        ink = ImageColor.getrgb(color)[:3]
    except ValueError:
        raise InvalidRequest(f"{color[:40]!r} is no colour: write its CSS name or #rrggbb.", param="color") from None
    edge, step = max(1, round(size * EDGE)), round(size * 1.25)
    wide = min(width, round(max(_wide(font, line) for line in lines)) + 2 * edge + 2)
    area = wide, step * len(lines) + 2 * edge
    picture = Image.new("RGBA", area, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    dark = (0, 0, 0) if sum(ink) > 300 else (255, 255, 255)
    for number, line in enumerate(lines):
        place = area[0] / 2, edge + step * (number + 0.5)
        pen.text(place, line, font=font, anchor="mm", fill=(*ink, 255), stroke_width=edge, stroke_fill=(*dark, 255))
    pixels = np.array(picture)
    pixels[..., 3] = (pixels[..., 3] * opacity).astype(np.uint8)
    return *_placed(area, position, width, height), pixels


def _placed(area: tuple[int, int], position: Position, width: int, height: int) -> tuple[int, int]:
    across, down = round(width * SAFE), round(height * SAFE)
    left = across if "left" in position else width - across - area[0] if "right" in position else (width - area[0]) // 2
    top = down if "top" in position else height - down - area[1] if "bottom" in position else (height - area[1]) // 2
    return max(0, left), max(0, top)


def _wide(font: Any, text: str) -> float:
    return font.getlength(text)


def _opened(path: str) -> Any:
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (2048, 2048))
            return picture.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError):
        raise MediaError("The picture of the watermark cannot be opened.") from None


def _font(path: str, size: int) -> Any:
    shaping = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, size, layout_engine=shaping)


@lru_cache(256)
def legible(text: str) -> str:
    """The font file that has all letters of a text. Raises InvalidRequest, naming some, where no font here has them."""
    own = FONTS / "DejaVuSans-Bold.ttf"
    wanted = {letter for letter in text if not letter.isspace()}
    lacking = _lacking(str(own), wanted)
    if not lacking:
        return str(own)
    for path in _installed():
        if not _lacking(path, wanted):
            return path
    shown = "".join(sorted(lacking)[:8])
    raise InvalidRequest(
        f"No font on this server has the letters {shown}, so they cannot be drawn into the picture. Install one that has them, such as "
        "Noto Sans CJK, or ask for the captions as a track or a file.",
        param="captions",
    )


def _lacking(path: str, wanted: Iterable[str]) -> set[str]:
    """Letters that a font draws as it draws what it does not know."""
    known = _letters(path)
    return {letter for letter in wanted if ord(letter) not in known}


@lru_cache(MOST_FONTS)
def _letters(path: str) -> frozenset[int]:
    from fontTools.ttLib import TTFont, TTLibError  # noqa: PLC0415

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, KeyError, AssertionError):
        return frozenset()


@lru_cache(1)
def _installed() -> list[str]:
    from matplotlib import font_manager  # noqa: PLC0415

    found: list[str] = cast("Any", font_manager).findSystemFonts()
    fonts = [path for path in found if Path(path).suffix.lower() in (".ttf", ".otf", ".ttc")]
    return sorted(fonts, key=lambda path: ("Bold" not in path, "Noto" not in path, path))[:MOST_FONTS]
