"""The page of licences names every package that asks for more than a mention."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKED = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "dev.lock").read_text("utf-8"), re.MULTILINE)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|CDDL|EUPL)|General Public|Mozilla Public|Eclipse Public", re.IGNORECASE)


def licence(package: str) -> str:
    """What the installed package says of itself: the expression, else the first line of the text, else the classifiers."""
    said = metadata(package)
    stated = said.get("License-Expression") or (said.get("License") or "").partition("\n")[0]
    return stated or " ".join(line for line in said.get_all("Classifier", []) if line.startswith("License"))


def test_every_locked_package_under_a_copyleft_licence_is_on_the_page() -> None:
    page = (ROOT / "docs" / "reference" / "licences.md").read_text("utf-8").partition("Compiled packages")[0]
    missing: list[str] = []
    for package in LOCKED:
        try:
            said = licence(package)
        except PackageNotFoundError:
            pytest.fail(f"{package} is locked and not installed: `make setup`")
        assert "AGPL" not in said
        assert "Affero" not in said
        if COPYLEFT.search(said) and f"`{package}`" not in page:
            missing.append(f"{package}: {said}")
    assert not missing
