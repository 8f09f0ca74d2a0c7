"""How far a prediction is: what its steps say, as one number on its row."""

from __future__ import annotations

import time
from contextlib import suppress

from heliograph.errors import Unavailable
from heliograph.extraction.plan import Plan
from heliograph.store import predictions
from heliograph.store.database import Database
from heliograph.store.predictions import Prediction

EVERY = 1.0
"""Seconds between two notes on the row, and before the first: what is done sooner needs none."""
MOST = 0.99
"""Progress of what is not completed yet."""


class Progress:
    """`perception.steps.Progress` of the run that holds `row`."""

    def __init__(self, database: Database, row: Prediction, plan: Plan) -> None:
        self._database, self._row = database, row
        self._shares = shares(plan)
        self._done: dict[str, float] = {}
        self._noted = time.monotonic()

    async def __call__(self, step: str, done: float, total: float) -> None:
        """Note it on the row, if that was not done just now. A database that is away is no reason to stop."""
        reached = min(1.0, done / total) if total > 0 else 1.0
        self._done[step] = max(self._done.get(step, 0.0), reached)
        now = time.monotonic()
        if now - self._noted < EVERY:
            return
        self._noted = now
        with suppress(Unavailable):
            async with self._database.begin() as conn:
                row = self._row
                await predictions.progressed(conn, row.tenant, row.id, row.run or "", progress=self.reached, step=step.capitalize())

    @property
    def reached(self) -> float:
        """All steps together, 0 to 1."""
        return min(MOST, sum(share * self._done.get(step, 0.0) for step, share in self._shares.items()))


def shares(plan: Plan) -> dict[str, float]:
    """How much of the work each step is, as a rule; what is left after the last of them ends with the answer."""
    match plan.kind:
        case "audio":
            return {"listening": 1.0} if plan.mode == "transcribe" else {"listening": 0.9, "answering": 0.1}
        case "video":
            return {"listening": 0.3, "watching": 0.4, "reading": 0.1, "answering": 0.2}
        case _:
            return {"reading": 1.0 if plan.route is None else 0.8}
