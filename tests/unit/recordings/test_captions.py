"""What a model that sees is shown of a video, and what becomes of its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from heliograph.extraction.answered import Answer
from heliograph.extraction.plan import resolve
from heliograph.extraction.recordings import answer_recording
from heliograph.models.completions import body
from heliograph.models.contract import Ask, Clip, Picture, Profile, Text, user
from heliograph.models.errors import ModelRefused
from heliograph.models.routes import Route
from heliograph.models.serving import Models
from heliograph.perception.steps import Steps
from tests.unit.models.fakes import Fake, said
from tests.unit.recordings.said import transcript
from tests.unit.recordings.senses import Senses, viewing

SPEECH = transcript("Welcome to the harbour.", "Here the boats come in.")
SEES = Profile(vision=True, json_modes=("json_schema",), model="seer", max_pictures=4)
WATCHES = Profile(vision=True, video=True, json_modes=("json_schema",), model="watcher")
CAPTION = said(json.dumps({"content": "A harbour with boats."}))
WHOLE = said(json.dumps({"description": "A film about a harbour.", "topics": ["harbour", "boats"]}))


class Kept(Steps):
    """Steps in memory."""

    def __init__(self) -> None:
        self.steps: dict[str, bytes] = {}

    async def known(self, step: str) -> bytes | None:
        return self.steps.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        self.steps[step] = content


class Routes:
    """Leads every route to one backend."""

    def __init__(self, backend: Fake) -> None:
        self._backend = backend

    def backend(self, route: str) -> Fake:
        return self._backend

    def ends_embedded(self, route: str) -> bool:
        return False


async def captioned(backend: Fake, senses: Senses | None = None, steps: Steps | None = None, **config: Any) -> Answer:
    plan = resolve("video", "generate", "video.transcription", config, route=Route(asked="seer", name="seer"))
    models = Routes(backend)
    there = senses or Senses(SPEECH, viewing(SPEECH.duration, (0.0, 1.0, "Harbour Days")))
    return await answer_recording(there.reader, Path("x"), plan, models=cast("Models", models), steps=steps)


def parts(ask: Ask) -> list[Any]:
    return ask.messages[1].parts


async def test_segments_are_shown_as_frames_with_their_times_beside_what_is_said_and_written() -> None:
    backend = Fake(CAPTION, WHOLE, profile=SEES)
    senses = Senses(SPEECH, viewing(SPEECH.duration, (0.0, 1.0, "Harbour Days")))
    got = await captioned(backend, senses, video_frames_per_segment=2, prompt="Mind the ropes.", chat_context="user: which boats?")
    assert got.response["segments"][0]["video"] == {"content": "A harbour with boats.", "texts": ["Harbour Days"]}
    assert got.response["segments"][0]["audio"]["content"] == "Welcome to the harbour. Here the boats come in."
    assert got.response["metadata"]["description"] == "A film about a harbour."
    assert got.response["metadata"]["topics"] == ["harbour", "boats"]
    first = parts(backend.asked[0])
    assert sum(isinstance(part, Picture) for part in first) == 2
    assert senses.shown == [SPEECH.duration / 4, SPEECH.duration * 3 / 4]
    told = "\n".join(part.text for part in first if isinstance(part, Text))
    for words in ("Welcome to the harbour.", "Harbour Days", "Mind the ropes.", "which boats?"):
        assert words in told


async def test_a_model_shows_no_more_frames_than_it_takes() -> None:
    backend = Fake(CAPTION, WHOLE, profile=SEES)
    await captioned(backend, video_frames_per_segment=20)
    assert sum(isinstance(part, Picture) for part in parts(backend.asked[0])) == 4


async def test_a_model_that_takes_video_is_shown_a_clip() -> None:
    backend = Fake(CAPTION, WHOLE, profile=WATCHES)
    senses = Senses(SPEECH, viewing(SPEECH.duration))
    await captioned(backend, senses)
    assert [part for part in parts(backend.asked[0]) if isinstance(part, Clip)] == [Clip(b"a clip")]
    assert senses.clips == [(0.0, SPEECH.duration)]
    assert senses.shown == []


async def test_a_clip_that_is_refused_is_shown_as_frames_and_the_answer_says_so() -> None:
    backend = Fake(ModelRefused("no video_url here"), CAPTION, WHOLE, profile=SEES)
    got = await captioned(backend, video_input_mode="native_video")
    assert got.response["segments"][0]["video"]["content"] == "A harbour with boats."
    assert "native_video" in (got.message or "")


async def test_a_blind_model_is_not_asked_and_segments_say_what_can_be_read() -> None:
    backend = Fake(CAPTION, profile=Profile(json_modes=("json_schema",)))
    got = await captioned(backend)
    assert backend.asked == []
    assert got.response["segments"][0]["video"]["content"] == '1 shot; text on screen: "Harbour Days"'
    assert "needs_model" in (got.message or "")


async def test_captions_that_an_earlier_run_kept_are_not_asked_for_again() -> None:
    steps = Kept()
    first = await captioned(Fake(CAPTION, CAPTION, WHOLE, profile=SEES), steps=steps, video_segment_duration=2)
    again = Fake(ModelRefused("nobody may ask"), profile=SEES)
    second = await captioned(again, steps=steps, video_segment_duration=2)
    assert again.asked == []
    assert second.response == first.response


def test_a_clip_goes_over_the_wire_as_a_data_url() -> None:
    made = body(Ask(messages=[user(Text("?"), Clip(b"film"))]), WATCHES, None, model="watcher")
    assert made["messages"][0]["content"][1] == {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,ZmlsbQ=="}}
