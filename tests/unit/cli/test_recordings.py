from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from heliograph.cli.answering import Record, keep_copy
from heliograph.cli.extract import _any_recording  # pyright: ignore[reportPrivateUsage]
from heliograph.cli.progress import Progress, clock
from heliograph.cli.question import ask
from heliograph.cli.sheet import MOST, Cited, chosen, citations, draw
from heliograph.cli.show import script
from heliograph.errors import InvalidRequest
from heliograph.extraction.made import MadeFiles
from heliograph.media.content import PagePicture
from heliograph.media.recording import Recording
from heliograph.perception.player import Player


def test_a_recording_is_asked_for_what_is_said_where_nothing_else_is_asked() -> None:
    bare = ask(bare=True)
    assert [bare.about(kind).domain for kind in ("audio", "video")] == ["audio.transcription", "video.transcription"]
    with pytest.raises(InvalidRequest, match=r"Say what to extract: --domain"):
        bare.about("document")
    assert bare.about("audio").config["grounding"] is False  # a transcript has times of its own
    assert ask("audio.transcription").about("audio").config["grounding"] is False
    assert ask("audio.transcription-summary").about("audio").config["grounding"] is True


def test_what_a_schema_asks_of_a_recording_stays_grounded(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {}}')
    question = ask(schema=schema).about("video")
    assert question.domain is None
    assert question.config["grounding"] is True


def test_options_of_recordings_become_those_of_a_request() -> None:
    config = ask("video.transcription", language="de", diarize=True, keyframes=True, segment=30).config
    assert {name: config[name] for name in ("language", "diarization", "keyframes", "video_segment_duration")} == {
        "language": "de",
        "diarization": True,
        "keyframes": True,
        "video_segment_duration": 30,
    }
    assert not ask("document.invoice").config.keys() & {"language", "diarization", "keyframes", "video_segment_duration"}


def test_nothing_need_be_asked_when_a_file_is_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    (tmp_path / "b.bin").write_bytes(b"fLaC" + bytes(64))
    assert not _any_recording([tmp_path / "a.txt"])
    assert _any_recording([tmp_path / "a.txt", tmp_path / "b.bin"])
    assert _any_recording([Path("-")])


def test_progress_on_a_terminal_is_a_bar_in_media_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    async def told() -> None:
        with Progress("talk.mp3") as progress:
            progress.live = True
            await progress.recorded("listening", 760, 3600)
            await progress.recorded("listening", 3600, 3600)

    asyncio.run(told())
    said = capsys.readouterr().err
    assert "talk.mp3: [=====                   ] 12:40 of 1:00:00, listening" in said
    assert f"[{'=' * 24}] 1:00:00 of 1:00:00, listening" in said


def test_progress_in_a_log_is_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    async def told() -> None:
        with Progress("talk.mp3") as progress:
            for step in ("watching", "listening"):
                for done in (0.0, 10.0, 20.0, 20.0):
                    await progress.recorded(step, done, 20.0)

    asyncio.run(told())
    assert [line.partition(" (")[0] for line in capsys.readouterr().err.splitlines()] == [
        "talk.mp3: 00:20 of 00:20, watching",
        "talk.mp3: 00:20 of 00:20, listening",
    ]


def test_times_are_written_as_players_show_them() -> None:
    assert [clock(seconds) for seconds in (0, 59.99, 760, 3600, 45296)] == ["00:00", "00:59", "12:40", "1:00:00", "12:34:56"]


def test_a_transcript_is_read_line_by_line_with_its_times() -> None:
    said = {"metadata": {"duration": 65.2, "language": "en"}, "segments": [
        {"start_time": 1.2, "end_time": 4, "content": "Ask not.", "speaker": "A"},
        {"start_time": 61, "end_time": 64.9, "content": "What you can do.", "speaker": None},
    ]}  # fmt: skip
    assert list(script(said, "jfk.flac")) == [
        "jfk.flac, 01:05, en",
        "00:01 - 00:04  A: Ask not.",
        "01:01 - 01:04  What you can do.",
    ]
    assert list(script({"metadata": {"duration": 1.0, "language": None}, "segments": []}, "x")) == ["x, 00:01", "nothing is said"]


