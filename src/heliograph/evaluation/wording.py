"""How well speech was written down: error rates of words or characters, and how far off the words' times are.

Texts are normalised before they are compared as OpenAI's Whisper was measured (Radford et al., arXiv 2212.04356, appendix C): English by
its English normaliser, which takes `20` and `twenty`, `don't` and `do not` for the same; other languages by its basic one, which drops
case and punctuation. `jiwer` aligns and counts. Both are the extra `heliograph[eval]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from heliograph.errors import NotConfigured
from heliograph.evaluation.likeness import Share

BY_CHARACTER = frozenset({"ja", "ko", "zh", "yue", "th", "lo", "my", "km"})
"""Languages whose errors are counted by the character: their words are not parted by blanks, or not alike by every writer."""


class Placed(NamedTuple):
    """A word with the second at which it begins."""

    text: str
    start: float


def rate(language: str) -> str:
    """What the error rate of a language is called: `CER` where characters are counted, else `WER`."""
    return "CER" if language in BY_CHARACTER else "WER"


def normalised(text: str, language: str) -> list[str]:
    """The words of a text (characters, where these are counted) as they are compared. Raises NotConfigured without the extra `eval`."""
    words = _normaliser(language)(text).split()
    return [character for word in words for character in word] if language in BY_CHARACTER else words


def errors(want: str, got: str, language: str) -> Share:
    """Words (or characters) to be changed, added or taken away among those that were said.

    Of pooled recordings the rate is the sum of the first over the sum of the second; it may exceed 1.
    """
    said, heard = normalised(want, language), normalised(got, language)
    if not said:
        return Share(len(heard), len(heard), 0)
    counted = _aligned(said, heard)
    return Share(counted.substitutions + counted.deletions + counted.insertions, len(heard), len(said))


def late(want: Sequence[Placed], got: Sequence[Placed], language: str) -> list[float]:
    """By how many seconds each word that was heard rightly begins after its true start (before it: negative), in order.

    Words are paired by the alignment that the error rate is counted with; a word that the normaliser makes several of counts once.
    """
    said, heard = _tokens(want, language), _tokens(got, language)
    if not said or not heard:
        return []
    aligned = _aligned([text for text, _ in said], [text for text, _ in heard])
    pairs: list[tuple[tuple[str, float | None], tuple[str, float | None]]] = [
        (said[chunk.ref_start_idx + step], heard[chunk.hyp_start_idx + step])
        for chunk in aligned.alignments[0]
        if chunk.type == "equal"
        for step in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]
    return [there - true for (_, true), (_, there) in pairs if true is not None and there is not None]


def _tokens(words: Sequence[Placed], language: str) -> list[tuple[str, float | None]]:
    """Normalised words; only the first that is made of a word has its start."""
    return [
        (text, word.start if place == 0 else None) for word in words for place, text in enumerate(_normaliser(language)(word.text).split())
    ]


@cache
def _normaliser(language: str) -> Callable[[str], str]:
    module, name = ("english", "EnglishTextNormalizer") if language == "en" else ("basic", "BasicTextNormalizer")
    return getattr(_package(f"whisper_normalizer.{module}"), name)()


def _aligned(said: Sequence[str], heard: Sequence[str]) -> Any:
    """`jiwer.WordOutput`: counts, and the alignment they come from."""
    return _package("jiwer").process_words(" ".join(said), " ".join(heard))


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise NotConfigured(
            "Judging what was heard takes two packages that are not installed: pip install 'heliograph[eval]' brings them."
        ) from error
