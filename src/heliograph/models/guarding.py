"""A backend kept from harm, and its server too: tries again what may go better, at its pace, and not at all while its circuit is open."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import cast

from heliograph.config import ModelSettings
from heliograph.models.breaker import Breaker, Entry
from heliograph.models.contract import Ask, Backend, Delta, Profile, Reply
from heliograph.models.errors import CircuitOpen, ModelBusy, ModelError, ModelUnavailable
from heliograph.models.metrics import ModelMetrics
from heliograph.models.pacing import Pace

log = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 20.0
"""Seconds between tries: a random part of the first, doubled with each try, up to the longest ("full jitter", Brooker, AWS, 2015)."""

GRACE = 2.0


class Guard:
    """A `Backend` around another one. One for all calls of a process to that model."""

    def __init__(self, backend: Backend, model: ModelSettings, *, metrics: ModelMetrics | None = None) -> None:
        """A request under way waits for an open circuit only when the route has no fallback, which answers sooner."""
        self.name = backend.name
        self._backend, self._model = backend, model
        self._metrics = metrics or ModelMetrics()
        self._breaker = Breaker(backend.name)
        self._pace = Pace(backend.name, model.concurrency, patience=model.timeout)

    async def profile(self) -> Profile:
        """The backend's. How much it takes at a time is known from then on."""
        profile = await self._backend.profile()
        self._pace.allow(min(profile.concurrency, self._model.concurrency))
        return profile

    async def ask(self, ask: Ask) -> Reply:
        """The reply, after as many tries as may help within the route's `timeout`. Raises as the backend does, and CircuitOpen."""
        tries = _Tries(self._model)
        while True:
            try:
                async with self._try(tries) as call, asyncio.timeout_at(tries.end):
                    call.reply = await self._backend.ask(ask)
                return call.reply
            except ModelUnavailable as error:
                await self._wait(tries, error)

    async def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """As `ask`; nothing is tried again after the first piece."""
        tries = _Tries(self._model)
        begun = False
        while True:
            try:
                async with self._try(tries) as call, aclosing(cast("AsyncGenerator[Delta]", self._backend.stream(ask))) as deltas:
                    async for delta in deltas:
                        begun = begun or bool(delta.text or delta.reply)
                        call.reply = delta.reply
                        yield delta
                return
            except ModelUnavailable as error:
                if begun:
                    raise
                await self._wait(tries, error)

    async def close(self) -> None:
        """Close the backend."""
        await self._backend.close()

    @asynccontextmanager
    async def _try(self, tries: _Tries) -> AsyncGenerator[_Call]:
        """A slot at the model, if its circuit lets anyone through; what comes of it is noted."""
        tries.made += 1
        self._breaker.check()
        async with self._pace.slot() as began:
            with self._noted(began, self._breaker.enter()) as call:
                tries.begin(began)
                try:
                    yield call
                except TimeoutError:
                    raise ModelUnavailable(
                        f"The model route {self.name!r} did not answer within {self._model.timeout:g} seconds, in {tries.made} tries."
                    ) from None

    @contextmanager
    def _noted(self, began: float, entry: Entry) -> Generator[_Call]:
        """Tell breaker, pace and metrics how a call went."""
        call = _Call()
        known = False
        error: ModelError | None = None
        try:
            yield call
            known = call.reply is not None
        except ModelError as raised:
            known, error = True, raised
            raise
        finally:
            seconds = asyncio.get_running_loop().time() - began
            if not known:
                self._breaker.abandoned(entry)
            elif isinstance(error, ModelBusy):
                self._breaker.succeeded()  # it is there, and says so
                self._pace.too_much(began, error.retry_after)
            elif isinstance(error, ModelUnavailable) or (call.reply is not None and call.reply.finish == "broken"):
                self._breaker.failed(entry, retry_after=error.retry_after if error is not None else None)
            else:
                self._breaker.succeeded()
                self._pace.kept_up()
            if call.reply is not None:
                price = self._model.price_input, self._model.price_output
                self._metrics.answered(self.name, call.reply, seconds, price=price)
            else:
                self._metrics.failed(self.name, error, seconds)
            self._metrics.stands(self.name, self._breaker.state, self._pace.limit)

    async def _wait(self, tries: _Tries, error: ModelUnavailable) -> None:
        """Wait before the next try; raises `error` when there is to be none."""
        delay = random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries.made - 1)))  # noqa: S311
        if error.retry_after is not None:
            delay = error.retry_after + min(delay, 1.0)
        late = tries.deadline is not None and asyncio.get_running_loop().time() + delay >= tries.deadline
        hopeless = isinstance(error, CircuitOpen) and (tries.deadline is None or self._model.fallback is not None)
        if tries.made >= self._model.attempts or late or hopeless or delay > self._model.timeout:
            raise error
        log.info("model route %s is tried again in %.1f s: %s", self.name, delay, error.message)
        self._metrics.retried(self.name)
        await asyncio.sleep(delay)


class _Call:
    """One try; `reply` when it gave one."""

    reply: Reply | None = None


class _Tries:
    """The tries of one request. `deadline`: in the loop's time, from when the model was asked first; waiting for a slot costs nothing."""

    def __init__(self, model: ModelSettings) -> None:
        self.made = 0
        self.deadline: float | None = None
        self._seconds = model.timeout

    def begin(self, now: float) -> None:
        if self.deadline is None:
            self.deadline = now + self._seconds

    @property
    def end(self) -> float | None:
        """When a try is cut off. Backends keep the time themselves, and what came until then; this is for those that do not."""
        return None if self.deadline is None else self.deadline + GRACE
