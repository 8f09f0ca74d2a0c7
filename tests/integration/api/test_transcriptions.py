"""OpenAI's transcription route: the form, the shapes of the answer, the stream, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from heliograph.config import Settings
from heliograph.jobs import bodies
from heliograph.store import predictions

from .conftest import PDF, Answer, Api, serving
from .test_recordings import tone, uri

PATH = "/v1/openai/audio/transcriptions"
WORDS = [("It", 0.5, 0.7, 0.9), ("was", 0.7, 0.9, 0.8), ("the", 0.9, 1.0, 0.99), ("best.", 1.0, 1.4, 0.95)]
HEARD = json.dumps(
    {
        "metadata": {"duration": 301.5, "language": "en"},
        "segments": [
            {
                "start_time": 0.5,
                "end_time": 1.4,
                "content": "It was the best.",
                "words": [
                    {"content": word, "start_time": start, "end_time": end, "confidence": score} for word, start, end, score in WORDS
                ],
            },
            {"start_time": 3.0, "end_time": 4.0, "content": "Of times.", "words": []},
        ],
    }
)


def form(content: bytes | None = None, **fields: str | list[str]) -> aiohttp.FormData:
    made = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    if content is not None:
        made.add_field("file", content, filename="talk.wav")
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            made.add_field(f"{name}[]" if isinstance(value, list) else name, each)
    return made


async def transcribed(api: Api, response: str | None = HEARD, content: bytes | None = None, **fields: Any) -> Answer:
    """What a call is answered once the worker, played here, has heard it."""
    call = asyncio.create_task(api("POST", PATH, data=form(tone() if content is None else content, **fields)))
    [prediction] = await api.waiting()
    await api.finish(prediction, response or "{}")
    return await call


async def test_a_recording_is_written_down_in_every_shape(api: Api) -> None:
    plain = await transcribed(api, model="whisper-1", language="en", prompt="Dickens", temperature="0")
    assert (plain.status, plain.headers["content-type"]) == (200, "application/json")
    assert plain.json == {"text": "It was the best. Of times.", "usage": {"type": "duration", "seconds": 302}}
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, plain.headers["x-prediction-id"])
    assert row is not None
    plan = bodies.asked(row).plan
    assert (row.kind, plan.mode, plan.domain, plan.model) == ("audio", "transcribe", "audio.transcription", "vlm-1")
    assert plan.recorded is not None
    assert (plan.recorded.language, "Dickens" in (plan.instructions or "")) == ("en", True)
    assert (await transcribed(api, response_format="text")).content == b"It was the best. Of times.\n"
    subtitles = await transcribed(api, response_format="srt")
    assert subtitles.content.startswith(b"1\n00:00:00,500 --> 00:00:01")
    assert (await transcribed(api, response_format="vtt")).content.startswith(b"WEBVTT")


async def test_verbose_json_has_the_times_that_were_asked_for(api: Api) -> None:
    whole = (await transcribed(api, response_format="verbose_json", timestamp_granularities=["word", "segment"])).json
    assert (whole["task"], whole["language"], whole["duration"]) == ("transcribe", "en", 301.5)
    assert whole["words"][3] == {"word": "best.", "start": 1.0, "end": 1.4}
    first = whole["segments"][0]
    assert (first["id"], first["start"], first["end"], first["text"], first["tokens"]) == (0, 0.5, 1.4, "It was the best.", [])
    assert -0.2 < first["avg_logprob"] < 0
    segments = (await transcribed(api, response_format="verbose_json")).json
    assert "words" not in segments
    words = (await transcribed(api, response_format="verbose_json", timestamp_granularities=["word"])).json
    assert "segments" not in words


async def test_a_stream_tells_segments_and_then_all_of_it(api: Api) -> None:
    answer = await transcribed(api, stream="true")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in answer.content.decode().split("\n") if line.startswith("data: ")]
    assert [event["type"] for event in told] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert "".join(event["delta"] for event in told[:-1]) == told[-1]["text"] == "It was the best. Of times."


async def test_a_url_is_taken_in_place_of_a_file(api: Api) -> None:
    call = asyncio.create_task(api("POST", PATH, data=form(url=uri(tone()))))
    [prediction] = await api.waiting()
    await api.finish(prediction, HEARD)
    assert (await call).json["text"].startswith("It was")


@pytest.mark.parametrize(
    ("content", "fields", "status", "param"),
    [
        (None, {"model": "whisper-1"}, 422, "file"),
        (tone(), {"url": "https://example.com/a.mp3"}, 422, "file"),
        (tone(), {"response_format": "pdf"}, 422, "response_format"),
        (tone(), {"timestamp_granularities": ["letter"]}, 422, "timestamp_granularities"),
        (tone(), {"temperature": "hot"}, 422, "temperature"),
        (tone(), {"language": "Queen's English"}, 422, "language"),
        (tone(), {"model": "whisper-9"}, 404, "model"),
        (PDF, {}, 422, "file"),
        (b"", {}, 422, None),
    ],
)
async def test_what_is_wrong_is_said_in_openais_dialect_and_nothing_stays(
    api: Api, content: bytes | None, fields: dict[str, Any], status: int, param: str | None
) -> None:
    answer = await api("POST", PATH, data=form(content, **fields))
    assert answer.status == status, answer.content
    assert answer.json["error"].keys() == {"message", "type", "param", "code"}
    assert answer.json["error"]["param"] == param
    assert await api.stored() == []


async def test_a_failed_recording_is_its_error(api: Api) -> None:
    call = asyncio.create_task(api("POST", PATH, data=form(tone())))
    [prediction] = await api.waiting()
    why = json.dumps({"type": "corrupt_media", "message": "The recording is damaged.", "param": None})
    await api.finish(prediction, status="failed", response=None, error=why)
    answer = await call
    assert (answer.status, answer.json["error"]["code"]) == (422, "corrupt_media")


async def test_a_call_that_waits_too_long_names_the_prediction_and_the_same_again_waits_on(settings: Settings, database_url: str) -> None:
    settings.transcription_timeout = 0.3
    async with serving(settings, database_url) as api:
        first = await api("POST", PATH, data=form(tone()))
        assert (first.status, first.json["error"]["type"]) == (409, "still_running")
        [prediction] = await api.waiting()
        assert prediction in first.json["error"]["message"]
        again = asyncio.create_task(api("POST", PATH, data=form(tone())))
        await asyncio.sleep(0.1)
        await api.finish(prediction, HEARD)
        assert (await again).headers["x-prediction-id"] == prediction
        assert await api.stored() == [key for key in await api.stored() if prediction in key], "the second upload is gone"


async def test_another_recording_is_not_the_same_request(settings: Settings, database_url: str) -> None:
    settings.transcription_timeout = 0.2
    async with serving(settings, database_url) as api:
        for seconds in (0.5, 0.6):
            await api("POST", PATH, data=form(tone(seconds)))
        assert len(await api.waiting(2)) == 2


async def test_translation_is_not_configured(api: Api) -> None:
    answer = await api("POST", "/v1/openai/audio/translations", data=form(tone()))
    assert (answer.status, answer.json["error"]["type"]) == (422, "not_configured")
