"""How sure a route may be, learned from its answers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.evaluation.calibration import LEAST_DOCUMENTS, Judgement, TooFew, fit, judgements
from heliograph.evaluation.judging import Judged, Outcome
from heliograph.evaluation.metrics import calibration_error
from heliograph.evaluation.runner import Said
from heliograph.extraction.calibration import calibration, keep, shipped


def answers(documents: int, *, seed: int = 1, each: int = 8, right: float = 0.7) -> list[Judgement]:
    """Of a model whose values on the page are `right` so often, and those on no page never."""
    chance = random.Random(seed)
    made: list[Judgement] = []
    for document in range(documents):
        for _ in range(each):
            there = chance.random() < 0.8
            traits = {"bias": 1.0, "exact": 1.0, "quality": 1.0, "text": 1.0} if there else {"bias": 1.0, "none": 1.0, "text": 1.0}
            made.append(Judgement(f"document {document}", traits, there and chance.random() < right))
    return made


def test_a_fitted_calibration_says_how_often_such_answers_are_right() -> None:
    made = fit(answers(80), route="qwen", model="Qwen2.5")
    kept = made.calibration
    assert kept.probability({"bias": 1.0, "exact": 1.0, "quality": 1.0, "text": 1.0}) == pytest.approx(0.7, abs=0.05)
    assert kept.probability({"bias": 1.0, "none": 1.0, "text": 1.0}) < 0.1
    unseen = [(kept.probability(one.traits), one.right) for one in answers(80, seed=2)]
    assert (
        calibration_error(unseen)
        < 0.05
        < calibration_error([(shipped().probability(one.traits), one.right) for one in answers(80, seed=2)])
    )
    assert made.better
    assert (kept.route, kept.model, kept.documents, kept.answers) == ("qwen", "Qwen2.5", 80, 640)


def test_few_documents_move_the_shipped_weights_little() -> None:
    traits = {"bias": 1.0, "exact": 1.0, "quality": 1.0, "text": 1.0}
    few, many = (fit(answers(count, right=0.3), route="qwen").calibration.probability(traits) for count in (LEAST_DOCUMENTS, 200))
    assert many == pytest.approx(0.3, abs=0.04)
    assert many + 0.03 < few < shipped().probability(traits)
    assert "are few" in str(fit(answers(LEAST_DOCUMENTS), route="qwen"))


@pytest.mark.parametrize(
    "found",
    [
        [],
        answers(LEAST_DOCUMENTS - 1, each=40),
        answers(LEAST_DOCUMENTS, each=2),
        [Judgement(f"{at}", {"bias": 1.0}, right=True) for at in range(500)],
    ],
)
def test_too_few_answers_to_learn_from_are_said_to_be(found: list[Judgement]) -> None:
    with pytest.raises(TooFew, match=f"{len(found)} answers.*it takes {LEAST_DOCUMENTS} documents"):
        fit(found, route="qwen")


def test_what_is_no_better_than_the_shipped_weights_says_so() -> None:
    chance = random.Random(3)
    usual = [
        Judgement(one.document, one.traits, chance.random() < shipped().probability(one.traits)) for one in answers(15, seed=4, each=10)
    ]
    made = fit(usual, route="qwen")
    assert made.better == ("stays" not in str(made))
    assert made.loss == pytest.approx(made.loss_shipped, abs=0.05)


def test_only_answers_whose_traits_are_known_are_learned_from() -> None:
    fields = [Judged("a.pdf", "forms", name, "text", "x", "x", exact=True, fuzzy=True) for name in ("total", "seller.name")]
    said = Said({}, 1.0, reasons={"seller.name": {"bias": 1.0}})
    found = judgements([(Outcome("a.pdf", "forms", fields, {}), said), (Outcome("b.pdf", "forms", fields, {}), None)])
    assert found == [Judgement("forms/a.pdf", {"bias": 1.0}, right=True)]


def test_what_was_fitted_is_what_workers_use(tmp_path: Path) -> None:
    made = fit(answers(80), route="qwen").calibration
    keep(made, tmp_path)
    assert calibration(tmp_path, "qwen") == made


def test_only_a_model_route_can_be_calibrated(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["eval", str(tmp_path), "--calibrate"], env={"COLUMNS": "200"})
    assert said.exit_code == 2
    assert "--calibrate measures a model route" in said.output
