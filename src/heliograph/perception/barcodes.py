"""Barcodes and two-dimensional codes, decoded by zxing-cpp."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from heliograph.media.document import Barcode
from heliograph.media.geometry import Box
from heliograph.perception.detection import Image

zxing: Any = zxingcpp  # it comes without types

WEAK = {"ITF", "Codabar", "DXFilmEdge", "EAN2", "EAN5", "DataBarLtd"}
"""Formats with little or no check against chance: ruled paper and pictures of text now and then decode as one."""
LOOK_SIDES = 100, 400
"""Longer sides of the pictures on which code-like regions are looked for: codes that fill the picture, and smaller ones."""
STEEP = 60
"""Difference of grey between neighbours that makes an edge there."""
DENSE = 0.6
"""Share of edges in a neighbourhood that makes it code-like; lines of print have white between them."""
LEAST_SIDE = 0.15
"""Sides of a code-like region as fractions of the picture's shorter side."""
PAPER = 0.9
"""Share of a region's white from which it is paper in the second attempt."""
MOST_REGIONS = 2


def find_barcodes(image: Image, page: int = 0) -> list[Barcode]:
    """The codes on an upright RGB `image`, from top to bottom; each text and place once.

    Where something looks like a code and none was read, all that is not as white as its paper is taken for dark: codes in light colours, or
    filled with pictures. Weakly checked linear formats count only when long, which chance hardly makes.
    """
    found = _read(image, page, zxing.Binarizer.LocalAverage)
    if not found:
        height, width = image.shape[:2]
        regions = [region for side in LOOK_SIDES for region in _dense(image, side)]
        for left, top, right, bottom in regions:
            dark = image[top:bottom, left:right].min(axis=2)
            paper = np.where(dark < PAPER * np.percentile(dark, 97), 0, 255).astype(np.uint8)
            read = _read(paper, page, zxing.Binarizer.FixedThreshold)
            found = [_moved(code, (left, top, right, bottom), width, height) for code in read]
            if found:
                break
    return sorted(found, key=lambda barcode: (barcode.box.y, barcode.box.x))


def _read(image: NDArray[np.uint8], page: int, binarizer: Any) -> list[Barcode]:
    height, width = image.shape[:2]
    found: list[Barcode] = []
    for code in zxing.read_barcodes(image, binarizer=binarizer):
        name, text = str(code.format).rsplit(".", maxsplit=1)[-1], str(code.text)
        if not code.valid or not text or (name.replace(" ", "") in WEAK and len(text) < 8):
            continue
        corners = [code.position.top_left, code.position.top_right, code.position.bottom_right, code.position.bottom_left]
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        box = Box.from_xyxy(min(xs), min(ys), max(xs), max(ys), width=width, height=height, page=page)
        if not any(other.text == text and other.box.iou(box) > 0.3 for other in found):
            found.append(Barcode(text, name, box))
    return found


def _moved(code: Barcode, region: tuple[int, int, int, int], width: int, height: int) -> Barcode:
    """A code of a region of the picture, on the picture."""
    left, top, right, bottom = region
    x0, y0, x1, y1 = code.box.to_xyxy(right - left, bottom - top)
    return Barcode(
        code.text, code.format, Box.from_xyxy(x0 + left, y0 + top, x1 + left, y1 + top, width=width, height=height, page=code.box.page)
    )


def _dense(image: Image, side: int) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of the largest regions full of edges, with a margin, in pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if min(height, width) * scale < 3:  # no code is as slim as this
        return []
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > STEEP
    reach = max(5, min(grey.shape) // 16)
    dense = cv2.blur(edges.astype(np.float32), (reach, reach)) > DENSE
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dense.astype(np.uint8))
    least = LEAST_SIDE * min(grey.shape)
    regions = sorted(((int(w * h), int(x), int(y), int(w), int(h)) for x, y, w, h, _ in boxes[1:] if min(w, h) >= least), reverse=True)
    result: list[tuple[int, int, int, int]] = []
    for _, x, y, w, h in regions[:MOST_REGIONS]:
        edge = reach + max(w, h) // 8
        corners = (x - edge, y - edge, x + w + edge, y + h + edge)
        left, top, right, bottom = (round(corner / scale) for corner in corners)
        result.append((max(0, left), max(0, top), min(width, right), min(height, bottom)))
    return result
