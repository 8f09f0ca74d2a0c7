"""What runs in the child of `planning.py`."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.plan import Kind, Operation, Plan, resolve, schema_of
from heliograph.models.routes import Known, Route, find
from heliograph.skills import reader


def plan(kind: Kind, operation: Operation, domain: str | None, config: dict[str, Any], model: str | None, known: Known) -> Plan:
    """What shall be done, and by whom: `model` is the name that was asked for, of those that are `known`."""

    def route(of_skill: str | None) -> Route:
        return find(known, model or of_skill)

    return resolve(kind, operation, domain, config, skills=reader(), route=route)


def schema(domain: str | None, config: dict[str, Any]) -> tuple[str | None, str | None, dict[str, Any]]:
    """The domain's name and description, and the schema that is answered in."""
    found, answered = schema_of(domain, config, skills=reader())
    return (found.domain, found.description, answered) if found else (None, None, answered)
