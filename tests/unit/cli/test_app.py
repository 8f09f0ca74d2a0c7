from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from heliograph import __version__
from heliograph.cli import app as commands
from heliograph.cli import version as version_module
from heliograph.errors import InvalidRequest

HEAVY = ("pydantic", "numpy", "PIL", "cv2", "openvino", "sqlalchemy", "procrastinate", "fastapi", "aiohttp", "heliograph.config")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom heliograph.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([module for module in {HEAVY!r} if module in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]"), run.stdout.splitlines()[-1]


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(commands.app, ["--help"]).output
    for name, (_, _, summary) in commands.COMMANDS.items():
        assert name in shown
        assert summary.split()[0] in shown


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_loads_and_says_what_it_does(name: str) -> None:
    command = commands.load(name)
    assert command.help, f"heliograph {name} has no help"
    for inner in getattr(command, "commands", {}).values():
        assert inner.help, f"heliograph {name} {inner.name} has no help"


def test_a_mistyped_command_is_answered_with_the_nearest_and_code_2() -> None:
    result = CliRunner().invoke(commands.app, ["extarct"])
    assert result.exit_code == 2
    assert "extract" in result.output


def test_an_error_is_one_sentence_on_stderr_and_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise InvalidRequest("The moon is in the way.")

    monkeypatch.setattr(version_module, "version", fails)
    monkeypatch.setattr(sys, "argv", ["heliograph", "version"])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    assert ended.value.code == 1
    captured = capsys.readouterr()
    assert captured.err == "heliograph: The moon is in the way.\n"
    assert not captured.out


def test_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(commands.app, ["version"]).output == f"heliograph {__version__}\n"


def test_a_command_that_is_a_function_keeps_its_name() -> None:
    assert isinstance(typer.main.get_command(commands.app), typer.core.TyperGroup)
    assert commands.load("version").name == "version"


def test_the_doctor_says_when_the_bucket_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from heliograph.cli.doctor import _store
    from heliograph.config import Settings

    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)
    finding = _store(Settings(store_url="s3://nowhere/at-all"))
    assert (finding.verdict, finding.what) == ("bad", "store")
    assert "HELIOGRAPH_STORE_URL" in finding.mend


@pytest.mark.parametrize(("mode", "said"), [("bubblewrap", "bwrap is not installed"), ("off", "HELIOGRAPH_SANDBOX is off")])
def test_the_doctor_says_why_programs_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str, said: str) -> None:
    from heliograph.cli.doctor import _sandbox
    from heliograph.config import Settings

    monkeypatch.setenv("PATH", str(tmp_path))
    finding = _sandbox(Settings.model_validate({"sandbox": mode}))
    assert (finding.verdict, finding.what) == ("note", "sandbox")
    assert said in finding.detail
