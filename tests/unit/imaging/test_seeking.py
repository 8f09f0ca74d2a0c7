from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from heliograph.errors import InvalidRequest
from heliograph.imaging.seeking import found


def scene() -> tuple[Image.Image, Image.Image]:
    """A busy picture, and a mark that is not on it yet."""
    rng = np.random.default_rng(7)
    rough = Image.fromarray(rng.integers(60, 200, (30, 40, 3)).astype(np.uint8)).resize((800, 600), Image.Resampling.BICUBIC)
    mark = Image.new("RGB", (60, 48), "white")
    pen = ImageDraw.Draw(mark)
    pen.ellipse((6, 6, 42, 42), fill="navy")
    pen.line((0, 47, 59, 0), fill="red", width=6)
    return rough, mark


def test_a_mark_is_found_wherever_it_stands() -> None:
    picture, mark = scene()
    for place in ((100, 80), (500, 400)):
        picture.paste(mark, place)
    hits = found(picture, mark, least=0.8, most=10, scales=False)
    assert sorted((round(hit.box.x * 800), round(hit.box.y * 600)) for hit in hits) == [(100, 80), (500, 400)]
    assert all(hit.score > 0.99 for hit in hits)


def test_a_mark_is_found_darker_and_larger() -> None:
    picture, mark = scene()
    large = ImageEnhance.Brightness(mark).enhance(0.6).resize((84, 67), Image.Resampling.LANCZOS)
    picture.paste(large, (300, 200))
    (hit,) = found(picture, mark, least=0.8, most=10, scales=True)
    assert hit.scale == 1.4
    assert (hit.box.x * 800, hit.box.y * 600) == pytest.approx((300, 200), abs=3)


def test_what_is_not_there_is_not_found() -> None:
    picture, mark = scene()
    assert found(picture, mark, least=0.8, most=10, scales=True) == []
    assert found(mark, picture, least=0.8, most=10, scales=False) == []


def test_a_template_of_one_colour_is_refused() -> None:
    picture, _ = scene()
    with pytest.raises(InvalidRequest, match="one colour"):
        found(picture, Image.new("RGB", (50, 50), "white"), least=0.8, most=10, scales=False)