def test_a_video_is_read_with_what_it_shows() -> None:
    seen = {"metadata": {"description": "A countdown."}, "segments": [
        {"start_time": 0, "end_time": 5, "audio": {"content": None}, "video": {"content": "Numbers", "texts": ["5", "4"]}},
        {"start_time": 5, "end_time": 9, "audio": {"content": None}, "video": {"content": None}},
    ]}  # fmt: skip
    assert list(script(seen, "a.mp4")) == [
        "a.mp4",
        "A countdown.",
        "00:00 - 00:05  shown: Numbers",
        "               on the screen: 5 | 4",
        "00:05 - 00:09  nothing is said",
    ]


READ = {"bbox": {"xywh": [0.5, 0.5, 0.2, 0.1]}, "page": 0, "time": 2.5}
SCORE = {
    "game": {"home": 3, "home_metadata": {"confidence": "hi", "bboxes": [READ]}},
    "said": "three", "said_metadata": {"confidence": "med", "bboxes": [], "spans": [{"start_time": 1}]},
}  # fmt: skip


def test_values_read_on_frames_are_found_with_their_times() -> None:
    assert list(citations(SCORE)) == [(2.5, Cited("game.home", "hi", (0.5, 0.5, 0.2, 0.1)))]


def test_a_sheet_has_every_cited_frame_and_shots_as_far_as_there_is_room() -> None:
    shots = [float(second) for second in range(500)]
    times = chosen(shots, {250.5: [], 3.0: []})
    assert len(times) == MOST
    assert {3.0, 250.5, 0.0, 499.0} <= set(times)
    assert times == sorted(set(times))
    assert chosen([1.0, 2.0], {1.02: []}) == [1.02, 2.0]  # the same picture is not shown twice


class Grey:
    """Shows a grey frame at any time."""

    async def jpeg(self, path: Path, recording: Recording, time: float, longest_side: int) -> PagePicture:
        held = io.BytesIO()
        Image.new("RGB", (longest_side, longest_side // 2), (90, 90, 90)).save(held, "JPEG")
        made: dict[str, Any] = {"data": held.getvalue(), "width": longest_side, "height": longest_side // 2}
        return PagePicture(**made)


async def test_boxes_are_drawn_where_they_were_read(tmp_path: Path) -> None:
    cited = {2.5: [Cited("game.home", "hi", (0.5, 0.5, 0.2, 0.1))]}
    player = cast("Player", Grey())
    sheet = await draw(player, tmp_path, Recording("video/mp4", "video", 9), [0.5, 2.5], cited)
    green = [(x, y) for x in range(sheet.width) for y in range(sheet.height) if sheet.getpixel((x, y)) == (14, 134, 92)]
    left = 16 + 400 + 16
    box = [(x, y) for x, y in green if y < 16 + 200]
    assert min(x for x, _ in box) == pytest.approx(left + 0.5 * 400, abs=4)
    assert max(y for _, y in box) == pytest.approx(16 + 0.6 * 200, abs=4)
    assert any(y > 16 + 200 for _, y in green)  # its name below


def test_keyframes_become_files_beside_the_answer_which_names_them(tmp_path: Path) -> None:
    made = MadeFiles()
    response = {"keyframes": [{"time": 1.5, "url": made.keep("keyframe-0", "image/jpeg", b"pixels")}]}
    record: Record = {"response": response, "files": made}
    keep_copy(record, tmp_path / "a.mp4")
    picture = tmp_path / "a.mp4.files" / "keyframe-0.jpg"
    assert record == {"response": {"keyframes": [{"time": 1.5, "url": str(picture)}]}}
    assert picture.read_bytes() == b"pixels"
