"""The official clients, unchanged, against a real server on a free port."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import clients
from tests.live import running_server

# Resources that later parts of Heliograph bring. Everything else must pass.
LATER = ("datasets.", "dataset.", "fine_tuning.", "finetuning.")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    scratch = tmp_path_factory.mktemp("conformance")
    with running_server(scratch / "data") as server:
        yield clients.environment(server, scratch) | {"SKILL_ZIP": str(skill_zip(scratch))}


def skill_zip(folder: Path) -> Path:
    """A skill that reads the total, for the client whose language has no zip writer."""
    target = folder / "totals.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SKILL.md", "---\nname: totals\ndescription: Reads the total\n---\nRead the total.\n")
        archive.writestr("schema.json", json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}}))
    return target


def judge(results: list[clients.Result]) -> None:
    failed = [f"{r.name}: {r.detail}" for r in results if r.outcome == "failed"]
    early = [r.name for r in results if r.outcome == "later" and not r.name.startswith(LATER)]
    assert results, "the driver ran no check"
    assert not failed, "\n".join(failed)
    assert not early, f"answered `not_configured` although it is here: {early}"


def test_every_public_method_of_the_python_sdk(environment: dict[str, str], collected: list[clients.Result]) -> None:
    python = clients.python_environment()
    results = list(clients.drive("vlmrun (Python)", [python, clients.HERE / "python_client.py"], environment, cwd=clients.HERE))
    collected += results
    judge(results)


def test_every_command_of_the_cli(environment: dict[str, str], collected: list[clients.Result]) -> None:
    python = clients.python_environment()
    results = list(clients.drive("vlmrun (CLI)", [python, clients.HERE / "cli_client.py"], environment, cwd=clients.HERE))
    collected += results
    judge(results)


def test_every_public_method_of_the_node_sdk(environment: dict[str, str], collected: list[clients.Result]) -> None:
    folder = clients.node_environment()
    if folder is None:
        pytest.skip("Node and npm are not installed")
    results = list(clients.drive("vlmrun (Node)", ["node", "client.mjs"], environment, cwd=folder))
    collected += results
    judge(results)
