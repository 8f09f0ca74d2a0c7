"""Running headers and footers: what stands in the same margin of several pages and says the same but for its numbers.

A page alone shows page numbers and small print at its edges (`order.py`); that a line of ordinary size is a running title only its
repetition tells.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from heliograph.media.document import Block, Page

Margin = Literal["page-header", "page-footer"]

EDGE = 0.12
"""Share of a page's height, at its top and at its bottom, in which running headers and footers stand."""
MOVED = 0.015
"""How far, in page heights, a line may stand from its twin on another page."""
MOST_LINES = 3
OFTEN = 0.4
"""Share of the document's pages (and two at least) on which it must stand. Left and right pages may differ."""


def name_margins(pages: Sequence[Page]) -> None:
    """Set the kind of blocks that repeat at the edges of `pages` of one document to `page-header` or `page-footer`."""
    places: defaultdict[tuple[Margin, str], list[tuple[int, Block]]] = defaultdict(list)
    for number, page in enumerate(pages):
        for block in page.blocks:
            margin = _margin(block)
            if margin and (text := _saying(page, block)):
                places[margin, text].append((number, block))
    for (margin, _), found in places.items():
        for _, block in found:
            twins = {number for number, other in found if abs(other.box.cy - block.box.cy) <= MOVED}
            if len(twins) >= max(2, OFTEN * len(pages)):
                block.kind, block.level = margin, 0


def _margin(block: Block) -> Margin | None:
    if block.kind not in {"text", "title", "section-header", "list-item"} or not 0 < len(block.lines) <= MOST_LINES:
        return None
    if block.box.y1 <= EDGE:
        return "page-header"
    return "page-footer" if block.box.y >= 1 - EDGE else None


def _saying(page: Page, block: Block) -> str:
    """The block's text without its numbers, which change from page to page; empty when too little is left to recognise."""
    text = " ".join(page.lines[i].text for i in block.lines)
    bare = re.sub(r"\W+", " ", re.sub(r"\d+", "", text)).casefold().strip()
    return bare if len(bare) >= 3 else ("#" if re.fullmatch(r"\W*\d{1,4}\W*", text) else "")
