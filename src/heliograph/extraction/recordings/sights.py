"""What can be said of a stretch of video without a model: its shots, what is written on the screen, faces and barcodes. In plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from heliograph.extraction.recordings.sources import seconds
from heliograph.media.recording import Frame, Recording, Shot, Viewing

Json = Any

MOST_TEXTS: Final = 12
"""Texts that a sentence names; all of them are in `texts`."""
_LONGEST: Final = 120
"""Characters of a text that a sentence names."""


def shots_in(viewing: Viewing, start: float, end: float) -> list[Shot]:
    """The shots that are on screen at some time in `[start, end)`."""
    return [shot for shot in viewing.shots if shot.start < end and shot.end > start]


def frames_in(viewing: Viewing, start: float, end: float) -> list[Frame]:
    """The frames that were read and whose texts are on screen at some time in `[start, end)`."""
    return [frame for frame in viewing.frames if frame.time < end and max(frame.until, frame.time) >= start]


def texts_in(viewing: Viewing, start: float, end: float) -> list[str]:
    """What is written on the screen in `[start, end)`, each text once, in the order of its coming."""
    found = [shown.text.strip() for shown in viewing.texts if shown.start < end and shown.end >= start]
    return list(dict.fromkeys(text for text in found if any(map(str.isalnum, text))))


def told(viewing: Viewing, start: float, end: float) -> str:
    """What was seen in `[start, end)` in plain words; empty where nothing was looked at."""
    return "; ".join(_told(viewing, start, end))


def _told(viewing: Viewing, start: float, end: float) -> Iterator[str]:
    shots = shots_in(viewing, start, end)
    if shots:
        yield "1 shot" if len(shots) == 1 else f"{len(shots)} shots"
    frames = frames_in(viewing, start, end)
    if most := max((frame.faces for frame in frames), default=0):
        yield "1 face" if most == 1 else f"up to {most} faces at a time"
    texts = texts_in(viewing, start, end)
    if texts:
        named = [text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…" for text in texts[:MOST_TEXTS]]
        more = f" and {len(texts) - MOST_TEXTS} more" if len(texts) > MOST_TEXTS else ""
        yield "text on screen: " + ", ".join(f'"{text}"' for text in named) + more
    codes = dict.fromkeys((code.format, code.text) for code in viewing.codes if code.start < end and code.end >= start)
    if codes:
        yield "barcodes: " + ", ".join(f"{form} {text}" for form, text in codes)


def described(recording: Recording, viewing: Viewing | None, *, language: str | None, speech: float) -> str:
    """A recording in a sentence, of what was measured alone."""
    kind = "video" if recording.video is not None else "recording"
    parts = [f"A {kind} of {_lasting(recording.duration)}"]
    if recording.video is not None:
        parts.append(f"{recording.video.width}x{recording.video.height} pixels")
    if viewing is not None and viewing.shots:
        parts.append("one shot" if len(viewing.shots) == 1 else f"{len(viewing.shots)} shots")
    if recording.audio is None:
        parts.append("without sound")
    elif speech > 0:
        parts.append(f"with speech ({language})" if language else "with speech")
    if viewing is not None and (texts := texts_in(viewing, 0.0, recording.duration + 1)):
        parts.append("text on screen" if len(texts) > 1 else f'the text "{texts[0][:_LONGEST]}" on screen')
    return ", ".join(parts) + "."


def _lasting(duration: float) -> str:
    whole = round(duration)
    if whole < 60:
        return f"{duration:.1f} s" if duration < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def shot_list(shots: Sequence[Shot]) -> list[Json]:
    """The shots as a response has them."""
    return [{"start_time": seconds(shot.start), "end_time": seconds(shot.end)} for shot in shots]
