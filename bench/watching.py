"""Watching: how well cuts are found in films with exact truth, by what makes it hard, and how many frames a second are measured."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.unit.recordings import films
from tests.unit.recordings.films import Cut, Picture, Scene

from bench import Row
from heliograph.evaluation.cuts import compare
from heliograph.evaluation.likeness import Share
from heliograph.media.content import Limits, Playable
from heliograph.media.footage import Footage
from heliograph.perception.scenes import watching
from heliograph.perception.scenes.watched import Sensitivity

EACH = 6
"""Films of each kind."""
GRADUAL = 8
"""Frames by which the middle of a fade or a dissolve may be off; they last up to 48."""
MOVING = [films.still, films.pan, films.zoom, films.talking, films.passing, films.shaking]


def measure() -> Iterator[Row]:
    """The rows of this bench, about three minutes on two quiet cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, (make, what, tolerance) in KINDS.items():
            share = Share()
            for number in range(EACH):
                made = make(random.Random(f"{kind} {number}"))
                got = cuts(films.write(folder / "film.mp4", made.frames))
                share = share.plus(compare(made.starts, got, tolerance).share)
            note = f"{share.want:.0f} boundaries, {share.got:.0f} found, within {tolerance} frames"
            yield Row(f"boundary F1, {what}", share.f1, "", "0.95", note)
        yield from speed(folder)


def cuts(path: Path) -> list[int]:
    """The first frames of the shots of a film, without that of its first."""
    watching.forget()
    blocks, after = [], None
    while not blocks or not blocks[-1].done:
        blocks.append(watching.measure(played(path), after, 60.0, 600.0))
        after = blocks[-1].last
    chosen = watching.choose([block.rows for block in blocks if block.count], blocks[-1].end, Sensitivity(), 10_000)
    return [shot.first for shot in chosen.shots][1:]


def played(path: Path) -> Playable:
    """The film, with one thread to decode it."""
    return Playable(str(path), 3600.0, True, 1, Limits())


def speed(folder: Path) -> Iterator[Row]:
    """Frames a second of processor time at 640 x 360, decoding with and without measuring."""
    draw = random.Random("speed")
    scenes = [films.shown(scene(draw.randrange(10**6)), 100) for scene in MOVING]
    path = films.write(folder / "speed.mp4", [large(picture) for scene in scenes for picture in scene])
    began = time.process_time()
    footage = Footage(played(path))
    count = sum(1 for _ in footage.onwards(0.0))
    footage.close()
    alone = count / (time.process_time() - began)
    began = time.process_time()
    cuts(path)
    yield Row(
        "frames measured for shots and news, 360p", count / (time.process_time() - began), "/CPU s", "300", f"decoding alone {alone:,.0f}"
    )


def large(picture: Picture) -> Picture:
    """Twice as large each way."""
    return picture.repeat(2, axis=0).repeat(2, axis=1)


def some(draw: random.Random, scenes: Sequence[object] = MOVING, frames: tuple[int, int] = (20, 70)) -> list[Picture]:
    """A scene of some kind and length."""
    scene: Scene = draw.choice(scenes)(draw.randrange(10**6))  # type: ignore[operator]
    return films.shown(scene, draw.randint(*frames))


def joined(parts: Sequence[Cut]) -> Cut:
    """Films after one another."""
    frames: list[Picture] = []
    starts: list[int] = []
    for part in parts:
        starts += [len(frames)] * bool(frames) + [len(frames) + start for start in part.starts]
        frames += part.frames
    return Cut(frames, starts)


def gentle(seed: int) -> Scene:
    """A scene as people dissolve from and to."""
    kinds = [films.still, films.talking, lambda seed: films.pan(seed, 1.2, 0.3), lambda seed: films.zoom(seed, 0.004)]
    return kinds[seed % len(kinds)](seed)


def slides(draw: random.Random) -> Cut:
    """A lecture: slides on which lines appear."""
    parts: list[list[Picture]] = []
    for _ in range(5):
        lines, part = [f"Topic {draw.randrange(1000)}"], []
        colours = draw.choice([("white", "black"), ("#203050", "white")])
        for _ in range(4):
            lines.append(f"point {draw.randrange(10**6)} of {draw.choice(['the plan', 'last year', 'all costs'])}")
            part += films.hold(films.slide(lines, paper=colours[0], ink=colours[1]), draw.randint(12, 25))
        parts.append(part)
    return films.cut(*parts)


KINDS = {
    "cuts": (lambda draw: films.cut(*(some(draw) for _ in range(8))), "cuts between scenes that move in every way", 2),
    "short": (lambda draw: films.cut(*(some(draw, frames=(10, 18)) for _ in range(10))), "shots of half a second", 2),
    "dark": (
        lambda draw: films.cut(*(films.shown(films.still(draw.randrange(10**6), light=0.12), 40) for _ in range(6))),
        "dark scenes",
        2,
    ),
    "noisy": (
        lambda draw: films.cut(*(films.shown(films.still(draw.randrange(10**6), noise=16), 40) for _ in range(6))),
        "noisy scenes",
        2,
    ),
    "fast": (lambda draw: films.cut(*(films.shown(films.pan(draw.randrange(10**6), 14, 4), 40) for _ in range(6))), "fast pans", 2),
    "flashes": (lambda draw: films.cut(*(films.flashes(some(draw, frames=(60, 60)), [12, 40], 0.8, 2) for _ in range(4))), "flashes", 2),
    "slides": (slides, "slides on which lines appear", 2),
    "fades": (
        lambda draw: joined(
            [
                films.fade(some(draw, frames=(50, 60)), some(draw, frames=(50, 60)), draw.randint(6, 20), draw.randint(1, 12))
                for _ in range(3)
            ]
        ),
        "fades through black",
        GRADUAL,
    ),
    "dissolves": (
        lambda draw: joined(
            [films.dissolve(some(draw, [gentle], (70, 80)), some(draw, [gentle], (70, 80)), draw.randint(8, 36)) for _ in range(3)]
        ),
        "dissolves between calm scenes",
        GRADUAL,
    ),
    "wild": (
        lambda draw: joined(
            [films.dissolve(some(draw, frames=(70, 80)), some(draw, frames=(70, 80)), draw.randint(8, 36)) for _ in range(3)]
        ),
        "dissolves between scenes that move in every way",
        GRADUAL,
    ),
}
"""How films of a kind are made, what makes them hard, and by how many frames a boundary may be off."""
