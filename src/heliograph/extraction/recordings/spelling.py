"""What is spelled: `B as in bravo`, `S O five five`, `alpha bravo seven`, `A-B-C`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from heliograph.extraction.recordings.numerals import digit
from heliograph.extraction.recordings.parts import Found, Part, digits_said, numeral

_NATO_WORDS = """
alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa quebec romeo sierra
tango uniform victor whiskey whisky yankee zulu
"""
_NATO: Final = frozenset(_NATO_WORDS.split()) | {"xray", "x-ray"}
_LIKE: Final = (("as", "in"), ("like",), ("for",), ("is", "for"), ("like", "in"))
_LONG = 6
"""Letters from which on capitals are a word, and no beginning of a number such as `INV`."""


def letters_of(parts: Sequence[Part], at: int) -> Found:
    """What is spelled: `B as in bravo`, `S O five five`, `alpha bravo seven`, `A-B-C`; two letters at least, or one and two figures."""
    made, index, letters, sure = "", at, 0, False
    if len(parts[at].low) == 1 and (low := digit(parts[at].low)) is not None and _plate(parts, at + 1):
        made, index = str(low), at + 1  # `7 K L M`
    while index < len(parts):
        low, raw = parts[index].low, parts[index].raw
        if len(low) == 1 and low.isalpha():
            named = _as_in(parts, index)
            sure |= named > 0 or (raw.isupper() and letters > 0)
            made, letters = made + low.upper(), letters + 1
            index += 1 + named
        elif low in _NATO and (letters == 0 or made[-1:].isalnum()) and _nato(parts, index, begun=letters > 0):
            made, letters, sure = made + low[0].upper(), letters + 1, True
            index += 1
        elif letters == 0 and 1 < len(raw) < _LONG and raw.isalpha() and raw.isupper() and _spells_on(parts, index + 1):
            made, letters = made + raw, len(raw)
            index += 1
        elif letters and low in ("dash", "hyphen") and _spells_on(parts, index + 1):
            made += "-"
            index += 1
        elif letters and (found := digits_said([part.low for part in parts[index : index + 24]], 0, one=True)) is not None:
            made += found[0]
            sure |= found[1] > 1 or letters > 1 or (len(found[0]) > 1 and parts[index - 1].raw.isupper() and made not in ("A", "I"))
            index += found[1]
        else:
            break
        if parts[index - 1].after.strip(",-.") or (parts[index - 1].after and not _spells_on(parts, index)):
            break
    made = made.rstrip("-")
    figures = sum(char.isdigit() for char in made)
    if letters == 0 or len(made.replace("-", "")) < 2 or (letters < 2 and figures < 2) or not (sure or letters > 2):
        return None
    if made[0] in "AI" and letters == 1 and parts[at].raw in ("a", "I"):
        return None
    return made, index - at


def _plate(parts: Sequence[Part], at: int) -> bool:
    """Whether two capital letters, one by one, stand at `at`."""
    return at + 1 < len(parts) and all(len(part.raw) == 1 and part.raw.isupper() and not part.before for part in parts[at : at + 2])


def _spells_on(parts: Sequence[Part], at: int) -> bool:
    """Whether what stands at `at` is spelled too."""
    low = parts[at].low if at < len(parts) else ""
    return len(low) == 1 or low.isdigit() or numeral(low) or low in _NATO or low in ("dash", "hyphen", "double", "triple")


def _as_in(parts: Sequence[Part], at: int) -> int:
    """How many words after a letter only say which it is."""
    for like in _LIKE:
        end = at + 1 + len(like)
        if end < len(parts) and tuple(part.low for part in parts[at + 1 : end]) == like and parts[end].low[:1] == parts[at].low:
            return len(like) + 1
    return 0


def _nato(parts: Sequence[Part], at: int, *, begun: bool) -> bool:
    """Whether a word of the radio alphabet is a letter here: beside another, or a figure behind two letters."""
    after = parts[at + 1].low if at + 1 < len(parts) else ""
    return begun or after in _NATO
