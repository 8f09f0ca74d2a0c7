"""Which of a client's messages are new to its session.

Some clients send the new message alone, some send everything said so far each time, some both: their own system prompt with what is new.
What the session has already is recognised by what it says, so that nothing stands in it twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from heliograph.agents.task import Media, Message
from heliograph.api.auth import Caller
from heliograph.errors import Conflict
from heliograph.store import sessions
from heliograph.store.database import Database

PATIENCE = 30.0
"""Seconds that a completion waits for another one that writes to its session."""
LEASE = timedelta(seconds=90)
"""How long a session is held for a completion that is not yet written down: the time in which its files come in."""
LOOK_EVERY = 0.1

_ASIDE = re.compile(r"<preview data='[^']*'/>|<think>.*?</think>", re.DOTALL)

_Told = tuple[object, ...]


class Continued(msgspec.Struct, frozen=True):
    """How a session goes on: its first `kept` turns stand, and the messages from `new` on are added behind them."""

    kept: int
    new: int


async def write(
    database: Database, caller: Caller, session: str, completion: str, *, ui: bool = False, lease: timedelta = LEASE
) -> list[Message]:
    """Make `completion` the writer of the session for `lease`, and read its turns. One writes at a time: another one waits.

    Raises Conflict when the other one takes longer than `PATIENCE`, and NotFound for a session of somebody else.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        async with database.begin() as conn:
            if await sessions.hold(conn, caller.tenant, session, completion, guest=caller.guest, ui=ui, lease=lease) is not None:
                return [_DECODER.decode(turn.message) for turn in await sessions.history(conn, session)]
        if loop.time() >= until:
            raise Conflict(f"Another completion has been writing to session {session[:100]} for {PATIENCE:.0f} s.", param="session_id")
        await asyncio.sleep(LOOK_EVERY)


def continued(stored: Sequence[Message], sent: Sequence[Message]) -> Continued:
    """Where `sent` goes on from what is `stored`.

    Who sends an answer of ours back tells the thread as it sees it. That begins with turns of ours: the end of the session, and all
    that follows is new; or its beginning, and what the session has after the last turn in common gives way, for the client has
    taken another way from there (it edited a message, or wants another answer). Who sends no answer back adds to the session; a
    system prompt that the session begins with is not added again.
    """
    ours, theirs = [_told(message) for message in stored], [_told(message) for message in sent]
    if any(message.role == "assistant" for message in sent):
        for start, first in enumerate(ours):
            rest = len(ours) - start
            if first == theirs[0] and ours[start:] == theirs[:rest] and _answers(sent[:rest]):
                return Continued(len(ours), rest)
        same = _common(ours, theirs)
        if _answers(sent[:same]):
            return Continued(same, same)
    lead = _common([told for told, message in zip(ours, stored, strict=True) if message.role == "system"], theirs)
    return Continued(len(ours), min(lead, len(sent) - 1))


def _common(ours: Sequence[_Told], theirs: Sequence[_Told]) -> int:
    """How many are the same from the beginning."""
    return next((index for index, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), min(len(ours), len(theirs)))


def _answers(messages: Sequence[Message]) -> bool:
    return any(message.role == "assistant" for message in messages)


def _told(message: Message) -> _Told:
    """What a message says: cards are for the eye, thoughts no part of the answer, and clients are free with white space."""
    words = " ".join(_ASIDE.sub("", message.text).split())
    media = tuple(part.kind for part in message.parts if isinstance(part, Media))
    calls = tuple((call.id, call.name) for call in message.calls)
    return message.role, words, media, calls, message.call_id


_DECODER = msgspec.json.Decoder(Message)
