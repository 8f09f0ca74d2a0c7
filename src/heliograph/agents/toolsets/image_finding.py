"""The toolset `image`: what is in pictures. Faces, text, codes and templates are found by engines of this server, things by a model."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from heliograph.agents import looking, providers, sending
from heliograph.agents.context import Context
from heliograph.agents.pictures import Page, Placed, Text, box_of, opened, put
from heliograph.agents.tools import ImageRef, tool
from heliograph.config import Settings
from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction.prompted.spotting import Form, Spot, spot
from heliograph.imaging.orders import Cover, Hide
from heliograph.media import document
from heliograph.media.geometry import Box, union
from heliograph.models.contract import Picture

MARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
"""`media.document.Face.marks` by place; left and right as the viewer sees them."""
AROUND = 0.25
"""Of a face's sides, added on each to hide it: the detector's boxes go from the brows to the chin."""
MOST_MASKS = 50
_NO_DETECTOR = f"Finding things in pictures needs a vision model or a detector: {looking.WITHOUT}, or [providers.<name>]."
Targets = Annotated[list[Text], Field(max_length=50, description="What to look for, such as ['car', 'traffic light'].")]


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """Something in an image. `xywh`: fractions of it; `confidence`: 0-1, null where its finder says none."""

    label: str
    xywh: list[float]
    confidence: float | None = None


class Detections(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and by which model."""

    detections: list[Detection]
    by: str
    warnings: list[str] = []


class FoundFace(msgspec.Struct, frozen=True, kw_only=True):
    """A face. `landmarks`: points `[x, y]`, fractions of the image; left and right as the viewer sees them."""

    xywh: list[float]
    confidence: float
    landmarks: dict[str, list[float]]


class FoundFaces(msgspec.Struct, frozen=True):
    """The faces on an image, from the left to the right."""

    faces: list[FoundFace]


class FoundText(msgspec.Struct, frozen=True, kw_only=True):
    """A line or a word that is written on an image."""

    text: str
    xywh: list[float]
    confidence: float


class FoundTexts(msgspec.Struct, frozen=True):
    """What is written on an image, in reading order."""

    texts: list[FoundText]


class FoundCode(msgspec.Struct, frozen=True, kw_only=True):
    """A barcode: what it says, and its type, such as QRCode."""

    data: str
    type: str
    xywh: list[float]


class FoundCodes(msgspec.Struct, frozen=True):
    """The barcodes on an image, from the top."""

    barcodes: list[FoundCode]


class Keypoint(msgspec.Struct, frozen=True, kw_only=True):
    """A point on something; fractions of the image."""

    label: str
    xy: list[float]


class Keypoints(msgspec.Struct, frozen=True, kw_only=True):
    """Points, and the model that set them."""

    keypoints: list[Keypoint]
    by: str
    warnings: list[str] = []


class TemplateMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A place that looks like the template. `scale`: its size there, of the template's own."""

    xywh: list[float]
    confidence: float
    scale: float


class TemplateMatches(msgspec.Struct, frozen=True):
    """Where the template was found, the best first."""

    matches: list[TemplateMatch]


class FoundMask(msgspec.Struct, frozen=True, kw_only=True):
    """The outline of something. `image`: reference of a picture that is white where it is."""

    label: str
    xywh: list[float]
    image: str
    confidence: float | None = None


class FoundMasks(msgspec.Struct, frozen=True):
    """Outlines, each an image of its own."""

    masks: list[FoundMask]


class BlurredFaces(msgspec.Struct, frozen=True, kw_only=True):
    """The image without its faces; `id` is null when there were none, and nothing was changed."""

    id: str | None
    faces: int
    width: int | None = None
    height: int | None = None
    note: str


@tool("image")
async def detect_faces(at: Context, image: ImageRef, page: Page = 0) -> FoundFaces:
    """Find the faces on an image: their boxes, confidence, and eyes, nose and mouth. It says where faces are, never whose."""
    found = [
        FoundFace(
            xywh=face.box.xywh(),
            confidence=round(face.score, 3),
            landmarks={name: [x, y] for name, (x, y) in zip(MARKS, face.marks, strict=True)},
        )
        for face in await _faces(at, image, page)
    ]
    await at.say(f"Found {len(found)} face{'' if len(found) == 1 else 's'} on {image}.")
    return FoundFaces(found)


