"""What runs in the child of `planning.py`."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.plan import Kind, Operation, Plan, resolve, schema_of
from heliograph.skills import reader


def plan(kind: Kind, operation: Operation, domain: str | None, config: dict[str, Any]) -> Plan:
    """What shall be done."""
    return resolve(kind, operation, domain, config, skills=reader())


def schema(domain: str | None, config: dict[str, Any]) -> tuple[str | None, str | None, dict[str, Any]]:
    """The domain's name and description, and the schema that is answered in."""
    found, answered = schema_of(domain, config, skills=reader())
    return (found.domain, found.description, answered) if found else (None, None, answered)
