"""The moment at which a text comes or goes."""

from __future__ import annotations

import numpy as np
import pytest

from heliograph.perception.scenes.turning import likeness, step
from tests.unit.recordings import films


def grey(picture: films.Picture) -> films.Picture:
    return picture.mean(axis=2).astype(np.uint8)[140:175, 60:260]


@pytest.mark.parametrize("scene", [films.still(1), films.pan(2), films.talking(3)])
def test_a_text_over_moving_pictures_comes_at_its_frame(scene: films.Scene) -> None:
    with_text = [films.written(scene(frame), "Hello river", (0.5, 0.88)) if frame >= 17 else scene(frame) for frame in range(40)]
    crops = [grey(picture) for picture in with_text]
    assert step(likeness(crops, crops[-1]), up=True) == 17


def test_a_clock_whose_last_digit_changes_goes_at_its_frame() -> None:
    crops = [grey(films.written(films.still(4)(frame), f"12:0{frame // 25}", (0.5, 0.88))) for frame in range(40)]
    assert step(likeness(crops, crops[0]), up=False) == 25


def test_where_nothing_changes_there_is_no_moment() -> None:
    crops = [grey(films.written(films.still(4)(frame), "12:00", (0.5, 0.88))) for frame in range(30)]
    assert step(likeness(crops, crops[0]), up=False) is None
    assert step(np.array([1.0]), up=True) is None
