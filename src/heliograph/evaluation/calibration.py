"""`heliograph eval --calibrate`: how sure a route may be of its answers, learned from those it gave on labelled documents.

A logistic function of the traits that `extraction.combining` gives each answer, fitted with the shipped weights as its prior, so that few
documents move it little. What it is worth is measured on documents that were left out, and it is kept only where that is better than
the shipped weights are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from heliograph.evaluation.judging import Outcome
from heliograph.evaluation.metrics import auroc, calibration_error
from heliograph.evaluation.runner import Said
from heliograph.extraction.calibration import VERSION, Calibration, shipped

FOLDS = 5
LEAST_DOCUMENTS, LEAST_ANSWERS, LEAST_OF_A_SORT = 12, 80, 8
"""Below so many documents, answers, and right or wrong ones, nothing that could be said about a route would hold."""
FEW = 40
"""Documents below which the numbers come with a word of caution."""
PRIOR = 10.0
"""How much the shipped weights count (ridge penalty): answers of one document are alike, and count for less than they are."""
_STEPS = 50
Floats = NDArray[np.float64]


class TooFew(ValueError):
    """There are too few labelled answers to say how sure a route may be."""


class Judgement(msgspec.Struct, frozen=True):
    """An answer's traits and whether it was right."""

    document: str
    traits: dict[str, float]
    right: bool


class Fitted(msgspec.Struct, frozen=True):
    """A calibration, and how it and the shipped one do on documents that were left out: log loss, calibration error, ROC area."""

    calibration: Calibration
    loss: float
    loss_shipped: float
    ece_shipped: float
    auroc_shipped: float | None

    @property
    def better(self) -> bool:
        """Whether it is worth keeping."""
        return self.loss < self.loss_shipped

    def __str__(self) -> str:
        """What a person should know of it, in sentences."""
        made = self.calibration
        area, before = (f"{value:.3f}" if value is not None else "-" for value in (made.auroc, self.auroc_shipped))
        text = (
            f"{made.answers} answers on {made.documents} documents, {made.right} of them right. On documents left out (the shipped "
            f"confidence in brackets): ECE {made.ece:.3f} ({self.ece_shipped:.3f}), AUROC {area} ({before}), "
            f"log loss {self.loss:.3f} ({self.loss_shipped:.3f})."
        )
        if not self.better:
            return text + " The shipped confidence does no worse on them, so it stays."
        return text + (f" {made.documents} documents are few: expect other numbers on others." if made.documents < FEW else "")


def judgements(judged: Iterable[tuple[Outcome, Said | None]]) -> list[Judgement]:
    """The answers of an evaluation whose traits are known."""
    return [
        Judgement(f"{outcome.set}/{outcome.item}", said.reasons[field.field], field.exact)
        for outcome, said in judged
        if said is not None
        for field in outcome.fields
        if field.field in said.reasons
    ]


def fit(
    found: Sequence[Judgement], *, route: str, model: str = "", made_from: str = "heliograph eval --calibrate", prior: float = PRIOR
) -> Fitted:
    """Weights for a route from its judged answers; `prior`: how much the shipped ones count. Raises `TooFew` with what is missing."""
    documents = sorted({one.document for one in found})
    right = sum(one.right for one in found)
    if len(documents) < LEAST_DOCUMENTS or len(found) < LEAST_ANSWERS or min(right, len(found) - right) < LEAST_OF_A_SORT:
        raise TooFew(
            f"{len(found)} answers of which the traits are known, on {len(documents)} documents, {right} of them right, are too few: "
            f"it takes {LEAST_DOCUMENTS} documents, {LEAST_ANSWERS} answers, and {LEAST_OF_A_SORT} right and wrong ones each."
        )
    usually = shipped().weights
    names = sorted(usually.keys() | {name for one in found for name in one.traits})
    table = np.array([[one.traits.get(name, 0.0) for name in names] for one in found])
    answers = np.array([float(one.right) for one in found])
    before = np.array([usually.get(name, 0.0) for name in names])
    folds = np.array([int(sha256(one.document.encode()).hexdigest(), 16) % FOLDS for one in found])
    outside = np.zeros(len(found))
    for fold in range(FOLDS):
        left_out = folds == fold
        if left_out.any():
            outside[left_out] = _probability(table[left_out], _weights(table[~left_out], answers[~left_out], before, prior))
    usual = _probability(table, before)
    pairs, usual_pairs = ([(float(p), one.right) for p, one in zip(ps, found, strict=True)] for ps in (outside, usual))
    made = Calibration(
        version=VERSION,
        weights={name: round(float(weight), 4) for name, weight in zip(names, _weights(table, answers, before, prior), strict=True)},
        made_from=made_from,
        made=datetime.now(UTC).date().isoformat(),
        route=route,
        model=model,
        documents=len(documents),
        answers=len(found),
        right=right,
        ece=round(calibration_error(pairs), 4),
        auroc=auroc(pairs),
    )
    return Fitted(made, _loss(pairs), _loss(usual_pairs), calibration_error(usual_pairs), auroc(usual_pairs))


def _weights(table: Floats, right: Floats, before: Floats, prior: float) -> Floats:
    """The most likely weights, of which those `before` are the prior (Newton's method for logistic regression)."""
    weights = before.copy()
    for _ in range(_STEPS):
        sure = _probability(table, weights)
        slope = table.T @ (right - sure) - prior * (weights - before)
        bend = (table * (sure * (1 - sure))[:, None]).T @ table + prior * np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _probability(table: Floats, weights: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))


def _loss(pairs: Sequence[tuple[float, bool]]) -> float:
    return -sum(math.log(max(1e-6, p if right else 1 - p)) for p, right in pairs) / len(pairs)
