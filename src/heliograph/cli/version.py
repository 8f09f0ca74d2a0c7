"""`heliograph version`."""

from __future__ import annotations

import typer

from heliograph import __version__


def version() -> None:
    """Print the version."""
    typer.echo(f"heliograph {__version__}")
