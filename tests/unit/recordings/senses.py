"""A reader that has heard and seen what a test says, for answers about recordings without engines."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from heliograph.media.content import PagePicture
from heliograph.media.document import Line, Page, Word
from heliograph.media.geometry import Box
from heliograph.media.recording import AudioTrack, Frame, Recording, Shot, Shown, Transcript, VideoTrack, Viewing
from heliograph.perception.reader import Reader
from heliograph.perception.scenes.watcher import EVERYTHING, Seen, Watching
from heliograph.perception.speech.hearing import Hearing
from heliograph.perception.speech.listener import OnHeard
from heliograph.perception.steps import Steps

SOUND = AudioTrack(0, "aac", 48_000, 2)
PICTURES = VideoTrack(1, "h264", 640, 360, 25.0)


class Senses:
    """Plays, hears and watches: what it is given. `heard`, `watched`, `shown` say what it was asked for."""

    def __init__(self, transcript: Transcript | None = None, viewing: Viewing | None = None, duration: float | None = None) -> None:
        self.transcribed, self.viewed = transcript, viewing
        lasting = max(transcript.duration if transcript else 0.0, viewing.duration if viewing else 0.0)
        self.duration = duration if duration is not None else lasting
        self.heard: list[Hearing] = []
        self.watched: list[Watching] = []
        self.shown: list[float] = []
        self.clips: list[tuple[float, float]] = []
        self.player = self.listener = self.watcher = self

    @property
    def reader(self) -> Reader:
        """Itself, as what answers are asked with."""
        return cast("Reader", self)

    async def inspect(self, path: Path) -> Recording:
        kind = "video" if self.viewed is not None else "audio"
        return Recording(
            f"{kind}/mp4",
            kind,
            self.duration,
            SOUND if self.transcribed is not None else None,
            PICTURES if self.viewed is not None else None,
        )

    async def jpeg(self, path: Path, recording: Recording, time: float, longest_side: int) -> PagePicture:
        self.shown.append(time)
        return PagePicture(64, 36, b"a picture")

    async def clip(
        self, path: Path, recording: Recording, start: float, end: float, longest_side: int | None = None, sound: bool = True
    ) -> bytes:
        self.clips.append((start, end))
        return b"a clip"

    async def transcript(
        self, path: Path, recording: Recording, hearing: Hearing, *, steps: Steps | None = None, heard: OnHeard | None = None
    ) -> Transcript:
        self.heard.append(hearing)
        if heard:
            await heard(recording.duration)
        return self.transcribed or Transcript(self.duration, warnings=["no_audio: the recording has no sound"])

    async def viewing(
        self, path: Path, recording: Recording, watching: Watching = EVERYTHING, *, steps: Steps | None = None, seen: Seen | None = None
    ) -> Viewing:
        self.watched.append(watching)
        if seen:
            await seen(recording.duration)
        return self.viewed or Viewing(self.duration)


def viewing(duration: float, *shown: tuple[float, float, str], shots: int = 1, faces: int = 0) -> Viewing:
    """A viewing of equal `shots`, with a frame for each text that is `shown` from one time to another; its lines stand under each other."""
    length = duration / shots
    made = Viewing(duration, [Shot(n * length, (n + 1) * length, 0, 0, (n + 0.5) * length) for n in range(shots)])
    for start, end, text in shown:
        index = len(made.frames)
        page = Page(index, 792, 446, source="ocr")
        for row, said in enumerate(text.splitlines()):
            x, numbers = 0.1, list[int]()
            for word in said.split():
                numbers.append(len(page.words))
                page.words.append(Word(word, Box(x, 0.1 + 0.1 * row, 0.01 * len(word), 0.05, index), 0.97, row))
                x += 0.01 * (len(word) + 1)
            box = Box(0.1, 0.1 + 0.1 * row, x - 0.1, 0.05, index)
            page.lines.append(Line(said, box, numbers))
            made.texts.append(Shown(said, start, end, box, 0.97, index))
        made.frames.append(Frame(start, page, int(min(start // length, shots - 1)), faces, end))
    return made
