"""The domains that sum recordings up, without a model: everything that is said in them was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from heliograph.extraction.answered import Answer
from heliograph.extraction.domains import catalog
from heliograph.extraction.plan import resolve
from heliograph.extraction.recordings import answer_recording
from heliograph.extraction.recordings.gist import chapters, summary, topics
from heliograph.extraction.recordings.speech import Speech
from heliograph.media.recording import Transcript
from tests.unit.recordings.said import transcript
from tests.unit.recordings.senses import Senses, viewing

OVERVIEWS = sorted(name for name in catalog() if name.startswith(("audio.", "video.")) and not name.endswith(".transcription"))
TALK = transcript(
    "Good morning and welcome.",
    "The old lighthouse at Cape Grim was built of granite blocks. Granite blocks were carried to Cape Grim by sea.",
    "The lighthouse keeper lit the lamp every evening. Without the lamp ships were lost on the rocks.",
    "In summary, the lighthouse saved ships for a hundred years.",
    "Maria will send the photographs of the lighthouse.",
)


async def summed_up(domain: str, senses: Senses, **config: Any) -> Answer:
    kind = "audio" if domain.startswith("audio.") else "video"
    return await answer_recording(senses.reader, Path("x"), resolve(kind, "generate", domain, config))


@pytest.mark.parametrize("domain", OVERVIEWS)
async def test_every_sentence_of_an_overview_was_said_and_it_says_so(domain: str) -> None:
    senses = Senses(TALK, None if domain.startswith("audio.") else viewing(TALK.duration, (0.0, 3.0, "Cape Grim")))
    got = await summed_up(domain, senses, grounding=True)
    schema = catalog()[domain].json_schema["properties"]
    assert [name for name in got.response if not name.endswith("_metadata")] == list(schema)
    text = " ".join(TALK.text.split())
    assert got.response["summary"]
    for span in got.response["summary_metadata"]["spans"]:
        assert span["content"] in text
        assert span["content"] in got.response["summary"]
    for topic in cast("list[str]", got.response.get("topics") or []):
        assert topic.casefold() in text.casefold() or topic == "Cape Grim"
    for chapter in cast("list[dict[str, Any]]", got.response.get("chapters") or []):
        assert chapter["summary"] in text
    assert "extractive" in (got.message or "")


async def test_what_only_eyes_could_tell_is_empty_and_named() -> None:
    got = await summed_up("video.dashcam-analytics", Senses(None, viewing(30.0, (0.0, 30.0, "Speed: 54 km/h"))))
    assert got.response["events"] is None or got.response["events"] == []
    assert got.response["weather"] is None
    assert "needs_model: " in (got.message or "")
    assert "weather" in (got.message or "")
    assert [text["content"] for text in got.response["texts"]] == ["Speed: 54 km/h"]


async def test_a_slide_that_looks_like_a_labelled_chapter_is_not_the_only_one() -> None:
    slides = viewing(TALK.duration, (0.0, 3.0, "Cape Grim"), (3.0, 5.0, "Title: Thank you"))
    got = await summed_up("video.summary", Senses(TALK, slides))
    first, *_, last = [got.response["chapters"][0], *got.response["chapters"]]
    assert (first["start_time"], last["end_time"]) == (0.0, round(TALK.duration, 3))


async def test_silence_sums_up_to_nothing() -> None:
    got = await summed_up("audio.transcription-summary", Senses(Transcript(9.0, warnings=["no_speech: nobody speaks"])))
    assert got.response["summary"] is None
    assert got.response["segments"] == []
    assert "extractive" not in (got.message or "")


async def test_a_selection_of_an_overview_gives_its_fields_alone() -> None:
    got = await summed_up("audio.transcription-summary", Senses(TALK), gql_stmt="{ summary chapters { title } metadata { duration } }")
    assert list(got.response) == ["summary", "chapters", "metadata"]
    assert list(got.response["chapters"][0]) == ["title"]
    assert list(got.response["metadata"]) == ["duration"]


async def test_tasks_and_segments_stand_in_the_overview() -> None:
    got = await summed_up("audio.transcription-summary", Senses(TALK))
    assert got.response["action_items"] == [
        {"task": "Maria will send the photographs of the lighthouse.", "owner": "Maria", "due_date": None}
    ]
    assert [one["content"] for one in got.response["segments"]] == [segment.text for segment in TALK.segments]


def test_a_summary_prefers_what_recurs_and_leaves_out_greetings() -> None:
    said = [span.content for span in summary(Speech(TALK))]
    assert said
    assert "Good morning and welcome." not in said
    assert any("lighthouse" in one for one in said)


def test_topics_are_phrases_that_recur() -> None:
    assert topics([segment.text for segment in TALK.segments])[:1] == ["granite blocks"] or "lighthouse" in topics([TALK.text])


def test_a_long_talk_parts_where_its_words_change_and_leaves_no_gap() -> None:
    garden = "The tomato plants need water. Tomato plants like warm soil. The garden soil is dry. Water the garden at dawn."
    engine = "The diesel engine needs oil. Engine oil must be changed. The pistons of the engine wear. A worn piston leaks oil."
    said = transcript(*[garden] * 20, *[engine] * 20)
    made = chapters(Speech(said), said.duration)
    assert len(made) == 2
    assert made[0].start == 0.0
    assert made[-1].end == said.duration
    assert made[0].end == made[1].start
    border = next(segment.start for segment in said.segments if "diesel" in segment.text)
    assert made[1].start == pytest.approx(border, abs=6.0)
