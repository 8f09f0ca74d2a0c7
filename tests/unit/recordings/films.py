"""Moving pictures with exact truth: scenes that move in different ways, put together by cuts, fades, dissolves and flashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Scene = Callable[[int], Picture]
"""The picture at a frame, counted from the scene's first."""

SIZE = 320, 180
FPS = 25


class Cut(NamedTuple):
    """A film's frames, and the first frames of its shots but the first."""

    frames: list[Picture]
    starts: list[int]


def texture(seed: int, *, size: tuple[int, int] = SIZE, grain: int = 6, light: float = 1.0) -> Picture:
    """A picture of blobs, edges and colours."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.integers(0, 256, (max(2, height // (grain * 6)), max(2, width // (grain * 6)), 3)).astype(np.uint8)
    picture = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    fine = rng.normal(0, 30, (height // grain, width // grain, 1)).astype(np.float32)
    picture = picture + cv2.resize(fine, size, interpolation=cv2.INTER_LINEAR)[:, :, None]
    made = Image.fromarray(np.clip(picture * light, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(made)
    for _ in range(8):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(8, width // 4)), int(rng.integers(8, height // 3))
        colour = tuple(int(light * value) for value in rng.integers(0, 256, 3))
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)((x, y, x + w, y + h), fill=colour)
    return np.asarray(made)


def still(seed: int, *, light: float = 1.0, noise: float = 2.0) -> Scene:
    """One picture with the noise of a camera."""
    picture = texture(seed, light=light)

    def at(frame: int) -> Picture:
        rng = np.random.default_rng((seed, frame))
        grain = rng.normal(0, noise, picture.shape) if noise else 0.0
        return np.clip(picture + grain, 0, 255).astype(np.uint8)

    return at


def pan(seed: int, speed: float = 4.0, down: float = 0.0) -> Scene:
    """A camera that turns, by `speed` pixels a frame."""
    width, height = SIZE
    wide = texture(seed, size=(width * 5, height * 3))

    def at(frame: int) -> Picture:
        x, y = (speed * frame) % (width * 4), (down * frame) % (height * 2)
        move = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
        return cv2.warpAffine(wide, move, SIZE, flags=cv2.INTER_LINEAR)

    return at


def zoom(seed: int, speed: float = 0.01) -> Scene:
    """A camera that goes nearer."""
    width, height = SIZE
    picture = texture(seed, size=(width * 2, height * 2))

    def at(frame: int) -> Picture:
        scale = 0.5 * (1 + speed) ** frame
        move = np.array([[scale, 0, width / 2 - scale * width], [0, scale, height / 2 - scale * height]], np.float32)
        return cv2.warpAffine(picture, move, SIZE, flags=cv2.INTER_AREA)

    return at


def talking(seed: int) -> Scene:
    """Somebody who speaks: a head that sways, a mouth that opens, before a room."""
    room = texture(seed, light=0.7)
    rng = np.random.default_rng(seed)
    skin = tuple(int(value) for value in rng.integers(120, 230, 3))

    def at(frame: int) -> Picture:
        made = Image.fromarray(room)
        draw = ImageDraw.Draw(made)
        x = 160 + 6 * np.sin(frame / 9) + 3 * np.sin(frame / 2.3)
        y = 90 + 3 * np.sin(frame / 7)
        draw.rectangle((x - 60, y + 45, x + 60, 180), fill=(40, 40, 70))
        draw.ellipse((x - 35, y - 50, x + 35, y + 50), fill=skin)
        for side in (-14, 14):
            draw.ellipse((x + side - 5, y - 16, x + side + 5, y - 8), fill=(20, 20, 20))
        mouth = 2 + 7 * abs(np.sin(frame / 2.1))
        draw.ellipse((x - 12, y + 22 - mouth, x + 12, y + 22 + mouth), fill=(90, 10, 10))
        return np.asarray(made)

    return at


def passing(seed: int) -> Scene:
    """A street that somebody large walks through, close to the camera."""
    street = texture(seed)

    def at(frame: int) -> Picture:
        made = Image.fromarray(street)
        x = -140 + 22 * (frame % 40)
        ImageDraw.Draw(made).rectangle((x, 10, x + 130, 180), fill=(25, 30, 35))
        return np.asarray(made)

    return at


def shaking(seed: int) -> Scene:
    """A camera in a hand that now and then jerks."""
    width, height = SIZE
    wide = texture(seed, size=(width * 2, height * 2))
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random((4000, 2)) < 0.04, rng.integers(-16, 17, (4000, 2)), rng.integers(-2, 3, (4000, 2)))
    places = np.clip(np.cumsum(steps, axis=0), -60, 60)

    def at(frame: int) -> Picture:
        x, y = int(width / 2 + places[frame][0]), int(height / 2 + places[frame][1])
        return wide[y : y + height, x : x + width]

    return at


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The letters of films."""
    return ImageFont.load_default(size)


