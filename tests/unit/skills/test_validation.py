from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.skills import preinstalled
from heliograph.skills.archive import from_folder, pack
from heliograph.skills.package import read
from heliograph.skills.validation import Report, objections, report
from heliograph.skills.writing import draft
from tests.unit.skills.zips import SKILL_MD

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"total": {"type": "number"}}}


def skill(folder: Path, files: Mapping[str, str | None] | None = None, *, name: str = "orders") -> Path:
    """A folder with a skill, and `files` in it; None takes a file away that is there otherwise."""
    (folder / name).mkdir()
    for path, text in {"SKILL.md": SKILL_MD, "schema.json": json.dumps(SCHEMA), **(files or {})}.items():
        (folder / name / path).parent.mkdir(exist_ok=True)
        if text is not None:
            (folder / name / path).write_text(text)
    return folder / name


def test_a_skill_that_the_specification_has_nothing_against_is_valid(tmp_path: Path) -> None:
    found = report(skill(tmp_path))
    assert (found.errors, found.warnings, found.notes) == ([], [], [])
    assert found.package is not None
    assert found.package.name == "orders"


def test_reference_cases_get_the_reference_verdicts(shared_data: Path) -> None:
    lines = (shared_data / "agent_skills_validator_cases" / "manifest.jsonl").read_text().splitlines()
    assert lines
    for item in map(json.loads, lines):
        truth = json.loads((shared_data / item["truth_path"]).read_text())
        found = report(shared_data / item["path"])
        assert found.errors == []
        assert (found.warnings == []) == truth["valid"], item["id"]
        for claim in truth["asserts"]:
            assert eval(claim, {"any": any, "errors": found.warnings}), item["id"]


def test_published_skills_are_valid(shared_data: Path) -> None:
    lines = (shared_data / "agent_skills" / "manifest.jsonl").read_text().splitlines()
    assert lines
    for item in map(json.loads, lines):
        found = report(shared_data / item["path"])
        assert (found.errors, found.warnings) == ([], []), item["id"]


@pytest.mark.parametrize("name", preinstalled.FIRST_MADE)
def test_preinstalled_skills_are_valid(name: str) -> None:
    found = report(preinstalled.folder(name))
    assert (found.errors, found.warnings) == ([], [])
    assert found.package is not None
    assert found.package.manifest is not None
    assert found.package.manifest.graph is not None


@pytest.mark.parametrize("prompt", ["Extract invoice_id, date and total_amount", "Fasse zusammen: 'x'", "---\nname: [a\n---"])
def test_skills_that_a_template_writes_are_valid(tmp_path: Path, prompt: str) -> None:
    files = draft(prompt)
    name = read(files).name
    assert name
    for path, content in files.items():
        (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / path).write_bytes(content)
    found = report(tmp_path / name)
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"schema.json": "{"}, "schema.json of the skill is not JSON"),
        ({"vlmrun.yaml": "- a"}, "vlmrun.yaml of the skill is not a list"),
        ({"resources/SKILL.md": "x"}, "holds 2 files called SKILL.md"),
        ({"schema.json": '{"$ref": "#/nowhere"}'}, "schema.json of the skill: "),
        (
            {"schema.json": None, "SKILL.md": '```json\n{"properties": {"a": {"type": "nothing"}}}\n```'},
            "The schema in the text of SKILL.md: ",
        ),
    ],
)
def test_what_cannot_work_is_an_error(tmp_path: Path, files: dict[str, str | None], error: str) -> None:
    found = report(skill(tmp_path, files))
    assert len(found.errors) == 1
    assert error in found.errors[0]
    assert found.package is None


