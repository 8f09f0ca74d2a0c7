"""From a chat's request to a run: decide, take in what came with it, and write session, rows, inputs and jobs in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.agents import providers
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import (
    Media,
    Message,
    Task,
)
from heliograph.api import orion, parts, threads
from heliograph.api.auth import Caller
from heliograph.api.guests import Guest
from heliograph.api.intake import Intake
from heliograph.api.parts import Brought, Heard
from heliograph.api.planning import Attached
from heliograph.api.server import Server
from heliograph.api.taking import take
from heliograph.errors import Conflict, HeliographError, NotFound, Unavailable
from heliograph.ids import new_id
from heliograph.jobs import queue, tasks
from heliograph.store import idempotency, predictions, sessions, skills
from heliograph.store.predictions import Input, Prediction
from heliograph.wire.chat import AgentChatCompletionsRequest

RESUMABLE = timedelta(hours=24)
"""How long a completion that asked for the client's tools can be gone on from."""

_MUST_NOT_MATTER = ("id", "created_at", "stream", "stream_options")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as its route understood it. `sent`: the body as it came. `retried`: the client says that it tries once more."""

    body: AgentChatCompletionsRequest
    sent: dict[str, Any]
    idempotency_key: str | None = None
    retried: bool = False
    ui: bool = False
    user_agent: str | None = None

    @property
    def named(self) -> bool:
        """Whether the client chose the id."""
        return "id" in self.body.model_fields_set

    @property
    def may_be_known(self) -> bool:
        """Whether an equal request may have been made before that this one stands for."""
        return self.named or self.idempotency_key is not None or self.retried

    def digest(self, guest: str | None) -> str:
        """What two equal requests of one caller share, streamed or not: SHA-256 over the body, whatever the order of its keys."""
        body = {name: value for name, value in self.sent.items() if name not in _MUST_NOT_MATTER and value is not None}
        return hashlib.sha256(f"chat {guest or ''} ".encode() + msgspec.json.encode(body, order="sorted")).hexdigest()

    def kept(self) -> dict[str, Any]:
        """The options that the log shows: the body without what was said, and without what was brought along."""
        left_out = {"messages", "skills", "id", "session_id", "metadata", "created_at", "batch"}
        return self.body.model_dump(mode="json", exclude_unset=True, exclude=left_out, by_alias=True)


async def submit(server: Server, caller: Caller, asked: Asked, guest: Guest | None = None) -> list[Prediction]:
    """The runs that answer, one for each of `n` choices: new ones, or those there are when the same was asked before.

    `guest`: who calls without a key, and has so many chats a day.

    Raises InvalidRequest, NotFound, ModelNotFound, Conflict, PayloadTooLarge, RateLimited, BudgetExceeded, Unavailable, FetchError and
    MediaError.
    """
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    digest = await asyncio.to_thread(asked.digest, caller.guest)
    if asked.may_be_known or server.settings.credit_budget is not None:
        async with server.database.begin() as conn:
            known = await _known(server, conn, caller, asked, digest)
            if known:
                return known
            await server.admission.check_budget(conn, caller)
    orion.check(asked.body)
    providers.check(asked.body.models or [], server.settings)
    heard = parts.read(asked.body.messages)
    attached = await _attached(server, caller, asked.body)
    task = orion.task(server.planner.routes, asked.body, attached)
    task = msgspec.structs.replace(task, ui=asked.ui, user_agent=asked.user_agent)
    if guest is not None:
        await (await server.guests()).count(server.database, guest)
    return await _Submission(server, caller, asked, digest, heard, attached, task).submit()


class _Submission:
    """One new request on its way into the database; what it stored and holds is given back when that fails."""

    def __init__(
        self, server: Server, caller: Caller, asked: Asked, digest: str, heard: Heard, attached: Sequence[Attached], task: Task
    ) -> None:
        self._server, self._caller, self._asked, self._digest = server, caller, asked, digest
        self._heard, self._attached, self._task = heard, attached, task
        ids = (asked.body.id, *(f"{asked.body.id}-{choice}" for choice in range(1, task.choices)))
        self._intakes = {id: Intake(server, caller.tenant, id, takes="anything") for id in ids}

    async def submit(self) -> list[Prediction]:
        resumed = await self._resumed(self._heard.asked_by) if self._heard.asked_by else None
        session = self._asked.body.session_id or (resumed.session if resumed else None)
        id = self._asked.body.id
        stored: list[Message] = []
        if session is not None:
            stored = await threads.write(self._server.database, self._caller, session, id, ui=self._asked.ui)
        try:
            goes_on = threads.continued(stored, self._heard.messages)
            told, brought = _from(self._heard, goes_on.new)
            task = msgspec.structs.replace(
                self._task, messages=[*stored[: goes_on.kept], *told], earlier=goes_on.kept, resumes=resumed.id if resumed else None
            )
            taken = [
                await take(intake, msgspec.structs.replace(task, choice=choice), brought, self._attached)
                for choice, intake in enumerate(self._intakes.values())
            ]
            if brought:
                looked_into = [(each.source.param, read) for each, read in zip(brought, taken[0][1], strict=False)]
                await self._server.checker.check(looked_into, None, queued=False)
            rows, are_new = await self._write(session, taken)
        except Unavailable:
            raise  # a database that went away may have committed; what nobody names is collected later, and nobody writes for long
        except BaseException:
            await self._undo(session)
            raise
        if not are_new:
            await self._undo(session)
        return rows

    async def _undo(self, session: str | None) -> None:
        for intake in self._intakes.values():
            await intake.undo()
        if session is not None:
            with suppress(Unavailable):
                async with self._server.database.begin() as conn:
                    await sessions.release(conn, self._caller.tenant, session, self._asked.body.id, leased=True)

    async def _resumed(self, asked_by: str) -> Prediction | None:
        """The completion of ours whose calls the client's tools have answered, if it can be gone on from."""
        async with self._server.database.begin() as conn:
            row = await predictions.get(conn, self._caller.tenant, asked_by, kinds=("completion",))
            if row is None or row.session is None or row.response is None or row.completed_at is None:
                return None
            if datetime.now(UTC) - row.completed_at > RESUMABLE or self._asked.body.session_id not in (None, row.session):
                return None
            if await sessions.get(conn, self._caller.tenant, row.session, guest=self._caller.guest) is None:
                return None
        return row if msgspec.json.decode(row.response, type=Outcome).finish == "tool_calls" else None

    async def _write(self, session: str | None, taken: Sequence[tuple[Task, list[Input]]]) -> tuple[list[Prediction], bool]:
        """The new rows and True; or, when an equal request was faster, its rows and False."""
        server, caller, asked, body = self._server, self._caller, self._asked, self._asked.body
        metadata = body.metadata or {}
        tier = queue.tier_of(body.service_tier)
        async with server.database.begin() as conn:
            if asked.may_be_known:
                # equal requests at the same time take their turn here, so that the second finds the first
                await predictions.lock(conn, caller.tenant, asked.idempotency_key or (body.id if asked.named else self._digest))
                known = await _known(server, conn, caller, asked, self._digest)
                if known:
                    return known, False
            # a run is written down now, and writes to its session for as long as it is unfinished
            thread = session or new_id()
            if await sessions.hold(conn, caller.tenant, thread, body.id, guest=caller.guest, ui=asked.ui) is None:
                raise Conflict("Another completion has taken this session over.", param="session_id")
            made: list[Prediction] = []
            for (task, reads), id in zip(taken, self._intakes, strict=True):
                row = await predictions.create(
                    conn, caller.tenant, id=id, kind="completion", operation="chat", domain=None, model=task.model,
                    request=tasks.request_text(task, asked.kept()), digest=self._digest, key_id=caller.key_id,
                    metadata=msgspec.json.encode(metadata).decode(), tier=tier, retain=metadata.get("allow_retention") is not False,
                    log=metadata.get("allow_logging") is not False, created_at=body.created_at, reads=reads, session=thread,
                    listened=not body.batch,
                )  # fmt: skip
                if row is None:
                    raise Conflict("This id was used for another request.", param="id")
                await skills.use(conn, caller.tenant, id, [skill.id for skill in task.skills if skill.id is not None])
                made.append(row)
            if asked.idempotency_key is not None:
                await idempotency.remember(
                    conn, caller.tenant, asked.idempotency_key, digest=self._digest, prediction=body.id,
                    forgotten_before=_forgotten_before(server),
                )  # fmt: skip
            for row in made:
                await queue.enqueue(conn, caller.tenant, row.id, tier, to=queue.RUNS)
            return made, True


