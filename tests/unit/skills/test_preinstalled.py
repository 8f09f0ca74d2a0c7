"""The skills that ship: their folders are whole, by the specification, and the same on every installation."""

from __future__ import annotations

import json

import pytest
from skills_ref.validator import validate

from heliograph.extraction.schema import compile_schema
from heliograph.skills import preinstalled, read_folder

NAMES = list(preinstalled.FIRST_MADE)
PUBLISHED = {
    "invoice-extraction", "patient-referral", "meeting-notes", "call-summary", "receipt-extraction", "multi-form-classification",
}  # fmt: skip


def test_the_skills_are_those_that_the_published_examples_name() -> None:
    assert set(NAMES) == PUBLISHED
    assert {path.name for path in preinstalled.folder("call-summary").parent.iterdir() if path.is_dir()} - {"__pycache__"} == PUBLISHED


@pytest.mark.parametrize("name", NAMES)
def test_each_keeps_to_the_specification_of_agent_skills(name: str) -> None:
    assert validate(preinstalled.folder(name)) == []


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
