"""A skill's examples become labelled documents, and their answers a score."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import InvalidRequest
from heliograph.evaluation.judging import judge
from heliograph.evaluation.skills import Score, score, trial
from heliograph.skills import read_zip


def skill(folder: Path, files: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: orders\ndescription: Orders.\n---\nRead orders.\n")
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def schema(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in names}}


LINES = {"type": "object", "properties": {"lines": {"type": "array", "items": schema("text")}}}


def test_each_pair_in_examples_is_a_document_asked_with_the_whole_skill(tmp_path: Path) -> None:
    files = {"schema.json": schema("number"), "examples/a.txt": "No 1", "examples/a.json": {"number": "1"}, "resources/b.txt": "No 2"}
    found = trial(skill(tmp_path / "orders", files))
    (item,) = found.items
    assert (item.id, item.set, item.path.read_text(), item.truth) == ("a.txt", "orders", "No 1", {"number": "1"})
    (asked,) = item.config["skills"]
    sent = read_zip(base64.b64decode(asked["source"]["data"]))
    assert (sent.hash, sent.schema) == (found.package.hash, schema("number"))


def test_of_several_schemas_the_choice_is_judged_beside_the_values(tmp_path: Path) -> None:
    shared = {"type": "object", "properties": {"who": {"$ref": "#/$defs/Who"}}, "$defs": {"Who": schema("name")}}
    files = {
        "schemas/order.json": shared,
        "schemas/note.json": schema("title"),
        "examples/a.txt": "x",
        "examples/a.json": {"schemaUsed": "order", "data": {"who": {"name": "Ada"}}},
        "examples/none.txt": "x",
        "examples/none.json": {"schemaUsed": None, "data": None},
    }
    order, none = trial(skill(tmp_path / "orders", files)).items
    right = judge(order, {"schemaUsed": "order", "documentType": "Order", "data": {"who": {"name": "Ada"}}})
    assert score([right]) == Score(2, 2, 2)
    wrong = judge(order, {"schemaUsed": "note", "data": {"title": "Ada"}})
    assert score([wrong]) == Score(0, 1, 2)
    assert score([judge(none, {"schemaUsed": None, "data": None})]).f1 == 1
    assert score([judge(none, {"schemaUsed": "note", "data": {"title": "x"}})]).f1 == 0


def test_values_of_lists_count_one_by_one_and_what_is_made_up_counts_against(tmp_path: Path) -> None:
    files = {"schema.json": LINES, "examples/a.txt": "x", "examples/a.json": {"lines": [{"text": "one"}, {"text": "two"}]}}
    (item,) = trial(skill(tmp_path / "orders", files)).items
    made = score([judge(item, {"lines": [{"text": "one"}, {"text": "three"}, {"text": "four"}]})])
    assert made == Score(1, 3, 2)
    assert made.f1 == pytest.approx(0.4)


def test_a_skill_without_a_schema_is_judged_by_the_fields_that_its_text_names(tmp_path: Path) -> None:
    folder = skill(tmp_path / "orders", {"examples/a.txt": "x", "examples/a.json": {"order_number": "1"}})
    with pytest.raises(InvalidRequest, match="names no fields"):
        trial(folder)
    (folder / "SKILL.md").write_text("---\nname: orders\ndescription: Orders.\n---\n## Fields\n- `order_number`: number of the order\n")
    (item,) = trial(folder).items
    assert list(item.schema["properties"]) == ["order_number"]


def test_without_examples_it_is_said_how_one_is_made_and_why_one_is_none(tmp_path: Path) -> None:
    folder = skill(tmp_path / "orders", {"schema.json": schema("number"), "examples/a.txt": "No 1"})
    with pytest.raises(InvalidRequest, match=r"examples/one\.pdf and examples/one\.json.*examples/a\.txt is not tested"):
        trial(folder)
