"""Words as they are said, taken apart for rules that write them: a part for each, or for each piece of one with hyphens."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from heliograph.extraction.recordings.numerals import DIGITS, SCALES, TEENS, TENS, digit, ordinal, small

_WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
GROUPS = re.compile(r"\d+(?:-\d+)+")


class Part(msgspec.Struct, frozen=True):
    """A word, or a part of one with a hyphen. `after`: the punctuation that ends it."""

    low: str
    raw: str
    word: int
    before: str
    after: str


Found = tuple[str, int] | None
"""What is written for the parts that begin somewhere, and how many they are."""


def parted(words: Sequence[str]) -> list[Part]:
    """The parts of `words`, in order; numbers with hyphens (`twenty-one`, `A-B-C`) in pieces."""
    made: list[Part] = []
    for index, word in enumerate(words):
        before, core, after = _WORD.match(word).groups()  # pyright: ignore[reportOptionalMemberAccess]  # matches everything
        if word.startswith(("$", "€", "£")) or after.startswith("%"):
            made.append(Part(word.casefold(), word, index, "", ""))
            continue
        pieces = core.split("-") if "-" in core and all(numeral(piece) for piece in core.casefold().split("-")) else [core]
        if GROUPS.fullmatch(core):
            pieces = [core]
        for place, piece in enumerate(pieces):
            made.append(
                Part(
                    piece.casefold().replace("’", "'"),
                    piece,
                    index,
                    before if place == 0 else "",
                    after if place == len(pieces) - 1 else "",
                )
            )
    return made


def numeral(piece: str) -> bool:
    """Whether a piece of a word with hyphens is a number or a spelled letter."""
    known = piece in DIGITS or piece in TEENS or piece in TENS or piece in SCALES or piece in ("hundred", "and", "oh", "o")
    return known or ordinal([piece], 0) is not None or (len(piece) == 1 and piece.isalnum())


def unbroken(parts: Sequence[Part], at: int, *, over: str = "") -> list[str]:
    """The words from `at` up to the first punctuation mark that is none of `over`, which a number cannot go on over."""
    made: list[str] = []
    for part in parts[at : at + 24]:
        made.append(part.low)
        if part.after.strip(over):
            break
    return made


def digits_said(words: Sequence[str], at: int, *, one: bool = False) -> tuple[str, int] | None:
    """Digits one by one, in pairs or as figures: `four one five`, `double o seven`, `five fifty five`, and how many words they are.

    `one`: also a single word of them; never what is one number by itself, such as `forty two`.
    """
    made, start, groups, singles = "", at, 0, 0
    while at < len(words):
        word = words[at]
        if word in ("double", "triple") and at + 1 < len(words) and (low := digit(words[at + 1])) is not None:
            made += str(low) * (2 if word == "double" else 3)
            at, groups, singles = at + 2, groups + 1, singles + 2
        elif (low := digit(word)) is not None:
            if low and at + 1 < len(words) and words[at + 1] == "hundred" and made:
                made, at = made + f"{low}00", at + 2
            elif at + 1 < len(words) and words[at + 1] in ("hundred", *SCALES):
                break
            else:
                made, at, singles = made + str(low), at + 1, singles + 1
            groups += 1
        elif word.isascii() and word.isdigit():
            made, at, groups, singles = made + word, at + 1, groups + 1, singles + 1
        elif GROUPS.fullmatch(word):
            made, at, groups, singles = made + word.replace("-", ""), at + 1, groups + 1, singles + 2
        elif word in ("dash", "hyphen") and made and at + 1 < len(words) and digit(words[at + 1]) is not None:
            made, at = made + "-", at + 1
        else:
            value, count = small(words, at)
            if value < 10 or not count or (at + count < len(words) and words[at + count] in ("hundred", *SCALES)):
                break
            made, at, groups = made + str(value), at + count, groups + 1
    if not made or (groups == 1 and singles < 2 and not one):
        return None
    return made, at - start
