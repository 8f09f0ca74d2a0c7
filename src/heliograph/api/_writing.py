"""What runs in the child of `writing.py`; nothing else may import it."""

from __future__ import annotations

from typing import Any

from heliograph.skills.archive import Files
from heliograph.skills.writing import draft


def template(prompt: str, json_schema: dict[str, Any] | None, name: str | None) -> Files:
    """The files of the skill that a template makes."""
    return draft(prompt, json_schema, name)
