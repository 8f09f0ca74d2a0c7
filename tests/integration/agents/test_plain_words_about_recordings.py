"""The embedded planner with the real tools, on a film with speech and slides."""

from __future__ import annotations

from functools import cache

import pytest

from heliograph.agents.memory import Brought
from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents import talks
from tests.integration.agents.plain_words import Asked
from tests.integration.agents.plain_words_about_recordings import PART, PHOTO, REQUESTS, TALK, UNSEEN, VOICE
from tests.integration.agents.test_plain_words import answered

pytestmark = pytest.mark.asyncio(loop_scope="package")


@cache
def brought() -> dict[str, Brought]:
    film = Brought(content=talks.talk(), kind="vid", media_type="video/mp4", filename=TALK)
    return {
        TALK: film,
        PART: Brought(content=talks.short(), kind="vid", media_type="video/mp4", filename=PART),
        VOICE: Brought(content=talks.speech(), kind="aud", media_type="audio/wav", filename=VOICE),
        PHOTO: Brought(content=talks.photo(), kind="img", media_type="image/jpeg", filename=PHOTO),
    }


@pytest.mark.parametrize("asked", [*REQUESTS, *UNSEEN], ids=lambda asked: f"{asked.words[:50]} {len(asked.files)}")
async def test_a_request_about_a_recording_is_answered_rightly(
    asked: Asked, settings: Settings, reader: Reader, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, called, memory = await answered(asked, brought(), settings, reader, models, monkeypatch)
    assert outcome.value["result"] in asked.right, outcome.text
    for words in asked.says:
        assert words.lower() in outcome.text.lower(), outcome.text
    made = [ref for ref in memory.artifacts.values() if ref[0].source != "manifest"]
    assert made or outcome.value["result"] != "artifact"
    for name, arguments in asked.calls:
        assert any(name == other and arguments.items() <= given.items() for other, given in called), called
