from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heliograph.cli.annotate import COLOURS, Mark, _Callout, _spread, annotate, marks
from heliograph.cli.extract import picture_names
from heliograph.media.geometry import Box


def located(x: float, y: float, page: int = 0, confidence: str = "hi") -> dict[str, Any]:
    return {"confidence": confidence, "bboxes": [{"content": "w", "bbox": {"xywh": [x, y, 0.2, 0.02]}, "page": page, "confidence": 0.9}]}


def test_marks_are_the_located_values_at_any_depth() -> None:
    answer = {
        "total": 5.0,
        "shop": {"name": "Finch", "name_metadata": located(0.1, 0.1)},
        "items": [{"text": "milk", "text_metadata": located(0.1, 0.5, page=1)}, {"text": None, "text_metadata": None}],
        "absent": None,
        "total_metadata": located(0.6, 0.8, confidence="med"),
        "absent_metadata": None,
    }
    found = list(marks(answer))
    assert [(mark.path, mark.confidence) for mark in found] == [
        (("total",), "med"),
        (("shop", "name"), "hi"),
        (("items", 0, "text"), "hi"),
    ]
    assert found[2].boxes == [Box(0.1, 0.5, 0.2, 0.02, page=1)]


def test_a_field_of_ones_own_that_ends_in_metadata_is_a_field() -> None:
    assert [mark.path for mark in marks({"camera_metadata": "x", "camera_metadata_metadata": located(0, 0)})] == [("camera_metadata",)]


def test_boxes_are_drawn_in_the_colour_of_their_confidence_and_only_on_their_page() -> None:
    page = Image.new("RGB", (1000, 1400), "white")
    found = [Mark(("a",), "x", "lo", [Box(0.25, 0.5, 0.5, 0.1)]), Mark(("b",), "y", "hi", [Box(0.25, 0.2, 0.5, 0.1, page=1)])]
    picture = annotate(page, found, 0)
    left, top = (picture.width - 1000) // 2, next(y for y in range(200) if picture.getpixel((picture.width // 2, y)) == (255, 255, 255))
    edge = [picture.getpixel((left + 500, top + round(y))) for y in (0.5 * 1400 - 3, 0.5 * 1400 - 2.5, 0.5 * 1400 - 2)]
    assert any(sum(abs(a - b) for a, b in zip(colour, COLOURS["lo"], strict=True)) < 120 for colour in edge), edge
    assert picture.getpixel((left + 500, top + round(0.25 * 1400))) == (255, 255, 255), "a box of another page was drawn"
    assert picture.getpixel((left + 300, top + 420)) == (255, 255, 255)


def test_the_page_stays_whole_between_the_margins() -> None:
    page = Image.new("RGB", (1200, 800), (10, 20, 30))
    picture = annotate(page, [], 0)
    inside = sum(count for count, colour in picture.getcolors(1 << 24) or [] if colour == (10, 20, 30))
    assert inside == 1200 * 800


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(5, 80)), min_size=1, max_size=40))
def test_names_in_a_margin_never_overlap(places: list[tuple[float, float]]) -> None:
    side = [_Callout("n", "t", (0, 0, 0), [Box(0, 0, 0.1, 0.1)], y=y, height=height) for y, height in places]
    _spread(side, 1000, gap=4)
    assert all(callout.top >= 0 for callout in side)
    for above, below in pairwise(side):
        assert above.top + above.height <= below.top + 1e-6


def test_a_lone_name_stands_level_with_its_box() -> None:
    callout = _Callout("n", "t", (0, 0, 0), [Box(0, 0, 0.1, 0.1)], y=500, height=40)
    _spread([callout], 1000, gap=4)
    assert callout.top == pytest.approx(480)


def test_pictures_of_two_files_never_share_a_name() -> None:
    files = [Path("a.pdf"), Path("b/a.pdf"), Path("a.png"), Path("c/a.pdf"), Path("-"), Path("d.pdf")]
    assert list(picture_names(files).values()) == ["a", "a.pdf", "a.png", "a.pdf-2", "stdin", "d"]
