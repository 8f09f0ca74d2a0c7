"""Tools of recordings on a real film with speech and slides, through the children that do the work."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import av
import pytest
import pytest_asyncio
from PIL import Image

from heliograph.config import Settings
from heliograph.errors import InvalidRequest, NotFound
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents import talks
from tests.integration.agents.tooling import Tools, pdf

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def run(settings: Settings, reader: Reader, models: Models) -> AsyncIterator[Tools]:
    """One run: what it hears and sees of the film it hears and sees once."""
    yield Tools(settings, reader, models)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def film(run: Tools) -> str:
    return await run.bring(talks.talk(), "vid", "video/mp4", "talk.mp4")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def sound(run: Tools) -> str:
    return await run.bring(talks.speech(), "aud", "audio/wav", "talk.wav")


async def tracks(run: Tools, ref: str) -> dict[str, tuple[str, float]]:
    """The codec and length in seconds of each track of an artifact."""
    source: Any = av.open(io.BytesIO(await run.at.artifacts.read(ref)))
    with source:
        return {each.type: (each.codec_context.name, round(float((each.duration or 0) * each.time_base), 1)) for each in source.streams}


async def test_what_a_recording_is(run: Tools, film: str, sound: str) -> None:
    told = await run.call("video_info", video=film)
    assert (told["kind"], told["width"], told["height"], told["fps"]) == ("video", 480, 270, 5.0)
    assert told["duration"] == pytest.approx(10.0, abs=0.1)
    told = await run.call("video_info", video=sound)
    assert (told["kind"], told["width"], told["sample_rate"]) == ("audio", None, 16_000)


async def test_a_transcript_has_times_and_can_be_had_as_a_file(run: Tools, film: str) -> None:
    told = await run.call("transcribe_video", video=film, file="srt")
    assert "fail better" in told["text"].lower()
    assert told["segments"][0]["start"] < 1.5
    assert (await run.at.artifacts.read(told["file"])).decode().startswith("1\n00:00:0")
    assert (await run.at.artifacts.get(told["file"])).filename == "talk.srt"


async def test_a_recording_is_heard_once_in_a_run(run: Tools, film: str) -> None:
    await run.call("transcribe_video", video=film)
    before = run.at.recordings.anew
    await run.call("search_video", video=film, query="failed", where="said")
    await run.call("add_video_captions", video=film, style="vtt")
    assert run.at.recordings.anew == before


async def test_words_are_found_where_they_are_said_and_where_they_are_shown(run: Tools, film: str) -> None:
    told = await run.call("search_video", video=film, query="better")
    assert [(hit["how"], hit["score"]) for hit in told["matches"]] == [("said", 1.0)]
    assert 6 < told["matches"][0]["start"] < 10
    assert told["matches"][0]["frame"].startswith("img_")
    assert run.shown[-1][0] == "preview.grid"
    told = await run.call("search_video", video=film, query="budgets")
    assert [(hit["how"], hit["start"] < 0.5, 4 < hit["end"] < 6) for hit in told["matches"]] == [("shown", True, True)]
    assert (await run.call("search_video", video=film, query="zeppelin"))["matches"] == []


async def test_what_stands_on_screen_is_read_once_with_its_times(run: Tools, film: str) -> None:
    texts = (await run.call("read_video", video=film))["texts"]
    assert [text["text"] for text in texts] == list(talks.SLIDES)
    assert texts[1]["start"] == pytest.approx(5.0, abs=0.5)


async def test_frames_and_keyframes_become_images_with_a_sheet(run: Tools, film: str) -> None:
    told = await run.call("sample_frames", video=film, count=4, sheet=True)
    assert [frame["time"] for frame in told["frames"]] == pytest.approx([1.25, 3.75, 6.25, 8.75], abs=0.1)
    dark = [Image.open(io.BytesIO(await run.at.artifacts.read(frame["id"]))).convert("L").getpixel((5, 5)) for frame in told["frames"]]
    assert [isinstance(level, int) and level < 100 for level in dark] == [False, False, True, True]
    assert Image.open(io.BytesIO(await run.at.artifacts.read(told["sheet"]))).width > 600
    told = await run.call("get_keyframes", video=film)
    assert (told["shots"], [frame["time"] < 5 for frame in told["frames"]]) == (2, [True, False])


async def test_parts_are_cut_out_of_films_and_of_sound(run: Tools, film: str, sound: str) -> None:
    told = await run.call("trim_video", video=film, start="0:02", end=4.4)
    assert await tracks(run, told["id"]) == {"video": ("h264", 2.4), "audio": ("aac", 2.4)}
    assert run.shown[-1] == (
        "preview.video",
        {"video": {"id": told["id"]}, "title": "talk.mp4, part", "seconds": 2.4, "width": 480, "height": 270},
    )
    told = await run.call("cut_highlights", video=sound, spans=[{"start": 0, "end": 1}, {"start": 5, "end": 7}])
    assert told["id"].startswith("aud_")
    assert (await tracks(run, told["id"]))["audio"][0].startswith("mp3")
    assert told["seconds"] == 3.0
    assert run.shown[-1][0] == "preview.audio"


async def test_films_are_joined_and_sound_is_not_joined_to_them(run: Tools, film: str, sound: str) -> None:
    part = (await run.call("trim_video", video=film, end=1))["id"]
    told = await run.call("concatenate_videos", videos=[part, part, film])
    assert told["seconds"] == pytest.approx(12, abs=0.1)
    with pytest.raises(InvalidRequest, match=r"talk\.wav: only sound"):
        await run.call("concatenate_videos", videos=[part, sound])


async def test_captions_are_burnt_in_put_on_a_track_and_given_by_hand(run: Tools, film: str) -> None:
    told = await run.call("add_video_captions", video=film, style="track")
    assert set(await tracks(run, told["id"])) == {"video", "audio", "subtitle"}
    assert told["captions"] > 1
    mine = [{"start": "0:01", "end": "0:02", "text": "Mine"}, {"start": 60, "end": 61, "text": "late"}]
    told = await run.call("add_video_captions", video=film, captions=mine)
    assert (told["captions"], told["warnings"]) == (1, ["1 of 2 captions begin after the end, at 10.0 seconds, and are left out."])
    frames = (await run.call("sample_frames", video=told["id"], times=[0.5, 1.5]))["frames"]
    plain, written = [Image.open(io.BytesIO(await run.at.artifacts.read(frame["id"]))).convert("L") for frame in frames]
    where = (150, 220, 330, 265)
    assert plain.crop(where).getextrema()[0] > 200  # pyright: ignore[reportOperatorIssue]
    assert written.crop(where).getextrema()[0] < 60  # pyright: ignore[reportOperatorIssue]


async def test_a_timeline_is_described_changed_and_written(run: Tools, film: str) -> None:
    told = await run.call("get_editable_video", video=film)
    timeline = told["video"]
    assert timeline["clips"][0]["video"] == film
    same = await run.call("write_editable_video", video=timeline)
    assert same["seconds"] == pytest.approx(10, abs=0.1)
    timeline["clips"] = [{"video": film, "start": 6, "end": 8, "speed": 2.0}, {"video": film, "end": 1, "muted": True}]
    timeline["width"], timeline["height"] = 240, None
    timeline["watermarks"] = [{"text": "DRAFT", "position": "top"}]
    made = await run.call("write_editable_video", video=timeline)
    assert (made["seconds"], made["width"], made["height"]) == (pytest.approx(2.0), 240, 136)
    with pytest.raises(InvalidRequest, match="not permitted"):
        await run.call("write_editable_video", video={**timeline, "filter": "sepia"})


async def test_marks_sizes_and_sound_are_changed(run: Tools, film: str, sound: str) -> None:
    made = await run.call("add_watermark", video=film, text="DRAFT", position="center", end=1)
    assert (made["width"], made["height"]) == (480, 270)
    made = await run.call("change_video", video=film, rotate=90, height=120, mute=True)
    assert (made["width"], made["height"]) == (68, 120)
    assert set(await tracks(run, made["id"])) == {"video"}
    made = await run.call("change_video", video=film, sound=sound)
    assert set(await tracks(run, made["id"])) == {"video", "audio"}
    with pytest.raises(InvalidRequest, match="text or an image"):
        await run.call("add_watermark", video=film)


async def test_a_gif_and_the_sound_alone(run: Tools, film: str) -> None:
    made = await run.call("video_to_gif", video=film, start=4, end=6, width=120, fps=5)
    data = await run.at.artifacts.read(made["id"])
    with Image.open(io.BytesIO(data)) as gif:
        assert (gif.format, getattr(gif, "n_frames", 0), gif.size) == ("GIF", 10, (120, 68))
    assert await run.at.artifacts.read("clip.gif") == data
    made = await run.call("extract_audio", video=film, start=1, end=3)
    assert (await tracks(run, made["id"]))["audio"][1] == pytest.approx(2.0, abs=0.1)


async def test_what_cannot_be_done_is_said(run: Tools, film: str, sound: str) -> None:
    document = await run.bring(pdf(["Invoice"]), "doc", "application/pdf", "invoice.pdf")
    for name, arguments, error, says in (
        ("trim_video", {"video": film, "start": 5, "end": 3}, InvalidRequest, "before it begins"),
        ("trim_video", {"video": film, "start": 3, "end": 99}, InvalidRequest, "lasts 10.0 seconds"),
        ("sample_frames", {"video": film, "times": [70]}, InvalidRequest, "lasts 10.0 seconds"),
        ("sample_frames", {"video": sound}, InvalidRequest, "no pictures"),
        ("trim_video", {"video": document}, InvalidRequest, "a document, not a recording"),
        ("trim_video", {"video": "vid_000000"}, NotFound, "no artifact"),
    ):
        with pytest.raises(error, match=says):
            await run.call(name, **arguments)
    silent = (await run.call("change_video", video=film, mute=True))["id"]
    with pytest.raises(InvalidRequest, match="no sound"):
        await run.call("extract_audio", video=silent)
    told = await run.call("transcribe_video", video=silent)
    assert (told["segments"], told["warnings"][0][:8]) == ([], "no_audio")
