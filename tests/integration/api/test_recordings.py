"""Requests about audio and video, up to the job: what is taken, what is refused, and what stands in the row."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import msgspec
import pytest

from heliograph.config import Settings
from heliograph.jobs import bodies
from heliograph.store import predictions

from .conftest import PDF, PNG, Api, serving


def tone(seconds: float = 0.5) -> bytes:
    """A WAV file of silence."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(int(seconds * 16_000) * 2))
    return made.getvalue()


def uri(content: bytes, media_type: str = "audio/wav") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


OWN = {"type": "object", "properties": {"total": {"type": "number"}}}


async def plan_of(api: Api, id: str) -> Any:
    async with api.database.begin() as conn:
        row = await predictions.get(conn, api.tenant, id)
    assert row is not None
    return row, bodies.asked(row).plan


async def test_audio_is_taken_by_file_url_and_data_and_decided_in_full(api: Api) -> None:
    file = await api.upload(tone(), "talk.wav")
    for body in (
        {"file_id": file["id"], "domain": "audio.transcription", "config": {"language": "en", "diarization": True}},
        {"url": uri(tone()), "config": {"json_schema": OWN}},
        {"url": "https://example.com/talk.mp3", "domain": "audio.transcription"},
    ):
        made = await api("POST", "/v1/audio/generate", json=body)
        assert (made.status, made.json["status"]) == (201, "pending"), made.content
        assert (made.json["progress"], made.json["step"]) == (None, None)
        row, plan = await plan_of(api, made.json["id"])
        assert (row.kind, plan.kind, plan.mode) == ("audio", "audio", "transcribe" if "domain" in body else "extract")
    listed = (await api("GET", "/v1/predictions")).json
    assert {"progress", "step"} <= listed[0].keys()
    executed = await api("POST", "/v1/audio/execute", json={"name": "audio/transcription", "file_id": file["id"]})
    assert (executed.status, executed.json["domain"]) == (201, "audio.transcription")
    proposed = await api("POST", "/v1/video/schema", json={"url": "https://example.com/talk.mp4", "batch": True})
    assert (await plan_of(api, proposed.json["id"]))[1].mode == "propose"


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("/v1/audio/generate", PDF, "PDF document"),
        ("/v1/video/generate", PNG, "PNG image"),
        ("/v1/audio/generate", b"just some words\n" * 20, "plain text"),
        ("/v1/audio/generate", b"", "empty"),
        ("/v1/document/generate", tone(), "WAV recording, which has no pages; send it to `/audio/generate`"),
        ("/v1/video/generate", tone(), "no moving pictures; send it to `/audio/generate`"),
        ("/v1/audio/generate", tone()[:20] + bytes(400), "damaged"),
    ],
)
async def test_a_file_of_another_medium_is_refused_at_once_with_the_parameter(api: Api, path: str, content: bytes, said: str) -> None:
    answer = await api("POST", path, json={"url": uri(content), "config": {"json_schema": OWN}})
    assert answer.status == 422
    assert said in answer.json["error"]["message"]
    assert answer.json["detail"][0]["loc"][-1] == "url"
    assert await api.stored() == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/audio/generate", {"domain": "document.invoice"}, "domain"),
        ("/v1/video/generate", {"domain": "audio.transcription"}, "domain"),
        ("/v1/audio/generate", {}, "domain"),
        ("/v1/audio/generate", {"domain": "audio.transcription", "config": {"language": "English, please"}}, "config.language"),
        ("/v1/audio/generate", {"domain": "audio.transcription", "config": {"language": "de"}}, "config.language"),
        ("/v1/video/generate", {"domain": "video.transcription", "config": {"video_segment_duration": 0}}, "config.video_segment_duration"),
        ("/v1/audio/generate", {"domain": "audio.transcription", "file_id": "x"}, "file_id"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said_at_once(api: Api, path: str, body: dict[str, Any], param: str) -> None:
    answer = await api("POST", path, json={"url": "https://example.com/a"} | body)
    assert answer.status == 422
    assert ".".join(map(str, answer.json["detail"][0]["loc"][1:])) == param


async def test_a_model_for_captions_that_is_not_there_is_404(api: Api) -> None:
    config = {"video_model": "no-such"}
    answer = await api(
        "POST", "/v1/video/generate", json={"url": "https://example.com/a.mp4", "domain": "video.transcription", "config": config}
    )
    assert (answer.status, answer.json["error"]["type"]) == (404, "model_not_found")


async def test_another_tenants_recording_is_not_there(api: Api) -> None:
    file = await api.upload(tone(), "talk.wav")
    stranger = await api.new_key("stranger to recordings")
    body = {"file_id": file["id"], "domain": "audio.transcription"}
    assert (await api("POST", "/v1/audio/generate", json=body, key=stranger)).status == 404


async def test_a_recording_that_is_too_long_is_refused_at_once(settings: Settings, database_url: str) -> None:
    settings.max_duration = 2.0
    async with serving(settings, database_url) as api:
        body = {"url": uri(tone(3.0)), "domain": "audio.transcription"}
        answer = await api("POST", "/v1/audio/generate", json=body)
        assert (answer.status, answer.json["error"]["type"]) == (422, "media_limit_exceeded"), answer.content
        assert (await api("POST", "/v1/audio/generate", json=body | {"url": uri(tone(1.0))})).status == 201


async def test_how_far_it_is_is_told_and_never_goes_back(api: Api) -> None:
    made = (await api("POST", "/v1/audio/generate", json={"url": uri(tone()), "domain": "audio.transcription"})).json
    async with api.database.begin() as conn:
        assert await predictions.claim(conn, api.tenant, made["id"], "run")
        for reached, run in ((0.5, "run"), (0.25, "run"), (0.9, "another")):
            await predictions.progressed(conn, api.tenant, made["id"], run, progress=reached, step="Listening")
    now = (await api("GET", f"/v1/predictions/{made['id']}")).json
    assert (now["status"], now["progress"], now["step"]) == ("running", 0.5, "Listening")
    async with api.database.begin() as conn:
        await predictions.finish(conn, api.tenant, made["id"], "run", status="completed", response="{}")
    done = (await api("GET", f"/v1/predictions/{made['id']}")).json
    assert (done["progress"], done["step"]) == (1.0, None)


async def test_a_picture_of_a_videos_answer_is_a_link_that_goes_with_the_prediction(api: Api) -> None:
    made = (await api("POST", "/v1/video/generate", json={"url": "https://example.com/a.mp4", "domain": "video.transcription"})).json
    await api.finish(made["id"], '{"keyframes":[{"url":"heliograph:made:keyframe-0"},{"content":"say heliograph:made:keyframe-0"}]}')
    frames = (await api("GET", f"/v1/predictions/{made['id']}")).json["response"]["keyframes"]
    assert frames[0]["url"].startswith(api.url)
    assert frames[1]["content"] == "say heliograph:made:keyframe-0", "only a place of its own is one"
    assert msgspec.json.encode(frames)
