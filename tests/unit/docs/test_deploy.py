"""What `deploy/` starts exists: commands, options, settings, files; and nothing there names a registry."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from heliograph.cli.app import COMMANDS, load
from heliograph.config import Settings

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")


def check_command(words: list[str]) -> None:
    assert words[0] in COMMANDS
    known = {option for parameter in load(words[0]).params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, words


def test_the_commands_exist_with_their_options() -> None:
    check_command(json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1]))
    check_command(COMPOSE["services"]["api"]["command"])
    check_command(COMPOSE["services"]["worker"]["command"])
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string((DEPLOY / "heliograph.service").read_text("utf-8"))
    check_command(unit["Service"]["ExecStart"].split()[1:])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_named_is_one(path: Path) -> None:
    named = set(re.findall(r"\bHELIOGRAPH_([A-Z_]+)\b", path.read_text("utf-8")))
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_registry_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    for image in re.findall(r"(?:FROM|BASE=|image:|IMAGE:-)\s*([\w./:-]+)", text):
        host, slash, _ = image.partition("/")
        assert not slash or "." not in host, f"{path.name} names {image}"
    assert not re.search(r"index-url|find-links|registry\s*=", text)


def test_what_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    kept = {line.removeprefix("!") for line in (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source.partition("/")[0] in kept


def test_every_secret_that_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert asked == set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE))
