"""A listener of scripts: each minute of a recording has two words of its own, and is a step of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.media.recording import AudioTrack, Recording, Said, Segment, Transcript

if TYPE_CHECKING:
    from .working import Script

ENGINE = "scripted"


def said(minute: int) -> list[Said]:
    """The words of a minute."""
    start = minute * 60.0
    return [Said(f"begin{minute}", start + 1, start + 2, 0.9), Said(f"end{minute}", start + 58, start + 59, 0.9)]


class Hearing:
    """A `Player` and a `Listener` of scripts. `log`: where each minute that is really heard is noted."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.engine = SimpleNamespace(name=ENGINE)

    async def inspect(self, path: Path) -> Recording:
        return Recording("audio/wav", "audio", script_of(path).minutes * 60.0, AudioTrack(0, "pcm_s16le", 16_000, 1))

    def language(self, hearing: Any) -> str | None:
        return hearing.language

    async def transcript(self, path: Path, recording: Recording, hearing: Any, *, steps: Any = None, heard: Any = None) -> Transcript:
        script = script_of(path)
        made = Transcript(recording.duration, language=hearing.language or "en", engine=ENGINE)
        for minute in range(script.minutes):
            step = f"speech:{ENGINE}:{minute * 60_000}"
            known = await steps.known(step)
            if known is None:
                await asyncio.sleep(script.delay)
                with self.log.open("a") as log:
                    log.write(f"{path.name}:{minute}\n")
                known = msgspec.json.encode(said(minute))
                await steps.keep(step, known)
            words = msgspec.json.decode(known, type=list[Said])
            made.segments.append(Segment(words[0].start, words[-1].end, " ".join(word.text for word in words), words))
            await heard((minute + 1) * 60.0)
        made.speech = recording.duration
        return made


def script_of(path: Path) -> Script:
    """The script that a file is, or that follows a real recording in it, which an API takes for what it looks like."""
    from .working import Script

    return msgspec.json.decode(path.read_bytes().rpartition(b"\n")[2], type=Script)
