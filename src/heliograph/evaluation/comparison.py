"""What a run gained and lost against an earlier one, per set and field, and per document where both kept their documents.

The documents' verdicts lie beside the file of numbers, in `<name>.documents.json`: `{set: {document: {field: verdict}}}`, without values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, cast

from heliograph.evaluation.judging import Outcome
from heliograph.evaluation.summary import POOLED, Numbers, lower_is_better

COUNTS = frozenset({"present", "answered", "documents", "accuracy"})
"""What is no better when there is more of it, or is said by another number."""
LEAST = 0.0005
"""Smaller differences are not shown."""
Verdicts = dict[str, dict[str, dict[str, str]]]


class Change(NamedTuple):
    """A number that differs."""

    set: str
    field: str
    metric: str
    before: float
    after: float

    @property
    def gained(self) -> bool:
        """Whether it is better now."""
        return (self.after < self.before) is (lower_is_better(self.metric))


class Turn(NamedTuple):
    """A field of a document whose verdict differs."""

    set: str
    document: str
    field: str
    before: str
    after: str

    @property
    def gained(self) -> bool:
        """Right now, or no longer wrong or invented."""
        ranks = {"right": 2, "similar": 1, "missing": 0, "wrong": -1, "invented": -1}
        return ranks.get(self.after, 0) > ranks.get(self.before, 0)


def changes(before: Numbers, after: Numbers) -> list[Change]:
    """The numbers of sets and fields that both runs measured and that differ; of all sets together only when they are the same sets."""
    return [
        Change(name, field, metric, old, new)
        for name, fields in after.items()
        if name not in POOLED or before.keys() == after.keys()
        for field, metrics in fields.items()
        for metric, new in metrics.items()
        if metric not in COUNTS and (old := before.get(name, {}).get(field, {}).get(metric)) is not None and abs(new - old) >= LEAST
    ]


def turns(before: Verdicts, after: Verdicts) -> list[Turn]:
    """The verdicts that differ, of documents and fields in both runs."""
    return [
        Turn(name, document, field, old, verdict)
        for name, documents in after.items()
        for document, fields in documents.items()
        for field, verdict in fields.items()
        if (old := before.get(name, {}).get(document, {}).get(field)) is not None and old != verdict
    ]


def verdicts(outcomes: Iterable[Outcome]) -> Verdicts:
    """Field by field how each document went; lists as `right/answered/true`."""
    made: Verdicts = {}
    for outcome in outcomes:
        fields = {judged.field: judged.verdict for judged in outcome.fields}
        fields |= {name: "/".join(f"{count:g}" for count in counts) for name, counts in outcome.rows.items()}
        made.setdefault(outcome.set, {})[outcome.item] = fields
    return made


def beside(numbers: Path) -> Path:
    """Where the verdicts of a file of numbers lie."""
    return numbers.with_suffix(".documents.json")


def read_verdicts(numbers: Path) -> Verdicts | None:
    """The verdicts beside a file of numbers; None when there are none."""
    path = beside(numbers)
    return cast("Verdicts", json.loads(path.read_text("utf-8"))) if path.is_file() else None
