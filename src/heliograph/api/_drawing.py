"""What runs in the child of `pictures.py`; nothing else may import it."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from heliograph.media import opening
from heliograph.media.content import Limits

QUALITY = 80


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
