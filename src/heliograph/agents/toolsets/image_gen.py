"""`image-gen`: new pictures, by a provider that makes them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from heliograph.agents import providers
from heliograph.agents.context import Context
from heliograph.agents.providers import Encoded
from heliograph.agents.sending import received, sent
from heliograph.agents.tools import ImageRef, Made, tool

Wish = Annotated[str, Field(description="What it shall show.", min_length=1, max_length=20_000)]
needs = partial(providers.needs, "generate")


@tool("image-gen", needs=needs)
async def generate_image(at: Context, prompt: Wish) -> Made:
    """Draw a new image from words."""
    return await _drawn(at, prompt)


@tool("image-gen", needs=needs)
async def edit_image(
    at: Context, image: ImageRef, prompt: Annotated[str, Field(description="What to change.", min_length=1, max_length=20_000)]
) -> Made:
    """Change an image as words say, such as to remove something or to put it elsewhere."""
    return await _drawn(at, prompt, await sent(at, image))


@tool("image-gen", needs=needs)
async def remove_background(at: Context, image: ImageRef) -> Made:
    """Take the background of an image away, so that only its subject is left."""
    wish = "Remove the background: keep the main subject exactly as it is, on plain white."
    return await _drawn(at, wish, await sent(at, image))


@tool("image-gen", needs=needs)
async def virtual_try_on(at: Context, person: ImageRef, garment: ImageRef) -> Made:
    """Show the person of one image in the garment of another."""
    wish = "Show the person of the first picture wearing the garment of the second; change nothing else."
    return await _drawn(at, wish, await sent(at, person), await sent(at, garment))


async def _drawn(at: Context, prompt: str, *images: Encoded) -> Made:
    _, content = await providers.generate(at, prompt, images)
    return await received(at, content)
