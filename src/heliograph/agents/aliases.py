"""The shorter names under which programs of skills know tools: `vlmrun.document.extract`, `vlmrun.image.detect` and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from heliograph.agents.programs import Arguments, Offer
from heliograph.agents.sandbox.script import ToolSpec
from heliograph.agents.tools import Tool
from heliograph.errors import InvalidRequest

Json = Any

_NAMES: dict[str, str] = {
    "document.parse": "parse_document", "document.markdown": "parse_document_markdown", "document.layout": "detect_document_layout",
    "document.classify": "classify_document", "document.redact": "redact_document", "document.images": "document_images",
    "document.info": "document_info", "document.read": "read_document", "document.search": "search_document",
    "document.split": "split_document", "document.merge": "merge_documents", "document.ask": "answer_from_document",
    "image.crop": "crop_image", "image.rotate": "rotate_image", "image.resize": "resize_image", "image.flip": "flip_image",
    "image.grayscale": "grayscale_image", "image.blur": "blur_bboxes", "image.enhance": "enhance_image", "image.convert": "convert_image",
    "image.upscale": "super_resolution", "image.ocr": "detect_texts", "image.barcodes": "detect_barcodes", "image.find": "find_template",
    "image.keypoints": "detect_keypoints", "image.caption": "parse_image", "image.ask": "parse_image",
    "viz.boxes": "visualize_bboxes", "viz.keypoints": "visualize_keypoints", "viz.masks": "visualize_masks", "viz.grid": "image_grid",
    "viz.chart": "make_chart", "web.fetch": "fetch_page", "web.search": "web_search",
    "video.info": "video_info", "video.transcribe": "transcribe_video", "video.search": "search_video", "video.trim": "trim_video",
    "video.highlights": "cut_highlights", "video.concatenate": "concatenate_videos", "video.frames": "sample_frames",
    "video.keyframes": "get_keyframes", "video.captions": "add_video_captions", "video.watermark": "add_watermark",
    "video.caption": "caption_video", "video.ocr": "read_video", "video.gif": "video_to_gif", "video.audio": "extract_audio",
    "audio.info": "video_info", "audio.transcribe": "transcribe_video", "audio.search": "search_video", "audio.trim": "trim_video",
    "audio.concatenate": "concatenate_videos", "audio.extract": "extract_audio",
}  # fmt: skip
"""By `<group>.<name>`, the tool with the same arguments and the same answer."""

_DETECTORS = {
    "face": "detect_faces", "person": "detect_persons", "people": "detect_persons", "text": "detect_texts", "word": "detect_texts",
    "barcode": "detect_barcodes", "qr code": "detect_barcodes", "logo": "detect_logos",
}  # fmt: skip
"""By what is sought in the singular, the tool that finds it; what is not here is an object."""


def offers(tools: Mapping[str, Tool]) -> list[Offer]:
    """The aliases of these tools."""
    made: list[Offer] = []
    for path, name in _NAMES.items():
        if (tool := tools.get(name)) is not None and path != f"{tool.group}.{name}":
            made.append(_named(path, tool))
    if (parse := tools.get("parse_document")) is not None:
        made.append(_named("document.extract", parse, shape=_response))
    if any(name in tools for name in (*_DETECTORS.values(), "detect_objects")):
        made.append(_detect())
    return made


def _named(path: str, tool: Tool, shape: Callable[[Json], Json] | None = None) -> Offer:
    group, _, name = path.partition(".")
    spec = ToolSpec(group=group, name=name, doc=tool.doc, parameters=tool.parameters)
    called = tool.name
    return Offer(spec=spec, tool=lambda _arguments: called, **({} if shape is None else {"shape": shape}))


def _response(answer: Json) -> Json:
    """The fields alone, with their `_metadata` where they were asked for."""
    return cast("dict[str, Json]", answer)["response"]


def _detect() -> Offer:
    parameters = {"properties": {"image": {"type": "string"}, "target": {"type": "string"}}}
    spec = ToolSpec(group="image", name="detect", doc="Find what is named in a picture: faces, text, objects.", parameters=parameters)
    return Offer(spec=spec, tool=_detector, fit=_sought)


def _detector(arguments: Arguments) -> str:
    target = arguments.get("target")
    if not isinstance(target, str) or not target.strip():
        raise InvalidRequest('image.detect needs a target, such as "person".', param="target")
    sought = target.strip().lower()
    return _DETECTORS.get(sought) or _DETECTORS.get(sought.removesuffix("s")) or "detect_objects"


def _sought(arguments: Arguments) -> Arguments:
    image = {name: value for name, value in arguments.items() if name != "target"}
    return image if _detector(arguments) != "detect_objects" else image | {"targets": [arguments["target"]]}
