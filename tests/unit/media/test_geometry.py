from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.media.geometry import (
    Box,
    Coordinates,
    Corners,
    PdfFrame,
    from_exif,
    from_grid,
    from_model,
    to_exif,
    to_grid,
    to_model,
    to_pixels,
    union,
)

sides = st.integers(50, 5000)
unit = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x0, x1 = sorted((draw(unit), draw(unit)))
    y0, y1 = sorted((draw(unit), draw(unit)))
    return Box(x0, y0, x1 - x0, y1 - y0, draw(st.integers(0, 9)))


@st.composite
def frames(draw: st.DrawFn) -> PdfFrame:
    left, bottom = draw(st.floats(-500, 500)), draw(st.floats(-500, 500))
    width, height = draw(st.floats(20, 3000)), draw(st.floats(20, 3000))
    return PdfFrame(
        left, bottom, left + width, bottom + height, draw(st.sampled_from([0, 90, 180, 270])), draw(st.sampled_from([1.0, 2.5]))
    )


def apart(a: Box, b: Box, width: float, height: float) -> float:
    """The largest distance between two boxes' edges, in pixels."""
    return max(abs(a.x - b.x) * width, abs(a.x1 - b.x1) * width, abs(a.y - b.y) * height, abs(a.y1 - b.y1) * height)


@given(boxes(), sides, sides)
def test_xyxy_pixels_round_trip(box: Box, width: int, height: int) -> None:
    again = Box.from_xyxy(*box.to_xyxy(width, height), width=width, height=height, page=box.page)
    assert apart(box, again, width, height) < 1e-6
    assert again.page == box.page


@given(boxes(), sides, sides)
def test_whole_pixels_cover_the_box_and_lose_less_than_one(box: Box, width: int, height: int) -> None:
    left, top, right, bottom = to_pixels(box, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    again = Box.from_xyxy(left, top, right, bottom, width=width, height=height)
    assert apart(box, again, width, height) <= 1 + 1e-6


@given(boxes(), st.sampled_from([999, 1000]))
def test_grid_round_trip_is_within_one_step(box: Box, grid: int) -> None:
    again = from_grid(*to_grid(box, grid=grid), grid=grid, page=box.page)
    assert apart(box, again, grid, grid) <= 1 + 1e-6


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999), st.integers(0, 999), st.sampled_from([999, 1000]))
def test_what_a_model_writes_on_the_grid_comes_back_as_written(x0: int, y0: int, x1: int, y1: int, grid: int) -> None:
    x0, x1 = sorted((x0, x1))
    y0, y1 = sorted((y0, y1))
    assert to_grid(from_grid(x0, y0, x1, y1, grid=grid), grid=grid) == (x0, y0, x1, y1)


@given(boxes(), frames())
def test_pdf_points_round_trip_under_crop_and_rotation(box: Box, frame: PdfFrame) -> None:
    again = frame.to_box(*frame.from_box(box), box.page)
    assert again is not None
    width, height = frame.size
    assert apart(box, again, width / frame.unit, height / frame.unit) < 1e-3


@given(frames())
def test_the_lower_left_corner_of_a_pdf_page_lands_where_the_rotation_puts_it(frame: PdfFrame) -> None:
    corner = frame.to_box(frame.left, frame.bottom, frame.left, frame.bottom)
    assert corner is not None
    expected = {0: (0, 1), 90: (0, 0), 180: (1, 0), 270: (1, 1)}[frame.rotate]
    assert (corner.x, corner.y) == pytest.approx(expected, abs=1e-6)


def test_a_pdf_rectangle_beside_the_page_is_none() -> None:
    frame = PdfFrame(100, 100, 200, 300)
    assert frame.to_box(0, 0, 90, 90) is None
    assert frame.to_box(50, 50, 150, 150) == Box(0, 0.75, 0.5, 0.25)


@given(boxes(), st.integers(1, 8))
def test_exif_round_trip(box: Box, orientation: int) -> None:
    again = to_exif(from_exif(box, orientation), orientation)
    assert apart(box, again, 1000, 1000) < 1e-6


