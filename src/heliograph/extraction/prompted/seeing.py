"""What a picture shows: the fields of a schema that is about what can be seen, and things with their boxes.

Nothing of it need be written, so nothing is looked for among the words but what happens to stand there; a value without words has the
match `none`. A box that a model states has the match `model`: it is converted from the model's way of writing boxes, cut to the picture,
and said once. `med` is the most that such a box can be; one that had to be mended is `lo`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

from heliograph.extraction.alignment import Alignment, Found
from heliograph.extraction.combining import combine
from heliograph.extraction.plan import Plan
from heliograph.extraction.prompted.conversation import together
from heliograph.extraction.prompted.looking import Looker, Sight, entries, text_of
from heliograph.extraction.prompted.prompts import outline
from heliograph.extraction.prompted.states import settled
from heliograph.extraction.result import Extraction, Label, Path, State
from heliograph.extraction.schema import METADATA_SUFFIX, compile_schema
from heliograph.media.document import Document, Page
from heliograph.media.geometry import Box, Coordinates, from_model, to_model
from heliograph.models.contract import Picture

Json = dict[str, Any]

SAME = 0.8
"""Intersection over union from which two boxes of one label are one thing."""
WHOLE = 0.98
"""Share of the picture from which a box says nothing of where a thing is."""
MOST = 500
"""Things on one picture."""
_SLACK = 0.02
"""Of the picture, by which a box may be cut without having been wrong."""
WAYS: dict[Coordinates, str] = {
    "fraction": "[left, top, right, bottom] as fractions of the picture's width and height, from 0 to 1",
    "0-999": "[left, top, right, bottom] in whole numbers from 0 to 999 over the picture's width and height",
    "0-1000": "[left, top, right, bottom] in whole numbers from 0 to 1000 over the picture's width and height",
    "pixels": "[left, top, right, bottom] in pixels of the picture, which is {width} wide and {height} high",
    "0-1000-yx": "[top, left, bottom, right] in whole numbers from 0 to 1000 over the picture's height and width",
}
"""How a model is told to write a box."""
_THINGS = compile_schema(
    {
        "type": "object",
        "properties": {
            "content": {"type": "string", "description": "What the picture shows, in a sentence or two"},
            "objects": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "label": {"type": "string", "description": "What it is, in one or two words"},
                        "box": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
                    },
                    "required": ["label", "box"],
                },
            },
        },
        "required": ["content", "objects"],
    }
)


async def see(document: Document, plan: Plan, sight: Sight) -> Extraction:
    """The fields of `plan.schema` as a model sees them, all pages as one.

    Raises NotConfigured when the model takes no pictures, `ModelError`s when it does not answer.
    """
    looker = await Looker.begin(plan, sight)
    schema = compile_schema(plan.schema)
    shown = document.pages[: looker.profile.max_pictures]
    question = "\n\n".join(
        [*([plan.instructions] if plan.instructions else []), "Fields:\n" + "\n".join(outline(schema.root)), "Answer with the JSON object."]
    )
    heard = await looker.ask([await looker.page(page) for page in shown], question, schema)
    warnings = list(heard.warnings)
    if len(shown) < len(document.pages):
        warnings.append(f"not_reached: of {len(document.pages)} pages the model was shown {len(shown)}, the most that it takes at a time")
    if heard.truncated:
        warnings.append("truncated: the answer was cut at the model's limit")
    state: State = "absent" if heard.value is not None else "unreadable"
    if heard.refused is not None:
        warnings.append(f"refused: the model would not answer: {heard.refused[:300]}")
        state = "refused"
    found: dict[Path, Found] = {}
    if heard.value is not None:
        alignment = await asyncio.to_thread(Alignment, document.pages)
        found = await asyncio.to_thread(alignment.find, heard.value, schema)
    leaves = {path: one.leaf for path, one in found.items()}
    values = settled(heard.value, schema.root, leaves, missing="not_reached" if heard.truncated else state, null=state)
    for path, why in heard.empty:
        if (leaf := leaves.get(tuple(path))) is not None and leaf.value is None:
            leaf.state = why
    known = {path: found.get(path) or Found(leaf) for path, leaf in leaves.items()}
    logprobs = {tuple(path): mean for path, mean in heard.tokens}
    made = combine(values, schema, known, Extraction({}, {}), logprobs=logprobs, calibration=sight.calibration)
    made.warnings = [*warnings, *made.warnings]
    return made


class Thing(msgspec.Struct, frozen=True):
    """Something in a picture. `mended`: its box had to be cut, turned round, or is all of the picture."""

    label: str
    box: Box
    mended: bool = False


async def detect(document: Document, plan: Plan, sight: Sight) -> tuple[Json, list[str]]:
    """The things in each picture: `content`, and `<label>_metadata` with the boxes of all that have this label; where there are several
    pages, `<label>_page<index>_metadata`. And warnings. Raises as `see`.
    """
    looker = await Looker.begin(plan, sight)
    people = plan.domain is not None and plan.domain.endswith("person-detection")
    warnings: list[str] = []

    async def look(page: Page) -> tuple[str, list[Thing]]:
        picture = await looker.page(page)
        heard = await looker.ask([picture], _question(plan, looker.profile.coordinates, picture, people=people), _THINGS)
        where = f"page {page.index + 1}"
        warnings.extend(heard.warnings)
        if heard.refused is not None:
            warnings.append(f"refused: the model would not answer about {where}: {heard.refused[:300]}")
        if heard.truncated:
            warnings.append(f"truncated: the answer about {where} was cut at the model's limit")
        content = text_of(heard.value, "content")
        listed = entries(heard.value, "objects")[:MOST]
        found = list(things(listed, looker.profile.coordinates, picture, page.index))
        lost = len(listed) - len(found)
        if lost:
            warnings.append(f"boxes: {lost} of {len(listed)} on {where} lay outside the picture or were none")
        return content, [msgspec.structs.replace(one, label="person") for one in found] if people else found

    seen = await together(look(page) for page in document.pages)
    several = len(document.pages) > 1
    response: Json = {"content": "\n".join(content for content, _ in seen if content) or None}
    for page, (_, found) in zip(document.pages, seen, strict=True):
        labels: dict[str, list[Thing]] = {}
        for one in merged(found):
            labels.setdefault(one.label, []).append(one)
        for label, alike in labels.items():
            name = f"{label}_page{page.index}" if several else label
            response[name + METADATA_SUFFIX] = _citation(alike)
    return response, list(dict.fromkeys(warnings))


def things(listed: Sequence[Json], coordinates: Coordinates, picture: Picture, page: int) -> Iterator[Thing]:
    """What a model listed, with boxes on the page; those that are none are left out."""
    wide, high = picture.width, picture.height
    for one in listed:
        numbers, label = one.get("box"), _key(str(one.get("label") or ""))
        if not label or not isinstance(numbers, list) or not all(isinstance(n, int | float) for n in cast("list[Any]", numbers)):
            continue
        box = from_model(cast("list[float]", numbers), coordinates, width=wide, height=high, page=page)
        if box is None or box.area == 0:
            continue
        back = to_model(box, coordinates, width=wide, height=high)
        whole = 1.0 if coordinates == "fraction" else max(wide, high) if coordinates == "pixels" else 1000.0
        mended = any(abs(was - now) > _SLACK * whole for was, now in zip(cast("list[float]", numbers), back, strict=True))
        yield Thing(label, box, mended or box.area > WHOLE)


def merged(found: Sequence[Thing]) -> list[Thing]:
    """Each thing once: of boxes with one label that are nearly the same, the first."""
    kept: list[Thing] = []
    for one in found:
        if not any(one.label == other.label and one.box.iou(other.box) >= SAME for other in kept):
            kept.append(one)
    return kept


def _question(plan: Plan, coordinates: Coordinates, picture: Picture, *, people: bool) -> str:
    what = "every person; the label of each is `person`" if people else "every thing that stands out, each with what it is as its label"
    way = WAYS[coordinates].format(width=picture.width, height=picture.height)
    return "\n\n".join(
        [
            *([plan.instructions] if plan.instructions else []),
            f"Give `content`, what the picture shows, and in `objects` {what}. Each has a box of its own, tight around it, none twice. "
            f"`box` is {way}.",
            "Answer with the JSON object.",
        ]
    )


def _key(label: str) -> str:
    """A label as a key: lower case, words joined by underscores; never one that the answer has already."""
    key = re.sub(r"\W+", "_", label.casefold()).strip("_")[:60].removesuffix(METADATA_SUFFIX)
    return f"object_{key}" if key == "content" else key


def _citation(alike: Sequence[Thing]) -> Json:
    surest: Label = "lo" if all(one.mended for one in alike) else "med"
    boxes = [{"content": one.label, "bbox": {"xywh": one.box.xywh()}, "page": one.box.page} for one in alike]
    return {"confidence": surest, "match": "model", "bboxes": boxes}
