"""Transcripts as engines give them, made of text."""

from __future__ import annotations

from heliograph.media.recording import Said, Segment, Transcript

WORD = 0.3
"""Seconds that each word takes."""
GAP = 0.05


def transcript(*turns: str | tuple[str, str], pause: float = 0.8, score: float = 0.95, words: bool = True) -> Transcript:
    """A transcript whose segments are `turns`, each a text or a speaker and a text; `pause` seconds between them."""
    time = 0.0
    segments: list[Segment] = []
    for turn in turns:
        speaker, text = turn if isinstance(turn, tuple) else (None, turn)
        start = time
        said: list[Said] = []
        for word in text.split():
            said.append(Said(word, round(time, 3), round(time + WORD, 3), score))
            time += WORD + GAP
        segments.append(Segment(round(start, 3), round(time - GAP, 3), text, said if words else [], speaker))
        time += pause
    duration = max(0.0, time - pause)
    return Transcript(duration, segments, "en" if segments else None, "made up", duration if segments else 0.0)
