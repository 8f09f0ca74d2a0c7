"""A model asked what else identifies people: what it names is looked for, and what it does not name stays found."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph.extraction.plan import resolve
from heliograph.extraction.redaction.finding import Suspect, find
from heliograph.extraction.redaction.suspecting import suspected
from heliograph.models.contract import Ask, Reply
from tests.unit.extraction.drawing import document
from tests.unit.extraction.prompted.talking import Remembered, Talking, said

PLAN = resolve("document", "generate", "healthcare.phi-redaction")
TEXT = "the lad whom they call zed slept\nMRN: 44712"


def names(ask: Ask) -> object:
    return {"identifiers": [{"category": "name", "text": "zed"}, {"category": "name", "text": "Patient"}, {"category": "name", "text": ""}]}


def test_what_a_model_names_is_found_beside_what_the_rules_find() -> None:
    warnings: list[str] = []
    named = asyncio.run(suspected(Talking(names), document(TEXT), PLAN, warnings))
    assert named == [Suspect("name", "zed")]
    assert [(one.category, one.text) for one in find(document(TEXT), named)] == [("name", "zed"), ("medical_record_number", "44712")]
    assert warnings == []


def test_a_long_document_is_asked_about_in_pieces_that_overlap_by_a_line() -> None:
    pages = ["\n".join(f"line {page}-{row} {'word ' * 12}" for row in range(60)) for page in range(4)]
    backend = Talking(names)
    asyncio.run(suspected(backend, document(*pages), PLAN, []))
    texts = [said(ask) for ask in backend.asked]
    assert len(texts) == 3
    for page in range(4):
        for row in range(60):
            assert any(f"line {page}-{row} " in text for text in texts)
    assert texts[0].splitlines()[-1] in texts[1]


def test_what_was_answered_is_kept_and_not_asked_again() -> None:
    kept, backend = Remembered(), Talking(names)
    first = asyncio.run(suspected(backend, document(TEXT), PLAN, [], steps=kept))
    again = asyncio.run(suspected(backend, document(TEXT), PLAN, [], steps=kept))
    assert (first, len(backend.asked)) == (again, 1)
    assert msgspec.json.decode(kept.steps["suspects:0"], type=list[Suspect]) == first


def test_a_refusal_is_said_and_the_rules_go_on_alone() -> None:
    warnings: list[str] = []
    refusing = Talking(lambda _: Reply(text="", finish="refusal", refusal="I would rather not."))
    assert asyncio.run(suspected(refusing, document(TEXT), PLAN, warnings)) == []
    assert warnings[0].startswith("model_incomplete")
