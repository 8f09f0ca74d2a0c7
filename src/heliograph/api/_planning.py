"""What runs in the child of `planning.py`."""

from __future__ import annotations

from typing import Any

from heliograph.extraction.plan import Kind, Operation, Plan, Skill, SkillReader, resolve, schema_of
from heliograph.models.routes import Known, Route, find
from heliograph.skills import attach, reader, shelf
from heliograph.skills.package import Package, read_zip

Stored = tuple[str, str, Skill]
"""A kept skill, after the id or name and the version by which it was asked for."""


def plan(
    kind: Kind,
    operation: Operation,
    domain: str | None,
    version: int | str,
    config: dict[str, Any],
    stored: list[Stored],
    model: str | None,
    known: Known,
) -> Plan:
    """What shall be done, and by whom: `model` is the name that was asked for, of those that are `known`."""

    def route(of_skill: str | None) -> Route:
        return find(known, model or of_skill)

    def named(name: str) -> Route:
        return find(known, name)

    return resolve(kind, operation, domain, config, version=version, skills=_reader(stored), route=route, named=named)


def schema(domain: str | None, config: dict[str, Any], stored: list[Stored]) -> tuple[str | None, str | None, dict[str, Any]]:
    """The domain's name and description, and the schema that is answered in."""
    found, answered = schema_of(domain, config, skills=_reader(stored))
    return (found.domain, found.description, answered) if found else (None, None, answered)


def package(data: bytes, hash: str) -> Package:
    """The skill in a kept zip, whose content must have this hash."""
    return shelf.read(data, hash)


def bundled(item: dict[str, Any]) -> tuple[Package, bytes]:
    """The skill that an inline item carries, and its zip."""
    data = attach.bundle(item)
    return read_zip(data), data


def _reader(stored: list[Stored]) -> SkillReader:
    skills = {(asked, version): skill for asked, version, skill in stored}
    return reader(lambda asked, version: skills[asked, version])