async def _known(server: Server, conn: AsyncConnection, caller: Caller, asked: Asked, digest: str) -> list[Prediction]:
    """The completion that this request stands for already, all its choices; empty when it is new."""
    id = None
    if asked.idempotency_key is not None:
        used = await idempotency.recall(conn, caller.tenant, asked.idempotency_key, since=_forgotten_before(server))
        if used is not None:
            id = _same(used.digest, digest, used.prediction, "Idempotency-Key")
    if id is None and asked.named:
        row = await predictions.get(conn, caller.tenant, asked.body.id)
        id = row and _same(row.digest, digest, row.id, "id")
    if id is None and asked.retried and not asked.named:
        row = await predictions.unfinished_like(conn, caller.tenant, digest, key_id=caller.key_id)
        id = row and _first(row)
    return await choices(conn, caller, id, gone="This request was made before, and its completion has been deleted.") if id else []


def _same(used_for: str, digest: str, id: str, what: str) -> str:
    if used_for != digest:
        raise Conflict(f"This {what} was used for another request.", param=what)
    return id


async def choices(conn: AsyncConnection, caller: Caller, id: str, *, gone: str | None = None) -> list[Prediction]:
    """The runs of a completion, choice by choice. Raises NotFound, or Conflict (`gone`) for one that should be there."""
    first = await predictions.get(conn, caller.tenant, id, kinds=("completion",))
    if first is not None and caller.guest is not None and not await _is_theirs(conn, caller, first):
        first = None
    if first is None:
        sentence = f"There is no completion {id[:100]} whose events are kept; what is passed straight on to a model has none."
        raise Conflict(gone, param="id") if gone else NotFound(sentence, param="id")
    made = [first]
    for choice in range(1, tasks.asked(first).task.choices):
        row = await predictions.get(conn, caller.tenant, f"{id}-{choice}", kinds=("completion",))
        if row is None:
            raise Conflict(gone or "A choice of this completion has been deleted.", param="id")
        made.append(row)
    return made


