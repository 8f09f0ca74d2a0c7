"""Frames come out upright, in square pixels and in their colours, whatever the coding and the shape."""

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from heliograph.media import playing
from heliograph.media.content import Limits, Playable
from heliograph.media.footage import Footage, pixels
from heliograph.media.recording import Recording
from heliograph.media.soundtrack import Soundtrack
from tests.unit.recordings.recorded import Pixels

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (30, 40, 220), (250, 250, 250)


def quarters(width: int = 96, height: int = 64) -> Pixels:
    """Red and green above blue and white."""
    drawn = np.empty((height, width, 3), np.uint8)
    drawn[: height // 2, : width // 2], drawn[: height // 2, width // 2 :] = RED, GREEN
    drawn[height // 2 :, : width // 2], drawn[height // 2 :, width // 2 :] = BLUE, WHITE
    return drawn


def seen(path: Path, time: float = 0.0) -> tuple[Recording, Any]:
    recording = playing.inspect(path, Limits())
    with closing(Footage(Playable(str(path), recording.duration, True, 1, Limits()))) as footage:
        image = pixels(footage.at(time)[1], footage.shape, None)
    return recording, np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)


def corners(image: Any) -> list[tuple[int, int, int]]:
    """The colours of the four quarters, from the top left clockwise, each as the nearest of those drawn."""
    height, width = image.shape[:2]
    colours = [image[y, x].astype(int) for y, x in ((height // 4, width // 4), (height // 4, -width // 4))]
    colours += [image[y, x].astype(int) for y, x in ((-height // 4, -width // 4), (-height // 4, width // 4))]
    for colour in colours:
        assert min(np.abs(colour - known).max() for known in (RED, GREEN, BLUE, WHITE)) < 20, colour
    return [min((RED, GREEN, BLUE, WHITE), key=lambda known: int(np.abs(colour - known).max())) for colour in colours]


def encoded(path: Path, drawn: Pixels, *, pix_fmt: str = "yuv420p", codec: str = "libx264", turned: int = 0, shape: str = "1") -> Path:
    container: Any
    with av.open(str(path), "w", format="matroska" if codec == "ffv1" else "mov") as container:
        stream = container.add_stream(codec, rate=10, options={"crf": "4"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = drawn.shape[1], drawn.shape[0], pix_fmt
        stream.codec_context.sample_aspect_ratio = Fraction(shape)
        if turned:
            stream.set_display_rotation(turned)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("turned", "rotation", "colours"),
    [
        (0, 0, [RED, GREEN, WHITE, BLUE]),
        (-90, 90, [BLUE, RED, GREEN, WHITE]),
        (180, 180, [WHITE, BLUE, RED, GREEN]),
        (90, 270, [GREEN, WHITE, BLUE, RED]),
    ],
)
def test_a_film_from_a_telephone_held_any_way_is_upright(turned: int, rotation: int, colours: list[Any], tmp_path: Path) -> None:
    recording, image = seen(encoded(tmp_path / "v.mov", quarters(), turned=turned))
    assert recording.video is not None
    assert recording.video.rotation == rotation
    assert (recording.video.width, recording.video.height) == ((96, 64) if rotation in (0, 180) else (64, 96)) == image.shape[1::-1]
    assert corners(image) == colours


@pytest.mark.parametrize(
    ("pix_fmt", "codec"), [("yuv420p10le", "libx264"), ("yuv444p", "libx264"), ("rgb24", "qtrle"), ("yuv422p", "ffv1")]
)
def test_colours_survive_every_depth_and_sampling(pix_fmt: str, codec: str, tmp_path: Path) -> None:
    assert corners(seen(encoded(tmp_path / "v.mov", quarters(), pix_fmt=pix_fmt, codec=codec))[1]) == [RED, GREEN, WHITE, BLUE]


def test_pixels_that_are_wider_than_tall_become_square(tmp_path: Path) -> None:
    recording, image = seen(encoded(tmp_path / "v.mov", quarters(72, 58), shape="16/9"))
    assert recording.video is not None
    assert (recording.video.width, recording.video.height) == (128, 58) == image.shape[1::-1]


def test_odd_sizes_are_whole(tmp_path: Path) -> None:
    recording, image = seen(encoded(tmp_path / "v.mov", quarters(97, 63), pix_fmt="yuv444p"))
    assert recording.video is not None
    assert (recording.video.width, recording.video.height) == (97, 63) == image.shape[1::-1]


def test_palettes_are_colours(tmp_path: Path) -> None:
    path = tmp_path / "v.avi"
    container: Any
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("zmbv", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "pal8"
        indices, palette = np.zeros((64, 96), np.uint8), np.zeros((256, 4), np.uint8)
        indices[:32, 48:], indices[32:, :48], indices[32:, 48:] = 1, 2, 3
        palette[:4] = [(255, *colour) for colour in (RED, GREEN, BLUE, WHITE)]
        drawn: Any = (indices, palette)
        container.mux([*stream.encode(av.VideoFrame.from_ndarray(drawn, format="pal8")), *stream.encode(None)])
    assert corners(seen(path)[1]) == [RED, GREEN, WHITE, BLUE]


def test_the_default_track_is_heard_and_not_the_first(tmp_path: Path) -> None:
    from tests.unit.recordings.recorded import beeps, onsets

    path = tmp_path / "a.mkv"
    container: Any
    with av.open(str(path), "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        streams[0].disposition, streams[1].disposition = 0, 1
        for stream, at in zip(streams, (0.5, 1.5), strict=True):
            frame: Any = av.AudioFrame.from_ndarray(beeps(2.0, [at]).reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = 16_000
            container.mux([*stream.encode(frame), *stream.encode(None)])
    recording = playing.inspect(path, Limits())
    assert recording.audio is not None
    assert recording.audio.index == 1
    with closing(Soundtrack(Playable(str(path), recording.duration, True, 1, Limits()))) as track:
        assert onsets(track.read(0, 100_000)) == pytest.approx([1.5], abs=0.01)
