"""What a chat session asked for, as a skill is written from it: the user's requests, the schema that was answered in, and how it went."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from heliograph.agents.artifacts import REF
from heliograph.agents.task import Message
from heliograph.api.auth import Caller
from heliograph.errors import InvalidRequest, NotFound
from heliograph.jobs import tasks
from heliograph.skills.writing import LONGEST_PROMPT
from heliograph.store import predictions, sessions
from heliograph.store.database import Database

Json = Any
LONGEST_TALK = 12_000
"""Characters of the conversation that a model is shown; the end of it."""
_CIVIL = re.compile(
    r"\W*(?:(?:hi|hello|hey|thanks?|thank you|thx|please|ok(?:ay)?|great|good|perfect|nice|yes|no|bye)\b\W*)+", re.IGNORECASE
)
"""What is said and asks for nothing."""


class Distilled(msgspec.Struct, frozen=True, kw_only=True):
    """`prompt`: the requests, in their order. `schema`: of the last answer that was to be of one. `talk`: both sides' words."""

    prompt: str
    schema: dict[str, Json] | None
    talk: str


async def distilled(database: Database, caller: Caller, session: str) -> Distilled:
    """What the caller's session was about. Raises NotFound, and InvalidRequest for one in which nothing was asked for."""
    async with database.begin() as conn:
        if await sessions.get(conn, caller.tenant, session, guest=caller.guest) is None:
            raise NotFound(f"There is no session {session[:100]}.", param="session_id")
        turns = await sessions.history(conn, session)
        schema = None
        for completion in dict.fromkeys(turn.completion for turn in reversed(turns)):
            row = await predictions.get(conn, caller.tenant, completion, kinds=("completion",))
            format = tasks.asked(row).task.format if row is not None else None
            if format is not None and format.schema is not None:
                schema = format.schema
                break
    messages = [msgspec.json.decode(turn.message, type=Message) for turn in turns]
    asked = _requests(messages)
    if not asked:
        raise InvalidRequest("Nothing was asked for in this session yet.", param="session_id")
    return Distilled(prompt="\n\n".join(asked), schema=schema, talk=_talk(messages))


def _requests(messages: Sequence[Message]) -> list[str]:
    """What the user asked for, each once: the last where there is too much. What is good in the session alone is left out."""
    said = [REF.sub("the file", message.text).strip() for message in messages if message.role == "user"]
    kept: list[str] = []
    room = LONGEST_PROMPT
    for text in reversed(list(dict.fromkeys(text for text in said if text and not _CIVIL.fullmatch(text)))):
        if len(text) + 2 > room:
            break
        kept.insert(0, text)
        room -= len(text) + 2
    return kept


def _talk(messages: Sequence[Message]) -> str:
    """The conversation as a model is shown it."""
    who = {"user": "User", "assistant": "Assistant"}
    return "\n\n".join(f"{who[each.role]}: {each.text}" for each in messages if each.role in who and each.text)[-LONGEST_TALK:]
