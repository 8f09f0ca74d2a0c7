from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from heliograph.errors import InvalidRequest
from heliograph.imaging.marking import READABLE, with_boxes, with_points, with_shades
from heliograph.imaging.orders import Mark, Point, Shade
from heliograph.media.geometry import Box


def plain(size: tuple[int, int] = (800, 600), color: str = "white") -> Image.Image:
    return Image.new("RGB", size, color)


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    return (np.asarray(before).astype(int) != np.asarray(after).astype(int)).any(axis=2)


@pytest.mark.parametrize("color", ["white", "black", "#e63946", "#1d78dc"])
def test_a_box_shows_on_any_colour_even_its_own(color: str) -> None:
    picture = plain(color=color)
    drawn = np.asarray(with_boxes(picture, [Mark(Box(0.25, 0.25, 0.5, 0.5))])).astype(int)
    edge = drawn[300, 195:210] - np.asarray(picture)[0, 0].astype(int)
    assert np.abs(edge).max() > 60


def test_the_picture_that_was_given_stays_as_it_is() -> None:
    picture = plain()
    with_boxes(picture, [Mark(Box(0.1, 0.1, 0.2, 0.2), "face")])
    assert picture.getcolors() == [(480_000, (255, 255, 255))]


def test_labels_at_the_edges_are_whole_and_inside() -> None:
    for x, y in ((0.0, 0.0), (0.95, 0.0), (0.0, 0.95), (0.95, 0.95)):
        bare = with_boxes(plain(), [Mark(Box(x, y, 0.05, 0.05))])
        drawn = with_boxes(plain(), [Mark(Box(x, y, 0.05, 0.05), "invoice number")])
        assert changed(bare, drawn).sum() > 100 * 15


def test_labels_of_boxes_on_top_of_each_other_do_not_cover_each_other() -> None:
    one, other = Mark(Box(0.4, 0.4, 0.2, 0.2), "first"), Mark(Box(0.4, 0.4, 0.2, 0.2), "second", color="blue")
    alone = changed(with_boxes(plain(), [Mark(one.box)]), with_boxes(plain(), [one])).sum()
    unlabelled = with_boxes(plain(), [Mark(one.box), Mark(other.box, color="blue")])
    assert changed(unlabelled, with_boxes(plain(), [one, other])).sum() > 1.8 * alone


def test_a_small_picture_grows_until_labels_have_room_and_not_without_labels() -> None:
    small = plain((60, 40))
    assert max(with_boxes(small, [Mark(Box(0, 0, 1, 1), "cell")]).size) == READABLE
    assert with_boxes(small, [Mark(Box(0, 0, 1, 1))]).size == (60, 40)


def test_each_label_has_a_colour_and_equal_labels_the_same() -> None:
    marks = [Mark(Box(0.05 + 0.3 * i, 0.3, 0.2, 0.4), label) for i, label in enumerate(("cat", "dog", "cat"))]
    drawn = with_boxes(plain(), marks)
    first, second, third = (drawn.getpixel((round((0.05 + 0.3 * i) * 800) + 1, 300)) for i in range(3))
    assert first == third != second


def test_a_colour_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="'reddish' is no colour"):
        with_boxes(plain(), [Mark(Box(0, 0, 1, 1), color="reddish")])


def test_a_point_is_where_it_was_said() -> None:
    where = changed(plain(), with_points(plain(), [Point(0.25, 0.5)]))
    ys, xs = np.nonzero(where)
    assert (xs.mean() / 800, ys.mean() / 600) == pytest.approx((0.25, 0.5), abs=0.005)


def test_an_area_is_tinted_inside_and_what_is_beneath_still_shows() -> None:
    picture = plain()
    picture.paste((0, 0, 0), (300, 200, 500, 400))
    drawn = with_shades(picture, [Shade(polygon=[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])], [None])
    assert not changed(picture, drawn)[:100].any()
    assert changed(picture, drawn)[200:400, 250:550].all()
    assert sum(drawn.getpixel((400, 300))) < sum(drawn.getpixel((250, 300)))


def test_a_mask_picture_is_laid_over_at_any_size() -> None:
    mask = Image.new("L", (80, 60), 0)
    mask.paste(255, (40, 0, 80, 60))
    where = changed(plain(), with_shades(plain(), [Shade()], [mask]))
    assert where[:, 410:].all()
    assert not where[:, :390].any()
