"""A route with others behind it, asked in their order while those before them are out of service."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

import msgspec

from heliograph.config import ModelSettings
from heliograph.errors import HeliographError
from heliograph.models import egress
from heliograph.models.contract import Ask, Backend, Clip, Delta, Picture, Profile, Reply
from heliograph.models.errors import ModelUnavailable
from heliograph.models.metrics import ModelMetrics

log = logging.getLogger(__name__)


class Link(msgspec.Struct, frozen=True):
    """A route of a chain. `backend` makes it when it is needed first; it may raise NotConfigured."""

    name: str
    model: ModelSettings
    backend: Callable[[], Backend]


class Chain:
    """A `Backend` that asks its first link, and the next ones when that is unavailable: its circuit open, its tries spent.

    What the first refuses is refused. A link is passed over when documents would leave the network although a route before it does not
    allow that, or when it cannot do what is asked: see pictures, call tools, go on from the beginning of an answer. The request was made
    for the first link's profile, except that each holds the answer to JSON in its own way.
    """

    def __init__(self, first: Backend, model: ModelSettings, others: list[Link], *, metrics: ModelMetrics | None = None) -> None:
        self.name = first.name
        self._first, self._model, self._others = first, model, others
        self._metrics = metrics or ModelMetrics()

    async def profile(self) -> Profile:
        """The first link's; while that cannot tell, that of the first one which can."""
        try:
            return await self._first.profile()
        except ModelUnavailable as error:
            trouble = _Trouble(error)
        async for _, profile in self._reachable(trouble):
            return profile
        raise trouble.error()

    async def ask(self, ask: Ask) -> Reply:
        """The reply of the first link that gives one. When none does, raises what the first one raised."""
        try:
            return await self._first.ask(ask)
        except ModelUnavailable as error:
            trouble = _Trouble(error)
        async for backend, fitted in self._able(ask, trouble):
            try:
                reply = await backend.ask(fitted)
            except HeliographError as error:
                trouble.add(error.message)
            else:
                self._metrics.fell_back(self.name, backend.name)
                return reply
        raise trouble.error()

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """As `ask`; after the first piece no other link is asked."""
        begun = False
        try:
            async for delta in _deltas(self._first, ask):
                begun = begun or bool(delta.text or delta.reply)
                yield delta
            return
        except ModelUnavailable as error:
            if begun:
                raise
            trouble = _Trouble(error)
        async for backend, fitted in self._able(ask, trouble):
            try:
                async for delta in _deltas(backend, fitted):
                    if not begun and (delta.text or delta.reply):
                        begun = True
                        self._metrics.fell_back(self.name, backend.name)
                    yield delta
                return
            except HeliographError as error:
                if begun:
                    raise
                trouble.add(error.message)
        raise trouble.error()

    async def close(self) -> None:
        """Nothing: its links are closed by who made them."""

    async def _able(self, ask: Ask, trouble: _Trouble) -> AsyncIterator[tuple[Backend, Ask]]:
        """The further links that can do what is asked, each with the request as it takes it."""
        async for backend, profile in self._reachable(trouble):
            if not profile.vision and any(isinstance(part, Picture) for message in ask.messages for part in message.parts):
                trouble.add(f"The route {backend.name!r} sees no pictures.")
            elif not profile.video and any(isinstance(part, Clip) for message in ask.messages for part in message.parts):
                trouble.add(f"The route {backend.name!r} takes no video.")
            elif ask.tools and not profile.tools:
                trouble.add(f"The route {backend.name!r} calls no tools.")
            elif ask.prefill is not None and not profile.prefill:
                trouble.add(f"The route {backend.name!r} cannot go on from the beginning of an answer.")
            else:
                log.info("model route %s falls back to %s", self.name, backend.name)
                mode = ask.mode if ask.mode in profile.json_modes else None
                yield backend, msgspec.structs.replace(ask, mode=mode)

    async def _reachable(self, trouble: _Trouble) -> AsyncIterator[tuple[Backend, Profile]]:
        """The further links that may be asked and say what they can do."""
        before = [self._model]
        for link in self._others:
            try:
                if (why := await _leak(before, link)) is not None:
                    trouble.add(why)
                    continue
                backend = link.backend()
                profile = await backend.profile()
            except HeliographError as error:
                trouble.add(error.message)
                continue
            finally:
                before.append(link.model)
            yield backend, profile


class _Trouble:
    """What the first link raised, and why no other one helped."""

    def __init__(self, first: ModelUnavailable) -> None:
        self._first = first
        self._others: list[str] = []

    def add(self, why: str) -> None:
        self._others.append(why)

    def error(self) -> ModelUnavailable:
        return type(self._first)(" ".join([self._first.message, *self._others]), retry_after=self._first.retry_after)


async def _leak(before: list[ModelSettings], link: Link) -> str | None:
    """Why documents may not go to a link, which a route before it that stays local does not allow."""
    for earlier in before:
        if not earlier.fallback_to_cloud and await egress.crosses(earlier, link.model):
            return f"The route {link.name!r} is outside your network and was not asked (models.<route>.fallback_to_cloud)."
    return None


async def _deltas(backend: Backend, ask: Ask) -> AsyncGenerator[Delta]:
    async with aclosing(cast("AsyncGenerator[Delta]", backend.stream(ask))) as deltas:
        async for delta in deltas:
            yield delta
