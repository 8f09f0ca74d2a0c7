"""Who does a run."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.agents.running import doer_of, route_of
from heliograph.agents.task import Format, Media, Message, SkillRef, Task, Text
from heliograph.config import ModelSettings, Settings

SKILL = SkillRef(name="s", hash="h", blob="b")
CHAT: dict[str, Any] = {"kind": "completion", "model": "vlmrun-orion-1:pro"}
FORM: dict[str, Any] = {"format": Format(schema={"type": "object"})}
LOOK = Message(role="user", parts=[Media(position=0), Text("Read it.")])
EXECUTION: dict[str, Any] = {"kind": "execution", "model": "vlmrun-orion-1:pro"}


@pytest.mark.parametrize(
    ("asked", "route", "doer"),
    [
        (CHAT, "default", "loop"),
        (CHAT, None, "planner"),
        (CHAT | {"skills": [SKILL], "format": Format(schema={})}, None, "planner"),
        (CHAT | FORM, None, "planner"),
        (CHAT | FORM | {"messages": [LOOK]}, None, "packet"),
        (CHAT | {"skills": [SKILL], "messages": [LOOK]}, None, "packet"),
        (CHAT | FORM | {"messages": [LOOK]}, "default", "loop"),
        (EXECUTION, "default", "loop"),
        (EXECUTION, None, "planner"),
        (EXECUTION | {"skills": [SKILL]}, None, "packet"),
        (EXECUTION | {"format": Format(schema={"type": "object"})}, None, "packet"),
        (EXECUTION | {"format": Format()}, None, "planner"),
        (EXECUTION | {"format": Format(schema={"type": "object"})}, "default", "loop"),
        (EXECUTION | FORM | {"grounding": True, "inputs": {"a": "b"}}, "default", "packet"),
        (EXECUTION | FORM | {"confidence": True, "inputs": {"a": "b"}, "toolsets": ["document"]}, "default", "packet"),
        (EXECUTION | FORM | {"grounding": True, "inputs": {"a": "b"}, "toolsets": ["core", "image"]}, "default", "loop"),
        (EXECUTION | FORM | {"grounding": True}, "default", "loop"),
        (EXECUTION | {"grounding": True}, "default", "loop"),
        (EXECUTION | {"mode": "program"}, "default", "program"),
        (EXECUTION | {"mode": "program"}, None, "program"),
        (EXECUTION | {"mode": "agent"}, "default", "loop"),
    ],
)
def test_a_run_goes_to_who_can_do_it(asked: dict[str, Any], route: str | None, doer: str) -> None:
    assert doer_of(Task(**asked), route) == doer


@pytest.mark.parametrize(
    ("model", "route", "tiers", "found"),
    [
        ("vlmrun-orion-1:pro", "default", ["pro"], "pro"),
        ("vlmrun-orion-1:pro", "default", ["lite"], "default"),
        ("vlmrun-orion-1:pro", "vlmrun-orion-1", ["pro"], "vlmrun-orion-1"),
        ("default", "default", ["pro"], "default"),
        ("vlmrun-orion-1:pro", None, ["pro"], None),
    ],
)
def test_a_tier_has_a_model_of_its_own_where_one_is_called_like_it(
    model: str, route: str | None, tiers: list[str], found: str | None
) -> None:
    settings = Settings(models={name: ModelSettings(url="http://127.0.0.1:1/v1") for name in [*tiers, "default"]})
    assert route_of(Task(kind="completion", model=model, route=route, tier="pro"), settings) == found