async def _is_theirs(conn: AsyncConnection, caller: Caller, row: Prediction) -> bool:
    """Whether the guest that calls had it made: all guests are one tenant."""
    return row.session is not None and await sessions.get(conn, caller.tenant, row.session, guest=caller.guest) is not None


def _first(row: Prediction) -> str:
    """The id of the completion that a run is a choice of."""
    choice = tasks.asked(row).task.choice
    return row.id.removesuffix(f"-{choice}") if choice else row.id


def _forgotten_before(server: Server) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=server.settings.idempotency_ttl)


async def _attached(server: Server, caller: Caller, body: AgentChatCompletionsRequest) -> list[Attached]:
    try:
        return await server.planner.attached(caller.tenant, [skill.model_dump(exclude_unset=True) for skill in body.skills or []])
    except HeliographError as error:
        error.message = error.message.replace("config.skills", "skills")
        error.param = "skills"
        raise


def _from(heard: Heard, first: int) -> tuple[list[Message], list[Brought]]:
    """The messages from number `first` on, and what they bring."""
    brought: list[Brought] = []
    made: list[Message] = []
    for message in heard.messages[first:]:
        given = list(message.parts)
        for index, part in enumerate(given):
            if isinstance(part, Media) and part.position is not None:
                brought.append(heard.brought[part.position])
                given[index] = msgspec.structs.replace(part, position=len(brought) - 1)
        made.append(msgspec.structs.replace(message, parts=given))
    return made, brought
