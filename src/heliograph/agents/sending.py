"""Pictures to and from providers: shown upright as JPEG, and what comes back is decoded in a child before it is kept."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from heliograph.agents.artifacts import Artifact
from heliograph.agents.context import Context
from heliograph.agents.pictures import put
from heliograph.agents.providers import Encoded
from heliograph.agents.tools import Made
from heliograph.imaging.orders import Drawn, Edit, Format, Sheet
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


async def received(at: Context, content: bytes, edits: list[Edit] | None = None) -> Made:
    """Keep and show the picture that a provider made, after `edits`. Raises a MediaError for what is none."""
    return await put(at, await _drawn(at, content, edits))


async def kept(at: Context, content: bytes) -> Artifact:
    """Keep a picture that a provider made, unshown, as PNG. Raises a MediaError for what is none."""
    drawn = await _drawn(at, content, form="png")
    facts: dict[str, int | float | str] = {"width": drawn.width, "height": drawn.height}
    return await at.artifacts.put(drawn.data, kind="img", media_type=drawn.media_type, facts=facts)


async def _drawn(at: Context, content: bytes, edits: list[Edit] | None = None, *, form: Format | None = None) -> Drawn:
    with tempfile.TemporaryDirectory(prefix="heliograph-received-") as folder:
        path = Path(folder) / "picture"
        await asyncio.to_thread(path.write_bytes, content)
        return await at.reader.studio.edit(Sheet(str(path)), edits or [], form)