@given(st.lists(boxes(), min_size=1, max_size=6))
def test_a_union_holds_every_box_and_nothing_more(several: list[Box]) -> None:
    whole = union([Box(b.x, b.y, b.w, b.h, 0) for b in several])
    assert whole.x == min(b.x for b in several)
    assert whole.y1 == pytest.approx(max(b.y1 for b in several))


def test_boxes_on_different_pages_do_not_meet() -> None:
    assert Box(0, 0, 1, 1, 0).iou(Box(0, 0, 1, 1, 1)) == 0
    assert Box(0, 0, 1, 1).iou(Box(0, 0, 0.5, 1)) == pytest.approx(0.5)


dialects = st.sampled_from(get_args(Coordinates))
forms = st.sampled_from(get_args(Corners))
STEPS: dict[str, tuple[int, int]] = {"fraction": (10**6, 10**6), "0-999": (999, 999), "0-1000": (1000, 1000), "0-1000-yx": (1000, 1000)}


@given(boxes(), dialects, forms, sides, sides)
def test_every_way_that_models_write_boxes_comes_back_within_one_step(
    box: Box, dialect: Coordinates, form: Corners, width: int, height: int
) -> None:
    said = to_model(box, dialect, width=width, height=height, form=form)
    again = from_model(said, dialect, width=width, height=height, form=form, page=box.page)
    assert again is not None
    assert again.page == box.page
    assert apart(box, again, *STEPS.get(dialect, (width, height))) <= 1 + 1e-6


@given(st.sampled_from(sorted(set(get_args(Coordinates)) - {"fraction"})), forms, st.tuples(unit, unit, unit, unit), sides, sides)
def test_what_a_model_writes_comes_back_as_it_wrote_it(
    dialect: Coordinates, form: Corners, corners: tuple[float, float, float, float], width: int, height: int
) -> None:
    across, down = STEPS.get(dialect, (width, height))
    x, y = int(corners[0] * (across - 1)), int(corners[1] * (down - 1))
    x1, y1 = x + 1 + int(corners[2] * (across - x - 1)), y + 1 + int(corners[3] * (down - y - 1))
    numbers = (x, y, x1, y1) if form == "xyxy" else (x, y, x1 - x, y1 - y)
    said = numbers if dialect != "0-1000-yx" else (numbers[1], numbers[0], numbers[3], numbers[2])
    box = from_model(said, dialect, width=width, height=height, form=form)
    assert box is not None
    assert to_model(box, dialect, width=width, height=height, form=form) == said


def test_the_same_box_in_every_dialect() -> None:
    box = Box(0.25, 0.5, 0.25, 0.125, 3)
    for dialect, said in {
        "fraction": (0.25, 0.5, 0.5, 0.625),
        "0-1000": (250, 500, 500, 625),
        "0-1000-yx": (500, 250, 625, 500),
        "pixels": (200, 800, 400, 1000),
    }.items():
        assert from_model(said, dialect, width=800, height=1600, page=3) == box  # pyright: ignore[reportArgumentType]
    assert from_model((500, 250, 125, 250), "0-1000-yx", width=800, height=1600, form="xywh", page=3) == box
    assert from_model((200, 800, 200, 200), "pixels", width=800, height=1600, form="xywh", page=3) == box


@pytest.mark.parametrize(
    "said", [(), (1, 2, 3), (1, 2, 3, 4, 5), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1), (1200, 0, 1300, 10), (-9, -9, -1, -1)]
)
def test_what_is_no_box_is_none(said: tuple[float, ...]) -> None:
    assert from_model(said, "0-1000", width=800, height=600) is None


def test_a_box_that_leaves_the_picture_is_clipped() -> None:
    assert from_model((900, -50, 1100, 500), "0-1000", width=800, height=600) == Box(0.9, 0.0, pytest.approx(0.1), 0.5)  # pyright: ignore[reportArgumentType]
