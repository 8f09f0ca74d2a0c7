"""A labelled folder becomes numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.evaluation.judging import judge, row_score
from heliograph.evaluation.sets import Item, folder_items, items
from heliograph.evaluation.summary import summary
from heliograph.extraction.embedded import extract
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.schema import compile_schema
from heliograph.media.geometry import Box
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


@pytest.mark.parametrize(("lines", "scored"), [([], False), ([{"name": "Lantern", "line_total": 1}], True)])
def test_an_e_invoice_that_carries_no_lines_says_nothing_of_those_on_its_page(
    data: Path, lines: list[dict[str, Any]], scored: bool
) -> None:
    schema = {"type": "object", "properties": {"lines": {"type": "array"}, "total": {"type": "number"}}}
    (data / "schemas" / "mine.json").write_text(json.dumps(schema))
    (data / "a.json").write_text(json.dumps({"lines": lines, "total": 13.5, "visible": {"total": True}}))
    (item,) = items(data)
    assert ("lines" in item.truth) is scored
    assert item.truth["total"] == 13.5


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


def labelled(truth: dict[str, Any], properties: dict[str, Any], **more: Any) -> Item:
    return Item("mine/a", "mine", Path("a.pdf"), {"type": "object", "properties": properties}, [], truth, True, **more)


TEXTUAL = {"type": "string"}
PLACE = {"type": "object", "properties": {"city": TEXTUAL, "zip": TEXTUAL}}
ROWS = {"type": "array", "items": {"type": "object", "properties": {"what": TEXTUAL, "cost": {"type": "number"}}}}


def test_objects_are_judged_leaf_by_leaf_and_what_truth_leaves_out_is_not() -> None:
    item = labelled({"place": {"city": "Bath"}}, {"place": PLACE})
    (judged,) = judge(item, {"place": {"city": "BATH", "city_metadata": None, "zip": "BA1"}}).fields
    assert (judged.field, judged.verdict) == ("place.city", "right")


def test_lists_count_values_after_the_best_matching_of_rows() -> None:
    item = labelled({"rows": [{"what": "a", "cost": 1}, {"what": "b", "cost": 2}]}, {"rows": ROWS})
    outcome = judge(
        item, {"rows": [{"what": "b", "what_metadata": {}, "cost": 2.0}, {"what": "a", "cost": 9}, {"what": "c", "cost": None}]}
    )
    assert outcome.rows["rows"] == (3, 5, 4)
    assert summary([outcome])["mine"]["rows"]["f1"] == pytest.approx(2 * 3 / 9)


def test_a_box_hits_by_its_overlap_and_its_page_counts_by_itself() -> None:
    item = labelled({"a": "x", "b": "y", "c": "z"}, {"a": TEXTUAL, "b": TEXTUAL, "c": TEXTUAL})
    item.boxes = dict.fromkeys("abc", Box(0.1, 0.1, 0.2, 0.1))

    def said(text: str, x: float, page: int) -> dict[str, Any]:
        return {"bboxes": [{"content": text, "bbox": {"xywh": [x, 0.1, 0.2, 0.1]}, "page": page}], "probability": 0.9}

    response = {
        "a": "x",
        "a_metadata": said("x", 0.15, 0),
        "b": "y",
        "b_metadata": said("y", 0.2, 0),
        "c": "z",
        "c_metadata": said("q", 0.1, 1),
    }
    micro = summary([judge(item, response)])["mine"]["micro"]
    assert micro["grounding_hit"] == pytest.approx(1 / 3)  # overlaps of .15/.25 and .1/.3, and one on another page
    assert micro["page_accuracy"] == pytest.approx(2 / 3)
    assert micro["text_under_box"] == pytest.approx(2 / 3)
    assert (micro["accuracy_at_80"], micro["ece"]) == (1.0, pytest.approx(0.1))


def test_writing_a_date_or_an_amount_otherwise_costs_no_likeness() -> None:
    item = labelled({"day": "05/01/2018", "sum": "$1,234.50"}, {"day": TEXTUAL | {"format": "date"}, "sum": {"type": "number"}})
    assert judge(item, {"day": "2018-01-05", "sum": 1234.5}).anls == 1.0


def test_a_folder_of_ones_own_gives_the_files_with_truth_beside_them(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.png", "c.pdf"):
        (tmp_path / name).write_bytes(b"%PDF")
    (tmp_path / "a.json").write_text('{"total": 1}')
    (tmp_path / "b.png.json").write_text('{"total": null}')
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    found = list(folder_items(tmp_path, schema))
    assert [(item.id, item.truth) for item in found] == [("a.pdf", {"total": 1}), ("b.png", {"total": None})]
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(ValueError, match=r"a\.json is not a JSON object"):
        list(folder_items(tmp_path, schema))
