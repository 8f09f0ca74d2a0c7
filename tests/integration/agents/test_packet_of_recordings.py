"""A recording among the files of an execution is read like them, and its values cite seconds."""

from __future__ import annotations

import pytest

from heliograph.agents.memory import Brought
from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

from . import talks
from .packets import card
from .test_packet import Packets

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_recording_in_a_packet_cites_the_seconds_at_which_a_value_is_shown(
    settings: Settings, reader: Reader, models: Models
) -> None:
    packets = Packets(settings, reader, models)
    schema = {"type": "object", "properties": {"order_number": {"type": "string", "description": "Number of the order"}}}
    brought = packets.bring(card(), "card.png", image=True)
    film = len(packets.memory.inputs)
    packets.memory.inputs[film] = Brought(
        content=talks.talk(first="Order number: 47110815"), kind="vid", media_type="video/mp4", filename="talk.mp4"
    )
    outcome = await packets.run({"card": brought, "film": {"$media": film}}, schema=schema)
    assert outcome.value["order_number"] == "47110815", outcome.text
    told = outcome.value["order_number_metadata"]
    assert [(span["file"], span["start_time"] < 1, 4 < span["end_time"] < 6) for span in told["spans"]] == [("talk.mp4", True, True)]
    assert {box["file"] for box in told["bboxes"]} == {"talk.mp4"}
