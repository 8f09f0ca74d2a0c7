"""A labelled folder becomes numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.evaluation.judging import judge, row_score
from heliograph.evaluation.sets import items
from heliograph.evaluation.summary import summary
from heliograph.extraction.embedded import extract
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.schema import compile_schema
from tests.unit.extraction.drawing import document

TEXT = "Receipt No: 77\nDate: 05/01/2018\nTOTAL   12.50"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    properties: dict[str, Any] = {
        "receipt_no": {"type": ["string", "null"], "description": "Number of the receipt"},
        "date": {"type": ["string", "null"], "format": "date"},
        "total": {"type": ["number", "null"]},
        "tip": {"type": ["number", "null"]},
        "iban": {"type": ["string", "null"]},
    }
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "mine.json").write_text(json.dumps({"type": "object", "properties": properties, "x-absent": ["iban"]}))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "a.json").write_text(json.dumps({"receipt_no": "77", "date": "05/01/18", "total": "13.50", "tip": ""}))
    rows = [
        {"id": "mine/a", "set": "mine", "path": "a.pdf", "truth_path": "a.json"},
        {"id": "mine/b", "set": "mine", "path": "b.pdf", "truth_path": None},
        {"id": "other/c", "set": "other", "path": "c.pdf", "truth_path": "a.json"},
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def answered(schema: dict[str, Any]) -> dict[str, Any]:
    compiled = compile_schema(schema)
    return with_metadata(extract(document(TEXT), compiled), compiled, grounding=True, confidence=True)


def test_only_documents_with_truth_and_schema_are_taken_and_absent_names_are_hidden(data: Path) -> None:
    (item,) = items(data)
    assert (item.id, item.absent) == ("mine/a", ["iban"])
    assert "x-absent" not in item.schema
    assert item.truth == {"receipt_no": "77", "date": "05/01/18", "total": "13.50", "tip": None}
    assert list(items(data, ["other"])) == []


def test_descriptions_can_be_taken_away(data: Path) -> None:
    (item,) = items(data, descriptions=False)
    assert "description" not in item.schema["properties"]["receipt_no"]
    assert item.schema["properties"]["date"]["format"] == "date"


def test_right_wrong_absent_and_grounded_are_counted(data: Path) -> None:
    (item,) = items(data)
    outcome = judge(item, answered(item.schema))
    by_field = {judged.field: judged for judged in outcome.fields}
    assert by_field["receipt_no"].exact
    assert by_field["date"].exact
    assert not by_field["total"].exact  # the truth says 13.50
    assert by_field["iban"].exact
    assert by_field["iban"].asked_absent
    assert all(by_field[name].under_box for name in ("receipt_no", "date", "total"))
    micro = summary([outcome])["mine"]["micro"]
    assert (micro["present"], micro["answered"], micro["hallucination"], micro["omission"]) == (3, 3, 0.0, 0.0)
    assert micro["f1"] == pytest.approx(2 / 3)


def test_an_answer_to_what_is_not_there_counts_as_hallucinated(data: Path) -> None:
    (item,) = items(data)
    response = answered(item.schema) | {"iban": "DE00", "tip": 1.0}
    assert summary([judge(item, response)])["mine"]["micro"]["hallucination"] == 1.0


def test_a_row_is_half_its_name_and_half_its_amount() -> None:
    want = {"name": "Brass lantern", "line_total": "80.00"}
    assert row_score({"name": "brass  lantern", "line_total": 80.0}, want) == 1.0
    assert row_score({"name": "Paraffin", "line_total": 80.0}, want) == 0.5
    assert row_score({"name": None, "line_total": None}, want) == 0.0
