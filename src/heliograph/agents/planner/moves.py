"""What a clause comes to: something to be done, a question back, or that it cannot be done here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.slots import COLOURS

Needs = Literal["image", "images", "document", "documents", "recording", "recordings", "anything", "nothing"]


class Act(msgspec.Struct, frozen=True):
    """Something to be done with tools: `name` as in `doing.DOERS`."""

    name: str
    needs: Needs
    arguments: dict[str, Any] = {}


class Question(msgspec.Struct, frozen=True):
    """What has to be known first."""

    text: str


class Decline(msgspec.Struct, frozen=True):
    """What cannot be done here. `needs`: a language model, a model that sees, or nothing that could be added (`no tool`)."""

    what: str
    needs: Literal["language model", "vision model", "image model", "no tool"]


Move = Act | Question | Decline
Rule = Callable[[Clause], Move | None]


def unsure(clause: Clause) -> Question:
    """The question about words that mean nothing to us."""
    words = " ".join(clause.unknown[:8])
    return Question(f"I do not know what “{words}” means in “{clause.text}”. Can you say it without?")


def coloured(clause: Clause) -> dict[str, Any]:
    """The argument for the colour that a clause names."""
    return {"colour": COLOURS[clause.slots.colour]} if clause.slots.colour else {}
