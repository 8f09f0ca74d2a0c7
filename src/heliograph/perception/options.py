"""How to read: what callers may ask for, and what that means in resolutions. Light; every process may import it."""

from __future__ import annotations

from typing import Literal

import msgspec

Detail = Literal["lo", "auto", "hi"]
"""How closely pixels are looked at; the trade is measured in docs/design/reading.md."""

Structure = Literal["light", "full"]
"""`light`: words, lines, blocks by geometry, ruled and aligned tables. `full` adds the layout model and the table model."""

SCAN_DPI: dict[Detail, float] = {"lo": 130.0, "auto": 200.0, "hi": 300.0}
"""Resolution at which pages of documents are drawn for OCR."""
PHOTO_DPI: dict[Detail, float] = {"lo": 150.0, "auto": 300.0, "hi": 450.0}
"""Cap on the resolution of image files, whose longer side counts as at least 11 inches."""
LOOK_DPI = 100.0
"""Resolution at which a page with a text layer is looked at for ruling lines."""

FACE_SIDE = 1920
"""Pixels of the longer side of a picture in which faces are looked for."""


class Options(msgspec.Struct, frozen=True):
    """How the engine reads a page. `threads`: for all engines of the child. `ocr`: pixels may be read for words. `paper`: it is
    a page, or a photo of one; a frame of moving pictures is not, and has no boxes to tick."""

    detail: Detail = "auto"
    structure: Structure = "light"
    threads: int = 1
    ocr: bool = True
    paper: bool = True
