"""Where shots begin, on films with exact truth."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from heliograph.media.content import Limits, Playable
from heliograph.perception.scenes import watching
from heliograph.perception.scenes.measuring import MEASURED
from heliograph.perception.scenes.watched import Block, Choice, Sensitivity
from tests.unit.recordings import films


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """A child watches one file and ends; here it is one after the other."""
    yield
    watching.forget()


def played(path: Path) -> Playable:
    return Playable(str(path), 60.0, True, 1, Limits())


def blocks(path: Path, seconds: float = 60.0) -> list[Block]:
    made: list[Block] = []
    after = None
    while not made or not made[-1].done:
        made.append(watching.measure(played(path), after, seconds, 60.0))
        after = made[-1].last
    return made


def choice(path: Path, most: int = 100) -> Choice:
    measured = [block for block in blocks(path) if block.count]
    return watching.choose([block.rows for block in measured], measured[-1].end, Sensitivity(), most)


def starts(path: Path) -> list[int]:
    return [shot.first for shot in choice(path).shots][1:]


def film(tmp_path: Path, cut: films.Cut) -> list[int]:
    return starts(films.write(tmp_path / "film.mp4", cut.frames))


@pytest.mark.parametrize("scene", [films.still, films.pan, films.zoom, films.talking, films.passing, films.shaking])
def test_a_cut_is_found_to_the_frame_and_what_moves_is_none(scene: Callable[[int], films.Scene], tmp_path: Path) -> None:
    made = films.cut(*(films.shown(scene(seed), 30 + 7 * seed) for seed in (1, 2, 3)))
    assert film(tmp_path, made) == made.starts


def test_blocks_are_measured_as_the_whole_is(tmp_path: Path) -> None:
    made = films.cut(films.shown(films.pan(1), 40), films.shown(films.still(2), 40))
    path = films.write(tmp_path / "film.mp4", made.frames)
    whole = np.frombuffer(zlib.decompress(blocks(path)[0].rows), MEASURED)
    watching.forget()
    after, parts = None, []
    for _ in range(20):
        part = watching.measure(played(path), after, 0.5, 60.0)
        parts.append(np.frombuffer(zlib.decompress(part.rows), MEASURED))
        after = part.last
        watching.forget()  # as if the child had been killed after each
        if part.done:
            break
    pieced = np.concatenate(parts)
    assert pieced["time"].tolist() == whole["time"].tolist()
    assert np.allclose(pieced["change"], whole["change"], atol=0.1)


def test_a_camera_light_is_no_cut(tmp_path: Path) -> None:
    first = films.flashes(films.shown(films.still(1), 60), [20, 40], 0.9)
    second = films.flashes(films.shown(films.pan(2), 60), [25], 0.7, 3)
    made = films.cut(first, second)
    assert film(tmp_path, made) == made.starts


@pytest.mark.parametrize("colour", [0, 255])
def test_a_fade_through_one_colour_is_one_cut_in_its_middle(tmp_path: Path, colour: int) -> None:
    made = films.fade(films.shown(films.still(1), 50), films.shown(films.talking(2), 50), 12, 6, colour)
    found = film(tmp_path, made)
    assert len(found) == 1
    assert abs(found[0] - made.starts[0]) <= 2


def test_a_dissolve_is_one_cut_within_it(tmp_path: Path) -> None:
    made = films.dissolve(films.shown(films.still(1), 60), films.shown(films.talking(2), 60), 20)
    found = film(tmp_path, made)
    assert len(found) == 1
    assert abs(found[0] - made.starts[0]) <= 6


def test_slides_are_shots_and_their_lines_are_frames_to_read(tmp_path: Path) -> None:
    lines = ["Agenda", "First the budget", "Then the rest"]
    first = [picture for count in (1, 2, 3) for picture in films.hold(films.slide(lines[:count]), 30)]
    second = films.hold(films.slide(["Thank you", "Questions are welcome"]), 30)
    chosen = choice(films.write(tmp_path / "slides.mp4", films.cut(first, second).frames))
    assert [shot.first for shot in chosen.shots] == [0, 90]
    assert [round(frame.since, 2) for frame in chosen.frames] == [0.0, 1.2, 2.4, 3.6]
    assert [frame.since <= frame.time for frame in chosen.frames] == [True] * 4
    assert sum(frame.best for frame in chosen.frames) == 2


def test_what_is_left_out_is_counted_and_shots_come_first(tmp_path: Path) -> None:
    slides = [films.slide([title, "with a line"], letters=28) for title in ("Welcome", "Budget", "Plans for May", "The end")]
    made = films.cut(*(films.hold(picture, 20) + films.hold(films.written(picture, "More", (0.5, 0.9)), 40) for picture in slides))
    chosen = choice(films.write(tmp_path / "slides.mp4", made.frames), most=5)
    assert (len(chosen.frames), chosen.left_out) == (5, 3)
    assert sum(frame.best for frame in chosen.frames) == 4


def test_one_frame_is_one_shot_and_black_is_one_shot(tmp_path: Path) -> None:
    assert [(shot.first, shot.last) for shot in choice(films.write(tmp_path / "one.mp4", films.shown(films.still(1), 1))).shots] == [(0, 0)]
    black = films.hold(np.zeros((180, 320, 3), np.uint8), 50)
    assert [(shot.first, shot.last) for shot in choice(films.write(tmp_path / "black.mp4", black)).shots] == [(0, 49)]


def test_the_best_frame_is_sharp_and_not_within_a_blur(tmp_path: Path) -> None:
    clear = films.shown(films.still(1, noise=0), 60)
    blurred = [cv2.GaussianBlur(picture, (15, 15), 5) if not 40 <= number < 50 else picture for number, picture in enumerate(clear)]
    best = choice(films.write(tmp_path / "film.mp4", blurred)).shots[0].best
    assert 1.6 <= best < 2.0


def test_a_rate_that_varies_and_ten_bits_change_nothing(tmp_path: Path) -> None:
    made = films.cut(films.shown(films.pan(1), 40), films.shown(films.talking(2), 40), films.shown(films.still(3), 40))
    times = np.cumsum(np.tile([20, 60, 40, 33], 30)).tolist()
    path = films.write(tmp_path / "film.mkv", made.frames, times=times, pixels="yuv420p10le")
    found = choice(path).shots
    assert [shot.first for shot in found][1:] == made.starts
    assert [round(shot.start * 1000) for shot in found][1:] == [times[start] - times[0] for start in made.starts]
