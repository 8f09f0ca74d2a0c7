"""The skills that every server has from its first start: read-only, public, each a folder beside this file.

They are published under the reserved tenant `heliograph`. The date in a version is that of the content's first creation, so for these
it is written down here: on every installation the same release has the same versions.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

FIRST_MADE: dict[str, date] = {
    "invoice-extraction": date(2026, 11, 21),
    "receipt-extraction": date(2026, 11, 21),
    "patient-referral": date(2026, 11, 21),
    "multi-form-classification": date(2026, 11, 21),
    "meeting-notes": date(2026, 11, 22),
    "call-summary": date(2026, 11, 22),
}
"""Each skill, and the day on which its present content was made: who changes a file of one changes its day too."""


def every() -> list[dict[str, bytes]]:
    """The files of each skill, by their path below its folder, in the order of `FIRST_MADE`."""
    return [files(name) for name in FIRST_MADE]


def files(name: str) -> dict[str, bytes]:
    """The files of the skill called `name`. Raises KeyError where there is none."""
    root = folder(name)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def folder(name: str) -> Path:
    """Where the skill called `name` lies. Raises KeyError where there is none."""
    if name not in FIRST_MADE:
        raise KeyError(name)
    return Path(__file__).with_name(name)


def first_made(name: str) -> datetime:
    """When the present content of a skill was made, as its version says: midnight UTC of that day. Raises KeyError."""
    day = FIRST_MADE[name]
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
