"""What `masking.py` (in a child) is told of a page to draw anew, and what it answers; light, so that every process may import it."""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.media.geometry import Box

Encoding = Literal["jpeg-rgb", "jpeg-grey", "flate-rgb", "flate-grey", "file"]
"""Of a picture for a PDF: JPEG, or PNG's filtered rows, deflated; `file` is an image file."""


class Patch(msgspec.Struct):
    """A part of the page to paint over: black, or with its own background and `text` on it."""

    box: Box
    text: str | None = None
    size: float = 0.0
    """Font size of `text` in points; 0 to go by the box."""
    bold: bool = False


class Mask(msgspec.Struct):
    """How a page is to be drawn. Boxes are on the page as read, turned clockwise by `rotation`; `size` is its size in points.

    `words`: boxes to be told of whether anything is seen there. `whole`: paint over all of it. `media_type`: encode as such an image
    file; None for a PDF's page. The pictures that a PDF's page draws are painted over, but for those in which `few` words or more
    stand, as in the strips of a scan.
    """

    patches: list[Patch]
    words: list[Box]
    size: tuple[float, float]
    rotation: int = 0
    dpi: float = 200.0
    whole: bool = False
    few: int = 10
    media_type: str | None = None


class Masked(msgspec.Struct):
    """A page drawn anew, encoded. `seen` answers `Mask.words`, one each; `pictures`: where pictures were painted over.

    `blank`: there was nothing on the page before.
    """

    data: bytes
    encoding: Encoding
    width: int
    height: int
    seen: list[bool]
    pictures: list[Box]
    blank: bool
    media_type: str | None = None
