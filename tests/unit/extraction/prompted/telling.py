"""A model that sees, and pages of one grey each that it can be shown."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from PIL import Image

from heliograph.models.contract import Ask, Picture, Profile
from tests.unit.extraction.prompted.talking import Talking

SIGHTED = Profile(vision=True, json_modes=("json_schema",), coordinates="0-1000", max_pictures=4, longest_side=1000, model="told")


class Telling(Talking):
    """A `Talking` that may also be given what it always says."""

    name = "house"

    def __init__(self, answer: Any, profile: Profile = SIGHTED) -> None:
        super().__init__(answer if callable(answer) else lambda _: answer, **msgspec.structs.asdict(profile))


class Drawn:
    """`Pictures` of pages, `width` x `height` at most. `sides`: the longest sides that were asked for."""

    def __init__(self, width: int = 800, height: int = 400) -> None:
        self.size = width, height
        self.sides: list[int] = []

    async def picture(self, page: int, longest_side: int) -> Picture:
        self.sides.append(longest_side)
        scale = min(1.0, longest_side / max(self.size))
        width, height = (round(side * scale) for side in self.size)
        written = io.BytesIO()
        Image.new("RGB", (width, height), (page * 20,) * 3).save(written, "JPEG")
        return Picture(written.getvalue(), width, height)


def shown(ask: Ask) -> list[Picture]:
    """All pictures of a request."""
    return [part for message in ask.messages for part in message.parts if isinstance(part, Picture)]
