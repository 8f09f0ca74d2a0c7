"""What is known of a field that stays empty."""

from __future__ import annotations

from heliograph.extraction.asking import questions
from heliograph.extraction.gathering import gather
from heliograph.extraction.reading import Reading
from heliograph.extraction.schema import compile_schema
from heliograph.extraction.traits import of_absence
from tests.unit.extraction.drawing import document

NUMBERED = "\n\n".join(
    f"{number} {name}" for number, name in enumerate(("Rents", "Royalties", "Wages", "Dividends", "Interest", "Fees"), 1)
)


def _absence(text: str, field: str) -> dict[str, float]:
    schema = compile_schema({"type": "object", "properties": {field: {"type": ["number", "null"]}}})
    reading = Reading(document(text))
    (pool,) = gather(reading, [ask for _, ask in questions(schema, {})])
    return of_absence(reading, pool)


def test_an_empty_numbered_box_is_told_from_a_label_in_a_sentence_and_from_none() -> None:
    box = _absence(NUMBERED, "royalties")
    sentence = _absence("Amounts such as royalties are reported elsewhere", "royalties")
    none = _absence("Harbour Trust", "royalties")
    assert (box["absent:label"] > 0.9, box["absent:boxed"], box["absent:heading"]) == (True, 1.0, 1.0)
    assert (sentence["absent:label"] > 0, sentence["absent:boxed"], sentence["absent:heading"]) == (True, 0.0, 0.0)
    assert (none["absent:label"], none["absent:boxed"]) == (0.0, 0.0)


def test_a_document_that_has_nothing_of_a_kind_is_told() -> None:
    assert _absence("Harbour Trust", "total")["absent:readable"] == 0.0
    assert _absence("Weight 12.50", "total")["absent:readable"] == 1.0
