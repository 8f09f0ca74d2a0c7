"""How many requests a model gets at a time: as many as are allowed while it keeps up, half as many when it says that it is too much.

Additive increase, multiplicative decrease (Chiu and Jain, 1989): each answer raises the limit by one part of itself, an overload halves it,
once for all requests that were under way. A Retry-After holds back everyone, not only the request that was told.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from heliograph.models.errors import ModelBusy


class Pace:
    """The slots of one model. Belongs to one event loop; those who wait are served in their order."""

    def __init__(self, name: str, most: int, *, patience: float) -> None:
        """`patience`: seconds of rest that are waited for; a model that asks for more is not waited for at all."""
        self.most = most
        self.limit = float(most)
        self.running = 0
        self._name, self._patience = name, patience
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._not_before = -math.inf
        self._slowed = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[float]:
        """Wait for a slot and hold it; gives the moment at which it was had, in the loop's time.

        Raises ModelBusy when the model asked to be left alone for too long.
        """
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()
            raise
        try:
            yield loop.time()
        finally:
            self._leave()

    def kept_up(self) -> None:
        """A request was answered."""
        self.limit = min(float(self.most), self.limit + 1.0 / max(self.limit, 1.0))

    def too_much(self, began: float, retry_after: float | None) -> None:
        """A request that got its slot at `began` was turned away, to come again after so many seconds."""
        now = asyncio.get_running_loop().time()
        if began >= self._slowed:
            self.limit, self._slowed = max(1.0, self.limit / 2), now
        if retry_after is not None:
            self._not_before = max(self._not_before, now + retry_after)
            self._serve()

    def allow(self, most: int) -> None:
        """Change how many are allowed at most, as when the model's own slots become known."""
        if most != self.most:
            self.limit = float(most) if self.limit >= self.most else min(self.limit, float(most))
            self.most = most

    def _leave(self) -> None:
        self.running -= 1
        self._serve()

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self.running < int(self.limit):
            wait = self._not_before - loop.time()
            if 0 < wait <= self._patience:
                if self._timer is None:
                    self._timer = loop.call_later(wait, self._rested)
                return
            turn = self._waiting.popleft()
            if turn.done():
                continue
            if wait > 0:
                rest = math.ceil(wait)
                turn.set_exception(ModelBusy(f"The model route {self._name!r} asked to be left alone for {rest} s.", retry_after=rest))
            else:
                self.running += 1
                turn.set_result(None)

    def _rested(self) -> None:
        self._timer = None
        self._serve()
