"""What is forgotten, and when.

- Work with `allow_retention: false`: `unretained_ttl` after it was completed, or five minutes after it was delivered, whichever is
  first: its row, its journal, its inputs, and the files that nothing else uses.
- Predictions, files, read pages and idempotency keys when their own time has come, where the settings give them one.
- Uploads that never came, and blobs whose row is gone because a process died between the two.

Rows go first, in transactions of their own; blobs after them. A collector that is killed half way leaves only blobs
without rows, which the next one finds.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import msgspec
from sqlalchemy import text

log = logging.getLogger(__name__)

AFTER_DELIVERY = timedelta(minutes=5)
"""How long unretained work can still be asked for after it was delivered."""
GRACE = timedelta(hours=1)
"""The age below which a blob without a row is not an orphan: its row may not be committed yet."""
BATCH = 100

_LOCK = 0x48454C4B  # "HELK"
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:lock)")
_UNLOCK = text("SELECT pg_advisory_unlock(:lock)")


class Collected(msgspec.Struct):
    """How much went: rows of predictions, files and idempotency keys, and blobs of pages and orphans."""

    predictions: int = 0
    files: int = 0
    idempotency: int = 0
    pages: int = 0
    orphans: int = 0

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))
