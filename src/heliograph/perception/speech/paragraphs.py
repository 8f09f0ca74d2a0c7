"""Words become segments that one can read: sentences that belong together, up to half a minute, between pauses."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.media.recording import Said, Segment

LONGEST = 30.0
"""Seconds of a segment."""
BREAK = 1.2
"""Seconds of silence after which a new segment begins, also in a sentence."""
BREATH = 0.6
"""Seconds of silence after a sentence from which a new segment begins, once one is as long as `ENOUGH`."""
ENOUGH = 8.0
ENDS = ".!?…。！？؟।"
CLOSING = "\"'”’»)]」』"
BETWEEN = ",;:，、；："


def segments(words: Sequence[Said], speakers: Sequence[str | None] | None = None) -> list[Segment]:
    """`words` in order, each text with the space before it if it has one; `speakers`: of each word. A segment has one speaker."""
    made: list[Segment] = []
    speakers = speakers or [None] * len(words)
    begin = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or speakers[at] != speakers[at - 1] or _parts(words, begin, at):
            made += _of_length(words[begin:at], speakers[begin])
            begin = at
    return made


def _parts(words: Sequence[Said], begin: int, at: int) -> bool:
    """Does a new segment begin with the word `at`, for its pause?"""
    pause = words[at].start - words[at - 1].end
    if pause >= BREAK:
        return True
    return ends_sentence(words[at - 1].text) and pause >= BREATH and words[at - 1].end - words[begin].start >= ENOUGH


def ends_sentence(text: str) -> bool:
    """Does a sentence end with this word?"""
    return text.strip().rstrip(CLOSING).endswith(tuple(ENDS))


def _of_length(words: Sequence[Said], speaker: str | None) -> list[Segment]:
    """One segment, or as many as the longest one asks for: split between sentences, else at a comma, else at the longest pause."""
    if not words:
        return []
    if words[-1].end - words[0].start <= LONGEST or len(words) == 1:
        return [_segment(words, speaker)]
    fitting = [at for at in range(1, len(words)) if words[at - 1].end - words[0].start <= LONGEST] or [1]
    middle = (words[0].start + min(words[-1].end, words[0].start + LONGEST)) / 2

    def worth(at: int) -> tuple[int, float]:
        last = words[at - 1].text.strip()
        kind = 2 if ends_sentence(last) else 1 if last.endswith(tuple(BETWEEN)) else 0
        return (kind if words[at - 1].end >= words[0].start + ENOUGH else -1), words[at].start - words[at - 1].end

    at = max(fitting, key=lambda at: (*worth(at), -abs(words[at].start - middle)))
    return [_segment(words[:at], speaker), *_of_length(words[at:], speaker)]


def _segment(words: Sequence[Said], speaker: str | None) -> Segment:
    text = "".join(word.text for word in words).strip()
    said = [Said(word.text.strip(), word.start, word.end, word.score) for word in words]
    return Segment(words[0].start, max(word.end for word in words), text, said, speaker)
