"""Times of recordings as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """A time as a player shows it, with tenths: `1:02:03.4`."""
    tenths = round(max(seconds, 0.0) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minute = divmod(minutes, 60)
    start = f"{hours}:{minute:02d}" if hours else f"{minute}"
    return f"{start}:{rest // 10:02d}.{rest % 10}"


def to_the_second(seconds: float) -> str:
    """A time as a player shows it, without what is less than a second: `1:05`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
