"""The toolset `image`: pictures cut, turned, scaled, hidden in part, mended and written anew. What is in them: `image_finding`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from heliograph.agents import providers, sending
from heliograph.agents.context import Context
from heliograph.agents.pictures import Page, Placed, box_of, opened, put
from heliograph.agents.tools import XYWH, ImageRef, Made, tool
from heliograph.errors import InvalidRequest
from heliograph.imaging.orders import Cover, Crop, Edit, Enhance, Flip, Format, Grey, Hide, Resize, Turn

Pixels = Annotated[int, Field(ge=1, le=16_000, description="Pixels.")]
Degree = Annotated[float, Field(ge=0, le=1, description="0 leaves it, 1 is the most.")]


async def _edited(at: Context, image: str, edits: list[Edit], *, page: int = 0, form: Format | None = None) -> Made:
    async with opened(at, image, page) as sheet:
        drawn = await at.reader.studio.edit(sheet, edits, form)
    return await put(at, drawn)


@tool("image")
async def crop_image(at: Context, image: ImageRef, xywh: XYWH, page: Page = 0) -> Made:
    """Cut a part out of an image (or a page of a document)."""
    return await _edited(at, image, [Crop(box_of(xywh, param="xywh"))], page=page)


@tool("image")
async def rotate_image(at: Context, image: ImageRef, angle: Annotated[float, Field(description="Degrees, counter-clockwise.")]) -> Made:
    """Turn an image counter-clockwise by any angle; clockwise is a negative angle. The canvas grows so that nothing is cut off."""
    return await _edited(at, image, [Turn(angle)])


@tool("image")
async def resize_image(
    at: Context,
    image: ImageRef,
    width: Pixels | None = None,
    height: Pixels | None = None,
    scale: Annotated[float, Field(gt=0, le=16, description="Factor for both sides, such as 0.5.")] | None = None,
) -> Made:
    """Scale an image to a width, a height (one alone keeps the proportions), both, or by a factor."""
    if width is None and height is None and scale is None:
        raise InvalidRequest("resize_image: give a width, a height or a scale.", param="width")
    return await _edited(at, image, [Resize(width, height, scale)])


@tool("image")
async def flip_image(at: Context, image: ImageRef, direction: Literal["horizontal", "vertical"] = "horizontal") -> Made:
    """Mirror an image: `horizontal` swaps left and right, `vertical` swaps top and bottom."""
    return await _edited(at, image, [Flip(direction)])


@tool("image")
async def grayscale_image(at: Context, image: ImageRef) -> Made:
    """Take the colours out of an image."""
    return await _edited(at, image, [Grey()])


@tool("image")
async def blur_bboxes(
    at: Context,
    image: ImageRef,
    boxes: Annotated[list[Placed], Field(min_length=1, max_length=500)],
    cover: Annotated[Cover, Field(description="How: blurred, in large squares, or black.")] = "blur",
    page: Page = 0,
) -> Made:
    """Make parts of an image unrecognisable. Text that must stay secret is found and removed for good by `redact_document`."""
    places = [box_of(place.xywh) for place in boxes]
    return await _edited(at, image, [Hide(places, cover)], page=page)


@tool("image")
async def enhance_image(
    at: Context,
    image: ImageRef,
    contrast: Degree = 0.5,
    sharpness: Degree = 0.5,
    denoise: Degree = 0.0,
    brightness: Annotated[float, Field(ge=-1, le=1, description="Above 0 lighter, below 0 darker.")] = 0.0,
) -> Made:
    """Make an image clearer: raise its contrast, sharpen it, take noise out of it, make it lighter or darker."""
    return await _edited(at, image, [Enhance(contrast, denoise, sharpness, brightness)])


_ENLARGE = "Draw this same picture at {factor} times the resolution: sharper, with nothing added, removed, moved or recoloured."


class Enlarged(Made, frozen=True, kw_only=True):
    """An enlarged image, and how its pixels were made."""

    method: str


@tool("image")
async def super_resolution(
    at: Context,
    image: ImageRef,
    factor: Annotated[Literal[2, 4, 8], Field(description="How many times as wide and as high.")] = 4,
) -> Enlarged:
    """Enlarge an image 2, 4 or 8 times, smoothly and sharply (Lanczos). It adds pixels, not details that the image does not show."""
    async with opened(at, image) as sheet:
        if (model := providers.named(at, "generate")) is not None:
            width, height = await at.reader.studio.size(Path(sheet.path))
            _, content = await providers.generate(at, _ENLARGE.format(factor=factor), [await sending.sent(at, image)])
            made = await sending.received(at, content, [Resize(width * factor, height * factor)])
            return Enlarged(id=made.id, width=made.width, height=made.height, method=f"drawn anew by {model}, which may invent details")
        drawn = await at.reader.studio.edit(sheet, [Resize(scale=factor), Enhance(sharpen=0.6)])
    made = await put(at, drawn)
    return Enlarged(id=made.id, width=made.width, height=made.height, method="Lanczos interpolation, sharpened; no details were invented")


@tool("image")
async def convert_image(
    at: Context,
    image: ImageRef,
    format: Annotated[
        Literal["png", "jpeg", "jpg", "webp", "gif", "bmp", "tiff", "heic"],
        Field(description="png or jpeg; for the others, of which none is served, png is made."),
    ],
    page: Page = 0,
) -> Made:
    """Write an image (or a page of a document) as PNG or JPEG, upright and without the camera's notes."""
    return await _edited(at, image, [], page=page, form="jpeg" if format in ("jpeg", "jpg") else "png")
