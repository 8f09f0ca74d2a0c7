"""Where in a session's history a request stands: clients send the new message alone, or the whole chat again with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from heliograph.agents.task import Media, Message


def place(stored: Sequence[Message], sent: Sequence[Message]) -> tuple[int, int]:
    """How many stored messages come before what is new, and at which of the sent messages the new begins.

    The longest stored beginning that was sent again is taken for what it is, and what was stored behind it is what the client has gone
    back on. A beginning of instructions alone is none: who sends them with each new message sends no history.
    """
    same = sum(1 for _ in takewhile(lambda pair: _alike(*pair), zip(stored, sent, strict=False)))
    if any(message.role != "system" for message in sent[:same]) and len(sent) > 1:
        return same, same
    return len(stored), same if same < len(sent) else 0


def _alike(stored: Message, sent: Message) -> bool:
    return (stored.role, stored.text.strip(), stored.call_id, [call.id for call in stored.calls], _media(stored)) == (
        sent.role, sent.text.strip(), sent.call_id, [call.id for call in sent.calls], _media(sent),
    )  # fmt: skip


def _media(message: Message) -> int:
    return sum(isinstance(part, Media) for part in message.parts)
