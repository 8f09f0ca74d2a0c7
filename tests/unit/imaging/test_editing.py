from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from heliograph.errors import MediaLimitExceeded
from heliograph.imaging.editing import edited
from heliograph.imaging.orders import Cover, Crop, Enhance, Flip, Grey, Hide, Resize, Turn
from heliograph.media.geometry import Box

RED, BLUE = (220, 20, 20), (20, 20, 220)


@pytest.fixture
def picture() -> Image.Image:
    """60 x 40, blue, with a red patch in its top left corner."""
    made = Image.new("RGB", (60, 40), BLUE)
    made.paste(RED, (0, 0, 12, 10))
    return made


def test_a_crop_is_the_pixels_in_the_box(picture: Image.Image) -> None:
    part = edited(picture, [Crop(Box(0, 0, 0.2, 0.25))])
    assert part.size == (12, 10)
    assert part.getcolors() == [(120, RED)]


def test_a_quarter_turn_is_counter_clockwise_and_exact(picture: Image.Image) -> None:
    turned = edited(picture, [Turn(90)])
    assert turned.size == (40, 60)
    assert turned.getpixel((2, 57)) == RED
    assert edited(turned, [Turn(-90)]).tobytes() == picture.tobytes()


def test_any_angle_grows_the_canvas_and_leaves_its_corners_white(picture: Image.Image) -> None:
    turned = edited(picture, [Turn(30)])
    assert turned.width == pytest.approx(60 * np.cos(np.pi / 6) + 40 * np.sin(np.pi / 6), abs=2)
    assert turned.getpixel((0, 0)) == (255, 255, 255)
    # what was at the top left is, counter-clockwise, at the left and lower down
    ys, xs = np.nonzero((np.asarray(turned)[:, :, 0] > 180) & (np.asarray(turned)[:, :, 2] < 80))
    assert xs.mean() < turned.width / 3
    assert ys.mean() > turned.height / 3


@pytest.mark.parametrize(
    ("how", "size"),
    [(Resize(width=30), (30, 20)), (Resize(height=80), (120, 80)), (Resize(10, 10), (10, 10)), (Resize(scale=2), (120, 80))],
)
def test_one_side_keeps_the_proportions(picture: Image.Image, how: Resize, size: tuple[int, int]) -> None:
    assert edited(picture, [how]).size == size


@pytest.mark.parametrize("edit", [Resize(width=16_000, height=16_000), Resize(scale=1e4)])
def test_a_picture_that_would_be_too_large_is_refused_before_it_is_made(picture: Image.Image, edit: Resize) -> None:
    with pytest.raises(MediaLimitExceeded, match="64,000,000"):
        edited(picture, [edit])


def test_a_mirror_swaps_sides(picture: Image.Image) -> None:
    assert edited(picture, [Flip("horizontal")]).getpixel((59, 0)) == RED
    assert edited(picture, [Flip("vertical")]).getpixel((0, 39)) == RED


def test_grey_has_no_colours(picture: Image.Image) -> None:
    red, green, blue = edited(picture, [Grey()]).split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def letters() -> Image.Image:
    made = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(made).text((110, 70), "SECRET", fill="black", font_size=50)
    return made


@pytest.mark.parametrize("cover", ["blur", "pixelate", "black"])
def test_of_what_is_hidden_few_mean_colours_are_left_and_nothing_else_changes(cover: Cover) -> None:
    box = Box(0.25, 0.25, 0.5, 0.5)
    before, after = np.asarray(letters()).astype(int), np.asarray(edited(letters(), [Hide([box], cover)])).astype(int)
    outside = np.ones(before.shape[:2], bool)
    outside[50:150, 100:300] = False
    assert (before == after)[outside].all()
    # strokes are gone: neighbours in the box differ little, but for the edges of squares
    steps = np.abs(np.diff(after[50:150, 100:300, 0], axis=1))
    assert (steps > 60).mean() < 0.01 < (np.abs(np.diff(before[50:150, 100:300, 0], axis=1)) > 60).mean()


def test_hiding_does_not_depend_on_what_could_be_told_from_it() -> None:
    """Two words of the same grey leave nearly the same: what is left is no more than 6 rows of mean colours."""
    box = Box(0.25, 0.25, 0.5, 0.5)
    hidden = np.asarray(edited(letters(), [Hide([box], "pixelate")]))[50:150, 100:300]
    assert len(np.unique(hidden.reshape(-1, 3), axis=0)) <= 6 * 12


def test_contrast_spreads_a_dull_picture() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(100, 140, 256, dtype=np.uint8), (64, 1))).convert("RGB")
    before, after = np.asarray(ramp), np.asarray(edited(ramp, [Enhance(contrast=1.0)]))
    assert np.ptp(after) > 3 * np.ptp(before)


def test_noise_is_taken_out_and_edges_stay() -> None:
    rng = np.random.default_rng(1)
    clean = np.zeros((120, 120, 3), np.uint8)
    clean[:, 60:] = 200
    noisy = np.clip(clean + rng.normal(0, 12, clean.shape), 0, 255).astype(np.uint8)
    after = np.asarray(edited(Image.fromarray(noisy), [Enhance(denoise=1.0)])).astype(int)
    assert after[:, 70:].std() < noisy[:, 70:].astype(int).std() / 2
    assert after[:, 64].mean() - after[:, 55].mean() > 150
