"""The README's snippets, run as they are written by a newcomer who has pasted the printed `export` line."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import clients
from tests.live import running_server

ROOT = Path(__file__).resolve().parents[2]


def snippet(language: str, word: str) -> str:
    """The README's example in `language` that holds `word`."""
    fences = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
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
