"""Where words are said or shown in a recording: in another inflection, or heard with a letter wrong, they are found too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from rapidfuzz.fuzz import ratio

from heliograph.agents.pagesearch import folded
from heliograph.agents.planner.words import stem
from heliograph.media.recording import Said, Segment, Shown, Transcript

NEAR = 84.0
"""Likeness, of 100, from which two long words are taken for one heard wrongly: one letter in six."""
LONG = 5
"""Letters from which words may differ at all."""
AROUND = 8
"""Words before and behind that are shown with one that was found."""
TOGETHER = 12.0
"""Seconds within which all the words must be said where they are not said one after the other."""
_WORD = re.compile(r"\w+(?:['’]\w+)*", re.UNICODE)
_SMALL = frozenset(
    ("a", "an", "the", "of", "in", "on", "to", "for", "and", "or", "is", "are", "was", "were", "be", "do", "does", "did", "i", "you", "we",
     "they", "he", "she", "it", "my", "our", "your", "about")
)  # fmt: skip


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a recording where something is said or shown, from `start` to `end` in seconds.

    `text`: as it was heard or read; `context`: with what stands around it. `score`: 1 for the very words, less for like ones.
    """

    start: float
    end: float
    text: str
    context: str
    how: Literal["said", "shown"]
    score: float
    speaker: str | None = None


def said(transcript: Transcript, query: str) -> list[Spoken]:
    """Where the words of `query` are said: one after the other; where they are not, those places where all are said within some seconds."""
    wanted = _tokens(query)
    heard = [(word, segment) for segment in transcript.segments for word in _words(segment)]
    if not wanted or not heard:
        return []
    tokens = [_token(word.text) for word, _ in heard]
    found = [_spoken(heard, first, last + 1, score) for first, last, score in _in_order(tokens, wanted)]
    if not found and len(wanted) > 1:
        found = [_spoken(heard, first, last + 1, 0.6 * score) for first, last, score in _near(heard, tokens, wanted)]
    return found


def shown(texts: Iterable[Shown], query: str) -> list[Spoken]:
    """Where the words of `query` stand on the screen, one after the other."""
    wanted = _tokens(query)
    found: list[Spoken] = []
    for text in texts:
        scores = [score for _, _, score in _in_order([_token(word) for word in _WORD.findall(text.text)], wanted)] if wanted else []
        if scores:
            found.append(
                Spoken(start=text.start, end=text.end, text=text.text, context=text.text, how="shown", score=round(max(scores), 2))
            )
    return found


def _tokens(query: str) -> list[str]:
    """The words looked for; without small ones where others are left."""
    words = [_token(word) for word in _WORD.findall(query)]
    return [word for word in words if word not in _SMALL] or words


def _token(word: str) -> str:
    return "".join(letter for letter in folded(word) if letter.isalnum())


def _alike(heard: str, wanted: str) -> float:
    """How surely one word is the other, 0-1."""
    if heard == wanted:
        return 1.0
    if stem(heard) == stem(wanted):
        return 0.95
    if min(len(heard), len(wanted)) >= LONG and (likeness := ratio(heard, wanted)) >= NEAR:
        return likeness / 100 * 0.9
    return 0.0


def _in_order(tokens: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """From where to where the wanted words follow each other, small words between them left out of account, with how surely."""
    places = [(place, token) for place, token in enumerate(tokens) if token not in _SMALL or token in wanted]
    for first in range(len(places) - len(wanted) + 1):
        scores = [_alike(places[first + number][1], word) for number, word in enumerate(wanted)]
        last = places[first + len(wanted) - 1][0]
        if min(scores) > 0 and last - places[first][0] < 2 * len(wanted):
            yield places[first][0], last, sum(scores) / len(scores)


def _near(heard: Sequence[tuple[Said, Segment]], tokens: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """The shortest stretches in which all the wanted words are said."""
    latest: dict[str, tuple[int, float]] = {}
    stretches: list[tuple[float, int, int, float]] = []
    for place, token in enumerate(tokens):
        alike = {word: score for word in wanted if (score := _alike(token, word)) > 0}
        latest |= {word: (place, score) for word, score in alike.items()}
        if alike and len(latest) == len(set(wanted)):
            first = min(at for at, _ in latest.values())
            lasts = heard[place][0].end - heard[first][0].start
            if lasts <= TOGETHER:
                stretches.append((lasts, first, place, sum(score for _, score in latest.values()) / len(latest)))
    kept: list[tuple[int, int, float]] = []
    for _, first, last, score in sorted(stretches):
        if all(last < other or first > end for other, end, _ in kept):
            kept.append((first, last, score))
    yield from sorted(kept)


def _spoken(heard: Sequence[tuple[Said, Segment]], first: int, last: int, score: float) -> Spoken:
    words = [word for word, _ in heard[first:last]]
    around = [word.text.strip() for word, _ in heard[max(0, first - AROUND) : last + AROUND]]
    return Spoken(
        start=round(words[0].start, 2),
        end=round(words[-1].end, 2),
        text=" ".join(word.text.strip() for word in words),
        context=" ".join(around),
        how="said",
        score=round(score, 2),
        speaker=heard[first][1].speaker,
    )


def _words(segment: Segment) -> list[Said]:
    """The words of a segment; where it has none with times, they are taken to be spread evenly."""
    if segment.words:
        return segment.words
    words = segment.text.split()
    step = (segment.end - segment.start) / max(1, len(words))
    return [Said(word, segment.start + step * place, segment.start + step * (place + 1)) for place, word in enumerate(words)]
