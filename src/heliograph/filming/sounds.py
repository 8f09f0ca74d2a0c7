"""Sound alone, as MP3. Runs in the child."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av

from heliograph.errors import InvalidRequest
from heliograph.filming.orders import Bounds, Cut, Filmed, Timeline
from heliograph.filming.rendering import Progress, Sounding, opened

STEP = 5.0
"""Seconds written before it is noted how far it is."""


def heard(cuts: list[Cut], target: Path, bounds: Bounds) -> Filmed:
    """Write the sound of the cuts, one after the other, to `target`, an MP3. Raises MediaErrors, InvalidRequest where there is none."""
    with ExitStack() as closing:
        parts = opened(cuts, closing)
        if not any(part.footage.audio is not None for part in parts):
            raise InvalidRequest("The recording has no sound to take out of it.")
        progress = Progress(target, bounds)
        container: Any = closing.enter_context(av.open(str(target), "w", format="mp3"))
        sound = Sounding(Timeline(cuts=cuts), parts, container, "libmp3lame")
        lasts = parts[-1].at + parts[-1].lasts
        done = 0.0
        while done < lasts:
            done = min(lasts, done + STEP)
            sound.upto(done)
            progress.reached(done)
        sound.upto(lasts, last=True)
        container.close()
        return Filmed(seconds=lasts, bytes=progress.check(), sound=True)
