"""A bar that numbers must not fall under: `{set: {field or "micro": {metric: number}}}`, in JSON.

A number is the least allowed, or the most allowed for metrics of which less is better (`hallucination`, `omission`, `ece`, `errors`,
error rates of reading).
What the bar names and the run did not measure is under the bar.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple, cast

from heliograph.evaluation.summary import Numbers, lower_is_better


def read_numbers(path: Path) -> Numbers:
    """The file of a bar, or of `--json`. Raises ValueError saying what is wrong with it."""
    try:
        raw: Any = json.loads(path.read_text("utf-8"))
        return {name: {field: _metrics(metrics) for field, metrics in fields.items()} for name, fields in raw.items()}
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not {{set: {{field: {{metric: number}}}}}} in JSON: {error}") from None


def _metrics(raw: Any) -> dict[str, float]:
    return {name: float(value) for name, value in cast("dict[str, Any]", raw).items()}


class Height(NamedTuple):
    """A number the bar asks for, and the one that was measured (None when it was not)."""

    set: str
    field: str
    metric: str
    wanted: float
    got: float | None

    @property
    def under(self) -> bool:
        """Whether the bar is not met."""
        if self.got is None:
            return True
        return self.got > self.wanted + 1e-9 if lower_is_better(self.metric) else self.got < self.wanted - 1e-9

    def __str__(self) -> str:
        """In a sentence."""
        name = f"{self.set} {self.field} {self.metric}"
        if self.got is None:
            return f"{name} was not measured; the bar is {self.wanted:g}"
        return f"{name} is {self.got:.3f}; the bar is at {'most' if lower_is_better(self.metric) else 'least'} {self.wanted:g}"


def heights(measured: Numbers, bar: Numbers, sets: Collection[str] | None = None) -> list[Height]:
    """Each number of the bar beside the measured one, in the bar's order; with `sets`, only of these."""
    return [
        Height(name, field, metric, wanted, measured.get(name, {}).get(field, {}).get(metric))
        for name, fields in bar.items()
        if sets is None or name in sets
        for field, metrics in fields.items()
        for metric, wanted in metrics.items()
    ]
