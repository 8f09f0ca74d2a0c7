"""Slips of the text reader that the document's own manners show: letters in legal forms, a decimal point that was lost.

Only what is read from pixels is mended, letter for letter, so that spans of the text keep their words and boxes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from heliograph.extraction.vocabulary import plain, vocabulary

CONFUSED = frozenset(
    frozenset(pair) for pair in ("od", "o0", "d0", "oc", "oq", "hb", "hn", "li", "l1", "i1", "lt", "s5", "b8", "ce", "mn", "uv", "g6", "a4")
)
"""Letters and digits that readers take for each other."""
_SHORT = 3
"""Letters of a legal form that is mended only beside another one: `SON BHD`."""
_LOST = re.compile(r"\d{1,5} \d{2}")
_MARKED = re.compile(r"(?<![\d.,])\d{1,5}(?:[.,]\d{3})*([.,])\d{2}(?![\d.,])")


@cache
def _forms() -> dict[int, list[str]]:
    made: dict[int, list[str]] = {}
    for form in vocabulary().legal:
        if form.isalpha() and len(form) >= _SHORT:
            made.setdefault(len(form), []).append(form)
    return made


def names(words: Sequence[str]) -> list[str]:
    """A run's words with the letters of legal forms put right: `SON BHD` is `SDN BHD`, `GmhH` is `GmbH`."""
    if not any(_slip(word) for word in words):
        return list(words)
    made = list(words)
    for at in range(1, len(words)):
        core = words[at].strip("().,")
        form = _slip(words[at])
        if not form:
            continue
        beside = [plain(words[other].strip("().,")) for other in (at - 1, at + 1) if 0 < other < len(words)]
        ends = at + 1 == len(words) or words[at + 1].startswith("(")
        if any(other in vocabulary().legal for other in beside) or (len(form) > _SHORT and ends):
            right = "".join(
                letter if plain(letter) == meant else meant.upper() if letter.isupper() or core.isupper() or letter.isdigit() else meant
                for letter, meant in zip(core, form, strict=True)
            )
            made[at] = words[at].replace(core, right, 1)
    return made


@lru_cache(maxsize=16384)
def _slip(word: str) -> str:
    """The legal form that a word is with one letter misread; nothing for other words."""
    core = plain(word.strip("().,"))
    if core in vocabulary().legal or len(core) != len(word.strip("().,")):
        return ""
    for form in _forms().get(len(core), ()):
        wrong = [frozenset((a, b)) for a, b in zip(core, form, strict=True) if a != b]
        if len(wrong) == 1 and wrong[0] in CONFUSED:
            return form
    return ""


def decimal_mark(texts: Sequence[str]) -> str:
    """The mark before the cents of most amounts, or nothing where there are few."""
    marks = [found[1] for text in texts for found in _MARKED.finditer(text)]
    mark = max((".", ","), key=marks.count)
    return mark if marks.count(mark) >= 3 else ""


def lost_point(text: str) -> bool:
    """Whether a run may be an amount that lost its decimal mark: `16 85`."""
    return _LOST.fullmatch(text) is not None
