"""A backend that says what comes piece by piece, and then the whole: both ways of asking it follow from that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from heliograph.models.contract import Ask, Delta, Reply, Thinking
from heliograph.models.errors import ModelUnavailable


class Speaking(ABC):
    """`ask` and `stream` of a `Backend`. `who`: the model, as the beginning of a sentence about it."""

    who: str

    async def ask(self, ask: Ask) -> Reply:
        """The whole reply; `broken` with what came when it broke off. Raises `ModelError`s, NotConfigured without a key or model id."""
        async with aclosing(self._answer(ask)) as answer:
            async for said in answer:
                if isinstance(said, Reply):
                    return said
        raise AssertionError("an answer ends with a reply")

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The reply as it is made. Raises as `ask` does, and ModelUnavailable when it breaks off."""
        async with aclosing(self._answer(ask)) as answer:
            async for said in answer:
                if isinstance(said, str):
                    yield Delta(text=said)
                elif isinstance(said, Thinking):
                    yield Delta(thinking=said.text)
                elif said.finish == "broken":
                    raise ModelUnavailable(f"{self.who} broke off its answer.")
                else:
                    yield Delta(reply=said)

    @abstractmethod
    def _answer(self, ask: Ask) -> AsyncGenerator[str | Thinking | Reply]:
        """The pieces of the answer as they come, and last the whole reply."""
