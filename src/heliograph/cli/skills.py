"""`heliograph skills`: skills as folders on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heliograph.cli.skillnew import skill_new
from heliograph.cli.skilltest import skill_test

app = typer.Typer(no_args_is_help=True, help="Write, check and test skills.", pretty_exceptions_enable=False)


@app.callback()
def _skills() -> None:  # pyright: ignore[reportUnusedFunction]
    """Write, check and test skills."""


app.command("new")(skill_new)


@app.command()
def validate(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of skills, or zips of them.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")] = False,
) -> None:
    """Say what of a skill cannot work, what has no effect, and what the Agent Skills specification says against it.

    Exits with 1 where something cannot work.
    """
    from heliograph.skills.validation import report

    failed = False
    for path in paths:
        found = report(path)
        counted = [_counted(found.errors, "error"), _counted(found.warnings, "warning")]
        print(f"{path}: {', '.join(filter(None, counted)) or 'valid'}")
        for kind, sentences in (("error", found.errors), ("warning", found.warnings), ("note", found.notes)):
            for sentence in sentences:
                print(f"  {kind}: {sentence}")
        failed |= bool(found.errors or (strict and found.warnings))
    if failed:
        raise typer.Exit(1)


app.command("test")(skill_test)


def _counted(sentences: list[str], kind: str) -> str:
    return f"{len(sentences)} {kind}{'s' if len(sentences) > 1 else ''}" if sentences else ""
