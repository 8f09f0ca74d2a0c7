"""May this request come in: room on the disk, the key's rate, the tenant's budget."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.api.auth import Caller
from heliograph.config import Settings
from heliograph.errors import BudgetExceeded, RateLimited, Unavailable
from heliograph.store import credits, tenants
from heliograph.store.database import Database

DISK_TTL = 1.0
"""Seconds that one look at the disk holds for."""


class Admission:
    """The limits of one server. Counts stand in the database, so all replicas count together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._low: tuple[bool, float] = (False, 0.0)

    def check_disk(self) -> None:
        """Raise Unavailable when there is less room than `min_free_disk`."""
        low, until = self._low
        if time.monotonic() >= until:
            folder = self._settings.data_dir.absolute()
            # with a database and a store elsewhere nobody may have made the folder
            place = next(place for place in (folder, *folder.parents) if place.exists())
            free = shutil.disk_usage(place).free
            low = free < self._settings.min_free_disk
            self._low = low, time.monotonic() + DISK_TTL
        if low:
            raise Unavailable("The server is low on disk space and takes no new work; try again later.", retry_after=60)

    async def count(self, database: Database, caller: Caller) -> None:
        """Count one request of the caller's key. Raises RateLimited when this minute's are used up; a refused one counts too."""
        limit = self._settings.rate_limit
        if not limit:
            return
        now = time.time()
        async with database.begin() as conn:
            used = await tenants.count_request(conn, caller.key_id, minute=int(now // 60))
        if used > limit:
            wait = 60 - int(now % 60)
            raise RateLimited(f"This key may make {limit} requests a minute; try again in {wait} s.", retry_after=wait)

    async def check_budget(self, conn: AsyncConnection, caller: Caller) -> None:
        """Raise BudgetExceeded when the tenant has used this month's credits."""
        budget = self._settings.credit_budget
        if budget is None:
            return
        used = await credits.used(conn, caller.tenant, at=datetime.now(UTC))
        if used >= budget:
            raise BudgetExceeded(f"{used} of {budget} credits are used this month; HELIOGRAPH_CREDIT_BUDGET sets the budget.")
