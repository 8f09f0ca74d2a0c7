"""Times of recordings as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """A time as a player shows it, with tenths: `1:02:03.4`."""
    tenths = round(max(seconds, 0.0) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minute = divmod(minutes, 60)
    start = f"{hours}:{minute:02d}" if hours else f"{minute}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"
