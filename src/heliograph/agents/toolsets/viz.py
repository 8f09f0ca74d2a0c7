"""The toolset `viz`: boxes, points and areas drawn on pictures, pictures side by side, and charts."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from heliograph.agents import cards
from heliograph.agents.context import Context
from heliograph.agents.pictures import Page, Placed, Text, box_of, opened, put
from heliograph.agents.tools import XYWH, ImageRef, Made, tool
from heliograph.errors import InvalidRequest
from heliograph.imaging.orders import Chart, ChartKind, Mark, Point, Series, Shade, Tile

MOST = 1000
Fraction = Annotated[float, Field(ge=0, le=1)]
XY = Annotated[list[Fraction], Field(description="Point [x, y], fractions 0-1 from the top left.", min_length=2, max_length=2)]


@tool("viz")
async def visualize_bboxes(
    at: Context,
    image: ImageRef,
    boxes: Annotated[list[Placed], Field(min_length=1, max_length=MOST, description="As detect_faces and the like give them.")],
    page: Page = 0,
) -> Made:
    """Draw boxes with their labels on an image (or a page of a document)."""
    marks = [Mark(box_of(place.xywh), place.label, place.confidence, place.color) for place in boxes]
    async with opened(at, image, page) as sheet:
        drawn = await at.reader.studio.boxes(sheet, marks)
    return await put(at, drawn)


class Keypoint(BaseModel):
    """A point with a label, as detect_keypoints gives it."""

    model_config = ConfigDict(extra="ignore")

    xy: XY
    label: Text = ""
    color: str | None = None


def _as_point(value: object) -> object:
    return {"xy": cast("list[float]", value)} if isinstance(value, list) else value


@tool("viz")
async def visualize_keypoints(
    at: Context,
    image: ImageRef,
    keypoints: Annotated[list[Annotated[Keypoint, BeforeValidator(_as_point)]], Field(min_length=1, max_length=MOST)],
    page: Page = 0,
) -> Made:
    """Draw points with their labels on an image."""
    marks = [Point(point.xy[0], point.xy[1], point.label, point.color) for point in keypoints]
    async with opened(at, image, page) as sheet:
        drawn = await at.reader.studio.points(sheet, marks)
    return await put(at, drawn)


class Mask(BaseModel):
    """An area: a picture of it, white where it is; or its corners; or a box."""

    model_config = ConfigDict(extra="ignore")

    image: ImageRef | None = Field(default=None, description="Picture of the mask, of the same proportions, white where the area is.")
    polygon: list[XY] | None = Field(default=None, description="Corners of the area, in order.", min_length=3, max_length=2000)
    xywh: XYWH | None = None
    label: Text = ""
    color: str | None = None


@tool("viz")
async def visualize_masks(
    at: Context, image: ImageRef, masks: Annotated[list[Mask], Field(min_length=1, max_length=100)], page: Page = 0
) -> Made:
    """Tint areas of an image, each with its outline and label."""
    async with AsyncExitStack() as open_files:
        sheet = await open_files.enter_async_context(opened(at, image, page))
        areas: list[Shade] = []
        for mask in masks:
            if mask.image is None and mask.polygon is None and mask.xywh is None:
                raise InvalidRequest("visualize_masks: a mask is an image, a polygon or an xywh.", param="masks")
            shown = await open_files.enter_async_context(opened(at, mask.image)) if mask.image else None
            polygon = [(x, y) for x, y in mask.polygon or []]
            box = box_of(mask.xywh, param="masks") if mask.xywh else None
            areas.append(Shade(polygon, shown, box, mask.label, mask.color))
        drawn = await at.reader.studio.shades(sheet, areas)
    return await put(at, drawn)


@tool("viz")
async def image_grid(
    at: Context,
    images: Annotated[list[ImageRef], Field(min_length=1, max_length=64, description="References of images, in order.")],
    captions: Annotated[list[Text] | None, Field(description="A line under each.")] = None,
    columns: Annotated[int | None, Field(ge=1, le=16)] = None,
) -> Made:
    """Put images side by side on one sheet, each with its caption."""
    if captions is not None and len(captions) != len(images):
        raise InvalidRequest(f"image_grid: there are {len(images)} images and {len(captions)} captions.", param="captions")
    async with AsyncExitStack() as open_files:
        sheets = [await open_files.enter_async_context(opened(at, image)) for image in images]
        tiles = [Tile(sheet, caption) for sheet, caption in zip(sheets, captions or [""] * len(sheets), strict=True)]
        drawn = await at.reader.studio.grid(tiles, columns=columns)
    return await put(at, drawn, card="preview.grid", shown=cards.grid(images, titles=captions or ()))


class ChartSeries(BaseModel):
    """One row of numbers of a chart."""

    model_config = ConfigDict(extra="ignore")

    values: list[float | None] = Field(description="The numbers; null where one is missing.", min_length=1, max_length=20_000)
    name: Text = ""
    x: list[float] | None = Field(default=None, description="Of a scatter or line chart: where each number stands.")


@tool("viz")
async def make_chart(
    at: Context,
    kind: ChartKind,
    values: Annotated[list[float | None] | None, Field(description="The numbers, where there is one series.")] = None,
    labels: Annotated[list[Text] | None, Field(description="What each number is of; of a table, its headings.")] = None,
    series: Annotated[list[ChartSeries] | None, Field(description="Several rows of numbers, each with a name.", max_length=20)] = None,
    rows: Annotated[list[list[Text]] | None, Field(description="Rows of a table.")] = None,
    title: Text = "",
    x_label: Text = "",
    y_label: Text = "",
    unit: Annotated[Text, Field(max_length=12, description="Unit or currency sign of the numbers, such as $, % or kg.")] = "",
    x: Annotated[list[float] | None, Field(description="Of a scatter or line chart of one series: where each number stands.")] = None,
    bins: Annotated[int | None, Field(ge=1, le=100, description="Of a histogram.")] = None,
    stacked: bool = False,
    horizontal: bool | None = None,
    colors: Annotated[list[str] | None, Field(description="CSS names or #rrggbb, one a series, or a slice of a pie.")] = None,
) -> Made:
    """Draw a chart (bar, line, pie, scatter, histogram, table) of given numbers, with labels, title and names of its axes."""
    rowed = [Series(values=values, x=x)] if values else []
    rowed += [Series(values=one.values, name=one.name, x=one.x) for one in series or []]
    chart = Chart(
        kind=kind,
        series=rowed,
        labels=labels or [],
        rows=rows or [],
        title=title,
        x_label=x_label,
        y_label=y_label,
        unit=unit,
        bins=bins,
        stacked=stacked,
        horizontal=horizontal,
        colors=colors or [],
    )
    drawn = await at.reader.studio.chart(chart)
    shown: dict[str, Any] = {"kind": kind} | ({"title": title} if title else {})
    if kind == "table":
        shown |= {"columns": chart.labels, "rows": chart.rows}
    elif sum(len(one.values) for one in rowed) <= MOST:
        shown |= {"labels": chart.labels, "series": [{"name": one.name, "values": one.values} for one in rowed]}
    return await put(at, drawn, card="preview.chart", shown=shown)
