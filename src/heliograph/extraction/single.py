"""Lists with one entry that a form gives by labels and not by a table: `Diagnosis code: M17.11`, `Diagnosis: Osteoarthritis`."""

from __future__ import annotations

from heliograph.extraction.assignment import assign
from heliograph.extraction.fields import Ask, understand
from heliograph.extraction.gathering import gather
from heliograph.extraction.reading import Reading
from heliograph.extraction.result import Leaf, Path
from heliograph.extraction.schema import Field
from heliograph.extraction.vocabulary import Tokens, split_name, tokens_of, vocabulary

_SURE = 0.8
"""Least score of a value by which alone an entry is made."""
_STEM = 6
"""Letters by which forms of a word are the same: `diagnosis`, `diagnoses`."""


def single(reading: Reading, field: Field) -> dict[Path, Leaf]:
    """The leaves of the one entry of a list that labels tell of, by their paths in the entry; none where nothing says so.

    A label must name what the list is of, or say a word that a column's description alone has; nothing is taken twice.
    """
    item = field.item
    if item is None:
        return {}
    name = tuple(token for token in tokens_of(split_name(field.name)) if vocabulary().weight(token) > 0)
    asks = [understand(child, name) for child in item.fields if child.is_leaf]
    pools = gather(reading, asks)
    taken = {(part[0].page, part[0].index, part[1]) for parts in reading.taken for part in parts}
    own = _stems(name)
    for pool in pools:
        words = own | _own(pool.ask, asks)
        pool.candidates = [
            candidate
            for candidate in pool.candidates
            if candidate.occurrence is not None
            and candidate.key not in taken
            and words & _stems(tokens_of(candidate.occurrence.segment.text[candidate.occurrence.start : candidate.occurrence.end]))
        ]
    if not any(pool.candidates and pool.candidates[0].score >= _SURE for pool in pools):
        return {}
    before = len(reading.taken)
    found: dict[Path, Leaf] = {
        (ask.field.name,): leaf for ask, (leaf, _) in zip(asks, assign(reading, pools), strict=True) if leaf.value is not None
    }
    if not found:
        del reading.taken[before:]
    return found


def _own(ask: Ask, asks: list[Ask]) -> set[str]:
    """Words of a column's description that no other column's has."""
    others = {stem for other in asks if other is not ask for stem in _stems(tokens_of(other.field.description))}
    return _stems(tokens_of(ask.field.description)) - others - _stems(tokens_of(split_name(ask.field.name)))


def _stems(tokens: Tokens) -> set[str]:
    return {token[:_STEM] for token in tokens if vocabulary().weight(token) > 0}
