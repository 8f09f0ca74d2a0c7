"""Trees learn what can be learned, and nothing is measured on what was learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from training.__main__ import least, report
from training.examples import Example, groups, of_document
from training.forest import Growth, forest
from training.learning import learned, out_of_fold

from heliograph.evaluation.metrics import auroc
from heliograph.evaluation.sets import Item
from heliograph.extraction.confidence import Tree
from tests.unit.extraction.drawing import document

SMALL = Growth(trees=20)
RANDOM = np.random.default_rng(5)


def _probability(trees: list[Tree], row: list[float]) -> float:
    return float(np.mean([tree.probability(row) for tree in trees]))


def test_a_forest_learns_a_rule_of_two_traits_through_noise() -> None:
    traits = RANDOM.uniform(-1, 1, (600, 5))
    right = ((traits[:, 0] > 0) & (traits[:, 1] > 0)) ^ (RANDOM.uniform(size=600) < 0.05)
    trees = forest(traits, right.astype(float), np.ones(600), SMALL)
    assert _probability(trees, [0.8, 0.8, 0, 0, 0]) > 0.8
    assert _probability(trees, [0.8, -0.8, 0, 0, 0]) < 0.2
    assert _probability(trees, [-0.8, 0.8, 0, 0, 0]) < 0.2


def test_the_same_seed_grows_the_same_trees() -> None:
    traits = RANDOM.uniform(size=(50, 3))
    right = (traits[:, 0] > 0.5).astype(float)
    assert forest(traits, right, np.ones(50), SMALL, seed=1) == forest(traits, right, np.ones(50), SMALL, seed=1)
    assert forest(traits, right, np.ones(50), SMALL, seed=1) != forest(traits, right, np.ones(50), SMALL, seed=2)


def test_no_leaf_holds_less_than_the_least_weight() -> None:
    traits = RANDOM.uniform(size=(40, 2))
    right = RANDOM.integers(0, 2, 40).astype(float)
    few = forest(traits, right, np.ones(40), Growth(trees=5, least=15.0))
    assert all(len(tree.trait) <= 3 for tree in few)  # 40 examples make two leaves of 15, not three


def test_what_is_measured_comes_from_models_that_did_not_see_the_group() -> None:
    found: list[Example] = []
    for group in range(40):  # the trait says which group it is, and the group by chance whether it is right
        right = bool(RANDOM.integers(0, 2))
        found += [Example("set", f"{group}", f"group {group}", "total", {"which": float(group * 37 % 40)}, right) for _ in range(6)]
    names, trees = learned(found, SMALL)
    seen = [(_probability(trees, [example.traits[name] for name in names]), example.right) for example in found]
    held_out = [(p, example.right) for p, example in zip(out_of_fold(found, SMALL), found, strict=True)]
    assert (auroc(seen) or 0) > 0.95
    assert (auroc(held_out) or 0) < 0.7


def test_drawn_documents_are_learned_from_and_not_measured() -> None:
    drawn = [Example("drawn_invoice", f"d{n}", f"drawn {n}", "total", {"fit": n / 100}, n > 50) for n in range(100)]
    real = [Example("real", f"r{n}", f"real {n}", "total", {"fit": n / 10}, n > 5) for n in range(10)]
    made = out_of_fold([*drawn, *real], SMALL)
    assert made[:100] == [0.0] * 100
    assert min(made[107:]) > 0.6
    assert max(made[100:104]) < 0.3


def test_documents_of_one_template_are_one_group() -> None:
    a = document("Harbour Trust invoice number total amount payable within days thank you for your custom")
    b = document("Harbour Trust invoice number total amount payable within weeks thank you for your custom")
    c = document("Registration of a foreign agent under the act as amended by congress")
    first, second, third = groups([a, c, b])
    assert first == third != second


def test_an_answer_and_a_rightly_empty_field_are_examples_and_a_field_without_truth_is_none() -> None:
    text = {"type": ["string", "null"]}
    schema = {"type": "object", "properties": {"total": {"type": ["number", "null"]}, "iban": text, "invoice_number": text}}
    item = Item("a", "mine", Path("a.pdf"), schema, ["iban"], {"total": 12.5}, True)
    made = {example.field: example for example in of_document(item, document("Invoice number: A-77\nTotal:   12.50"), "group")}
    assert set(made) == {"total", "iban"}
    assert made["total"].right
    assert not made["total"].empty
    assert made["iban"].right
    assert made["iban"].empty


def test_the_report_has_a_row_for_each_set_and_one_for_all() -> None:
    found = [Example(name, f"{n}", f"{n}", "total", {"fit": 1.0}, n % 2 == 0) for name in ("a", "b") for n in range(10)]
    lines = report([(example, 0.9 if example.right else 0.1) for example in found])
    assert [line.split()[0] for line in lines[1:4]] == ["a", "b", "all"]
    assert lines[3].split()[1:5] == ["20", "0.500", "0.100", "1.000"]


def test_the_lowest_threshold_is_the_first_above_which_enough_are_right() -> None:
    found = [(Example("a", f"{n}", f"{n}", "total", {"fit": 1.0}, n >= 70), n / 100) for n in range(100)]
    assert least(found, 1.0, 1.0) == 0.7
    assert least(found, 1.0, 0.75) == 0.6
    assert least(found, 0.8, 0.5) == 0.6
