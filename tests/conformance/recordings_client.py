"""Checks of requests about audio and video, without a model, for `python_client.py`."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from driver import INVOICE, RECEIPT, SCRATCH, check, completed
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError
from vlmrun.client.types import AgentSkill, GenerationConfig, SchemaResponse

CALL, TALK = Path(os.environ["CALL"]), Path(os.environ["TALK"])
"""Somebody reads the beginning of "A Tale of Two Cities"; the same over three slides, of which the second names a number."""
SAID = ("best of times", "worst of times", "age of wisdom", "age of foolishness")
SCHEMA = {
    "type": "object",
    "properties": {
        "phone": {"type": ["string", "null"], "description": "Phone number"},
        "moon_phase": {"type": ["string", "null"]},
    },
}


def hears_the_words(texts: list[str]) -> None:
    heard = " ".join(texts).lower()
    assert all(words in heard for words in SAID), heard


def in_order(segments: list[dict[str, Any]], duration: float) -> None:
    assert segments
    times = [time for segment in segments for time in (segment["start_time"], segment["end_time"])]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= duration


def is_the_call(response: dict[str, Any]) -> None:
    """The platform's shape, and the words with their times beside it."""
    assert abs(response["metadata"]["duration"] - 8.5) < 0.2
    in_order(response["segments"], response["metadata"]["duration"])
    hears_the_words([segment["content"] for segment in response["segments"]])
    words = [word for segment in response["segments"] for word in segment["words"]]
    assert " ".join(word["content"] for word in words).split() == " ".join(each["content"] for each in response["segments"]).split()
    assert all(0 <= word["confidence"] <= 1 for word in words)


def is_the_talk(response: dict[str, Any]) -> None:
    in_order(response["segments"], response["metadata"]["duration"])
    for segment in response["segments"]:
        assert segment["audio"]["content"].strip()
        assert segment["video"]["content"].strip()
    hears_the_words([segment["audio"]["content"] for segment in response["segments"]])
    seen = " ".join(segment["video"]["content"] for segment in response["segments"])
    assert all(words in seen for words in ("Quarterly review", "Next steps", "Thank you")), seen


def counted(answer: Any, element: str) -> None:
    assert answer.usage.element_type == element
    assert answer.usage.elements_processed == 2, "under ten minutes are two pieces of five"
    assert answer.usage.credits_used is not None


def refused(call: Any, *words: str) -> None:
    try:
        call()
    except APIError as error:
        assert error.http_status == 422, f"{error.http_status}: {error}"  # noqa: PT017 - this driver runs without pytest
        assert all(word in str(error) for word in words), str(error)  # noqa: PT017
        return
    raise AssertionError("not refused")


# -- audio -----------------------------------------------------------------------------------------------------------------


@check("audio.generate")
def _(client: VLMRun) -> None:
    answer = completed(client.audio.generate(file=CALL, domain="audio.transcription"))
    is_the_call(answer.response)
    counted(answer, "audio")


@check("audio.generate (batch)")
def _(client: VLMRun) -> None:
    accepted = client.audio.generate(file=CALL, domain="audio.transcription", batch=True)
    assert (accepted.status, accepted.response) == ("pending", None)
    assert accepted.usage.element_type is None
    is_the_call(completed(client.predictions.wait(accepted.id, timeout=60, sleep=1)).response)


@check("audio.generate (url)", "audio.generate (autocast)")
def _(client: VLMRun) -> None:
    link = client.files.upload(CALL).public_url
    answer = completed(client.audio.generate(url=link, domain="audio.transcription", autocast=True))
    assert isinstance(answer.response.metadata.duration, float), "the response was not cast to the domain's model"
    hears_the_words([segment.content for segment in answer.response.segments])


