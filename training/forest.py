"""Extremely randomised trees (Geurts, Ernst and Wehenkel, Machine Learning 63, 2006): every node tries random cuts and keeps the best.

Their averaged leaves are near calibrated by themselves, and on a thousand examples they rank better than boosted trees and linear models.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from heliograph.extraction.confidence import LEAF, Tree

Floats = NDArray[np.float64]


class Growth(msgspec.Struct, frozen=True):
    """How a forest grows. `least`: weight of the examples that a leaf must have; `tried`: share of the traits that a node tries."""

    trees: int = 100
    least: float = 4.0
    tried: float = 0.4


def forest(traits: Floats, right: Floats, weight: Floats, growth: Growth, seed: int = 0) -> list[Tree]:
    """Trees for `traits` (examples x traits), `right` (0 or 1) and the weight of each example; the same seed grows the same trees."""
    random = np.random.default_rng(seed)
    return [_tree(traits, right, weight, growth, random) for _ in range(growth.trees)]


def _tree(traits: Floats, right: Floats, weight: Floats, growth: Growth, random: np.random.Generator) -> Tree:
    tree = Tree([], [], [])
    todo: list[tuple[NDArray[np.intp], int]] = [(np.arange(len(right)), -1)]
    while todo:
        rows, parent = todo.pop()
        if parent >= 0:
            tree.other[parent] = len(tree.trait)
        cut = _cut(traits[rows], right[rows], weight[rows], growth, random)
        tree.other.append(0)
        if cut is None:
            share = float((right[rows] * weight[rows]).sum() / weight[rows].sum())
            tree.trait.append(LEAF)
            tree.value.append(round(share, 3))
            continue
        trait, value = cut
        left = traits[rows, trait] <= value
        todo += [(rows[~left], len(tree.trait)), (rows[left], -1)]  # the left branch is next, so it stands right after its parent
        tree.trait.append(trait)
        tree.value.append(value)
    return tree


def _cut(traits: Floats, right: Floats, weight: Floats, growth: Growth, random: np.random.Generator) -> tuple[int, float] | None:
    """The best of some random cuts by Gini's impurity; None for a leaf."""
    total = weight.sum()
    if total < 2 * growth.least or right.min() == right.max():
        return None
    low: Floats = traits.min(axis=0)
    high: Floats = traits.max(axis=0)
    varied = np.flatnonzero(high > low)
    if not len(varied):
        return None
    tried = random.permutation(varied)[: max(1, round(growth.tried * traits.shape[1]))]
    values = low[tried] + random.random(len(tried)) * (high[tried] - low[tried])
    values = np.floor(values * 1000) / 1000  # three decimals are enough, and a short file
    left: Floats = np.asarray(traits[:, tried] <= values, dtype=np.float64)
    on_left, good = weight @ left, (weight * right).sum()
    good_left = (weight * right) @ left
    allowed = (on_left >= growth.least) & (total - on_left >= growth.least)
    if not allowed.any():
        return None
    on_left = np.where(allowed, on_left, total / 2)
    good_right, on_right = good - good_left, total - on_left
    purity = good_left**2 / on_left + good_right**2 / on_right  # Gini's impurity, but for what all cuts share
    purity += (on_left - good_left) ** 2 / on_left + (on_right - good_right) ** 2 / on_right
    best = int(np.argmax(np.where(allowed, purity, -1.0)))
    return int(tried[best]), float(values[best])
