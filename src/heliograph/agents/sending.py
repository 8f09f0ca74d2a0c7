"""Pictures to and from providers: shown upright as JPEG, and what comes back is decoded in a child before it is kept."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from heliograph.agents.context import Context
from heliograph.agents.pictures import put
from heliograph.agents.providers import Encoded
from heliograph.agents.tools import Made
from heliograph.imaging.orders import Sheet
from heliograph.media.content import PagePicture
from heliograph.media.document import Page

LONGEST_SIDE = 2_048
"""Pixels of a picture that a provider is shown."""


async def shown(at: Context, image: str, page: int = 0, *, longest_side: int = LONGEST_SIDE) -> PagePicture:
    """A page of an artifact as an upright JPEG. Raises NotFound, and a MediaError for what is no picture."""
    async with at.artifacts.local(image) as path:
        sizes = (await at.reader.inspect(path)).sizes
        width, height = sizes[page] if page < len(sizes) else (0.0, 0.0)
        return await at.reader.picture(path, page, Page(page, width, height), longest_side)


async def sent(at: Context, image: str, page: int = 0) -> Encoded:
    """A page of an artifact as a provider is sent it. Raises as `shown`."""
    return Encoded.of("image/jpeg", (await shown(at, image, page)).data)


async def received(at: Context, content: bytes) -> Made:
    """Keep and show the picture that a provider made. Raises a MediaError for what is none."""
    with tempfile.TemporaryDirectory(prefix="heliograph-received-") as folder:
        path = Path(folder) / "picture"
        await asyncio.to_thread(path.write_bytes, content)
        drawn = await at.reader.studio.edit(Sheet(str(path)), [])
    return await put(at, drawn)
