"""`heliograph skills test`: the shipped skills pass, spoilt ones do not, here, by a model and by a server."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heliograph.cli.app import app
from heliograph.config import settings
from heliograph.models.scripted import Scripted, Turn
from heliograph.skills import preinstalled
from tests.live import running_server

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "skills.md"
runner = CliRunner()


@pytest.fixture(autouse=True)
def kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def copied(name: str, target: Path) -> Path:
    shutil.copytree(preinstalled.folder(name), target / name)
    return target / name


def test_every_preinstalled_skill_passes_its_own_tests(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    result = runner.invoke(app, ["skills", "test", *preinstalled.FIRST_MADE, "--bar", "1", "--json", str(numbers)])
    assert result.exit_code == 0, result.output
    measured = json.loads(numbers.read_text())
    assert {name: fields["micro"]["documents"] for name, fields in measured.items() if name != "all"} == {
        "invoice-extraction": 4, "receipt-extraction": 3, "patient-referral": 2, "multi-form-classification": 5, "meeting-notes": 3,
        "call-summary": 2,
    }  # fmt: skip
    where = [metrics.get("text_under_box", 1) for skill in measured.values() for field, metrics in skill.items() if field != "schemaUsed"]
    assert sum(where) / len(where) >= 0.95, "values stand where they are said to stand"
    assert result.output.count("meets the bar of 1") == 6


def test_a_referral_of_several_pages_says_of_every_value_on_which_one_it_stands() -> None:
    folder = preinstalled.folder("patient-referral")
    result = runner.invoke(app, ["extract", str(folder / "examples" / "form.pdf"), "--skill", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    pages = {
        "patient.name": found["patient"]["name_metadata"]["bboxes"][0]["page"],
        "insurance.payer": found["insurance"]["payer_metadata"]["bboxes"][0]["page"],
        "diagnoses.code": found["diagnoses"][2]["code_metadata"]["bboxes"][0]["page"],
        "medications.dose": found["medications"][2]["dose_metadata"]["bboxes"][0]["page"],
    }
    assert pages == {"patient.name": 0, "insurance.payer": 1, "diagnoses.code": 0, "medications.dose": 1}


def test_what_is_not_as_the_example_says_is_shown_and_is_under_the_bar(tmp_path: Path) -> None:
    folder = copied("call-summary", tmp_path)
    answer = folder / "examples" / "transcript.json"
    answer.write_text(answer.read_text().replace("Sofia Brandt", "Someone Else"))
    result = runner.invoke(app, ["skills", "test", str(folder), "--only", "transcript", "--bar", "1"])
    assert result.exit_code == 1
    assert 'call-summary/examples/transcript.txt: agent is "Someone Else" and was answered "Sofia Brandt"' in result.output
    assert "11 of 12 values right in 1 example, F1 0.917: under the bar of 1" in result.output
    assert runner.invoke(app, ["skills", "test", str(folder), "--only", "transcript", "--bar", "0.9"]).exit_code == 0


def test_words_that_a_skill_learns_from_its_resources_are_needed(tmp_path: Path) -> None:
    folder = copied("invoice-extraction", tmp_path)
    shutil.rmtree(folder / "resources")
    asked = ["skills", "test", str(folder), "--only", "slate"]
    result = runner.invoke(app, asked)
    assert result.exit_code == 1
    assert 'invoice_id is "SQ-5627" and was answered null' in result.output


def test_a_wrong_call_says_what_is_there(tmp_path: Path) -> None:
    unknown = runner.invoke(app, ["skills", "test", "invoice"])
    assert unknown.exit_code == 2
    assert "invoice-extraction" in unknown.output
    folder = copied("call-summary", tmp_path)
    shutil.rmtree(folder / "examples")
    empty = runner.invoke(app, ["skills", "test", str(folder)])
    assert empty.exit_code == 2
    assert "has no examples" in empty.output
    route = runner.invoke(app, ["skills", "test", "call-summary", "--via", "elsewhere"])
    assert route.exit_code == 2
    assert "elsewhere" in route.output


def test_a_model_route_answers_with_the_skills_text_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted([Turn(times=0, extract={"agent": r"Agent: ([^\n]+)"})], dialect="vllm", vision=False) as server:
        monkeypatch.setenv("HELIOGRAPH_MODEL_URL", server.url)
        settings.cache_clear()
        result = runner.invoke(app, ["skills", "test", "call-summary", "--only", "transcript", "--via", "default", "--bar", "0"])
        assert result.exit_code == 0, result.output
        asked = [json.dumps(request.body) for request in server.requests if "Sofia Brandt" in json.dumps(request.body)]
    assert asked
    assert "Sum up a telephone call" in asked[0]


def test_a_server_answers_the_skill_that_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied("multi-form-classification", tmp_path)
    with running_server(tmp_path / "server") as server:
        monkeypatch.setenv("VLMRUN_API_KEY", server.key)
        result = runner.invoke(app, ["skills", "test", str(folder), "--via", server.url, "--bar", "1"])
    assert result.exit_code == 0, result.output
    assert "multi-form-classification: 52 of 52 values right in 5 examples" in result.output


def test_the_skill_that_the_documentation_makes_works_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text("utf-8")
    for path, content in re.findall(r"`(delivery-note/[\w./-]+)`[^`]*```\w+\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, ["skills", "validate", "--strict", "delivery-note"]).exit_code == 0
    verdict = re.search(r"^delivery-note: \d.*$", page, re.MULTILINE)
    assert verdict
    assert verdict[0] in runner.invoke(app, ["skills", "test", "delivery-note"]).output

    (tmp_path / "delivery-note" / "SKILL.md").write_text("---\nname: delivery-note\ndescription: Without the words.\n---\n")
    assert 'delivered_on is "2026-03-12" and was answered null' in runner.invoke(app, ["skills", "test", "delivery-note"]).output
