from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import pytest
import typer

from heliograph.cli.question import ask


def test_nothing_asked_names_the_three_ways() -> None:
    with pytest.raises(typer.BadParameter, match=r"--domain.*--schema.*--skill"):
        ask()


def test_options_become_the_config_of_a_request(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"total": {"type": "number"}}}')
    question = ask("document.receipt", schema=schema, prompt="the grand total", pages="0, 2", detail="hi", grounding=False)
    assert question.domain == "document.receipt"
    assert question.config == {
        "detail": "hi",
        "grounding": False,
        "confidence": False,
        "json_schema": {"type": "object", "properties": {"total": {"type": "number"}}},
        "prompt": "the grand total",
        "page_indices": [0, 2],
    }


@pytest.mark.parametrize(("content", "said"), [("{", "not JSON"), ("[1]", "not a JSON object"), (None, "No such file")])
def test_a_schema_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    schema = tmp_path / "schema.json"
    if content is not None:
        schema.write_text(content)
    with pytest.raises(typer.BadParameter, match=said):
        ask(schema=schema)


def test_pages_must_be_numbers() -> None:
    with pytest.raises(typer.BadParameter, match="0,2"):
        ask("document.receipt", pages="1-3")


def test_markdown_is_asked_without_grounding_since_it_has_boxes_of_its_own() -> None:
    assert ask("document.markdown").config["grounding"] is False


def test_a_skill_travels_as_a_zip_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "skill" / "resources").mkdir(parents=True)
    (tmp_path / "skill" / "SKILL.md").write_text("---\nname: receipts\n---\nRead it.")
    (tmp_path / "skill" / "resources" / "a.txt").write_text("x")
    question = ask(skill=tmp_path / "skill")
    (item,) = question.config["skills"]
    assert (item["type"], item["name"]) == ("inline", "skill")
    names = zipfile.ZipFile(io.BytesIO(base64.b64decode(item["source"]["data"]))).namelist()
    assert sorted(names) == ["SKILL.md", "resources/a.txt"]
    assert question == ask(skill=tmp_path / "skill"), "the same folder is the same question"


def test_a_folder_without_skill_md_is_no_skill(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"SKILL\.md"):
        ask(skill=tmp_path)


def test_the_digest_tells_questions_apart() -> None:
    digests = {ask("a").digest, ask("b").digest, ask("a", prompt="x").digest, ask("a", pages="0").digest}
    assert len(digests) == 4
    assert json.dumps(ask("a").config) == json.dumps(ask("a").config)
