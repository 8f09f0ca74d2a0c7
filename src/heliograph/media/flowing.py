"""Formats whose pages we lay out ourselves: which reader makes the flow of each."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from heliograph.media.content import Limits
from heliograph.media.flow import FlowFile
from heliograph.media.sniff import Reader

READERS: dict[Reader, tuple[str, str]] = {
    "docx": ("docx", "read_docx"),
    "pptx": ("pptx", "read_pptx"),
    "xlsx": ("xlsx", "read_xlsx"),
    "html": ("html", "read_html"),
    "mail": ("mail", "read_mail"),
    "text": ("plaintext", "read_text"),
    "csv": ("plaintext", "read_csv"),
}


def open_flowing(path: Path, reader: Reader, limits: Limits) -> FlowFile:
    """Read the file with its reader, which is imported now, and lay it out."""
    module, function = READERS[reader]
    return FlowFile(getattr(import_module(f"heliograph.media.{module}"), function)(path, limits), limits)
