"""Writes docs/conformance.md from what the drivers found."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.clients import Result

WORDS = {
    "passed": "passed",
    "later": "not here yet: answers 422 `not_configured`",
    "client": "not in the client, or of an API the platform dropped",
    "failed": "**failed**",
}
HEAD = """# Conformance: the official clients, unchanged

`make conformance` starts a server on a free port, drives the official clients against it through their public methods, and writes this
page. Python SDK and CLI: `vlmrun` 0.9.2. Node SDK: `vlmrun` 0.2.12, the newest on the npm registry when this was written. Methods are
found by introspection, so one without a check would stand here as failed. The hosted gateway (`client.gateway`, `vlmrun gw`) is another
product and is left out. OpenAI's clients, instructor and pydantic-ai chat with a server whose model is scripted; the other tables are of
a server without a model, unless they say otherwise.
"""


def write_report(target: Path, results: list[Result]) -> None:
    """One table a client; the summary counts its outcomes."""
    parts = [HEAD]
    for client, group in groupby(results, key=lambda result: result.client):
        rows = list(group)
        counts = Counter(row.outcome for row in rows)
        parts.append(f"\n## {client}\n\n" + ", ".join(f"{counts[key]} {key}" for key in WORDS if counts[key]) + "\n")
        parts.append("\n| method or command | result | what was said |\n|---|---|---|\n")
        for row in rows:
            detail = " ".join(row.detail.split()).replace("|", "\\|")[:160] if row.outcome != "passed" else ""
            parts.append(f"| `{row.name}` | {WORDS[row.outcome]} | {detail} |\n")
    target.write_text("".join(parts))
