"""Which kind of request a file is for: by what it holds, as what it is asked for may have it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph.cli.question import Kind

if TYPE_CHECKING:
    from heliograph.media.recording import Recording
    from heliograph.perception.player import Player


async def kind_of(path: Path, domain: str | None, player: Player) -> tuple[Kind, Recording | None]:
    """The kind, and the recording where the file is one. A video whose `domain` is about sound is taken for its sound.

    Raises a MediaError for a file that is damaged, empty or locked.
    """
    from heliograph.media.sniff import sniff_file

    if (await asyncio.to_thread(sniff_file, path)).demuxer is None:
        return "document", None
    recording = await player.inspect(path)
    asked = (domain or "").partition(".")[0]
    return "audio" if asked == "audio" else "video" if asked == "video" else recording.kind, recording
