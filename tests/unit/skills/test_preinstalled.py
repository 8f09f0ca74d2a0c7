"""The skills that ship: their folders are whole, by the specification, and the same on every installation."""

from __future__ import annotations

import json

import pytest
from skills_ref.validator import validate

from heliograph.extraction.schema import compile_schema
from heliograph.skills import preinstalled, read_folder
from heliograph.skills.archive import content_hash
from heliograph.skills.validation import report

NAMES = list(preinstalled.FIRST_MADE)
VERSIONS = {
    "invoice-extraction": "20261121-e45b1bf0",
    "receipt-extraction": "20261121-b4c1e0a9",
    "patient-referral": "20261121-eba60441",
    "multi-form-classification": "20261121-00c4b844",
    "meeting-notes": "20261122-42f957e0",
    "call-summary": "20261122-471e2060",
}
"""Of the present content. Who changes a skill writes its new day into `FIRST_MADE`, and its new version here."""
PUBLISHED = {
    "invoice-extraction", "patient-referral", "meeting-notes", "call-summary", "receipt-extraction", "multi-form-classification",
}  # fmt: skip


def test_the_skills_are_those_that_the_published_examples_name() -> None:
    assert set(NAMES) == PUBLISHED
    assert {path.name for path in preinstalled.folder("call-summary").parent.iterdir() if path.is_dir()} - {"__pycache__"} == PUBLISHED


@pytest.mark.parametrize("name", NAMES)
def test_each_keeps_to_the_specification_of_agent_skills_and_has_nothing_in_vain(name: str) -> None:
    assert validate(preinstalled.folder(name)) == []
    found = report(preinstalled.folder(name))
    assert (found.errors, found.warnings) == ([], [])


def test_a_changed_skill_has_a_changed_day() -> None:
    made = {name: f"{preinstalled.first_made(name):%Y%m%d}-{content_hash(preinstalled.files(name))[:8]}" for name in NAMES}
    assert made == VERSIONS, "write the day of the change into FIRST_MADE, and the version here"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_skill_learns_from_is_not_what_it_is_tested_on(name: str) -> None:
    files = preinstalled.files(name)
    resources, examples = ({data for path, data in files.items() if path.startswith(folder)} for folder in ("resources/", "examples/"))
    assert len(examples) >= 4, "two documents with their answers"
    assert not resources & examples


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_reads_into_what_and_with_which_model(name: str) -> None:
    package = read_folder(preinstalled.folder(name))
    assert package.name == name
    assert package.description
    assert package.model == "vlmrun-orion-1:auto"
    schemas = [json.loads(data) for path, data in preinstalled.files(name).items() if path.startswith("schema")]
    assert len(schemas) == (3 if name == "multi-form-classification" else 1)
    for schema in schemas:
        assert all(field.description for field in compile_schema(schema).root.leaves() if field.path[-1] != "[]")


def test_every_gives_the_files_by_their_path_below_the_folder() -> None:
    every = preinstalled.every()
    assert len(every) == len(NAMES)
    assert all({"SKILL.md", "vlmrun.yaml"} <= files.keys() for files in every)
    assert "schemas/leave_request.json" in every[NAMES.index("multi-form-classification")]


def test_a_name_that_does_not_ship_is_no_path() -> None:
    with pytest.raises(KeyError):
        preinstalled.folder("../../samples")
