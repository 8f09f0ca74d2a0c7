"""The snippets of the README and of the page about skills, run as they are written by who has pasted the printed `export` line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.conformance import clients, recordings
from tests.live import data_uri, running_server

ROOT = Path(__file__).resolve().parents[2]
SKILLS = "docs/how-to/skills.md"


def snippet(language: str, word: str, page: str = "README.md") -> str:
    """The page's example in `language` that holds `word`."""
    fences = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [code for code in fences if word in code]
    return found


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment after the export line."""
    with running_server(tmp_path_factory.mktemp("readme") / "data") as server:
        yield os.environ | {"VLMRUN_BASE_URL": f"{server.url}/v1", "VLMRUN_API_KEY": server.key}


def run(command: list[str | Path], environment: dict[str, str], cwd: Path = ROOT) -> str:
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_python_snippet_prints_the_total_and_where_it_stands(pasted: dict[str, str]) -> None:
    said = run([clients.python_environment(), "-c", snippet("python", "document.invoice")], pasted)
    assert "8956.08" in said
    assert "bboxes" in said


def test_the_snippet_of_skills_publishes_one_and_reads_with_it(pasted: dict[str, str]) -> None:
    said = run([clients.python_environment(), "-c", snippet("python", "create_from_directory")], pasted)
    assert re.match(r"\d{8}-[0-9a-f]{8} \{", said)
    assert "76.1" in said


def test_the_snippet_of_recordings_prints_what_is_said_and_when(pasted: dict[str, str], tmp_path: Path) -> None:
    recordings.call(tmp_path).rename(tmp_path / "talk.mp3")
    said = run([clients.python_environment(), "-c", snippet("python", "audio.transcription")], pasted, tmp_path)
    assert re.match(r"\d+\.\d+ It was the best of times", said)


def test_the_snippet_of_chat_says_the_total_and_names_the_picture_that_it_drew(pasted: dict[str, str]) -> None:
    said = run([clients.python_environment(), "-c", snippet("python", "chat.completions")], pasted)
    assert "76.10" in said
    assert re.search(r"\bimg_[0-9a-f]{6}\b", said)


def test_the_node_snippet_prints_the_total_and_where_it_stands(pasted: dict[str, str]) -> None:
    folder = clients.node_environment()
    if folder is None:
        pytest.skip("Node and npm are not installed")
    script = folder / "readme.mjs"
    script.write_text(snippet("js", "VlmRun").replace('"src/heliograph', f'"{ROOT}/src/heliograph'))
    try:
        said = run(["node", script], pasted, cwd=folder)
    finally:
        script.unlink()
    assert "8956.08" in said
    assert "bboxes" in said


def test_the_curl_snippet_answers_an_own_schema(pasted: dict[str, str]) -> None:
    answer = json.loads(run(["bash", "-euo", "pipefail", "-c", snippet("sh", "curl")], pasted))
    assert answer["status"] == "completed"
    assert answer["response"]["total"] == 76.1
    assert answer["response"]["date"] == "2026-03-14"


def test_the_commands_without_a_server_work(tmp_path: Path) -> None:
    for line in snippet("sh", "heliograph extract").splitlines():
        run(["bash", "-euc", line.replace("out/", f"{tmp_path}/")], dict(os.environ))
    assert list(tmp_path.glob("receipt-0.png"))
    assert json.loads((tmp_path / "answers" / "invoice.pdf.json").read_text())["response"]["invoice_id"] == "BW-2026-0318"


@pytest.fixture
def desk(tmp_path: Path, pasted: dict[str, str]) -> Path:
    """A folder with an invoice, and the skill that the page about skills builds up."""
    shutil.copy(str(files("heliograph.samples") / "invoice.pdf"), tmp_path / "invoice.pdf")
    note = tmp_path / "delivery-note"
    note.mkdir()
    (note / "SKILL.md").write_text(snippet("markdown", "name: delivery-note", SKILLS))
    (note / "schema.json").write_text(snippet("json", '"properties"', SKILLS))
    pasted["HOME"] = str(tmp_path)
    return tmp_path


def said_in_passing(beginning: str) -> list[str]:
    """The words of the command that the page about skills mentions within a line."""
    (found,) = re.findall(rf"`({re.escape(beginning)}[^`]*)`", (ROOT / SKILLS).read_text("utf-8"))
    return found.split()


def test_a_skill_that_is_there_is_used_as_the_page_says(pasted: dict[str, str], desk: Path) -> None:
    said = run(
        [clients.python_environment(), "-c", snippet("python", "grounding=True", SKILLS) + "print(prediction.response)"], pasted, desk
    )
    assert "8956.08" in said
    assert "bboxes" in said
    _, *words = said_in_passing("vlmrun generate --input")
    assert "8956.08" in run([clients.python_environment().parent / "vlmrun", *words], pasted, desk)
    link = data_uri((desk / "invoice.pdf").read_bytes(), "application/pdf")
    curl = snippet("sh", "invoice-extraction", SKILLS).replace("https://example.org/invoice.pdf", link)
    accepted = json.loads(run(["bash", "-euo", "pipefail", "-c", curl], pasted, desk))
    assert accepted["status"] == "pending"
    assert [skill["name"] for skill in accepted["skills"]] == ["invoice-extraction"]


def test_a_skill_is_published_and_sent_along_as_the_page_says(pasted: dict[str, str], desk: Path) -> None:
    python = clients.python_environment()
    version = run([python, "-c", snippet("python", "create_from_directory", SKILLS)], pasted, desk).strip()
    assert re.fullmatch(r"\d{8}-[0-9a-f]{8}", version)
    _, *words = said_in_passing("vlmrun skills upload")
    assert version in run([python.parent / "vlmrun", *words], pasted, desk), "the same content is the same version"
    for skill in (f"--skill-id=delivery-note:{version}", "--skill=delivery-note"):
        said = run([python.parent / "vlmrun", "generate", "-i", "invoice.pdf", skill, "-f", "json"], pasted, desk)
        assert list(json.loads(said)["response"]) == ["delivery_number", "delivered_on", "customer", "goods"]


def test_a_skill_is_written_on_the_server_as_the_page_says(pasted: dict[str, str], desk: Path) -> None:
    made = json.loads(run(["bash", "-euo", "pipefail", "-c", snippet("sh", '"prompt"', SKILLS)], pasted, desk))
    assert made["name"] == "orders"
    link = f"{pasted['VLMRUN_BASE_URL']}/skills/{made['id']}/files/schema.json"
    schema = json.loads(run(["curl", "-sf", link, "-H", f"Authorization: Bearer {pasted['VLMRUN_API_KEY']}"], pasted, desk))
    assert list(schema["properties"]) == ["order_number", "customer", "delivery_date", "total_amount"]
