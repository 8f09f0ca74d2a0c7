from __future__ import annotations

import numpy as np
from tests.unit.perception.drawing import Drawing

from heliograph.media.document import Block, Cell, Line, Table
from heliograph.media.geometry import Box
from heliograph.perception.blocks import numbered, with_pictures, with_tables
from heliograph.perception.layout import LayoutModel, Region, name_blocks

LINES = [Line(f"line {n}", Box(0.1, 0.1 + 0.05 * n, 0.8, 0.03), [2 * n, 2 * n + 1]) for n in range(6)]


def block(first: int, last: int) -> Block:
    return Block("text", Box(0.1, LINES[first].box.y, 0.8, LINES[last].box.y1 - LINES[first].box.y), list(range(first, last + 1)))


def test_a_table_takes_the_place_of_its_lines() -> None:
    cells = [Cell("x", LINES[n].box, n - 2, 0, words=LINES[n].words) for n in (2, 3)]
    table = Table(Box(0.1, 0.2, 0.8, 0.08), 2, 1, cells)
    blocks = with_tables([block(0, 5)], LINES, [table])
    assert [(b.kind, b.lines, b.table) for b in blocks] == [("text", [0, 1], None), ("table", [2, 3], 0), ("text", [4, 5], None)]
    numbered(blocks, LINES)
    assert [line.block for line in LINES] == [0, 0, 1, 1, 2, 2]


def test_a_picture_stands_after_the_text_above_it() -> None:
    blocks = with_pictures([block(0, 1), block(5, 5)], [Box(0.1, 0.21, 0.8, 0.12)])
    assert [b.kind for b in blocks] == ["text", "picture", "text"]


def test_the_model_names_what_geometry_cannot_know() -> None:
    regions = [Region("page-header", LINES[0].box, 0.9), Region("caption", LINES[5].box, 0.8), Region("formula", LINES[3].box, 0.3)]
    named = name_blocks([block(0, 0), block(1, 2), block(3, 3), block(5, 5)], regions)
    assert [b.kind for b in named] == ["page-header", "text", "text", "caption"]


def test_the_model_finds_the_parts_of_a_drawn_page() -> None:
    page = Drawing(900, 1200)
    for n in range(12):
        page.text(80, 120 + 34 * n, "Lines of body text that together make one paragraph of it")
    shade = np.random.default_rng(5).integers(0, 255, (300, 700, 3), dtype=np.uint8)
    pixels = page.pixels.copy()
    pixels[650:950, 100:800] = shade
    regions = LayoutModel(2).regions(pixels)
    assert any(region.kind == "text" and region.box.cy < 0.5 for region in regions)
    assert any(region.kind == "picture" and region.box.iou(Box(100 / 900, 650 / 1200, 700 / 900, 300 / 1200)) > 0.6 for region in regions)
