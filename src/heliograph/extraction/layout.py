"""`document.layout-detection`: the elements of every page, in reading order.

Twice, for two kinds of clients: `elements` is a list; and each element is also a key such as `text_2_page0` (second text of the
first page) with its text, whose box stands in `text_2_page0_metadata` in the shape of every other citation. That form is the one
that published clients of the platform read. A picture that a model described has the description too: as `description` of
its element, and as the text of its key where nothing was read in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from heliograph.extraction.confidence import label
from heliograph.extraction.markdown import paragraph
from heliograph.extraction.prompted.described import Described
from heliograph.media.document import Document

Json = dict[str, Any]


def layout(document: Document, described: Mapping[int, Described] | None = None) -> Json:
    """The elements of `document`; boxes as fractions of the page, pages 0-indexed in the file.

    `described`: what a model added to pages, by their index.
    """
    elements: list[Json] = []
    texts: Json = {}
    boxes: Json = {}
    for page in document.pages:
        seen: Counter[str] = Counter()
        added = (described or {}).get(page.index) or Described()
        for block in page.blocks:
            seen[block.kind] += 1
            key = f"{block.kind}_{seen[block.kind]}_page{page.index}"
            text = paragraph(page, block)
            score = round(block.score, 2)
            box = {"content": text, "bbox": {"xywh": block.box.xywh()}, "page": page.index, "confidence": score}
            elements.append({"category": block.kind, "text": text, "xywh": block.box.xywh(), "page": page.index, "confidence": score})
            if block.kind == "picture" and (shown := added.figure(seen[block.kind] - 1)):
                elements[-1]["description"] = shown
                text = text or shown
            texts[key] = text
            boxes[f"{key}_metadata"] = {"confidence": label(block.score), "bboxes": [box]}
    return {"elements": elements, **texts, **boxes}
