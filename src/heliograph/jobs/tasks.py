"""What stands in `predictions.request` of a run: its task, and what of the request its answer repeats."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.agents.task import Task
from heliograph.store.predictions import Prediction


class Asked(msgspec.Struct, frozen=True):
    """A run as it was asked for. `body`: those options of the request that its answer, its log or its webhook needs."""

    task: Task
    body: dict[str, Any] = {}


def request_text(task: Task, body: dict[str, Any] | None = None) -> str:
    """The text for `predictions.request`."""
    return msgspec.json.encode(Asked(task, body or {})).decode()


def asked(row: Prediction) -> Asked:
    """What `request_text` wrote."""
    return msgspec.json.decode(row.request, type=Asked)


def namespace(row: Prediction) -> str:
    """Where the artifacts of a run are: its session, or an execution itself."""
    return row.session or row.id
