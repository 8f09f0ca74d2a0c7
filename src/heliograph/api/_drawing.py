"""What runs in the children of `pictures.py` and `artifacts.py`; nothing else may import it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image

from heliograph.media import opening
from heliograph.media.content import Limits
from heliograph.media.libreoffice import convert_to_pdf
from heliograph.media.masking import OWN
from heliograph.media.pdfwriting import PdfWriter
from heliograph.media.sniff import sniff_file

QUALITY = 80
DPI = 150.0
"""Of the pages of a document that is shown as PDF."""


def pages(path: Path, limits: Limits) -> int:
    """How many pages the file has."""
    return opening.inspect(path, limits).page_count


def jpeg(path: Path, index: int, dpi: float, limits: Limits) -> bytes:
    """One page, upright, as JPEG."""
    drawn = opening.render(path, index, dpi, limits)
    image = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.data)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def png(path: Path, target: Path, limits: Limits) -> int:
    """Write an image, its first frame, as PNG to `target`; the bytes."""
    drawn = opening.render(path, 0, OWN, limits)
    Image.frombytes("RGB", (drawn.width, drawn.height), drawn.data).save(target, "PNG", compress_level=1)
    return target.stat().st_size


def pdf(path: Path, target: Path, limits: Limits) -> int:
    """Write a document as PDF to `target`; the bytes. LibreOffice's own where it is what reads the file; else its pages as they are drawn,
    over their words, so that they can be searched."""
    media_type = sniff_file(path)
    if media_type.reader == "libreoffice":
        shutil.copyfile(convert_to_pdf(path, media_type), target)
        return target.stat().st_size
    writer = PdfWriter(target)
    for index, (width, height) in enumerate(opening.inspect(path, limits).sizes):
        drawn = opening.picture(path, index, DPI, round(max(width, height) * DPI / 72), 0, limits)
        words = opening.open_page(path, index, limits=limits).page.words
        writer.page(drawn.data, "jpeg-rgb", (drawn.width, drawn.height), (width, height), words)
    writer.close()
    return target.stat().st_size
