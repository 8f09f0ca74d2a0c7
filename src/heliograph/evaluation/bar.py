"""A bar that numbers must not fall under: `{set: {field or "micro": {metric: number}}}`, in JSON.

A number is the least allowed, or the most allowed for metrics of which less is better (`hallucination`, `omission`, `ece`, `errors`).
What the bar names and the run did not measure is under the bar.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from heliograph.evaluation.summary import LOWER_IS_BETTER, Numbers


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


def under(measured: Numbers, bar: Numbers, sets: Collection[str] | None = None) -> list[str]:
    """A sentence for each number under the bar; with `sets`, only of these."""
    found: list[str] = []
    for name, fields in bar.items():
        if sets is not None and name not in sets:
            continue
        for field, metrics in fields.items():
            for metric, wanted in metrics.items():
                got = measured.get(name, {}).get(field, {}).get(metric)
                at_most = metric in LOWER_IS_BETTER
                if got is None:
                    found.append(f"{name} {field} {metric} was not measured; the bar is {wanted:g}")
                elif got > wanted + 1e-9 if at_most else got < wanted - 1e-9:
                    found.append(f"{name} {field} {metric} is {got:.3f}; the bar is at {'most' if at_most else 'least'} {wanted:g}")
    return found
