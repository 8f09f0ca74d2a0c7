"""`heliograph`: the table of commands, and how errors end.

A command's module is imported when the command runs, so `heliograph --help` costs nothing but typer. Exit codes:
0 done, 1 something went wrong (one sentence on stderr says what), 2 the command was called wrongly.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from heliograph.errors import HeliographError

COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("serve", "serve", "Run the API and its workers on this machine."),
    "worker": ("worker", "worker", "Run a worker only, for further machines."),
    "extract": ("extract", "extract", "Turn files into grounded JSON here, without a server."),
    "keys": ("keys", "app", "API keys and webhook secrets."),
    "jobs": ("jobs", "app", "Hold, release and list jobs."),
    "doctor": ("doctor", "doctor", "Say what is installed, what is missing and how to mend it."),
    "gc": ("gc", "gc", "Delete what has outlived its time."),
    "backup": ("backup", "backup", "Write database and blobs into one archive."),
    "restore": ("backup", "restore", "Bring an archive back into an empty data folder."),
    "skills": ("skills", "app", "Write, check and test skills."),
    "eval": ("evaluate", "evaluate", "Measure accuracy on labelled documents."),
    "feedback": ("feedback", "app", "Corrections that people left, as labelled documents."),
    "demo": ("demo", "demo", "Read the sample receipt and invoice."),
    "version": ("version", "version", "Print the version."),
}
"""Name -> module in this package, its attribute (a function, or a typer app of sub-commands), and one line of help."""


def load(name: str) -> Any:
    """The command called `name`, with its module imported."""
    module, attribute, summary = COMMANDS[name]
    target = getattr(import_module(f"heliograph.cli.{module}"), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False)
        target.command(name, short_help=summary)(function)
    command = typer.main.get_command(target)
    command.name = name
    return command


class _Commands(TyperGroup):
    """Shows the table in help, and loads a command only to run it."""

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = {name: TyperCommand(name, help=summary) for name, (_, _, summary) in COMMANDS.items()}
        super().__init__(**attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else command, rest


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.callback()
def _heliograph() -> None:  # pyright: ignore[reportUnusedFunction]
    """Files become grounded JSON: every value with its box, its citation and its confidence."""


def main() -> None:
    """The console script. Heliograph's own errors become one sentence on stderr and exit code 1; usage errors, 2."""
    try:
        app()
    except Exception as error:
        if not isinstance(error, HeliographError):
            raise
        print(f"heliograph: {error.message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
