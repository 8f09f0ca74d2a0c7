"""Requests that were made before: under the same id, under the same `Idempotency-Key`, or by a caller that still waits for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.api.auth import Caller
from heliograph.api.server import Server
from heliograph.errors import Conflict
from heliograph.store import idempotency, predictions
from heliograph.store.predictions import Prediction


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How a request can stand for an earlier one. `digest`: what two equal requests share; `named`: whether the client chose the `id`;
    `waits`: whether the call waits for the result."""

    id: str
    digest: str
    named: bool
    waits: bool
    key: str | None = None

    @property
    def possible(self) -> bool:
        """Whether an equal request may have been made before that this one stands for."""
        return self.named or self.key is not None or self.waits

    async def find(self, server: Server, conn: AsyncConnection, caller: Caller) -> Prediction | None:
        """The row that this request stands for already. Raises Conflict where id or key were used for another request."""
        if self.key is not None:
            used = await idempotency.recall(conn, caller.tenant, self.key, since=_forgotten_before(server))
            if used is not None:
                return await self._same(conn, caller, prediction=used.prediction, used_for=used.digest, what="Idempotency-Key")
        if self.named:
            row = await predictions.get(conn, caller.tenant, self.id)
            return None if row is None else await self._same(conn, caller, prediction=row.id, used_for=row.digest, what="id")
        if self.waits and self.key is None:
            return await predictions.unfinished_like(conn, caller.tenant, self.digest, key_id=caller.key_id)
        return None

    async def find_alone(self, server: Server, conn: AsyncConnection, caller: Caller) -> Prediction | None:
        """As `find`, where equal requests at the same time take their turn until the transaction ends, so that the second finds the
        first."""
        if not self.possible:
            return None
        await predictions.lock(conn, caller.tenant, self.key or (self.id if self.named else self.digest))
        return await self.find(server, conn, caller)

    async def remember(self, server: Server, conn: AsyncConnection, caller: Caller, prediction: str) -> None:
        """Note what the key was used for, in the transaction that makes it."""
        if self.key is not None:
            await idempotency.remember(
                conn, caller.tenant, self.key, digest=self.digest, prediction=prediction, forgotten_before=_forgotten_before(server)
            )

    async def _same(self, conn: AsyncConnection, caller: Caller, *, prediction: str, used_for: str, what: str) -> Prediction:
        if used_for != self.digest:
            raise Conflict(f"This {what} was used for another request.", param=what)
        row = await predictions.get(conn, caller.tenant, prediction)
        if row is None:
            raise Conflict(f"This {what} was used for a prediction that has been deleted.", param=what)
        return row


def _forgotten_before(server: Server) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=server.settings.idempotency_ttl)