def test_a_place_without_a_skill_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "notes.txt"):
        assert report(path) == Report(errors=report(path).errors)
        assert report(path).errors


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ({"SKILL.md": SKILL_MD.replace("orders", "others", 1)}, "Directory name 'orders' must match skill name 'others'"),
        ({"SKILL.md": "Read."}, "SKILL.md must start with YAML frontmatter (---)"),
        ({"SKILL.md": "---\nname: orders\n---\nRead."}, "Missing required field in frontmatter: description"),
        ({"SKILL.md": SKILL_MD.replace("license", "licence")}, "Unexpected fields in frontmatter: licence"),
        ({"SKILL.md": SKILL_MD.replace("license: MIT", "allowed-tools: [Read]")}, "Invalid YAML in frontmatter"),
        ({"vlmrun.yaml": "modle: x"}, "vlmrun.yaml: modle is not a key and has no effect"),
        ({"vlmrun.yaml": "graph: x"}, "vlmrun.yaml: The graph cannot be read, line 1"),
        ({"resources/a.txt": "x", "resources/a.json": "[]"}, "resources/a.json is not used: it does not fit the schema"),
        ({"schema.json": '{"properties": {"a": {"type": "string", "pattern": "(?=x)"}}}'}, "schema: "),
    ],
)
def test_what_has_no_effect_or_is_against_the_specification_is_a_warning(tmp_path: Path, files: Mapping[str, str], warning: str) -> None:
    found = report(skill(tmp_path, files))
    assert found.errors == []
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(warning)
    assert "\n" not in found.warnings[0]


def test_frontmatter_that_is_documented_elsewhere_is_not_objected_to() -> None:
    assert objections(SKILL_MD.replace("license: MIT", "skill_version: 3")) == []
    assert objections(SKILL_MD.replace("\n", "\r\n")) == []


@pytest.mark.parametrize(
    "matter", ["- x\n" * 16_000, "".join(f"k{n}: x\n" for n in range(5_000)), "x" * 60_000, "metadata: {a: b, c: [d]}"]
)
def test_frontmatter_made_to_be_slow_is_not_held_against_the_specification(matter: str) -> None:
    started = time.perf_counter()
    assert len(objections(f"---\nname: orders\nm:\n{matter}\n---\n")) == 1
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (
            {"schema.json": None, "SKILL.md": SKILL_MD + "\n## Fields\n- `total` (number): to pay\n- `due` (date)\n"},
            "from the text: total, due",
        ),
        ({"schema.json": None}, "names no fields: they are found in each document"),
        ({"schema.json": None, "schemas/a.json": "{}", "schemas/b.json": "{}"}, "one of a, b; no answer where none fits"),
        ({"schemas/a.json": "{}"}, "one of a; schema.json where none fits"),
        ({"resources/a.txt": "x", "resources/a.json": '{"total": 1}'}, "examples: 1 in resources/"),
        ({"examples/a.txt": "x", "examples/a.json": '{"total": 1}'}, "tests: 1 in examples/"),
    ],
)
def test_how_a_skill_will_be_used_is_a_note(tmp_path: Path, files: dict[str, str | None], note: str) -> None:
    found = report(skill(tmp_path, files))
    assert (found.errors, found.warnings) == ([], [])
    assert [said for said in found.notes if note in said]


def test_a_zip_is_looked_at_as_its_folder_is_but_for_the_folders_name(tmp_path: Path) -> None:
    folder = skill(tmp_path, {"vlmrun.yaml": "modle: x"}, name="other")
    (tmp_path / "other.zip").write_bytes(pack(from_folder(folder)))
    warnings = report(folder).warnings
    assert report(tmp_path / "other.zip").warnings == [said for said in warnings if "Directory name" not in said] != warnings


def test_the_command_says_what_is_wrong_and_fails_for_what_cannot_work(tmp_path: Path) -> None:
    good, bad = skill(tmp_path), skill(tmp_path, {"schema.json": "["}, name="bad")
    result = CliRunner().invoke(app, ["skills", "validate", str(good), str(bad)])
    assert result.exit_code == 1
    first, second, error = result.stdout.splitlines()
    assert (first, second) == (f"{good}: valid", f"{bad}: 1 error")
    assert error.startswith("  error: schema.json of the skill is not JSON")


def test_warnings_fail_the_command_only_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = skill(tmp_path, {"vlmrun.yaml": "modle: x"}, name="renamed")
    lenient, strict = (CliRunner().invoke(app, ["skills", "validate", str(folder), *more]) for more in ([], ["--strict"]))
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert lenient.stdout.splitlines()[0] == f"{folder}: 2 warnings"
    assert "  warning: vlmrun.yaml: modle is not a key and has no effect" in lenient.stdout.splitlines()


def test_the_reference_validator_is_imported_only_to_validate() -> None:
    code = "import sys\nimport heliograph.skills.validation\nprint([m for m in ('skills_ref', 'strictyaml', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