def slide(lines: Sequence[str], *, size: tuple[int, int] = SIZE, letters: int = 16, ink: str = "black", paper: str = "white") -> Picture:
    """A slide with a line for a title and others below."""
    made = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(made)
    for place, line in enumerate(lines):
        height = letters * 1.25 if place == 0 else letters
        draw.text((size[0] * 0.06, size[1] * 0.08 + place * letters * 2), line, ink, font=font(int(height)))
    return np.asarray(made)


def written(picture: Picture, text: str, at: tuple[float, float], letters: int = 18, ink: str = "white", edge: str = "black") -> Picture:
    """The picture with a text whose middle is `at`, in fractions."""
    made = Image.fromarray(picture)
    place = at[0] * made.width, at[1] * made.height
    ImageDraw.Draw(made).text(place, text, ink, font=font(letters), anchor="mm", stroke_width=2, stroke_fill=edge)
    return np.asarray(made)


def hold(picture: Picture, frames: int) -> list[Picture]:
    """The picture for so many frames."""
    return [picture] * frames


def shown(scene: Scene, frames: int) -> list[Picture]:
    """So many frames of a scene."""
    return [scene(frame) for frame in range(frames)]


def cut(*scenes: Sequence[Picture]) -> Cut:
    """Scenes after one another."""
    frames: list[Picture] = []
    starts: list[int] = []
    for scene in scenes:
        starts.append(len(frames))
        frames += scene
    return Cut(frames, starts[1:])


def dissolve(before: Sequence[Picture], after: Sequence[Picture], length: int) -> Cut:
    """The end of one scene becomes the beginning of the next within `length` frames; the shot begins in the middle."""
    shares = (np.arange(length) + 1) / (length + 1)
    mixed = [
        np.clip((1 - share) * one.astype(np.float32) + share * other, 0, 255).astype(np.uint8)
        for share, one, other in zip(shares, before[-length:], after[:length], strict=True)
    ]
    return Cut([*before[:-length], *mixed, *after[length:]], [len(before) - length // 2])


def fade(before: Sequence[Picture], after: Sequence[Picture], length: int, blank: int = 4, colour: int = 0) -> Cut:
    """One scene becomes black (or `colour`), and the next comes out of it; the shot begins in the middle of what is blank."""
    shares = (np.arange(length) + 1) / (length + 1)
    out = [
        np.clip(colour * share + picture * (1 - share), 0, 255).astype(np.uint8)
        for share, picture in zip(shares, before[-length:], strict=True)
    ]
    into = [
        np.clip(colour * (1 - share) + picture * share, 0, 255).astype(np.uint8)
        for share, picture in zip(shares, after[:length], strict=True)
    ]
    nothing = [np.full_like(before[0], colour)] * blank
    return Cut([*before[:-length], *out, *nothing, *into, *after[length:]], [len(before) + blank // 2])


def flashes(scene: Sequence[Picture], places: Sequence[int], strength: float = 0.8, length: int = 1) -> list[Picture]:
    """The scene with the light of cameras at some frames."""
    lit = list(scene)
    for place in places:
        for frame in range(place, place + length):
            lit[frame] = np.clip(lit[frame] * (1 - strength) + 255 * strength, 0, 255).astype(np.uint8)
    return lit


def write(
    path: Path,
    frames: Iterable[Picture],
    *,
    fps: float = FPS,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    quality: int = 26,
    rotation: int = 0,
) -> Path:
    """Write a film. `times`: of the frames in milliseconds, for a rate that varies; `rotation` as a player is to turn it, clockwise."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt = pixels
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": str(quality)}
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if number == 0:
                stream.width, stream.height = frame.width, frame.height
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    del rotation
    return path
