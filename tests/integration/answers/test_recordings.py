"""Recordings answered with the real engines: speech that is heard, slides that are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliograph.extraction.answer import answer
from heliograph.extraction.plan import Skill, resolve
from heliograph.perception.reader import Reader
from heliograph.skills import preinstalled
from tests.integration.agents.talks import SPOKEN, talk
from tests.unit.recordings.films import hold, slide, write

pytestmark = pytest.mark.asyncio(loop_scope="package")

INVOICE = {
    "type": "object",
    "properties": {
        "invoice_number": {"type": ["string", "null"]},
        "total": {"type": ["number", "null"]},
        "phone": {"type": ["string", "null"]},
    },
}


async def test_what_is_summed_up_was_said_at_that_time(reader: Reader) -> None:
    got = await answer(reader, [SPOKEN], resolve("audio", "generate", "audio.transcription-summary", {"grounding": True}))
    (span,) = got.response["summary_metadata"]["spans"]
    assert "fail better" in got.response["summary"].casefold()
    assert span["content"] == got.response["summary"]
    assert 0 <= span["start_time"] < 2
    assert 8 < span["end_time"] < 9.97
    assert got.response["action_items"] in (None, [])


async def test_values_on_a_slide_have_a_box_a_frame_and_its_time(reader: Reader, tmp_path: Path) -> None:
    blank, full = slide(["Accounts"], size=(640, 360)), slide(["Invoice number: 1047", "Total: $42.50"], size=(640, 360), letters=30)
    film = write(tmp_path / "slides.mp4", [*hold(blank, 50), *hold(full, 75)], fps=25)
    got = await answer(reader, [film], resolve("video", "generate", None, {"json_schema": INVOICE, "grounding": True}))
    assert (got.response["invoice_number"], got.response["total"], got.response["phone"]) == ("1047", 42.5, None)
    (box,) = got.response["total_metadata"]["bboxes"]
    assert 2.0 <= box["time"] < 5.0
    x, y, _, _ = box["bbox"]["xywh"]
    assert x < 0.6
    assert 0.1 < y < 0.5
    (span,) = got.response["total_metadata"]["spans"]
    assert span["start_time"] == pytest.approx(2.0, abs=0.08), "when the slide comes, not when it was read"
    assert span["end_time"] > box["time"]
    assert "no_audio" in (got.message or "")


async def test_the_skill_for_meetings_takes_a_video(reader: Reader, tmp_path: Path) -> None:
    film = tmp_path / "talk.mp4"
    film.write_bytes(talk())
    folder = Path(preinstalled.__file__).parent / "meeting-notes"
    skill = Skill(name="meeting-notes", prompt="Take notes.", schema=json.loads((folder / "schema.json").read_text()))
    plan = resolve("video", "generate", None, {"skills": [{"skill_name": "meeting-notes"}]}, skills=lambda _: skill)
    got = await answer(reader, [film], plan)
    assert {"title", "attendees", "decisions", "action_items", "summary"} <= got.response.keys()
    assert got.response["summary"] is None
    assert got.transcript is not None
    assert "fail better" in got.transcript.text.casefold()
