"""Skills written from a prompt by the template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skills_ref import validate

from heliograph.errors import InvalidRequest
from heliograph.extraction.instructions import hints
from heliograph.extraction.schema import compile_schema
from heliograph.skills import package
from heliograph.skills.writing import checked, draft, name_of, slug

PROMPT = "Extract invoice_id, date and total_amount"


def test_a_draft_is_a_skill_that_says_how_it_was_made() -> None:
    made = package.read(draft(PROMPT))
    assert made.name == "extract-invoice-id-date-total-amount"
    assert made.schema is not None
    assert list(made.schema["properties"]) == ["invoice_id", "date", "total_amount"]
    assert made.description is not None
    assert made.description.startswith(PROMPT)
    assert "template" in made.description
    assert "derived from its words" in made.description
    assert PROMPT in made.text
    assert made.model == "vlmrun-orion-1:auto"


def test_a_schema_that_is_given_stands_as_it_is() -> None:
    schema = {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "integer", "minimum": 3}}, "required": ["z"]}
    files = draft(PROMPT, schema)
    assert files["schema.json"] == json.dumps(schema, indent=2).encode() + b"\n"
    assert "derived" not in files["SKILL.md"].decode()
    for envelope in (
        {"name": "x", "schema": schema, "strict": True},
        {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    ):
        assert draft(PROMPT, envelope)["schema.json"] == files["schema.json"]


def test_a_prompt_without_fields_brings_no_schema_and_says_so() -> None:
    files = draft("Extract what matters")
    assert "schema.json" not in files
    assert "names no fields" in files["SKILL.md"].decode()


@pytest.mark.parametrize(
    ("prompt", "schema"),
    [("", None), (" \n\x00", None), ("x" * 20_001, None), (PROMPT, {"type": "nonsense"}), (PROMPT, {"$ref": "http://a/b"})],
)
def test_what_cannot_be_written_is_refused(prompt: str, schema: dict[str, object] | None) -> None:
    with pytest.raises(InvalidRequest):
        draft(prompt, schema)


def test_the_template_adds_no_labels_to_what_the_prompt_says() -> None:
    prompt = 'Extract the dates, numbers, values, list and document. The date is labelled "Fecha".'
    made = package.read(draft(prompt))
    root = compile_schema(made.schema).root
    assert hints(made.text, root) == hints(prompt, root)


@pytest.mark.parametrize("name", [None, "my-skill", "Rechnungen (März) 2026!", "x" * 255, "--", "a__b", "日本語"])
def test_the_reference_validator_accepts_what_is_written(tmp_path: Path, name: str | None) -> None:
    files = draft("Extract \"a\": b\\n # & * {x}, c — d: 'e' [f]\n---\nname: other\n---\n", name=name)
    folder = tmp_path / (package.read(files).name or "")
    folder.mkdir()
    for path, content in files.items():
        (folder / path).write_bytes(content)
    assert validate(folder) == []


@given(st.text(max_size=300), st.none() | st.text(max_size=80))
def test_any_prompt_and_name_give_a_skill_that_reads_back(prompt: str, name: str | None) -> None:
    try:
        files = draft(prompt, name=name)
    except InvalidRequest:
        return
    made = package.read(files)
    assert made.name == slug(name or name_of(checked(prompt, None)[0]))
    assert made.description is not None
    assert len(made.description) <= 1024
    lines = files["SKILL.md"].decode().splitlines()
    told = [line.partition(": ")[2].strip('"') for line in lines[1:3]]
    assert told == [made.name, made.description]  # as clients read it that parse no YAML


def test_names_are_the_first_words_and_never_those_of_another_prompt() -> None:
    long = "Extract the invoice number, the issue date, the due date, the seller, the buyer, the total and "
    one, other = name_of(long + "the tax"), name_of(long + "the currency")
    assert one != other
    assert one.startswith("extract-invoice-number-issue-date-due-date-seller-buyer-")
    assert max(len(one), len(other)) <= 64
    assert name_of("¿?") == name_of("¿?") != name_of("?¿")
