"""A skill's own tests: the documents of its `examples/` with their right answers, asked with the skill and judged like any other.

Of a skill with several schemas the choice is judged too: its answers are `{"schemaUsed": ..., "data": ...}`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from heliograph.errors import InvalidRequest
from heliograph.evaluation.judging import Outcome
from heliograph.evaluation.metrics import f1
from heliograph.evaluation.sets import Item
from heliograph.extraction.plan import Example
from heliograph.skills import archive, package
from heliograph.skills.derive import derive
from heliograph.skills.package import Package

Json = Any


class Trial(NamedTuple):
    """A skill to be tested: what it says, and its tests."""

    package: Package
    items: list[Item]


def trial(folder: Path) -> Trial:
    """The skill in `folder` with its tests. Raises `InvalidRequest` for what is no skill, and where there is nothing to test."""
    files = archive.from_folder(folder)
    skill = package.read(files)
    if not skill.tests:
        left_out = "".join(f" {warning}." for warning in skill.warnings if "examples/" in warning)
        pair = "a document and its right answer side by side, as examples/one.pdf and examples/one.json"
        raise InvalidRequest(f"{folder} has no examples: put there {pair}.{left_out}")
    name = skill.name or folder.resolve().name
    source = {"type": "base64", "media_type": "application/zip", "data": base64.b64encode(archive.pack(files)).decode()}
    config = {"skills": [{"type": "inline", "name": name, "source": source}]}
    return Trial(skill, [_item(skill, name, folder, test, config) for test in skill.tests])


def _item(skill: Package, name: str, folder: Path, test: Example, config: dict[str, Json]) -> Item:
    path = test.path or ""
    chosen = skill.choices[test.choice] if test.choice is not None else skill.schema
    if skill.choices:
        schema, truth = _envelope(chosen or {"type": "object", "properties": {}}), {"schemaUsed": test.choice, "data": test.answer}
    else:
        schema, truth = chosen or derive(skill.text), test.answer
    if schema is None:
        raise InvalidRequest(f"{folder} has no schema, and its SKILL.md names no fields: there is nothing to hold answers against.")
    return Item(path.removeprefix("examples/"), name, folder / path, schema, [], truth, day_first=True, config=config)


def _envelope(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema of an answer that says which schema it is in."""
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in definitions}
    return {"type": "object", "properties": {"schemaUsed": {"type": ["string", "null"]}, "data": inner}, **definitions}


class Score(NamedTuple):
    """How many values of some documents are right: those of lists count one by one, and an answer where there is none counts against."""

    right: float
    answered: float
    true: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the share of answers that are right and the share of values that are found."""
        return f1(self.right, self.answered, self.true)


def score(outcomes: Sequence[Outcome]) -> Score:
    """The score of documents together."""
    fields = [judged for outcome in outcomes for judged in outcome.fields]
    rows = [counts for outcome in outcomes for counts in outcome.rows.values()]
    return Score(
        sum(judged.exact and judged.want is not None for judged in fields) + sum(right for right, _, _ in rows),
        sum(judged.got is not None for judged in fields) + sum(answered for _, answered, _ in rows),
        sum(judged.want is not None for judged in fields) + sum(true for _, _, true in rows),
    )
