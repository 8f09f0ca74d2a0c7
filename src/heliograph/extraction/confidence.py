"""From evidence to a probability, and from a probability to a word.

The probability of an answer comes from a logistic model over a few features of the winning candidate (`confidence.json`,
versioned; how it was trained stands in it and in docs/accuracy.md; `python -m heliograph.evaluation.training` makes it). The words:

- `hi`: probability >= HI. Chosen so that the observed precision of such answers is at least .95.
- `med`: probability >= MED, observed precision at least .75.
- `lo`: the rest.

A box that a model merely states, with no words under it, is never more than `med`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from heliograph.extraction.result import Label, Match

HI = 0.90
MED = 0.82


class Weights(msgspec.Struct, frozen=True):
    """A logistic model: `probability = 1 / (1 + exp(-(bias + sum(weight * feature))))`; features not named weigh nothing."""

    version: str
    trained_on: str
    bias: float
    weights: dict[str, float]

    def probability(self, features: Mapping[str, float]) -> float:
        """The calibrated probability (0-1) that an answer with these features is right."""
        score = self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


@cache
def weights() -> Weights:
    """The shipped model."""
    return msgspec.json.decode(files("heliograph.extraction").joinpath("confidence.json").read_bytes(), type=Weights)


def label(probability: float, match: Match = "exact") -> Label:
    """The word for a probability."""
    if match == "none" or probability < MED:
        return "lo"
    return "med" if probability < HI or match == "model" else "hi"
