"""`heliograph skills new`: what it writes is a skill that works, by a model where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from heliograph.models.scripted import Scripted
from heliograph.samples import INVOICE
from tests.integration.cli.test_commands import heliograph

PROMPT = "Extract invoice_id, date and total_amount"


def test_a_new_skill_is_valid_and_extracts(tmp_path: Path) -> None:
    done = heliograph("skills", "new", PROMPT, "--name", "bills", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert "Its fields: invoice_id, date, total_amount." in done.stdout.decode()
    assert heliograph("skills", "validate", "--strict", "bills", cwd=tmp_path).stdout.decode().strip() == "bills: valid"
    answered = heliograph("extract", INVOICE, "--skill", "bills", "--json", "--no-grounding", cwd=tmp_path)
    assert json.loads(answered.stdout) == {"invoice_id": "BW-2026-0318", "date": "2026-03-09", "total_amount": 8956.08}


def test_a_folder_that_is_there_is_left_alone_and_no_model_is_asked_for_it(tmp_path: Path) -> None:
    (tmp_path / "bills").mkdir()
    (tmp_path / "bills" / "SKILL.md").write_text("mine")
    with Scripted([]) as server:
        done = heliograph("skills", "new", PROMPT, "--name", "bills", cwd=tmp_path, HELIOGRAPH_MODEL_URL=server.url)
    assert done.returncode == 2
    assert "is there already" in done.stderr.decode()
    assert (tmp_path / "bills" / "SKILL.md").read_text() == "mine"
    assert not server.requests


def test_the_configured_model_writes(tmp_path: Path) -> None:
    field: dict[str, Any] = {"type": "string", "description": "It", "choices": [], "several": False}
    proposal: dict[str, Any] = {
        "description": "Reads bills.",
        "instructions": "The number of the bill stands at its head, and the total at its foot.",
        "fields": [{"name": name, **field} for name in ("invoice_id", "date")],
        "groups": [],
    }
    with Scripted([proposal]) as server:
        done = heliograph("skills", "new", "Extract invoice_id and date", "--out", "made", cwd=tmp_path, HELIOGRAPH_MODEL_URL=server.url)
    assert done.returncode == 0, done.stderr.decode()
    assert "Reads bills. (Written by the model" in done.stdout.decode()
    assert "at its foot" in (tmp_path / "made" / "extract-invoice-id-date" / "SKILL.md").read_text()
