"""How alike a text as read and the true one are. `rapidfuzz` counts edits (Levenshtein, 1966).

Sources: character and word error rate as in Rice, Jenkins and Nartker, *The Fourth Annual Test of OCR Accuracy* (UNLV ISRI, 1995);
word F1 over bags of words as ICDAR 2019 SROIE task 2 counts them; keyword recall as getomni-ai/zerox tests pages.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein


class Share(NamedTuple):
    """Counts that add up over documents: what was `right` of what was `got` and of what was `want`ed."""

    right: float = 0
    got: float = 0
    want: float = 0

    def plus(self, other: Share) -> Share:
        """Both together."""
        return Share(self.right + other.right, self.got + other.got, self.want + other.want)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 when nothing was wanted and nothing got."""
        return 2 * self.right / (self.got + self.want) if self.got + self.want else 1.0

    @property
    def recall(self) -> float:
        """Share of what was wanted; 1 when nothing was."""
        return self.right / self.want if self.want else 1.0


def plain(text: str) -> str:
    """NFKC with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def letters(text: str) -> str:
    """Letters and digits only, NFKC, case folded."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def blank_tokens(text: str) -> list[str]:
    """What stands between blanks, NFKC, case folded; marks count and belong to their word."""
    return plain(text).casefold().split()


def letter_tokens(text: str) -> list[str]:
    """Longest runs of letters and digits, NFKC, case folded; other marks do not count."""
    return re.findall(r"[^\W_]+", plain(text).casefold())


def bags(want: Iterable[Hashable], got: Iterable[Hashable]) -> Share:
    """Two bags of things, each thing as often as it occurs."""
    a, b = Counter(want), Counter(got)
    return Share((a & b).total(), b.total(), a.total())


def character_errors(want: str, got: str) -> tuple[int, int]:
    """Edits from `got` to `want` and the length of `want`, after `plain`. CER is the first sum over the second; it may exceed 1."""
    want, got = plain(want), plain(got)
    return Levenshtein.distance(want, got), len(want)


def word_errors(want: str, got: str) -> tuple[int, int]:
    """As `character_errors`, of words between blanks, case counting. WER is the first sum over the second."""
    a, b = plain(want).split(), plain(got).split()
    return Levenshtein.distance(a, b), len(a)


def keywords(want: Sequence[str], got: str) -> Share:
    """Which of the keywords stand in the text; case and blanks do not count."""
    text = "".join(plain(got).casefold().split())
    return Share(sum("".join(plain(word).casefold().split()) in text for word in want), len(want), len(want))


def block_likeness(want: str, got: str) -> float:
    """How alike (0 to 1) a block's letters and digits are to the stretch of the page that is most like them.

    Stands in for 1 - normalised edit distance of matched blocks (OmniDocBench, arXiv 2412.07626), without a matching that punishes
    another division into blocks.
    """
    block, page = letters(want), letters(got)
    if not block:
        return 1.0
    if len(page) < len(block):
        return Levenshtein.normalized_similarity(block, page)
    return fuzz.partial_ratio(block, page) / 100
