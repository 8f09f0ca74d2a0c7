"""Where two parts overlap, the words of both become one text: none lost, none twice."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

from heliograph.media.recording import Said

SAME_TIME = 1.0
"""Seconds by which the times of one word may differ between two parts."""


def joined(before: Sequence[Said], after: Sequence[Said], seam: float, reach: float) -> tuple[list[Said], list[Said]]:
    """What stays of the words of two parts that overlap by `reach` seconds to either side of `seam`; all times in one measure.

    Words that both have heard alike and at about the same time show where one text goes over into the other: the crossing is at the one
    nearest to the seam, from the part that holds more around it. Where they have heard nothing alike, words go by their middles.
    """
    tail = [n for n, word in enumerate(before) if word.end > seam - reach]
    head = [n for n, word in enumerate(after) if word.start < seam + reach]
    ours, theirs = [plain(before[n].text) for n in tail], [plain(after[n].text) for n in head]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    pairs = [
        (tail[block.a + n], head[block.b + n])
        for block in matcher.get_matching_blocks()
        for n in range(block.size)
        if ours[block.a + n] and abs(before[tail[block.a + n]].start - after[head[block.b + n]].start) <= SAME_TIME
    ]
    if pairs:
        last, first = min(pairs, key=lambda pair: abs(_middle(before[pair[0]]) - seam))
        return list(before[: last + 1]), list(after[first + 1 :])
    left = [word for word in before if _middle(word) < seam]
    right = [word for word in after if _middle(word) >= seam]
    return left, right


def plain(text: str) -> str:
    """A word without what engines write differently: case, and all but letters and digits."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def _middle(word: Said) -> float:
    return (word.start + word.end) / 2


def ordered(words: Sequence[Said]) -> list[Said]:
    """The words with times that never go back, as players and subtitles need them."""
    made: list[Said] = []
    at = 0.0
    for word in words:
        start = max(word.start, at)
        made.append(Said(word.text, start, max(word.end, start), word.score))
        at = start
    return made
