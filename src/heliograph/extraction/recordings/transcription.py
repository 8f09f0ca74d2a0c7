"""`audio.transcription` and `video.transcription`: what was said, and beside it what was shown, in segments with their times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from heliograph.extraction.recordings.sights import described, shot_list, texts_in, told
from heliograph.extraction.recordings.sources import seconds
from heliograph.extraction.recordings.speech import timed, within
from heliograph.media.recording import Recording, Said, Segment, Transcript, Viewing

Json = Any

SLACK: Final = 0.2
"""Of a segment's length, how far its end may be moved to a pause."""


class Stretch(msgspec.Struct, frozen=True):
    """A segment of a video, from `start` up to `end`, and what is said in it."""

    start: float
    end: float
    said: str = ""


def audio_transcription(recording: Recording, transcript: Transcript) -> Json:
    """The response of `audio.transcription`. Segments are those of the transcript: readable, between pauses."""
    return {"metadata": sound_metadata(recording, transcript), "segments": spoken_segments(transcript)}


def sound_metadata(recording: Recording, transcript: Transcript) -> Json:
    """What is known of all of it."""
    return {"duration": seconds(recording.duration), "language": transcript.language, "speech_duration": seconds(transcript.speech)}


def spoken_segments(transcript: Transcript, *, words: bool = True) -> list[Json]:
    """What was said between pauses, with the times of `words` where the engine gave them."""
    made: list[Json] = []
    for segment in transcript.segments:
        one: Json = {"start_time": seconds(segment.start), "end_time": seconds(segment.end), "content": segment.text}
        if segment.speaker is not None:
            one["speaker"] = segment.speaker
        if words:
            one["words"] = [_word(word) for word in segment.words]
        made.append(one)
    return made


def _word(word: Said) -> Json:
    times = {"start_time": seconds(word.start), "end_time": seconds(word.end)}
    return {"content": word.text.strip(), **times, "confidence": round(word.score, 2)}


def stretches(recording: Recording, transcript: Transcript | None, length: float, *, aligned: bool) -> list[Stretch]:
    """A video in segments of `length` seconds, the last one shorter. `aligned`: each ends at a pause, or between two sentences, near there.

    Every word that was said is in exactly one of them.
    """
    ends = [min(recording.duration, length * number) for number in range(1, max(1, math.ceil(recording.duration / length - 1e-6)) + 1)]
    words = [word for segment in transcript.segments for word in timed(segment)] if transcript is not None else []
    if aligned and words and transcript is not None:
        ends = _aligned(ends, transcript.segments, words, length)
    starts = [0.0, *ends[:-1]]
    made: list[Stretch] = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        last = number == len(ends) - 1
        said = within(words, start if number else -math.inf, math.inf if last else end)
        made.append(Stretch(start, end, " ".join(word.text for word in said)))
    return made


def _aligned(ends: Sequence[float], segments: Sequence[Segment], words: Sequence[Said], length: float) -> list[float]:
    """`ends`, each moved to the middle of the pause nearest to it: between paragraphs if one is near, else between words."""
    reach = SLACK * length
    long = [(a.end + b.start) / 2 for a, b in pairwise(segments)]
    short = [(a.end + b.start) / 2 for a, b in pairwise(words)]
    made: list[float] = []
    for end in ends[:-1]:
        moved = end
        for pauses in (long, short):
            near = [pause for pause in pauses if abs(pause - end) <= reach]
            if near:
                moved = min(near, key=lambda pause: abs(pause - end))
                break
        if moved > (made[-1] if made else 0.0):
            made.append(moved)
    return [*made, ends[-1]]


def video_transcription(
    recording: Recording,
    transcript: Transcript | None,
    viewing: Viewing,
    segments: Sequence[Stretch],
    *,
    topics: Sequence[str],
    shown: Sequence[str | None] = (),
    description: str | None = None,
) -> Json:
    """The response of `video.transcription`. `shown`: for each of `segments` what a model says that it shows; where there is none, what can
    be told without one. `description`: a model's, of all of it."""
    language, speech = (transcript.language, transcript.speech) if transcript is not None else (None, 0.0)
    return {
        "metadata": {
            "description": description or described(recording, viewing, language=language, speech=speech),
            "topics": list(topics),
            "duration": seconds(recording.duration),
            "language": language,
        },
        "segments": video_segments(viewing, segments, shown),
        "shots": shot_list(viewing.shots),
    }


def video_segments(viewing: Viewing, segments: Sequence[Stretch], shown: Sequence[str | None] = ()) -> list[Json]:
    """Segments with what is said and what is seen in them; `shown`: as `video_transcription` takes it."""
    made: list[Json] = []
    for number, one in enumerate(segments):
        caption = shown[number] if number < len(shown) else None
        video: Json = {"content": caption or told(viewing, one.start, one.end)}
        if texts := texts_in(viewing, one.start, one.end):
            video["texts"] = texts
        made.append({"start_time": seconds(one.start), "end_time": seconds(one.end), "audio": {"content": one.said}, "video": video})
    return made
