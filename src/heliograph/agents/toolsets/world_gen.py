"""`world-gen`: depth and things in space, by providers that tell them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from heliograph.agents import providers
from heliograph.agents.context import Context
from heliograph.agents.sending import received, sent
from heliograph.agents.tools import ImageRef, Made, tool


@tool("world-gen", needs=partial(providers.needs, "depth"))
async def estimate_depth(at: Context, image: ImageRef) -> Made:
    """Make a picture of how far away everything in an image is: lighter is nearer."""
    return await received(at, await providers.depth(at, await sent(at, image)))


@tool("world-gen", needs=partial(providers.needs, "reconstruct"))
async def reconstruct_3d(
    at: Context, images: Annotated[list[str], Field(description="References of images of one thing.", min_length=1, max_length=50)]
) -> Made:
    """Build what images show in space, as a point cloud or splat (PLY or SPZ)."""
    media_type, content = await providers.reconstruct(at, [await sent(at, image) for image in images])
    kept = await at.artifacts.put(content, kind="recon", media_type=media_type)
    return Made(id=kept.ref)
