"""Things that a model is asked to find in one picture: boxes around them, or points on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import msgspec

from heliograph.errors import NotConfigured
from heliograph.extraction.prompted.conversation import converse
from heliograph.extraction.prompted.looking import asked, blind, entries
from heliograph.extraction.prompted.request import Request
from heliograph.extraction.prompted.seeing import MOST, SAME, WAYS
from heliograph.extraction.schema import compile_schema
from heliograph.media.geometry import Box, Coordinates, from_model
from heliograph.models.contract import Backend, Picture

Json = Any
Form = Literal["box", "point"]
_WAYS_OF_POINTS: dict[Coordinates, str] = {
    "fraction": "[x, y] as fractions of the picture's width and height, from 0 to 1",
    "0-999": "[x, y] in whole numbers from 0 to 999 over the picture's width and height",
    "0-1000": "[x, y] in whole numbers from 0 to 1000 over the picture's width and height",
    "pixels": "[x, y] in pixels of the picture, which is {width} wide and {height} high",
    "0-1000-yx": "[y, x] in whole numbers from 0 to 1000 over the picture's height and width",
}
_LONGEST_LABEL = 100


class Spot(msgspec.Struct, frozen=True):
    """Something that was found. A point is a box without width and height."""

    label: str
    box: Box


async def spot(backend: Backend, picture: Picture, wanted: Sequence[str], *, form: Form = "box") -> tuple[list[Spot], list[str]]:
    """Where `wanted` things are, all that stand out when none are named; and warnings.

    What the model lists beside the picture or without a place is left out, what it lists twice is there once. Raises NotConfigured for a
    model that takes no pictures, `ModelError`s.
    """
    profile = await backend.profile()
    if not profile.vision or profile.max_pictures < 1:
        raise NotConfigured(blind("This request", backend.name))
    question = _question(wanted, profile.coordinates, picture, form)
    said = await converse(backend, asked([picture], question), _SCHEMAS[form], Request())
    warnings = list(said.warnings)
    if said.refused is not None:
        warnings.append(f"refused: the model would not answer: {said.refused[:300]}")
    if said.truncated:
        warnings.append("truncated: the answer was cut at the model's limit")
    listed = entries(said.value, "found")[:MOST]
    spots = [one for one in (_spot(entry, profile.coordinates, picture, form) for entry in listed) if one is not None]
    if len(spots) < len(listed):
        warnings.append(f"places: {len(listed) - len(spots)} of {len(listed)} lay outside the picture or were none")
    kept: list[Spot] = []
    for one in spots:
        if not any(one.label == other.label and (one.box == other.box or one.box.iou(other.box) >= SAME) for other in kept):
            kept.append(one)
    return kept, warnings


def _spot(entry: dict[str, Json], coordinates: Coordinates, picture: Picture, form: Form) -> Spot | None:
    numbers, label = entry.get(form), " ".join(str(entry.get("label") or "").split())[:_LONGEST_LABEL]
    if not label or not isinstance(numbers, list) or not all(isinstance(number, int | float) for number in cast("list[Any]", numbers)):
        return None
    given = cast("list[float]", numbers)
    box = from_model(given * 2 if form == "point" else given, coordinates, width=picture.width, height=picture.height)
    return Spot(label, box) if box is not None and (form == "point" or box.area > 0) else None


def _question(wanted: Sequence[str], coordinates: Coordinates, picture: Picture, form: Form) -> str:
    things = "; ".join(wanted)
    size = {"width": picture.width, "height": picture.height}
    if form == "point":
        what = f"a point on each of these: {things}" if wanted else "a point on everything that stands out"
        way = f"`point` is {_WAYS_OF_POINTS[coordinates].format(**size)}."
    else:
        what = f"each of these, every single one: {things}" if wanted else "everything that stands out"
        way = f"Each has a box of its own, tight around it, none twice. `box` is {WAYS[coordinates].format(**size)}."
    labels = "with the words above as its label" if wanted else "with what it is as its label"
    return f"List in `found` {what}, {labels}. What is not in the picture is not listed. {way}\n\nAnswer with the JSON object."


def _schema(form: Form, count: int) -> dict[str, Json]:
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": count, "maxItems": count}
    label = {"type": "string", "description": "What it is"}
    entry = {"type": "object", "properties": {"label": label, form: numbers}, "required": ["label", form]}
    return {"type": "object", "properties": {"found": {"type": "array", "items": entry}}, "required": ["found"]}


_SCHEMAS = {"box": compile_schema(_schema("box", 4)), "point": compile_schema(_schema("point", 2))}