@check("audio.generate (gql)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(gql_stmt="{ segments { content } }")
    answer = completed(client.audio.generate(file=CALL, domain="audio.transcription", config=config))
    assert list(answer.response) == ["segments"]
    assert {key for segment in answer.response["segments"] for key in segment} == {"content"}


@check("audio.generate (own schema)")
def _(client: VLMRun) -> None:
    answer = completed(client.audio.generate(file=CALL, config=GenerationConfig(json_schema=SCHEMA, grounding=True)))
    assert answer.response == {"phone": None, "phone_metadata": None, "moon_phase": None, "moon_phase_metadata": None}
    counted(answer, "audio")


@check("audio.generate (config.skills)")
def _(client: VLMRun) -> None:
    skills = [AgentSkill(skill_name="call-summary", version="latest")]
    answer = completed(client.audio.generate(file=CALL, config=GenerationConfig(skills=skills)))
    assert {"agent", "customer_name", "summary"} <= set(answer.response)
    assert answer.response["agent"] is answer.response["customer_name"] is None, "a name was invented"


@check("audio.execute")
def _(client: VLMRun) -> None:
    is_the_call(completed(client.audio.execute(name="audio.transcription", file=CALL)).response)
    assert completed(client.audio.execute(name="call-summary", file=CALL)).response


@check("audio.schema", "video.schema")
def _(client: VLMRun) -> None:
    for proposal in (client.audio.schema(file=CALL), client.video.schema(file=TALK)):
        assert isinstance(completed(proposal).response, SchemaResponse)
    assert proposal.response.json_schema["properties"], "a slide names a phone"


# -- video -----------------------------------------------------------------------------------------------------------------


@check("video.generate")
def _(client: VLMRun) -> None:
    answer = completed(client.video.generate(file=TALK, domain="video.transcription"))
    is_the_talk(answer.response)
    assert answer.response["metadata"]["description"]
    assert isinstance(answer.response["metadata"]["topics"], list)
    counted(answer, "video")


@check("video.generate (batch)", "video.generate (url)")
def _(client: VLMRun) -> None:
    accepted = client.video.generate(url=client.files.upload(TALK).public_url, domain="video.transcription", batch=True)
    assert (accepted.status, accepted.response) == ("pending", None)
    is_the_talk(completed(client.predictions.wait(accepted.id, timeout=60, sleep=1)).response)


@check("video.generate (video_segment_duration)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(video_segment_duration=3, video_frames_per_segment=2)
    answer = completed(client.video.generate(file=TALK, domain="video.transcription", config=config))
    assert [segment["start_time"] for segment in answer.response["segments"]] == [0, 3, 6]


@check("video.generate (own schema)")
def _(client: VLMRun) -> None:
    config = GenerationConfig(json_schema=SCHEMA, grounding=True, confidence=True)
    answer = completed(client.video.generate(file=TALK, config=config))
    assert answer.response["moon_phase"] is answer.response["moon_phase_metadata"] is None
    assert "555" in answer.response["phone"]
    meta = answer.response["phone_metadata"]
    assert meta["confidence"] in {"hi", "med", "lo"}
    (span,) = meta["spans"]
    assert abs(span["start_time"] - 2.8) < 0.25, "the second of three slides shows it"
    assert abs(span["end_time"] - 5.6) < 0.25
    assert "555" in span["content"]
    box = meta["bboxes"][0]
    assert all(0 <= number <= 1 for number in box["bbox"]["xywh"])
    assert isinstance(box["page"], int)
    assert span["start_time"] <= box["time"] <= span["end_time"]


@check("video.generate (config.skills)")
def _(client: VLMRun) -> None:
    accepted = client.video.generate(file=TALK, batch=True, config=GenerationConfig(skills=[AgentSkill(skill_name="meeting-notes")]))
    done = completed(client.predictions.wait(accepted.id, timeout=60, sleep=1))
    assert {"attendees", "decisions", "summary"} <= set(done.response)
    assert done.response["attendees"] == [], "somebody was invented"


@check("audio.generate (a domain that sums up)", "video.generate (a domain that sums up)")
def _(client: VLMRun) -> None:
    for answer, element in (
        (client.audio.generate(file=CALL, domain="audio.transcription-summary"), "audio"),
        (client.video.generate(file=TALK, domain="video.summary"), "video"),
    ):
        assert "times" in completed(answer).response["summary"], "without a model a summary is in the recording's own words"
        assert "extractive" in answer.usage.message
        counted(answer, element)


@check("video.execute")
def _(client: VLMRun) -> None:
    is_the_talk(completed(client.video.execute(name="video.transcription", file=TALK)).response)


# -- the wrong medium --------------------------------------------------------------------------------------------------------


@check("a file of another medium is told where to go")
def _(client: VLMRun) -> None:
    refused(lambda: client.audio.generate(file=INVOICE, domain="audio.transcription"), "document")
    refused(lambda: client.video.generate(file=RECEIPT, domain="video.transcription"), "image")
    refused(lambda: client.video.generate(file=CALL, domain="video.transcription"), "audio")
    refused(lambda: client.document.generate(file=CALL, domain="document.invoice"), "audio")
    refused(lambda: client.document.generate(file=TALK, domain="document.invoice"), "video")


@check("a video is taken for its sound by audio.generate")
def _(client: VLMRun) -> None:
    is_the_call(completed(client.audio.generate(file=TALK, domain="audio.transcription")).response)


@check("a damaged recording")
def _(client: VLMRun) -> None:
    broken = SCRATCH / f"broken-{uuid.uuid4()}.mp4"
    broken.write_bytes(TALK.read_bytes()[:64] + os.urandom(4000))
    uploaded = client.files.upload(broken)
    try:
        answer = client.video.generate(file=uploaded.id, domain="video.transcription")
    except APIError as error:  # said at once: a right answer too
        if error.http_status != 422:
            raise
        return
    assert answer.status == "failed"
    assert answer.usage.message
