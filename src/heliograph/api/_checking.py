"""What runs in the child of `checking.py`; nothing else may import it."""

from __future__ import annotations

from pathlib import Path

from heliograph.media import opening
from heliograph.media.content import Limits
from heliograph.media.recording import Recording
from heliograph.media.sniff import sniff_file

QUICK = frozenset({"pdf", "image"})
"""What is opened without being read; other formats are laid out on pages first."""


def recording(path: Path, limits: Limits) -> Recording:
    """What the recording is. Raises a MediaError for a file that cannot be heard or watched."""
    from heliograph.media import playing  # noqa: PLC0415 - FFmpeg, which only recordings need

    return playing.inspect(path, limits)


def pages(path: Path, limits: Limits) -> int | None:
    """How many pages the file has; None for a type where that takes long. Raises a MediaError for one that cannot be read."""
    return opening.inspect(path, limits).page_count if sniff_file(path).require() in QUICK else None


def anything(path: Path, limits: Limits) -> int | None:
    """As `pages`, for whoever takes recordings too: one of them is opened, and has none. Raises a MediaError for what cannot be opened."""
    if sniff_file(path).kind not in ("audio", "video"):
        return pages(path, limits)
    recording(path, limits)
    return None
