from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from heliograph.config import Settings
from heliograph.errors import EmptyMedia, InvalidRequest, UnsupportedMedia
from heliograph.perception.player import Player
from tests.unit.recordings.recorded import beeps, number_of, onsets, picture, write


@pytest.fixture
async def player(tmp_path: Path) -> AsyncIterator[Player]:
    player = Player(Settings(data_dir=tmp_path / "data"), threads=1)
    yield player
    await player.close()


async def test_sound_has_its_own_times_wherever_it_is_asked_from(player: Player, tmp_path: Path) -> None:
    at = [0.5, 3.25, 7.0]
    path = write(tmp_path / "a.wav", sound=beeps(8.0, at, 44_100), rate=44_100, audio="pcm_s16le")
    recording = await player.inspect(path)
    assert (recording.kind, recording.media_type, recording.video) == ("audio", "audio/wav", None)
    assert recording.duration == pytest.approx(8.0, abs=0.01)
    whole = await player.sound(path, recording, 0.0, 60.0)
    assert len(whole) == 8 * 32_000
    assert onsets(whole) == pytest.approx(at, abs=0.002)
    pieces = [await player.sound(path, recording, start, 1.5) for start in (0.0, 1.5, 3.0, 4.5, 6.0, 7.5)]
    assert b"".join(pieces) == whole
    assert await player.sound(path, recording, 3.0, 1.0) == whole[3 * 32_000 : 4 * 32_000]


async def test_the_frame_shown_at_a_time_is_exact_also_with_b_frames(player: Player, tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", pictures=(picture(number) for number in range(30)))
    recording = await player.inspect(path)
    assert recording.kind == "video"
    assert recording.video is not None
    assert (recording.video.width, recording.video.height, recording.video.fps) == (64, 48, 10.0)
    for number in (29, 0, 7, 8, 21, 20, 3):
        for time in (number / 10, number / 10 + 0.09):
            assert number_of((await player.frame(path, recording, time)).data) == number, time
    assert number_of((await player.frame(path, recording, 100.0)).data) == 29
    shown = await player.jpeg(path, recording, 1.0, 32)
    assert (shown.width, shown.height, shown.data[:2]) == (32, 24, b"\xff\xd8")


async def test_frames_at_uneven_times_are_shown_until_the_next(player: Player, tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 2.5, 2.54, 9.0]
    path = write(tmp_path / "v.mkv", pictures=(picture(number) for number in range(6)), times=times)
    recording = await player.inspect(path)
    shown = {0.3: 1, 0.5: 2, 2.49: 2, 2.5: 3, 2.6: 4, 8.9: 4, 9.0: 5, 0.0: 0}
    assert {time: number_of((await player.frame(path, recording, time)).data) for time in shown} == shown


async def test_sound_that_begins_later_than_the_pictures_is_silent_until_then(player: Player, tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", pictures=[picture(3)] * 40, sound=beeps(2.0, [0.5]), late=1.5)
    recording = await player.inspect(path)
    assert onsets(await player.sound(path, recording, 0.0, 10.0)) == pytest.approx([2.0], abs=0.01)


async def test_a_document_is_told_where_to_go_and_an_empty_file_that_it_is_empty(player: Player, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"%PDF-1.7\n")
    with pytest.raises(UnsupportedMedia, match=r"a PDF document.*`/document/generate`"):
        await player.inspect(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"")
    with pytest.raises(EmptyMedia):
        await player.inspect(tmp_path / "b.mp4")


async def test_what_a_file_has_not_cannot_be_asked_for(player: Player, tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", pictures=[picture(1)] * 5)
    recording = await player.inspect(path)
    assert recording.audio is None
    with pytest.raises(UnsupportedMedia, match="no sound"):
        await player.sound(path, recording, 0.0, 1.0)
    path = write(tmp_path / "a.wav", sound=np.zeros(16_000, np.int16), audio="pcm_s16le")
    with pytest.raises(UnsupportedMedia, match="no moving pictures"):
        await player.frame(path, await player.inspect(path), 0.0)


async def test_a_clip_holds_what_is_shown_and_heard_between_its_times_and_begins_at_nought(player: Player, tmp_path: Path) -> None:
    path = write(tmp_path / "v.mkv", pictures=(picture(number, 96, 64) for number in range(30)), sound=beeps(3.0, [0.3, 1.5, 2.7]))
    recording = await player.inspect(path)
    made = tmp_path / "clip.mp4"
    made.write_bytes(await player.clip(path, recording, 1.2, 2.4, longest_side=48))
    cut = await player.inspect(made)
    assert cut.duration == pytest.approx(1.2, abs=0.1)
    assert cut.video is not None
    assert (cut.media_type, cut.video.codec, cut.video.width, cut.video.height) == ("video/mp4", "h264", 48, 32)
    assert [number_of((await player.frame(made, cut, time)).data) for time in (0.0, 0.35, 1.15)] == [12, 15, 23]
    assert onsets(await player.sound(made, cut, 0.0, 2.0)) == pytest.approx([0.3], abs=0.01)
    made.write_bytes(await player.clip(path, recording, 1.2, 2.4, sound=False))
    assert (await player.inspect(made)).audio is None
    with pytest.raises(InvalidRequest, match="lasts 3"):
        await player.clip(path, recording, 5.0, 6.0)


@pytest.mark.parametrize("form", ["mp3", "wav", "flac"])
async def test_a_part_of_the_sound_is_a_file_of_its_own(player: Player, tmp_path: Path, form: Literal["mp3", "wav", "flac"]) -> None:
    path = write(tmp_path / "a.m4a", sound=beeps(6.0, [1.0, 2.5, 5.0]), form="mp4")
    recording = await player.inspect(path)
    made = tmp_path / "part"
    made.write_bytes(await player.audio_clip(path, recording, 2.0, 4.0, form))
    part = await player.inspect(made)
    assert part.kind == "audio"
    assert part.duration == pytest.approx(2.0, abs=0.1)
    assert onsets(await player.sound(made, part, 0.0, 10.0)) == pytest.approx([0.5], abs=0.01)
