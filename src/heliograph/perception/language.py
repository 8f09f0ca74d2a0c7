"""A light guess at a page's language: the script for languages that have their own, function words for those in Latin letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

FUNCTION_WORDS: dict[str, str] = {
    "en": "the of and to in is for on by with from this that are your be at as or not you we have it an no if any all",
    "de": "der die das und ist für mit von den dem des ein eine nicht auf bei im zu sie wir zum zur wird nach oder als aus",
    "fr": "le la les des et est une dans pour par sur au aux du vous nous avec ce cette que qui votre ou sont pas à",
    "es": "el los las del y es una en para por con que su se al lo no este esta como más o sus fecha",
    "it": "il lo gli della di e è un una per con che non sono nel alla dei delle da del al si questo",
    "pt": "o os as do da dos das e é um uma para com que não em no na ao por se sua",
    "nl": "de het een en van is voor met op niet te dat die zijn aan door bij uw wij naar om ook",
}
"""The commonest words that say little; short ones shared by several languages count for each."""
_WORDS = {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}

SCRIPTS = (
    ("ja", 0x3040, 0x30FF), ("ko", 0xAC00, 0xD7AF), ("zh", 0x4E00, 0x9FFF), ("ru", 0x0400, 0x04FF), ("el", 0x0370, 0x03FF),
    ("ar", 0x0600, 0x06FF), ("he", 0x0590, 0x05FF), ("th", 0x0E00, 0x0E7F), ("hi", 0x0900, 0x097F),
)  # fmt: skip
LETTERS = re.compile(r"[^\W\d_]+")


def guess_language(texts: Iterable[str]) -> str | None:
    """An ISO 639-1 code for `texts` taken together, or None when there is too little to go by."""
    tokens = [token for text in texts for token in LETTERS.findall(text)]
    letters: Counter[str] = Counter()
    for char, count in Counter("".join(tokens)).items():
        letters[_script(char)] += count
    total = letters.total()
    if total < 12:
        return None
    if letters["ja"] > 0.05 * total:
        return "ja"
    for script, count in letters.most_common():
        if script and count > 0.3 * total:
            return script
    lowered = [token.casefold() for token in tokens]
    scores = {language: sum(token in words for token in lowered) for language, words in _WORDS.items()}
    (best, most), (_, second) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    return best if most >= 2 and most > 1.15 * second else None


def _script(char: str) -> str:
    code = ord(char)
    return next((script for script, low, high in SCRIPTS if low <= code <= high), "") if code > 0x2FF else ""