@tool("image")
async def blur_faces(
    at: Context,
    image: ImageRef,
    cover: Annotated[Cover, Field(description="How: blurred, in large squares, or black.")] = "blur",
    page: Page = 0,
) -> BlurredFaces:
    """Make every face on an image unrecognisable. A detector can miss a face, so look at the result before passing it on."""
    faces = await _faces(at, image, page)
    if not faces:
        return BlurredFaces(id=None, faces=0, note="No face was found, so nothing was changed.")
    async with opened(at, image, page) as sheet:
        drawn = await at.reader.studio.edit(sheet, [Hide([_around(face.box) for face in faces], cover, "ellipse")])
    made = await put(at, drawn)
    many = f"{len(faces)} face{'' if len(faces) == 1 else 's'} hidden; a detector can miss one, so look before passing it on."
    return BlurredFaces(id=made.id, faces=len(faces), width=made.width, height=made.height, note=many)


@tool("image")
async def detect_texts(at: Context, image: ImageRef, level: Literal["line", "word"] = "line", page: Page = 0) -> FoundTexts:
    """Read what is written on an image (or a page of a document): each line or word with its box and confidence."""
    read = await at.readings.read(at.reader, at.artifacts, image, pages=[page])
    found: list[FoundText] = []
    for seen in read.pages:
        if level == "word":
            found += [FoundText(text=word.text, xywh=word.box.xywh(), confidence=round(word.score, 3)) for word in seen.words]
            continue
        for line in seen.lines:
            words = [seen.words[place] for place in line.words]
            score = min((word.score for word in words), default=1.0)
            box = union(word.box for word in words) if words else line.box
            found.append(FoundText(text=line.text, xywh=box.xywh(), confidence=round(score, 3)))
    return FoundTexts(found)


@tool("image")
async def detect_barcodes(at: Context, image: ImageRef, page: Page = 0) -> FoundCodes:
    """Find and read barcodes and QR codes on an image (or a page of a document)."""
    async with at.artifacts.local(image) as path:
        codes = await at.reader.barcodes(path, page)
    return FoundCodes([FoundCode(data=code.text, type=code.format.replace(" ", ""), xywh=code.box.xywh()) for code in codes])


@tool("image")
async def find_template(
    at: Context,
    image: ImageRef,
    template: Annotated[str, Field(description="Reference of the smaller image to look for.")],
    confidence: Annotated[float, Field(ge=0.5, le=1, description="Least likeness.")] = 0.8,
    most: Annotated[int, Field(ge=1, le=200)] = 20,
    any_size: Annotated[bool, Field(description="Look for it at half to twice its size too.")] = True,
) -> TemplateMatches:
    """Find where a smaller image appears within an image, also lighter, darker, larger or smaller; not turned."""
    async with opened(at, image) as sheet, opened(at, template) as small:
        found = await at.reader.studio.seek(sheet, small, least=confidence, most=most, scales=any_size)
    return TemplateMatches([TemplateMatch(xywh=hit.box.xywh(), confidence=round(hit.score, 3), scale=hit.scale) for hit in found])


def _needs_eyes(settings: Settings) -> str | None:
    if looking.needs(settings) is None or providers.needs("look", settings) is None:
        return None
    return f"A vision model is needed: {looking.WITHOUT}."


def _needs_detector(settings: Settings) -> str | None:
    if _needs_eyes(settings) is None or providers.needs("detect", settings) is None:
        return None
    return _NO_DETECTOR


def _needs_segmenter(settings: Settings) -> str | None:
    return providers.needs("segment", settings)


@tool("image", needs=_needs_detector)
async def detect_objects(at: Context, image: ImageRef, targets: Targets | None = None) -> Detections:
    """Find things on an image, each with its box: those named in `targets`, or all that stand out. Needs a vision model or a detector."""
    return await _detected(at, image, targets or [])


@tool("image", needs=_needs_detector)
async def detect_persons(at: Context, image: ImageRef) -> Detections:
    """Find every person on an image, with the whole body's box. Needs a vision model or a detector."""
    return await _detected(at, image, ["person"])


