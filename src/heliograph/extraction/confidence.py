"""From evidence to a probability, and from a probability to a word.

The probability of an answer comes from a forest of small trees over the traits of the answer (`confidence.json`, versioned; how it was
trained stands in it and in docs/accuracy.md; `make train` makes it). The words:

- `hi`: probability >= HI. Chosen so that the observed precision of such answers is at least .95.
- `med`: probability >= MED, observed precision at least .75.
- `lo`: the rest.

A box that a model merely states, with no words under it, is never more than `med`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import repeat

import msgspec

from heliograph.extraction.result import Label, Match

HI = 0.96
MED = 0.60
LEAF = -1
"""In place of a trait: the node is a leaf."""


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """A tree in the order of a walk that goes left first: node `i` asks whether `trait[i]` is at most `value[i]`.

    If so the next node is `i + 1`, else `other[i]`. Of a leaf, `value` is the share of right answers.
    """

    trait: list[int]
    value: list[float]
    other: list[int]

    def probability(self, traits: Sequence[float]) -> float:
        """The share of right answers among those that were like this one."""
        asked, value, other = self.trait, self.value, self.other
        at = 0
        while (trait := asked[at]) != LEAF:
            at = at + 1 if traits[trait] <= value[at] else other[at]
        return value[at]


class Weights(msgspec.Struct, frozen=True):
    """The mean of trees over named traits; a trait that an answer does not have is 0."""

    version: str
    trained_on: str
    traits: list[str]
    trees: list[Tree]

    def probability(self, traits: Mapping[str, float]) -> float:
        """The calibrated probability (0-1) that an answer with these traits is right."""
        return self.of([traits.get(name, 0.0) for name in self.traits])

    def of(self, row: Sequence[float]) -> float:
        """The same for the values of `traits`, in their order."""
        return sum(tree.probability(row) for tree in self.trees) / len(self.trees)


@cache
def weights() -> Weights:
    """The shipped model."""
    return msgspec.json.decode(files("heliograph.extraction").joinpath("confidence.json").read_bytes(), type=Weights)


def probability(traits: Mapping[str, float]) -> float:
    """As the shipped model's `probability`. Rows of a table are alike, so what was asked before is remembered (of 148 questions about a
    statement of 24 rows 9 differed, 2026-11-21)."""
    return _probability(tuple(map(traits.get, weights().traits, repeat(0.0))))


@lru_cache(maxsize=4096)
def _probability(row: tuple[float, ...]) -> float:
    return weights().of(row)


def label(probability: float, match: Match = "exact") -> Label:
    """The word for a probability."""
    if match == "none" or probability < MED:
        return "lo"
    return "med" if probability < HI or match == "model" else "hi"
