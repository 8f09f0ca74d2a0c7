"""How sure an answer is: trees over its traits."""

from __future__ import annotations

from heliograph.extraction.confidence import LEAF, Tree, Weights, weights
from tests.unit.extraction.drawing import DATE, ask, document

SPLIT = Tree([0, LEAF, 1, LEAF, LEAF], [0.5, 0.1, 2.0, 0.6, 0.9], [2, 0, 4, 0, 0])
FORM = """
Harbour Trust                     STATEMENT

Order reference:
Issue date:      3 April 2024
Total:           199.80
"""


def test_a_tree_is_walked_left_when_the_trait_is_at_most_the_value() -> None:
    assert [SPLIT.probability(traits) for traits in ([0.5, 9.0], [0.6, 2.0], [0.6, 2.1])] == [0.1, 0.6, 0.9]


def test_a_probability_is_the_mean_of_the_trees_and_a_missing_trait_is_nothing() -> None:
    model = Weights("", "", ["fit", "margin"], [SPLIT, Tree([LEAF], [0.3], [0])])
    assert model.probability({"fit": 1.0, "unknown": 9.0}) == (0.6 + 0.3) / 2
    assert model.probability({}) == (0.1 + 0.3) / 2


def test_the_shipped_trees_end_and_stay_between_nothing_and_certainty() -> None:
    for tree in weights().trees:
        assert len(tree.trait) == len(tree.value) == len(tree.other)
        for at, trait in enumerate(tree.trait):
            if trait == LEAF:
                assert 0 <= tree.value[at] <= 1
            else:
                assert at + 1 < tree.other[at] < len(tree.trait)
                assert 0 <= trait < len(weights().traits)


def test_an_empty_field_whose_label_is_seen_is_less_surely_absent_than_one_that_nothing_mentions() -> None:
    leaves = ask(FORM, order_reference="string", iban="string", issue_date=DATE, total="number").leaves
    seen, unmentioned = leaves[("order_reference",)], leaves[("iban",)]
    assert (seen.value, unmentioned.value) == (None, None)
    assert seen.probability < unmentioned.probability - 0.1


def test_an_answer_that_was_read_badly_is_less_sure() -> None:

    clear, blurred = (ask(document(FORM, score=score), total="number").leaves[("total",)] for score in (1.0, 0.6))
    assert clear.value == blurred.value == 199.8
    assert blurred.probability < clear.probability
