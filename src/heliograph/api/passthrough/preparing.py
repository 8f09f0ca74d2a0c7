"""Which chats are passed through, and what is known of one before its model is asked: its session, its history, what it brings."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request

from heliograph.agents.task import Media, Message, Part, Text, ToolCall
from heliograph.api import threads
from heliograph.api.auth import Caller
from heliograph.api.guests import FINGERPRINT
from heliograph.api.passthrough import asking, media
from heliograph.api.server import Server
from heliograph.config import ModelSettings
from heliograph.errors import HeliographError, InvalidRequest
from heliograph.ids import new_completion_id, new_id
from heliograph.models.routes import DEFAULT, PUBLISHED
from heliograph.store import sessions
from heliograph.wire.chat import AgentChatCompletionsRequest
from heliograph.wire.chat import Message as Given

Json = Any
LEASE = timedelta(seconds=30)
"""How long a pass-through is a session's writer unless it says again that it is; a process that dies does not keep the session."""
LONGEST_TITLE = 80


class Prepared(msgspec.Struct, kw_only=True):
    """A chat about to be passed through. `at`: the position of its first new message; None of a session that it begins itself."""

    chat: AgentChatCompletionsRequest
    caller: Caller
    route: str
    id: str
    model: str
    session: str
    at: int | None
    guest: str | None
    ui: bool
    messages: list[dict[str, Json]]
    """What the model is asked, but for its own options."""
    turn: list[Message]
    """What is new of it, as the session keeps it; what it brings has no reference before `kept`."""
    brought: list[tuple[int, int, media.Brought]]
    """What it brings: which message of `turn`, which of its parts, and the thing."""
    keeps: bool
    """Whether anything of it is kept: not with `allow_retention: false`."""
    logs: bool
    user_agent: str | None
    began: float
    created_at: datetime
    left_out: int = 0
    """Messages of the history that the model is not sent, because it could not take them."""

    def body(self, model: ModelSettings) -> dict[str, Json]:
        """What a model of these settings is asked: as much of the history as its context is said to hold."""
        while model.context is not None and asking.size(self.messages) > model.context and self.shorten():
            pass
        return asking.body(self.chat, asking.noted(self.messages, self.left_out), model)

    def shorten(self) -> bool:
        """Leave out the older half of the session's earlier turns, whole ones; False when there are none."""
        if self.chat.session_id is None:
            return False
        kept = asking.halved(self.messages)
        self.left_out += len(self.messages) - len(kept)
        shorter, self.messages = len(kept) < len(self.messages), kept
        return shorter

    @property
    def title(self) -> str | None:
        """The first words of the person's."""
        said = next((message.text for message in self.turn if message.role == "user" and message.text.strip()), None)
        return " ".join(said.split())[:LONGEST_TITLE] if said else None


def route_of(server: Server, chat: AgentChatCompletionsRequest) -> str | None:
    """The route that a chat is passed on to; None of one that is a run's.

    Passed on are chats that name a configured route and no tools of ours, and those that want none (`toolsets: []`) where there is a
    model. Models that are not asked over HTTP in OpenAI's dialect are asked by a run.
    """
    if chat.skills or chat.models or chat.preview or chat.toolsets:
        return None
    named = chat.model is not None and chat.model not in PUBLISHED
    if not named and chat.toolsets is None:
        return None
    route = server.planner.routes.find(chat.model).name
    return route if server.upstreams.has(route) else None


def is_logged(request: Request, chat: AgentChatCompletionsRequest, caller: Caller) -> bool:
    """Whether the log has the chat: a program's, unless it allows no logging or no retention."""
    metadata = chat.metadata or {}
    allowed = metadata.get("allow_retention") is not False and metadata.get("allow_logging") is not False
    return allowed and not is_ui(request, chat, caller)


