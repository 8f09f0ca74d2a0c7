"""What tools tell while they work, with keys that come out the same when their step is done again."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from heliograph.agents.context import Context
from heliograph.agents.events import Shown, Thought
from heliograph.agents.task import Card

Json = Any


def within(at: Context, step: str) -> Context:
    """The context as the tools of one step have it: lines and cards are events of that step, cards only where they were asked for."""
    lines, cards = count(), count()
    workspace, wanted = at.workspace, frozenset(at.task.cards)

    async def say(line: str) -> None:
        await workspace.emit(Thought(f"{' '.join(line.split())}\n"), key=f"{step}:say:{next(lines)}")

    async def show(card: Card, data: dict[str, Json]) -> None:
        if card in wanted:
            await workspace.emit(Shown(card, data), key=f"{step}:show:{next(cards)}")

    return replace(at, say=say, show=show)
