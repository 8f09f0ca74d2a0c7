"""What was said and shown, as `audio.transcription` and `video.transcription` answer it; engines are stood in for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import NotConfigured, UnsupportedMedia
from heliograph.extraction.answered import Answer
from heliograph.extraction.made import PLACE
from heliograph.extraction.plan import Kind, resolve
from heliograph.extraction.recordings import answer_recording
from heliograph.extraction.recordings.answering import elements
from heliograph.extraction.recordings.transcription import stretches
from heliograph.media.recording import Recording, Transcript
from tests.unit.recordings.said import transcript
from tests.unit.recordings.senses import Senses, viewing

HELLO = transcript("Hello, this is a test.", ("A", "It goes on here."))


async def answered(senses: Senses, kind: Kind, domain: str, **config: Any) -> Answer:
    plan = resolve(kind, "generate", domain, config)
    return await answer_recording(senses.reader, Path("recording"), plan)


async def test_what_is_said_comes_in_segments_with_times_words_and_scores() -> None:
    got = await answered(Senses(HELLO), "audio", "audio.transcription")
    assert list(got.response) == ["metadata", "segments"]
    assert got.response["metadata"]["duration"] == pytest.approx(HELLO.duration)
    assert got.response["metadata"]["language"] == "en"
    first, second = got.response["segments"]
    assert (first["start_time"], first["end_time"], first["content"]) == (0.0, 1.7, "Hello, this is a test.")
    assert first["words"][1] == {"content": "this", "start_time": 0.35, "end_time": 0.65, "confidence": 0.95}
    assert "speaker" not in first
    assert second["speaker"] == "A"
    assert (got.element_type, got.elements) == ("audio", 2)


class Foreign(Senses):
    """Hears a language that its engine does not know."""

    async def transcript(self, *_: Any, **__: Any) -> Transcript:
        raise NotConfigured("Nobody seems to speak English.", param="config.language")


async def test_a_language_that_nobody_knows_ends_audio_but_a_video_still_tells_what_is_shown() -> None:
    with pytest.raises(NotConfigured):
        await answered(Foreign(HELLO), "audio", "audio.transcription")
    got = await answered(Foreign(HELLO, viewing(4.0, (0.0, 4.0, "Willkommen"))), "video", "video.transcription")
    assert got.response["segments"][0]["video"]["texts"] == ["Willkommen"]
    assert got.response["segments"][0]["audio"]["content"] == ""
    assert "not_understood: Nobody seems to speak English." in got.warnings


async def test_silence_gives_no_segments_and_says_so() -> None:
    silent = Transcript(12.0, warnings=["no_speech: nobody speaks in the recording"])
    got = await answered(Senses(silent), "audio", "audio.transcription")
    assert got.response["segments"] == []
    assert got.message == "no_speech: nobody speaks in the recording"


async def test_a_video_is_cut_into_segments_of_the_asked_length_with_what_is_said_and_seen_in_each() -> None:
    said = transcript("one two three four five six seven eight nine ten", pause=0)
    got = await answered(
        Senses(said, viewing(said.duration, (0.0, 1.0, "Welcome"), (2.5, 3.4, "Chapter two"), shots=2, faces=1)),
        "video", "video.transcription", video_segment_duration=2,
    )  # fmt: skip
    first, second = got.response["segments"]
    assert (first["start_time"], first["end_time"], second["end_time"]) == (0.0, 2.0, round(said.duration, 3))
    assert first["audio"]["content"] == "one two three four five six"
    assert second["audio"]["content"] == "seven eight nine ten"
    assert first["video"] == {"content": '2 shots; 1 face; text on screen: "Welcome"', "texts": ["Welcome"]}
    assert second["video"]["texts"] == ["Chapter two"]
    assert got.response["metadata"]["description"] == "A video of 3.5 s, 640x360 pixels, 2 shots, with speech (en), text on screen."
    assert got.response["shots"] == [{"start_time": 0.0, "end_time": 1.75}, {"start_time": 1.75, "end_time": 3.5}]
    assert "keyframes" not in got.response
    assert got.element_type == "video"


async def test_by_default_sound_is_heard_and_told_not_to_it_is_not_which_the_answer_says() -> None:
    senses = Senses(HELLO, viewing(HELLO.duration))
    got = await answered(senses, "video", "video.transcription")
    assert got.response["segments"][0]["audio"]["content"] == "Hello, this is a test. It goes on here."
    got = await answered(senses, "video", "video.transcription", video_transcribe_audio=False)
    assert got.response["segments"][0]["audio"]["content"] == ""
    assert "not_transcribed" in (got.message or "")
    assert len(senses.heard) == 1


async def test_keyframes_are_the_sharpest_frame_of_each_shot_as_files_of_the_answer() -> None:
    senses = Senses(HELLO, viewing(10.0, shots=2))
    got = await answered(senses, "video", "video.transcription", keyframes=True)
    try:
        assert got.files is not None
        assert [(one["time"], one["shot"]) for one in got.response["keyframes"]] == [(2.5, 0), (7.5, 1)]
        for one, kept in zip(got.response["keyframes"], got.files.files, strict=True):
            place = PLACE.fullmatch(f'"{one["url"]}"')
            assert place is not None
            assert place[1] == kept.name
            assert kept.path.read_bytes() == b"a picture"
    finally:
        got.close()


async def test_sound_alone_is_sent_elsewhere_when_a_video_is_asked_for() -> None:
    with pytest.raises(UnsupportedMedia, match="/audio/generate"):
        await answered(Senses(HELLO), "video", "video.transcription")


async def test_a_selection_of_the_fields_gives_these_alone() -> None:
    got = await answered(Senses(HELLO), "audio", "audio.transcription", gql_stmt="{ segments { content start_time } }")
    assert list(got.response) == ["segments"]
    assert list(got.response["segments"][0]) == ["content", "start_time"]


async def test_who_waits_is_told_the_seconds_that_are_done() -> None:
    told: list[tuple[str, float, float]] = []

    async def progress(step: str, done: float, whole: float) -> None:
        told.append((step, done, whole))

    plan = resolve("video", "generate", "video.transcription", {})
    await answer_recording(Senses(HELLO, viewing(20.0)).reader, Path("x"), plan, progress=progress)
    assert told == [("listening", 20.0, 20.0), ("watching", 20.0, 20.0)]


def test_elements_are_pieces_of_five_minutes_and_two_at_least() -> None:
    assert [elements(seconds) for seconds in (0.0, 3.0, 599.0, 600.0, 720.0, 43_200.0)] == [2, 2, 2, 2, 3, 144]


@given(
    st.lists(st.text("abc", min_size=1, max_size=5), max_size=60),
    st.floats(1.0, 50.0),
    st.booleans(),
    st.floats(0.0, 3.0),
)
def test_every_word_is_in_exactly_one_segment_and_segments_leave_no_gap(
    words: list[str], length: float, aligned: bool, pause: float
) -> None:
    said = transcript(*[" ".join(words[at : at + 7]) for at in range(0, len(words), 7)], pause=pause)
    recording = Recording("video/mp4", "video", max(said.duration, 0.5))
    made = stretches(recording, said, length, aligned=aligned)
    assert " ".join(one.said for one in made if one.said).split() == words
    assert made[0].start == 0.0
    assert made[-1].end == pytest.approx(recording.duration)
    assert all(a.end == b.start for a, b in pairwise(made))
    assert all(one.end > one.start for one in made)


def test_segments_that_follow_speech_end_in_pauses() -> None:
    said = transcript("one two three four five", "six seven eight nine ten", "eleven twelve thirteen", pause=2.0)
    recording = Recording("video/mp4", "video", said.duration)
    made = stretches(recording, said, 3.0, aligned=True)
    assert made[0].said == "one two three four five"
    assert made[0].end == pytest.approx(2.7, abs=0.1)
