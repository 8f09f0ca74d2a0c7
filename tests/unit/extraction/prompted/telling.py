"""A model that says what a test wants, and pages drawn on white."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from PIL import Image

from heliograph.models.contract import Ask, Delta, Picture, Profile, Reply, Text
from heliograph.models.errors import ModelError

SIGHTED = Profile(vision=True, json_modes=("json_schema",), coordinates="0-1000", max_pictures=4, longest_side=1000, model="told")
Answer = Callable[[Ask], Any]


class Telling:
    """A backend. `answer` gives the JSON value of a reply, a `Reply`, or an error to raise."""

    name = "house"

    def __init__(self, answer: Answer | Any, profile: Profile = SIGHTED) -> None:
        self._answer, self._profile = answer, profile
        self.asked: list[Ask] = []

    async def profile(self) -> Profile:
        return self._profile

    async def ask(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        said = self._answer(ask) if callable(self._answer) else self._answer
        if isinstance(said, ModelError):
            raise said
        return said if isinstance(said, Reply) else Reply(text=json.dumps(said), route=self.name, model="told")

    def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        raise NotImplementedError

    async def close(self) -> None: ...


class Drawn:
    """Pages of one grey each, by their index, `width` x `height` at most."""

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


class Journal:
    """Keeps steps in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def known(self, step: str) -> bytes | None:
        return self.kept.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        self.kept[step] = content


def words(ask: Ask) -> str:
    """All text of a request."""
    return "\n".join(part.text for message in ask.messages for part in message.parts if isinstance(part, Text))


def shown(ask: Ask) -> list[Picture]:
    """All pictures of a request."""
    return [part for message in ask.messages for part in message.parts if isinstance(part, Picture)]
