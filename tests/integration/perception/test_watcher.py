"""Recordings watched through their children."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio
import zxingcpp
from tests.unit.recordings import films

from heliograph.config import Settings
from heliograph.media.recording import Recording, VideoTrack
from heliograph.perception.reader import Reader
from heliograph.perception.scenes import watcher
from heliograph.perception.scenes.watcher import Watching

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reader]:
    async with Reader(Settings(data_dir=tmp_path_factory.mktemp("data"))) as reader:
        yield reader


def recording(seconds: float, size: tuple[int, int] = films.SIZE) -> Recording:
    return Recording("video/mp4", "video", seconds, None, VideoTrack(0, "h264", *size, films.FPS))


class Kept:
    """Steps in memory."""

    def __init__(self) -> None:
        self.steps: dict[str, bytes] = {}

    async def known(self, step: str) -> bytes | None:
        return self.steps.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        assert step not in self.steps
        self.steps[step] = content


async def test_a_film_becomes_shots_with_what_is_written_on_their_best_frames(reader: Reader, tmp_path: Path) -> None:
    titles = films.hold(films.slide(["Quarterly results", "Revenue grew again"]), 40)
    street = [films.written(picture, "Hello world", (0.5, 0.85)) for picture in films.shown(films.pan(3), 40)]
    path = films.write(tmp_path / "film.mp4", films.cut(titles, street).frames)
    done: list[float] = []

    async def seen(seconds: float) -> None:
        done.append(seconds)

    kept = Kept()
    viewing = await reader.watcher.viewing(path, recording(3.2), Watching(faces=True), steps=kept, seen=seen)
    assert [(shot.start, shot.end, shot.first, shot.last) for shot in viewing.shots] == [(0.0, 1.6, 0, 39), (1.6, 3.2, 40, 79)]
    assert [(text.text, text.start, text.end, text.frame) for text in viewing.texts] == [
        ("Quarterly results", 0.0, 1.6, 0),
        ("Revenue grew again", 0.0, 1.6, 0),
        ("Hello world", 1.6, 3.2, 1),
    ]
    assert [frame.shot for frame in viewing.frames] == [0, 1]
    assert done == sorted(done)
    assert done[-1] == 3.2
    count = len(kept.steps)
    again = await reader.watcher.viewing(path, recording(3.2), Watching(faces=True), steps=kept)
    assert again == viewing
    assert len(kept.steps) == count


async def test_texts_have_the_times_at_which_they_are_on_screen(reader: Reader, tmp_path: Path) -> None:
    scene = films.pan(8, 1.5)
    frames = [cv2.resize(scene(number), (640, 360)) for number in range(150)]
    for first, last, text in ((20, 60, "Where have you been?"), (75, 130, "Down by the river")):
        frames[first:last] = [films.written(picture, text, (0.5, 0.88), 28) for picture in frames[first:last]]
    viewing = await reader.watcher.viewing(films.write(tmp_path / "film.mp4", frames), recording(6.0, (640, 360)))
    found = [(text.text, text.start, text.end) for text in viewing.texts]
    assert [text for text, _, _ in found] == ["Where have you been?", "Down by the river"]
    assert [time for _, *times in found for time in times] == pytest.approx([0.8, 2.4, 3.0, 5.2], abs=0.09)
    assert [frame.page.index for frame in viewing.frames] == list(range(len(viewing.frames)))


async def test_a_recording_without_pictures_is_seen_as_nothing_and_says_so(reader: Reader, tmp_path: Path) -> None:
    viewing = await reader.watcher.viewing(tmp_path / "song.mp3", Recording("audio/mpeg", "audio", 3.0))
    assert viewing.shots == []
    assert viewing.warnings[0].startswith("no_video")


class Stopped(Exception):
    """The run may not go on."""


class Mortal(Kept):
    """Steps of a worker that dies before its next one is kept."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    async def keep(self, step: str, content: bytes) -> None:
        if not self.lives:
            raise Stopped
        self.lives -= 1
        await super().keep(step, content)


async def test_a_killed_viewing_goes_on_where_it_was(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "BLOCK", 0.8)
    slides = [films.slide(lines, letters=28) for lines in (["Welcome", "we meet at noon"], ["Budget", "nothing is left"])]
    path = films.write(tmp_path / "slides.mp4", films.cut(*(films.hold(slide, 40) for slide in slides)).frames)
    whole = await reader.watcher.viewing(path, recording(3.2))
    steps = Mortal(2)
    with pytest.raises(Stopped):
        await reader.watcher.viewing(path, recording(3.2), steps=steps)
    steps.lives = 3
    with pytest.raises(Stopped):
        await reader.watcher.viewing(path, recording(3.2), steps=steps)
    steps.lives = 100
    assert await reader.watcher.viewing(path, recording(3.2), steps=steps) == whole
    assert [text.text for text in whole.texts] == ["Welcome", "we meet at noon", "Budget", "nothing is left"]
    assert reader.watcher.pids == []


async def test_what_is_left_of_a_broken_film_is_watched(reader: Reader, tmp_path: Path) -> None:
    made = films.cut(films.shown(films.pan(1), 50), films.shown(films.talking(2), 50), films.shown(films.still(3), 50))
    content = films.write(tmp_path / "film.mkv", made.frames).read_bytes()
    (tmp_path / "short.mkv").write_bytes(content[: len(content) * 2 // 3])
    viewing = await reader.watcher.viewing(tmp_path / "short.mkv", recording(6.0), Watching(read=False, barcodes=False))
    assert viewing.shots[0].first == 0
    assert 1.0 < viewing.shots[-1].end < 6.0
    (tmp_path / "none.mkv").write_bytes(content[:3000])
    nothing = await reader.watcher.viewing(tmp_path / "none.mkv", recording(6.0), Watching(read=False))
    assert nothing.shots == []
    assert nothing.warnings


async def test_a_code_has_the_times_at_which_it_is_on_screen(reader: Reader, tmp_path: Path) -> None:
    code = np.asarray(zxingcpp.create_barcode("https://example.com/a", zxingcpp.BarcodeFormat.QRCode).to_image())
    scene = films.shown(films.still(4), 75)
    for number in range(25, 50):
        scene[number] = scene[number].copy()
        scene[number][30:150, 100:220] = cv2.resize(code, (120, 120), interpolation=cv2.INTER_NEAREST)[:, :, None]
    path = films.write(tmp_path / "film.mp4", scene, quality=18)
    viewing = await reader.watcher.viewing(path, recording(3.0), Watching(read=False))
    assert [(code.text, code.format) for code in viewing.codes] == [("https://example.com/a", "QR Code")]
    assert [viewing.codes[0].start, viewing.codes[0].end] == pytest.approx([1.0, 2.0], abs=0.09)
    assert viewing.texts == []
