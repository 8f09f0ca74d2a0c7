"""Frames of a recording as pictures for a model."""

from __future__ import annotations

from pathlib import Path

from heliograph.extraction.recordings.senses import Plays
from heliograph.extraction.recordings.sources import Sources
from heliograph.media.recording import Recording
from heliograph.models.contract import Picture


class FramePictures:
    """The `Pictures` of the pages of `sources` that are frames."""

    def __init__(self, player: Plays, path: Path, recording: Recording, sources: Sources) -> None:
        self._player, self._path, self._recording, self._sources = player, path, recording, sources

    async def picture(self, page: int, longest_side: int) -> Picture:
        """The frame that the page with this index shows. Raises MediaErrors."""
        frame = self._sources.frame_of(page)
        if frame is None:
            raise ValueError(f"page {page} was heard, not seen")
        return await frame_picture(self._player, self._path, self._recording, frame.time, longest_side)


async def frame_picture(player: Plays, path: Path, recording: Recording, time: float, longest_side: int) -> Picture:
    """The frame shown at `time`, as JPEG."""
    drawn = await player.jpeg(path, recording, time, longest_side)
    return Picture(drawn.data, drawn.width, drawn.height)
