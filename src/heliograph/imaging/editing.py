"""Edits of a picture, one after the other. Runs in the child."""

from __future__ import annotations

import math
from typing import Any, cast

import cv2 as opencv
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from heliograph.errors import InvalidRequest, MediaLimitExceeded
from heliograph.imaging.orders import Crop, Edit, Enhance, Flip, Grey, Hide, Resize, Turn
from heliograph.media.geometry import to_pixels

cv2: Any = opencv  # its types know nothing of numpy's

WHITE = (255, 255, 255)
LARGEST = 64_000_000
"""Pixels of a picture that is made; 8,000 x 8,000."""
CELLS = 6
"""Mean colours that are left of the shorter side of what is hidden: too few for a face to be told from another, or letters to be read."""
CLIP = 4.0
"""Slope of the contrast curve at `contrast=1`, above which equalising would bring up noise. K. Zuiderveld, Contrast Limited Adaptive
Histogram Equalization, 1994."""
WORK = 1e9
"""Comparisons in taking noise out, about 4 s on two cores: large pictures are compared with fewer neighbours. The full window of 21 took a
minute for 35 million pixels."""


def edited(picture: Any, edits: list[Edit]) -> Any:
    """An RGB `picture` after all `edits`. Raises InvalidRequest, MediaLimitExceeded."""
    for edit in edits:
        picture = _edited(picture, edit)
    return picture


def _edited(picture: Any, edit: Edit) -> Any:
    match edit:
        case Crop(box):
            return picture.crop(to_pixels(box, *picture.size))
        case Turn(degrees):
            return turned(picture, degrees)
        case Resize():
            return resized(picture, edit)
        case Flip(direction):
            return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT if direction == "horizontal" else Image.Transpose.FLIP_TOP_BOTTOM)
        case Grey():
            return picture.convert("L").convert("RGB")
        case Hide():
            return hidden(picture, edit)
        case Enhance():
            return enhanced(picture, edit)


def checked(width: int, height: int) -> tuple[int, int]:
    """The size of a picture to be made. Raises MediaLimitExceeded when it is too large."""
    if width * height > LARGEST:
        raise MediaLimitExceeded(f"That makes {width} x {height} pixels; pictures are made with up to {LARGEST:,}.")
    return width, height


def turned(picture: Any, degrees: float) -> Any:
    """Counter-clockwise; quarter turns lose nothing."""
    degrees %= 360
    quarter = cast(
        "dict[float, Any]", {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
    ).get(round(degrees, 9))
    if quarter is not None:
        return picture.transpose(quarter)
    if not degrees:
        return picture
    lean = np.deg2rad(degrees)
    across, along = abs(np.cos(lean)), abs(np.sin(lean))
    checked(round(picture.width * across + picture.height * along), round(picture.width * along + picture.height * across))
    return picture.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=WHITE)


def resized(picture: Any, how: Resize) -> Any:
    """Lanczos, both ways."""
    width, height = picture.size
    if how.width and how.height:
        size = how.width, how.height
    elif how.width:
        size = how.width, max(1, round(height * how.width / width))
    elif how.height:
        size = max(1, round(width * how.height / height)), how.height
    elif how.scale:
        size = max(1, round(width * how.scale)), max(1, round(height * how.scale))
    else:
        raise InvalidRequest("Give a width, a height or a scale.", param="width")
    return picture.resize(checked(*size), Image.Resampling.LANCZOS, reducing_gap=3.0)


def hidden(picture: Any, how: Hide) -> Any:
    """Nothing is left of what is hidden but a few mean colours; a soft filter alone could be undone."""
    picture = picture.copy()
    for box in how.boxes:
        area = left, top, right, bottom = to_pixels(box, *picture.size)
        cover = _cover(picture.crop(area), how.cover)
        mask = Image.new("L", cover.size, 255)
        if how.shape == "ellipse":
            mask = Image.new("L", cover.size, 0)
            ImageDraw.Draw(mask).ellipse((0, 0, right - left - 1, bottom - top - 1), fill=255)
        picture.paste(cover, (left, top), mask)
    return picture


def _cover(part: Any, cover: str) -> Any:
    if cover == "black":
        return Image.new("RGB", part.size, (0, 0, 0))
    cell = max(1.0, min(part.size) / CELLS)
    few = part.resize((max(1, round(part.width / cell)), max(1, round(part.height / cell))), Image.Resampling.BOX)
    if cover == "pixelate":
        return few.resize(part.size, Image.Resampling.NEAREST)
    return few.resize(part.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(cell / 2))


def enhanced(picture: Any, how: Enhance) -> Any:
    """Noise goes first, since the others would bring it up; only lightness is changed, so that colours stay."""
    pixels = np.asarray(picture)
    if how.denoise:
        strength = 3 + 9 * how.denoise
        window = min(21, max(5, round(math.sqrt(WORK / (pixels.shape[0] * pixels.shape[1]))) // 2 * 2 + 1))
        pixels = cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength, 7, window)
    if how.brighten or how.contrast:
        lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
        lightness = lab[:, :, 0]
        if how.brighten:
            curve = (np.arange(256) / 255) ** (2.0 ** (-1.5 * how.brighten)) * 255
            lightness = cv2.LUT(lightness, curve.round().astype(np.uint8))
        if how.contrast:
            equal = cv2.createCLAHE(clipLimit=1 + (CLIP - 1) * how.contrast, tileGridSize=(8, 8))
            lightness = _stretched(lightness, how.contrast)
            lightness = cv2.addWeighted(equal.apply(lightness), how.contrast / 2, lightness, 1 - how.contrast / 2, 0)
        lab[:, :, 0] = lightness
        pixels = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    if how.sharpen:
        blurred = cv2.GaussianBlur(pixels, (0, 0), max(1.0, min(picture.size) / 800))
        pixels = cv2.addWeighted(pixels, 1 + 1.5 * how.sharpen, blurred, -1.5 * how.sharpen, 0)
    return Image.fromarray(pixels)


def _stretched(lightness: Any, share: float) -> Any:
    """Towards using all of the range, leaving out the extreme half percent at either end."""
    shares = np.cumsum(cv2.calcHist([lightness], [0], None, [256], [0, 256]).ravel()) / lightness.size
    low, high = (float(np.searchsorted(shares, share)) for share in (0.005, 0.995))
    if high - low < 1:
        return lightness
    low, high = low * share, 255 - (255 - high) * share
    table = np.clip((np.arange(256) - low) * 255 / (high - low), 0, 255).round().astype(np.uint8)
    return cv2.LUT(lightness, table)
