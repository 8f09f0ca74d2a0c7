"""What `make dist` builds works on its own: models, migrations, domains and web files are inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.live import running_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return next(target.glob("*.whl"))


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    skill = "heliograph/skills/preinstalled/patient-referral"
    for needed in (
        "heliograph/store/alembic/env.py",
        "heliograph/web/index.html",
        "heliograph/samples/receipt.png",
        f"{skill}/SKILL.md",
        f"{skill}/examples/fax.pdf",
    ):
        assert needed in names, f"{needed} is not in the wheel"
    assert any(name.startswith("heliograph/extraction/domains/") and name.endswith(".json") for name in names)
    strangers = [name for name in names if not name.startswith(("heliograph/", "heliograph-"))]
    assert not strangers, f"the wheel brings {strangers}"


def test_an_empty_environment_with_the_wheel_extracts_and_serves(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True, timeout=120)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "server.lock"], check=True, timeout=900)
    subprocess.run([*pip, wheel], check=True, timeout=120)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HELIOGRAPH_"))}
    receipt = next((tmp_path / "env").glob("lib/python*/site-packages/heliograph/samples/receipt.png"))
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "heliograph", "extract", receipt, "--domain", "document.receipt", "--json"],
        env=clean,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    with running_server(tmp_path / "data", python=python) as server:
        status, body = server.call("GET", "/v1/domains")
        assert status == 200, body
        assert "document.receipt" in {item["domain"] for item in body}
