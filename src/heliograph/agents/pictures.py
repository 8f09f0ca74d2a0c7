"""What tools of pictures share: opening what a reference names, boxes as callers write them, and putting what was made."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from heliograph.agents import cards
from heliograph.agents.artifacts import Artifact
from heliograph.agents.context import Context
from heliograph.agents.task import Card
from heliograph.agents.tools import XYWH, ImageRef, Made
from heliograph.errors import InvalidRequest
from heliograph.imaging.orders import Drawn, Sheet
from heliograph.media.geometry import Box

Json = Any
SLACK = 0.02
"""Of the picture, by which a box may reach beyond it and is cut."""
Page = Annotated[int, Field(ge=0, description="Page, counted from 0, where the reference is of a document.")]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value) if isinstance(value, int | float) else value)]
"""Text that models also write as a number, or as null where there is none."""


def _as_object(value: object) -> object:
    """Four numbers alone are a box, and citations write `{"bbox": {"xywh": [...]}}`."""
    if isinstance(value, list):
        return {"xywh": cast("list[Json]", value)}
    if not isinstance(value, dict) or "xywh" in value:
        return cast("object", value)
    given = cast("dict[str, Json]", value)
    inner: Json = given.get("bbox", given.get("box"))
    return {**given, "xywh": cast("dict[str, Json]", inner).get("xywh") if isinstance(inner, dict) else inner}


class Place(BaseModel):
    """A box with what is known of it, as the tools that find things give it."""

    model_config = ConfigDict(extra="ignore")

    xywh: XYWH
    label: Text = ""
    confidence: float | None = Field(default=None, description="0-1, written behind the label.")
    color: str | None = Field(default=None, description="CSS name or #rrggbb; by default each label has its own.")


Placed = Annotated[Place, BeforeValidator(_as_object)]
"""A `Place`, or its four numbers alone."""


def box_of(xywh: list[float], *, page: int = 0, param: str = "boxes") -> Box:
    """The box that four fractions say, cut to the picture. Raises InvalidRequest when they say none."""
    x, y, w, h = xywh
    if not all(map(math.isfinite, xywh)) or w <= 0 or h <= 0:
        raise InvalidRequest(f"{xywh} is no box: it is [x, y, width, height], with a width and a height above 0.", param=param)
    if min(x, y) < -SLACK or max(x + w, y + h) > 1 + SLACK:
        raise InvalidRequest(
            f"The box {xywh} reaches outside the picture: [x, y, width, height] are fractions from 0 to 1 of its width and height, "
            "x + width and y + height at most 1.",
            param=param,
        )
    return Box.from_xyxy(x, y, x + w, y + h, page=page)


@asynccontextmanager
async def opened(at: Context, ref: ImageRef, page: int = 0) -> AsyncGenerator[Sheet]:
    """The picture that a reference names, for as long as the context lasts. Raises NotFound."""
    async with at.artifacts.local(ref) as path:
        yield Sheet(str(path), page)


async def put(at: Context, drawn: Drawn, *, card: Card = "preview.image", shown: dict[str, Json] | None = None) -> Made:
    """Keep a picture that was made, and show it. `shown`: what its card says beside what `cards.image` does."""
    facts: dict[str, int | float | str] = {"width": drawn.width, "height": drawn.height}
    kept: Artifact = await at.artifacts.put(drawn.data, kind="img", media_type=drawn.media_type, facts=facts)
    await at.show(card, cards.image(kept.ref, width=drawn.width, height=drawn.height) | (shown or {}))
    return Made(id=kept.ref, width=drawn.width, height=drawn.height)
