"""From examples to a model, and what it would have said of each example had it not seen documents like it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from heliograph.extraction.confidence import Tree
from training.examples import Example
from training.forest import Floats, Growth, forest

FOLDS = 10
DRAWN, DRAWN_EMPTY = 0.2, 0.03
"""Weight of an answer on a drawn document beside one on a real one, and of an empty field on it: drawn documents say little
of what a real one leaves out."""


def learned(found: Sequence[Example], growth: Growth) -> tuple[list[str], list[Tree]]:
    """The names of the traits, and trees over them."""
    names = sorted({name for example in found for name in example.traits})
    return names, forest(_table(found, names), _right(found), _weight(found), growth)


def out_of_fold(found: Sequence[Example], growth: Growth) -> list[float]:
    """The probability of each example, from models that saw no document of its group; drawn ones are learned from in every fold.

    A drawn document gets 0: nothing is measured on it.
    """
    names = sorted({name for example in found for name in example.traits})
    table, right, weight = _table(found, names), _right(found), _weight(found)
    folds = np.array([-1 if is_drawn(example) else _fold(example.group) for example in found])
    made = np.zeros(len(found))
    for fold in range(FOLDS):
        outside = folds == fold
        if outside.any():
            trees = forest(table[~outside], right[~outside], weight[~outside], growth)
            made[outside] = [np.mean([tree.probability(row) for tree in trees]) for row in table[outside].tolist()]
    return made.tolist()


def is_drawn(example: Example) -> bool:
    """Whether an example comes from a document that was drawn for training."""
    return example.set.startswith("drawn_")


def _fold(group: str) -> int:
    return int(sha256(group.encode()).hexdigest(), 16) % FOLDS


def _table(found: Sequence[Example], names: Sequence[str]) -> Floats:
    return np.array([[example.traits.get(name, 0.0) for name in names] for example in found])


def _right(found: Sequence[Example]) -> Floats:
    return np.array([float(example.right) for example in found])


def _weight(found: Sequence[Example]) -> Floats:
    """Answers of small sets weigh more, by the fourth root; the mean is about one."""
    sets = [example.set for example in found if not is_drawn(example)]
    mean = {name: (len(sets) / (len(set(sets)) * sets.count(name))) ** 0.25 for name in set(sets)}
    return np.array([(DRAWN_EMPTY if example.empty else DRAWN) if is_drawn(example) else mean[example.set] for example in found])
