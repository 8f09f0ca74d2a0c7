"""What `opening.py` (in a child) tells of a file and of one page of it; light, so that every process may import it."""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.media.document import Page, PageImage
from heliograph.media.geometry import Box

TextLayer = Literal["good", "missing", "garbled", "hidden"]
"""Can a page's own text be trusted? `good`: yes. `missing`: it has none (a scan, a photo, outlines). `garbled`: what it says is not
what it shows (broken encoding). `hidden`: invisible text over a picture, that is, somebody's OCR: better than nothing, worse than
reading again."""


class Limits(msgspec.Struct, frozen=True):
    """What one file may cost. `max_unpacked`: bytes that an archive (DOCX, PPTX, XLSX) or another container may unpack to;
    `max_duration`: seconds of a recording."""

    max_pages: int = 1000
    max_pixels: int = 200_000_000
    max_unpacked: int = 256 << 20
    max_duration: float = 13 * 3600.0


class Playable(msgspec.Struct, frozen=True):
    """A recording as a child plays it. `duration`, `even`: as looking at it found; `threads`: those that decoders may use."""

    path: str
    duration: float
    even: bool
    threads: int
    limits: Limits


class Inspection(msgspec.Struct):
    """A file, looked at. `sizes`: width and height of each page in points, upright. `media_type` by content."""

    media_type: str
    kind: Literal["image", "document"]
    page_count: int
    sizes: list[tuple[float, float]]
    warnings: list[str] = []


class PageContent(msgspec.Struct):
    """One page, opened.

    `page`: its words from the text layer, if any, with lines, blocks and tables too when `structured` (formats that say their own
    structure: DOCX, HTML and so on). `regions`: pictures on the page that hold no text of the layer and may need OCR, largest
    first. `image`: its pixels, if asked for. `marked`: something other than text is drawn on it, such as rules.
    `read`: `page` needs no more reading.
    """

    page: Page
    text: TextLayer
    regions: list[Box] = []
    image: PageImage | None = None
    structured: bool = False
    marked: bool = True
    read: bool = False


class PagePicture(msgspec.Struct, gc=False):
    """An upright page as others are shown it: `data` is JPEG, sizes are in pixels."""

    width: int
    height: int
    data: bytes