async def prepare(
    server: Server, request: Request, caller: Caller, chat: AgentChatCompletionsRequest, route: str, *, id: str | None = None
) -> Prepared:
    """Read what the chat needs. `id`: one that was chosen for it.

    Raises NotFound for a session of somebody else's, Conflict for one that is being written to.
    """
    metadata = chat.metadata or {}
    keeps = metadata.get("allow_retention") is not False
    ui = is_ui(request, chat, caller)
    id = id or new_completion_id()
    prepared = Prepared(
        chat=chat, caller=caller, route=route, id=id,
        model=chat.model or DEFAULT, session=chat.session_id or new_id(), at=None, guest=caller.guest, ui=ui,
        messages=[], turn=[], brought=[],
        keeps=keeps, logs=is_logged(request, chat, caller),
        user_agent=request.headers.get("user-agent"), began=time.perf_counter(), created_at=datetime.now(UTC),
    )  # fmt: skip
    begin = 0
    stored: list[Message] = []
    if chat.session_id is not None and keeps:
        stored = await threads.write(server.database, caller, prepared.session, id, ui=ui, lease=LEASE)
    try:
        if all(given.content is None or isinstance(given.content, str) for given in chat.messages):
            turn = [_turn(given, []) for given in chat.messages]
            messages = [asking.message(given, None) for given in chat.messages]
        else:
            turn, messages = await _with_parts(server, prepared)
        if chat.session_id is not None and keeps:
            goes_on = threads.continued(stored, turn)
            prepared.at, begin = goes_on.kept, goes_on.new
        if begin and begin == prepared.at:
            prepared.messages = messages
        else:
            prepared.messages = await _history(server, prepared, stored[: prepared.at]) + messages[begin:]
    except BaseException:
        await give_back(server, prepared)
        raise
    prepared.turn = turn[begin:]
    prepared.brought = [(message - begin, part, brought) for message, part, brought in prepared.brought if message >= begin]
    return prepared


async def kept(server: Server, prepared: Prepared) -> list[Message]:
    """The new messages, with what they bring stored as artifacts of the session."""
    inliner = media.Inliner(server, prepared.caller.tenant)
    turn = [msgspec.structs.replace(message, parts=list(message.parts)) for message in prepared.turn]
    for place, (message, part, brought) in enumerate(prepared.brought):
        turn[message].parts[part] = await inliner.keep(prepared.session, prepared.id, place, brought)
    return turn


async def give_back(server: Server, prepared: Prepared) -> None:
    """Let others write to the session, if this one was writing."""
    if prepared.chat.session_id is not None and prepared.keeps:
        async with server.database.begin() as conn:
            await sessions.release(conn, prepared.caller.tenant, prepared.session, prepared.id)


async def hold_on(server: Server, prepared: Prepared, until: asyncio.Event) -> None:
    """Stay the writer of the session. Not to be cancelled: a connection would be lost with it."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE.total_seconds() / 3):
                await until.wait()
                return
        with suppress(HeliographError):
            async with server.database.begin() as conn:
                await sessions.renew(conn, prepared.caller.tenant, prepared.session, prepared.id, LEASE)


def is_ui(request: Request, chat: AgentChatCompletionsRequest, caller: Caller) -> bool:
    """Whether a person chats in a page: such chats are not logged as a program's."""
    return caller.guest is not None or FINGERPRINT in request.headers or "session_token" in (chat.model_extra or {})


async def _history(server: Server, prepared: Prepared, stored: list[Message]) -> list[dict[str, Json]]:
    inliner = media.Inliner(server, prepared.caller.tenant)
    made: list[dict[str, Json]] = []
    for message in stored:
        parts: list[dict[str, Json]] = []
        for each in message.parts:
            if isinstance(each, Text):
                parts.append({"type": "text", "text": each.text})
            elif each.ref is not None:
                brought = await inliner.stored(prepared.session, each.ref)
                brought.detail = each.detail
                parts.append(media.part(brought))
        made.append(asking.remembered(message, parts))
    return made


async def _with_parts(server: Server, prepared: Prepared) -> tuple[list[Message], list[dict[str, Json]]]:
    """The messages as the session keeps them, and as the model gets them, with what they bring inlined."""
    inliner = media.Inliner(server, prepared.caller.tenant)
    turns: list[Message] = []
    messages: list[dict[str, Json]] = []
    for number, given in enumerate(prepared.chat.messages):
        if given.content is None or isinstance(given.content, str):
            turns.append(_turn(given, []))
            messages.append(asking.message(given, None))
            continue
        shown: list[Part] = []
        parts: list[dict[str, Json]] = []
        for index, each in enumerate(given.content):
            text = asking.words(each)
            if text is not None:
                shown.append(Text(text))
                parts.append({"type": "text", "text": text})
                continue
            if given.role in ("assistant", "tool"):
                raise InvalidRequest(f"A message of the role {given.role} holds text.", param=f"messages.{number}.content.{index}")
            brought = await inliner.read(each, f"messages.{number}.content.{index}")
            prepared.brought.append((number, len(shown), brought))
            shown.append(Media(kind=brought.named, name=brought.filename, detail=brought.detail))
            parts.append(media.part(brought))
        turns.append(_turn(given, shown))
        messages.append(asking.message(given, parts))
    return turns, messages


def _turn(given: Given, parts: list[Part]) -> Message:
    if isinstance(given.content, str):
        parts = [Text(given.content)]
    calls = [ToolCall(call.id, call.function.name, call.function.arguments) for call in given.tool_calls or ()]
    role = "system" if given.role == "developer" else given.role
    return Message(role=role, parts=parts, name=given.name, call_id=given.tool_call_id, calls=calls)
