"""What a run may use, by tier, and how far it is."""

from __future__ import annotations

import asyncio

from heliograph.agents.outcome import Spent
from heliograph.agents.pricing import credits
from heliograph.agents.readings import Readings
from heliograph.agents.task import Tier
from heliograph.config import Settings
from heliograph.models import contract

SHARE: dict[Tier, float] = {"lite": 0.25, "fast": 0.5, "auto": 1.0, "pro": 2.0}
"""Of the settings `agent_steps`, `agent_tokens`, `agent_credits` and `agent_seconds`, what each tier may use."""
GRACE = 60.0
"""Seconds that are left for the last words once the time is up."""


class Budget:
    """One run's. Begins to count when it is made; what an earlier attempt of the run spent is counted as its journal is read again."""

    def __init__(self, settings: Settings, tier: Tier, *, route: str, readings: Readings) -> None:
        """`route`: the model whose tokens are paid for. `readings`: the pages that are."""
        share = SHARE[tier]
        self.credits = None if settings.agent_credits is None else settings.agent_credits * share
        self._model, self._readings = settings.routes().get(route), readings
        self.steps = max(1, round(settings.agent_steps * share))
        self.tokens = round(settings.agent_tokens * share)
        self.seconds = settings.agent_seconds * share
        self.taken = 0
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._used: list[contract.Spent] = []

    @property
    def deadline(self) -> float:
        """When a turn that is under way is cut off, in the loop's time."""
        return self._began + self.seconds + GRACE

    def count(self, spent: contract.Spent) -> None:
        """A turn of the model's was taken."""
        self.taken += 1
        self._used.append(spent)

    def spent(self, tools: dict[str, int]) -> Spent:
        """What was used so far. `tools`: calls by name."""
        return Spent(
            steps=self.taken,
            input_tokens=sum(each.input for each in self._used),
            cached_tokens=sum(each.cached for each in self._used),
            output_tokens=sum(each.output for each in self._used),
            tools=tools,
        )

    def over(self) -> str | None:
        """Which budget is used up, as a sentence; None while there is some of each."""
        if self.taken >= self.steps:
            return f"it took the {self.steps} steps that it may take (HELIOGRAPH_AGENT_STEPS, by tier)"
        if sum(each.input - each.cached + each.output for each in self._used) >= self.tokens:
            return f"it used the {self.tokens:,} tokens that it may use (HELIOGRAPH_AGENT_TOKENS, by tier)"
        if self.credits is not None and self._cost() >= self.credits:
            return f"it cost the {self.credits:g} credits that it may cost (HELIOGRAPH_AGENT_CREDITS, by tier)"
        if self._clock() - self._began >= self.seconds:
            return f"it ran for the {self.seconds:g} seconds that it may run (HELIOGRAPH_AGENT_SECONDS, by tier)"
        return None

    def _cost(self) -> float:
        told = self.spent({})
        return credits(told.input_tokens, told.output_tokens, self._readings.anew, self._model)
