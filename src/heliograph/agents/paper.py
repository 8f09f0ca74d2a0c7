"""Documents of every kind as PDF files: one that is a PDF stays as it is, of any other the pages are drawn, with their words beneath."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from heliograph.agents.context import Context
from heliograph.media.mask import Mask
from heliograph.media.pdfwriting import PdfWriter
from heliograph.media.sniff import PDF

DPI = 200.0
"""Resolution of a page that is drawn."""


@asynccontextmanager
async def as_pdf(at: Context, name: str, target: Path) -> AsyncGenerator[Path]:
    """The artifact called `name` as a PDF, at `target` or where it is. Raises NotFound, and a MediaError for what has no pages."""
    artifact = await at.artifacts.get(name)
    async with at.artifacts.local(artifact.ref) as path:
        seen = await at.reader.inspect(path)
        if seen.media_type == PDF.media_type:
            yield path
            return
        read = None if seen.kind == "image" else await at.readings.read(at.reader, at.artifacts, artifact.ref)
        writer = PdfWriter(target)
        for index, size in enumerate(seen.sizes):
            page = read.page(index) if read is not None else None
            drawn = await at.reader.mask(path, index, Mask([], [], size, dpi=DPI))
            writer.page(drawn.data, drawn.encoding, (drawn.width, drawn.height), size, page.words if page else ())
        writer.close()
    yield target


async def link(path: Path, target: Path) -> None:
    """The file at `path` at `target` too: the same one where the file system can."""

    def linked() -> None:
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)

    await asyncio.to_thread(linked)
