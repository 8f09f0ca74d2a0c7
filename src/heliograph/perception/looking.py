"""The functions that run in a light child: pages of PDFs are opened and, when their text layer is enough, read in the same process.

Their pixels, which only serve to find rules, then never travel between processes. Call them through a `ChildPool` of this module.
"""

from __future__ import annotations

from pathlib import Path

import cv2

from heliograph.media import opening
from heliograph.media.content import Limits, PageContent
from heliograph.media.document import Barcode, PageImage
from heliograph.perception.barcodes import find_barcodes
from heliograph.perception.engine import pixels_of, read_page, turn_image
from heliograph.perception.options import LOOK_DPI, SCAN_DPI, Options
from heliograph.perception.textlayer import leave_pictures, needs_pixels

__all__ = ["barcodes", "look", "read_page", "turn_image"]

cv2.setNumThreads(1)  # its pictures are small, and other light children use the other cores


def look(path: Path, index: int, options: Options, limits: Limits) -> PageContent:
    """Open a page of a PDF: read already if its words are in its text layer, else with the pixels that reading it will need.

    Raises as `opening.open_page` does.
    """
    content = opening.open_page(path, index, None, True, limits)
    leave_pictures(content, options.detail)
    if needs_pixels(content):
        content.image = opening.render(path, index, SCAN_DPI[options.detail], limits)
        return content
    if content.marked or options.structure == "full":
        content.image = opening.render(path, index, LOOK_DPI, limits)
    if options.structure == "light":
        content.page = read_page(content, options)
        content.image, content.read = None, True
    return content


def barcodes(image: PageImage, index: int) -> list[Barcode]:
    """The barcodes on a picture."""
    return find_barcodes(pixels_of(image), index)
