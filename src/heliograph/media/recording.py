"""What Heliograph knows of a recording once it has heard and watched it: tracks, a transcript of words with their times, shots and frames.

A recording is a file of sound, or of moving pictures with or without sound. All times are seconds from its beginning, as a player
shows them. These structures cross process borders as MessagePack, are journalled and cached as such, and are plain data: `media`
fills the tracks, `perception` hears and watches, `extraction` only reads.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.media.document import Page
from heliograph.media.geometry import Box

SAMPLE_RATE = 16_000
"""Samples a second of the sound that engines hear: one channel of signed 16-bit numbers, little-endian."""


class AudioTrack(msgspec.Struct, frozen=True):
    """A track of sound. `index`: among the file's streams. `sample_rate` in Hz. `language`: as the file says, ISO 639, if it does."""

    index: int
    codec: str
    sample_rate: int
    channels: int
    language: str | None = None


class VideoTrack(msgspec.Struct, frozen=True):
    """A track of pictures. `width`, `height` in pixels, upright; `fps` on average; `rotation`: degrees clockwise by which its frames
    are turned to be upright (already in the sizes)."""

    index: int
    codec: str
    width: int
    height: int
    fps: float
    rotation: Literal[0, 90, 180, 270] = 0


class Recording(msgspec.Struct):
    """A file of sound or moving pictures, looked at. `duration` in seconds. `media_type` and `kind` by content: a file with a cover picture
    and no other is `audio`. `even`: its time stamps begin only once; in files that were joined of several they do not, and then
    its pictures can only be played through."""

    media_type: str
    kind: Literal["audio", "video"]
    duration: float
    audio: AudioTrack | None = None
    video: VideoTrack | None = None
    warnings: list[str] = []
    even: bool = True


class Piece(msgspec.Struct):
    """A piece of sound. `data`: its samples, or None while the decoder is still on its way there. `damage`: times in seconds, since the
    last piece, of what could not be decoded."""

    data: bytes | None
    damage: list[float] = []


class Said(msgspec.Struct, gc=False):
    """One word that was said. `score`: how sure the engine is, 0-1."""

    text: str
    start: float
    end: float
    score: float = 1.0


class Segment(msgspec.Struct):
    """What was said between two pauses, as one reads it. `words` in order; `speaker`: `A`, `B`, ... when voices were told apart."""

    start: float
    end: float
    text: str
    words: list[Said] = []
    speaker: str | None = None


class Transcript(msgspec.Struct):
    """All that was said. `language`: ISO 639-1. `engine`: who heard it. `speech`: seconds in which somebody speaks; 0 where nobody does."""

    duration: float
    segments: list[Segment] = []
    language: str | None = None
    engine: str = ""
    speech: float = 0.0
    warnings: list[str] = []

    @property
    def text(self) -> str:
        """The segments' texts, one a line."""
        return "\n".join(segment.text for segment in self.segments)


class Shot(msgspec.Struct, gc=False):
    """What one camera shows until the picture changes: from `start` up to `end`, frames `first` to `last`, both included. `best`: the
    time of its sharpest frame; `sharpness` of that frame, comparable within a recording."""

    start: float
    end: float
    first: int
    last: int
    best: float
    sharpness: float = 0.0


class Frame(msgspec.Struct):
    """One frame, read. `page`: what stands on it as on a page, whose index is the frame's place in `Viewing.frames`; `faces`: how many;
    `shot`: index into `Viewing.shots`; `until`: how long what it shows stays on screen."""

    time: float
    page: Page
    shot: int = 0
    faces: int = 0
    until: float = 0.0


class Shown(msgspec.Struct, gc=False):
    """A text that is on screen from `start` to `end`, as its best reading has it. `frame`: index into `Viewing.frames` of the first one
    that shows it, where `box` is; `score`: how surely it was read, 0-1."""

    text: str
    start: float
    end: float
    box: Box
    score: float
    frame: int


class Code(msgspec.Struct, gc=False):
    """A barcode that is on screen from `start` to `end`. `format` as zxing names it; `box` on `Viewing.frames[frame]`."""

    text: str
    format: str
    start: float
    end: float
    box: Box
    frame: int


class Viewing(msgspec.Struct):
    """All that was seen without a model: shots, frames with what can be read on them, without repeats, and when each text and each code is
    on screen."""

    duration: float
    shots: list[Shot] = []
    frames: list[Frame] = []
    texts: list[Shown] = []
    codes: list[Code] = []
    warnings: list[str] = []
