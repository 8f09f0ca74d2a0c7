"""Text without what differs between two writings of the same thing: case, accents, ligatures, spaces, hyphens, punctuation.

Unicode's compatibility forms are resolved (NFKC: ligatures, full-width letters, superscripts), then case and combining marks go, then
everything that is neither letter nor digit. Digits of any script are those of ASCII.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_KEPT = frozenset("LN")
"""Unicode's general categories that count: letters and numbers."""


def fold(text: str) -> str:
    """`text` folded: `Ｒéf. ﬁ-12` is `reffi12`. Empty for text without letters and digits."""
    return folded(text)[0]


@lru_cache(maxsize=65536)
def folded(text: str) -> tuple[str, tuple[int, ...] | None]:
    """`text` folded, and for each character of that the index in `text` it came from; None where these are the same."""
    if text.isascii() and text.isalnum():
        return text.lower(), None
    made: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        letters = _letters(character)
        made.append(letters)
        origins += [index] * len(letters)
    return "".join(made), tuple(origins)


@lru_cache(maxsize=16384)
def _letters(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    made: list[str] = []
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold()):
        if unicodedata.category(part)[0] in _KEPT:
            digit = unicodedata.digit(part, None)
            made.append(part if digit is None else str(digit))
    return "".join(made)


def unspaced(character: str) -> bool:
    """Whether a character belongs to a script that sets no spaces between words: Han, kana, Thai, Lao, Khmer, Burmese."""
    code = ord(character)
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xAC00 <= code <= 0xD7FF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
        or 0x0E00 <= code <= 0x0EFF
        or 0x1000 <= code <= 0x109F
        or 0x1100 <= code <= 0x11FF
        or 0x1780 <= code <= 0x17FF
    )
