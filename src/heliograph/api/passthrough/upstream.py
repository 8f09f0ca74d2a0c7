"""The models that chats are passed straight on to: asked as their settings say, left alone while they fail, others asked in their place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import msgspec

from heliograph.config import EMBEDDED, ModelSettings, Settings
from heliograph.errors import HeliographError, InvalidRequest, NotConfigured, RateLimited, Unavailable
from heliograph.models import egress
from heliograph.models.breaker import Breaker
from heliograph.models.endpoint import Endpoint
from heliograph.models.errors import ModelBusy, ModelDeclined, ModelError, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.habits import Habits
from heliograph.models.listing import only_model

Json = Any
Body = dict[str, Json]
LESSONS = 4
"""Refusals of one request that are learnt from."""

log = logging.getLogger(__name__)


class RefusedByModel(InvalidRequest):
    """The model's server says that the request is wrong."""

    status = 400


class TooLongForModel(RefusedByModel):
    """The request is longer than the model takes."""

    type = "context_length_exceeded"


class FilteredByModel(RefusedByModel):
    """The model's provider will not have this content."""

    type = "content_filter"


class Upstream:
    """One configured route of kind `openai`. Belongs to one event loop."""

    def __init__(self, name: str, model: ModelSettings, settings: Settings) -> None:
        """Raises NotConfigured when it can never be asked."""
        self.name, self.model = name, model
        # how much it takes at a time it knows best itself, unless an operator says so
        limit = model.concurrency if "concurrency" in model.model_fields_set else 0
        self.endpoint = Endpoint(name, model, settings, connections=limit)
        self._habits = Habits()
        self._breaker = Breaker(name)
        self._id = model.model

    async def ask(self, make: Callable[[ModelSettings], Body], deadline: float) -> aiohttp.ClientResponse:
        """Its answer, the content still to come; to be released or closed. `make`: the body for a model of these settings.

        Raises the `ModelError`s of its endpoint, CircuitOpen, and NotConfigured.
        """
        entry = self._breaker.enter()
        known = False
        try:
            answer = await self._asked(make(self.model), deadline)
            known = True
            self._breaker.succeeded()
            return answer
        except ModelError as error:
            known = True
            if isinstance(error, ModelUnavailable) and not isinstance(error, ModelBusy):
                self._breaker.failed(entry, retry_after=error.retry_after)
            else:
                self._breaker.succeeded()  # it is there, if only to refuse
            raise
        finally:
            if not known:
                self._breaker.abandoned(entry)

    async def close(self) -> None:
        """Close its connections."""
        await self.endpoint.close()

    async def _asked(self, body: Body, deadline: float) -> aiohttp.ClientResponse:
        if self._id is None:
            self._id = await only_model(self.endpoint)
        body = self._habits.suit(body | {"model": self._id} | self.model.options)
        lessons = 0
        while True:
            try:
                return await self.endpoint.open("chat/completions", msgspec.json.encode(body), deadline=deadline)
            except ModelError as error:
                better = self._habits.learn(error, body) if lessons < LESSONS else None
                if better is None:
                    raise
                body, lessons = better, lessons + 1


class Upstreams:
    """The routes that chats can be passed on to, by name; each is made when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._configured = settings.routes()
        self._made: dict[str, Upstream] = {}

    def has(self, route: str | None) -> bool:
        """Whether the model of this route is asked from here, and not by a worker."""
        return route is not None and route in self._configured and self._configured[route].kind == "openai"

    async def ask(self, route: str, make: Callable[[ModelSettings], Body]) -> tuple[Upstream, aiohttp.ClientResponse]:
        """The answer of the route's model, or of the first one behind it that answers while it is out of service.

        Raises what the caller is told: RateLimited, Unavailable, RefusedByModel, ModelRefused (the operator's to mend), NotConfigured.
        """
        loop = asyncio.get_running_loop()
        try:
            first = self._upstream(route)
            try:
                return first, await first.ask(make, loop.time() + first.model.timeout)
            except ModelUnavailable as error:
                trouble = error
            said = [trouble.message]
            async for other in self._behind(route, said):
                try:
                    answer = await other.ask(make, loop.time() + other.model.timeout)
                except HeliographError as error:
                    said.append(error.message)
                else:
                    log.info("model route %s falls back to %s", route, other.name)
                    return other, answer
            raise type(trouble)(" ".join(said), retry_after=trouble.retry_after)
        except ModelError as error:
            raise told(error) from error

    async def close(self) -> None:
        """Close all connections."""
        async with AsyncExitStack() as stack:  # each, whatever happens to the others
            for upstream in self._made.values():
                stack.push_async_callback(upstream.close)
            self._made = {}

    def _upstream(self, route: str) -> Upstream:
        if route not in self._made:
            self._made[route] = Upstream(route, self._configured[route], self._settings)
        return self._made[route]

    async def _behind(self, route: str, said: list[str]) -> AsyncGenerator[Upstream]:
        """The routes behind this one that may be asked; why the others may not is `said`."""
        before = [self._configured[route]]
        passed = {route}
        while (name := before[-1].fallback) is not None and name not in passed:
            if name == EMBEDDED:
                said.append("The embedded engine does not chat.")
                return
            model = self._configured[name]
            if model.kind != "openai":
                said.append(f"The route {name!r} is not asked from here.")
            elif any([not earlier.fallback_to_cloud and await egress.crosses(earlier, model) for earlier in before]):
                said.append(f"The route {name!r} is outside your network and was not asked (models.<route>.fallback_to_cloud).")
            else:
                try:
                    yield self._upstream(name)
                except NotConfigured as error:
                    said.append(error.message)
            passed.add(name)
            before.append(model)


def told(error: ModelError) -> HeliographError:
    """What the caller is told of a model's failure. What only an operator can mend (key, address, quota) stays 422, which no client
    retries and none takes for a fault in its own key."""
    match error:
        case ModelBusy():
            return RateLimited(error.message, retry_after=error.retry_after or 1)
        case ModelUnavailable():
            return Unavailable(error.message, retry_after=error.retry_after)
        case ModelLimit():
            return TooLongForModel(error.message, param="messages")
        case ModelDeclined():
            return FilteredByModel(error.message)
        case ModelRefused() if error.answered in (400, 422):
            return RefusedByModel(error.message)
        case _:
            return error
