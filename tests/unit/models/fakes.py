"""A backend that does what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from heliograph.config import ModelSettings
from heliograph.models.contract import Ask, Delta, Profile, Reply, Spent, Text, user

QUESTION = Ask(messages=[user(Text("?"))])


class Fake:
    """Each call takes the next of `script`: an error to raise, a reply, or something to await for one; the last one stays."""

    def __init__(
        self, *script: Exception | Reply | Callable[[], Awaitable[Reply]], name: str = "fake", profile: Profile | None = None
    ) -> None:
        self.name = name
        self.script = list(script) or [said("yes")]
        self.asked: list[Ask] = []
        self.running = 0
        self.most = 0
        self.closed = False
        self._profile = profile or Profile(concurrency=64)

    async def profile(self) -> Profile:
        return self._profile

    async def ask(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if isinstance(step, Exception):
                raise step
            return step if isinstance(step, Reply) else await step()
        finally:
            self.running -= 1

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        reply = await self.ask(ask)
        for letter in reply.text:
            yield Delta(text=letter)
        yield Delta(reply=reply)

    async def close(self) -> None:
        self.closed = True


def said(text: str, **more: Any) -> Reply:
    return Reply(text=text, spent=Spent(10, 4, 2), **more)


def settings(**more: Any) -> ModelSettings:
    return ModelSettings(url="http://127.0.0.1:1/v1", **more)
