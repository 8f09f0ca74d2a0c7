"""Where shots begin, on films with exact truth."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from heliograph.perception.scenes import watching
from heliograph.perception.scenes.measuring import MEASURED
from heliograph.perception.scenes.watched import Block, Choice, Sensitivity
from tests.unit.recordings import films


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """A child watches one file and ends; here it is one after the other."""
    yield
    watching.forget()


def blocks(path: Path, seconds: float = 60.0) -> list[Block]:
    made: list[Block] = []
    after = None
    while not made or not made[-1].done:
        made.append(watching.measure(path, 0, after, seconds, 60.0, 1, 10**8))
        after = made[-1].stamp
    return made


def choice(path: Path, most: int = 100) -> Choice:
    measured = [block for block in blocks(path) if block.count]
    return watching.choose([block.rows for block in measured], measured[-1].end, Sensitivity(), most)


def starts(path: Path) -> list[int]:
    return [shot.first for shot in choice(path).shots][1:]


def near(found: list[int], wanted: list[int]) -> bool:
    return len(found) == len(wanted) and all(abs(one - other) <= 2 for one, other in zip(found, wanted, strict=True))


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
        part = watching.measure(path, 0, after, 0.5, 60.0, 1, 10**8)
        parts.append(np.frombuffer(zlib.decompress(part.rows), MEASURED))
        after = part.stamp
        watching.forget()  # as if the child had been killed after each
        if part.done:
            break
    pieced = np.concatenate(parts)
    assert pieced["stamp"].tolist() == whole["stamp"].tolist()
    assert np.allclose(pieced["change"], whole["change"], atol=0.1)