@tool("image", needs=_needs_detector)
async def detect_logos(at: Context, image: ImageRef, brands: Targets | None = None) -> Detections:
    """Find logos on an image, each with its box: of the brands named, or of all. Needs a vision model or a detector."""
    return await _detected(at, image, [f"{brand} logo" for brand in brands] if brands else ["logo"])


@tool("image", needs=_needs_eyes)
async def detect_keypoints(at: Context, image: ImageRef, targets: Targets) -> Keypoints:
    """Point at things on an image: one point on each of `targets`, such as ['handle of the cup', 'left shoe']. Needs a vision model."""
    spots, by, warnings = await _spotted(at, image, targets, "point")
    return Keypoints(keypoints=[Keypoint(label=one.label, xy=one.box.xywh()[:2]) for one in spots], by=by, warnings=warnings)


@tool("image", needs=_needs_segmenter)
async def segment_objects(
    at: Context,
    image: ImageRef,
    targets: Targets | None = None,
    boxes: Annotated[list[Placed] | None, Field(max_length=50, description="Around what is to be outlined.")] = None,
) -> FoundMasks:
    """Outline things on an image: those named in `targets`, or what is in `boxes`. Each mask is an image. Needs a segmentation model."""
    if not targets and not boxes:
        raise InvalidRequest("segment_objects: name targets, or give boxes.", param="targets")
    around = [box_of(box.xywh).xywh() for box in boxes or []]
    masks = await providers.segment(at, await sending.sent(at, image), targets or [], around)
    found: list[FoundMask] = []
    for mask in masks[:MOST_MASKS]:
        kept = await sending.kept(at, mask.mask.content("The provider"))
        found.append(FoundMask(label=mask.label, xywh=mask.xywh, confidence=mask.confidence, image=kept.ref))
    return FoundMasks(found)


async def _detected(at: Context, image: str, targets: list[str]) -> Detections:
    """What a service finds where one is configured, unless the request names a model for it; else what a model sees."""
    if not _names_a_model(at):
        found = await providers.detect(at, await sending.sent(at, image), targets) if _has_service(at) else None
        if found is not None:
            each = [Detection(label=one.label, xywh=one.xywh, confidence=one.confidence) for one in found if _is_box(one.xywh)]
            lost = len(found) - len(each)
            return Detections(detections=each, by="provider", warnings=[f"{lost} of {len(found)} boxes were none"] if lost else [])
    spots, by, warnings = await _spotted(at, image, targets, "box")
    return Detections(detections=[Detection(label=one.label, xywh=one.box.xywh()) for one in spots], by=by, warnings=warnings)


def _is_box(xywh: list[float]) -> bool:
    if len(xywh) != 4:
        return False
    try:
        box_of(xywh)
    except InvalidRequest:
        return False
    return True


def _names_a_model(at: Context) -> bool:
    named = [(name, at.settings.providers[name]) for name in at.task.providers if name in at.settings.providers]
    return any(provider.route is not None and "detect" in providers.does(name, provider) for name, provider in named)


def _has_service(at: Context) -> bool:
    return any(provider.url is not None and "detect" in providers.does(name, provider) for name, provider in at.settings.providers.items())


async def _spotted(at: Context, image: str, targets: list[str], form: Form) -> tuple[list[Spot], str, list[str]]:
    """What a model sees, and which."""
    route = providers.route(at, "detect" if form == "box" else "look")
    if route is None:
        raise NotConfigured(_NO_DETECTOR if form == "box" else f"A vision model is needed: {looking.WITHOUT}.")
    backend = at.models.backend(route)
    picture = await sending.shown(at, image, longest_side=(await backend.profile()).longest_side)
    await at.say(f"Looking for {', '.join(targets) or 'things'} on {image}.")
    spots, warnings = await spot(backend, Picture(picture.data, picture.width, picture.height), targets, form=form)
    return spots, route, warnings


async def _faces(at: Context, image: str, page: int) -> list[document.Face]:
    async with at.artifacts.local(image) as path:
        return await at.reader.faces(path, page)


def _around(box: Box) -> Box:
    wide, high = AROUND * box.w, AROUND * box.h
    return Box.from_xyxy(box.x - wide, box.y - high, box.x1 + wide, box.y1 + high, page=box.page)
