"""What a request brings to the planner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from heliograph.agents.context import Context
from heliograph.agents.planner.hand import media
from heliograph.agents.task import MEDIA, Media, Task


@dataclass
class _At:
    task: Task


def test_inputs_of_an_execution_count_with_a_name_and_without() -> None:
    inputs: dict[str, Any] = {"a": {MEDIA: 1}, "more": [{MEDIA: 0}, "words", {"deep": {MEDIA: 2}}]}
    task = Task(kind="execution", model="vlmrun-orion-1", inputs=inputs, names={1: "a.pdf"})
    assert media(cast("Context", _At(task))) == [Media(position=0), Media(position=1, name="a.pdf"), Media(position=2)]
