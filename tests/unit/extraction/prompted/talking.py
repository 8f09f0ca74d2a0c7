"""A model for tests, in this process: what it answers is a function of what it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from heliograph.models.contract import Ask, Delta, Picture, Profile, Reply, Text

Answerer = Callable[[Ask], Any]


class Talking:
    """A `Backend`. `answer` gives a JSON value, a `Reply`, or an exception to raise."""

    name = "talking"

    def __init__(self, answer: Answerer, *, delay: float = 0.0, **profile: Any) -> None:
        self.answer, self.delay = answer, delay
        self.asked: list[Ask] = []
        self.cancelled = 0
        self._profile = msgspec.structs.replace(Profile(json_modes=("json_schema",), model="talker"), **profile)

    async def profile(self) -> Profile:
        return self._profile

    async def ask(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        try:
            await asyncio.sleep(self.delay)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        made = self.answer(ask)
        if isinstance(made, BaseException):
            raise made
        return made if isinstance(made, Reply) else Reply(text=json.dumps(made), mode="json_schema", route=self.name, model="talker")

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        reply = await self.ask(ask)
        yield Delta(text=reply.text, reply=reply)

    async def close(self) -> None: ...


def said(ask: Ask) -> str:
    """The text of everything in a request."""
    return "\n".join(part.text for message in ask.messages for part in message.parts if isinstance(part, Text))


def seen(ask: Ask) -> int:
    """How many pictures a request has."""
    return sum(isinstance(part, Picture) for message in ask.messages for part in message.parts)


class Drawn:
    """`Pictures` of nothing. `asked`: pages and sides that were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    async def picture(self, page: int, longest_side: int) -> Picture:
        self.asked.append((page, longest_side))
        return Picture(b"jpeg", longest_side, longest_side)


class Remembered:
    """`Steps` in a dictionary."""

    def __init__(self) -> None:
        self.steps: dict[str, bytes] = {}

    async def known(self, step: str) -> bytes | None:
        return self.steps.get(step)

    async def keep(self, step: str, content: bytes) -> None:
        self.steps[step] = content
