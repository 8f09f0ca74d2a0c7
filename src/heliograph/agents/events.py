"""What happens in a run, in order, as its listeners hear it. An append-only log keeps events, so that nobody who comes back has missed
one."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.agents.task import Card, ToolCall

Json = Any


class Said(msgspec.Struct, frozen=True, tag="said"):
    """A piece of the answer."""

    text: str


class Thought(msgspec.Struct, frozen=True, tag="thought"):
    """A piece of the model's thinking, or a line about what a tool does: whole lines end with a line feed."""

    text: str


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """A card for the reader's eye. `data` names artifacts by reference."""

    card: Card
    data: dict[str, Json]


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """Calls of the client's own tools; the run rests until it has answered them."""

    calls: list[ToolCall]


Event = Said | Thought | Shown | Asked
