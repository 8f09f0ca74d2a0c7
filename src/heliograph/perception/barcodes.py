"""Barcodes and two-dimensional codes, decoded by zxing-cpp."""

from __future__ import annotations

from typing import Any

import zxingcpp

from heliograph.media.document import Barcode
from heliograph.media.geometry import Box
from heliograph.perception.detection import Image

zxing: Any = zxingcpp  # it comes without types

WEAK = {"ITF", "Codabar", "DXFilmEdge", "EAN2", "EAN5", "DataBarLtd"}
"""Formats with little or no check against chance: ruled paper and pictures of text now and then decode as one."""


def find_barcodes(image: Image, page: int = 0) -> list[Barcode]:
    """The codes on an upright RGB `image`, from top to bottom; each text and place once.

    Weakly checked linear formats count only when long, which chance hardly makes.
    """
    height, width = image.shape[:2]
    found: list[Barcode] = []
    for code in zxing.read_barcodes(image):
        name, text = str(code.format).rsplit(".", maxsplit=1)[-1], str(code.text)
        if not code.valid or not text or (name.replace(" ", "") in WEAK and len(text) < 8):
            continue
        corners = [code.position.top_left, code.position.top_right, code.position.bottom_right, code.position.bottom_left]
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        box = Box.from_xyxy(min(xs), min(ys), max(xs), max(ys), width=width, height=height, page=page)
        if not any(other.text == text and other.box.iou(box) > 0.3 for other in found):
            found.append(Barcode(text, name, box))
    return sorted(found, key=lambda barcode: (barcode.box.y, barcode.box.x))
