"""From a request to a prediction: decide, take in what came with it, and write row, inputs and job in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from heliograph.api.auth import Caller
from heliograph.api.intake import Intake, Source
from heliograph.api.repeats import Repeat
from heliograph.api.server import Server
from heliograph.config import Settings
from heliograph.errors import Conflict, FetchError, HeliographError, InvalidRequest, Unavailable
from heliograph.extraction.plan import Kind, Operation, Plan
from heliograph.jobs import bodies, queue
from heliograph.media import fetch
from heliograph.perception.speech.engines import languages
from heliograph.perception.speech.languages import code
from heliograph.perception.speech.understanding import refuse
from heliograph.store import predictions, skills
from heliograph.store.predictions import Input, Prediction
from heliograph.wire.requests import Request

FUTURE = timedelta(minutes=5)
"""How far a client's clock may be ahead."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as its route understood it."""

    kind: Kind
    operation: Operation
    body: Request
    domain: str | None
    sources: Sequence[Source]
    idempotency_key: str | None
    version: int | str = "latest"
    """Of what `execute` names."""

    @property
    def model(self) -> str | None:
        """The model that the body names."""
        return self.body.model if "model" in self.body.model_fields_set else None

    def repeat(self) -> Repeat:
        """What the request has in common with an equal one."""
        return Repeat(
            id=self.body.id, digest=self.digest(), named="id" in self.body.model_fields_set, waits=not self.body.batch,
            key=self.idempotency_key,
        )  # fmt: skip

    def digest(self) -> str:
        """What two equal requests share: SHA-256 over the route, the bytes that came beside the body, and the body but for `id` and
        `created_at`, whatever the order of keys."""
        body = self.body.model_dump(mode="json", exclude_unset=True, exclude={"id", "created_at"})
        brought = "".join(source.received.sha256 for source in self.sources if source.received is not None)
        asked = f"{self.kind} {self.operation} {brought}".encode()
        return hashlib.sha256(asked + msgspec.json.encode(body, order="sorted")).hexdigest()

    def kept(self) -> dict[str, Any]:
        """The body without what was brought along: what is to be read stands in the inputs, and a skill's files are nobody's to keep."""
        inline: dict[str, Any] = {"skills": {"__all__": {"source", "bundle"}}}
        left_out: dict[str, Any] = {"images": True, "url": True, "metadata": True, "config": inline}
        return self.body.model_dump(mode="json", exclude_unset=True, exclude=left_out)


async def submit(server: Server, caller: Caller, asked: Asked) -> Prediction:
    """The prediction that answers `asked`: a new one, or the one there is when the same was asked before under the same id or key,
    or is being worked on for a caller that waits.

    Raises InvalidRequest, NotConfigured, NotFound, ModelNotFound, Conflict, PayloadTooLarge, RateLimited, BudgetExceeded, Unavailable and
    MediaError.
    """
    server.admission.check_disk()
    await server.admission.count(server.database, caller)
    repeat = await asyncio.to_thread(asked.repeat)
    if repeat.possible or server.settings.credit_budget is not None:
        async with server.database.begin() as conn:
            known = await repeat.find(server, conn, caller)
            if known is not None:
                return known
            await server.admission.check_budget(conn, caller)
    check_created(asked.body.created_at)
    config = asked.body.config.model_dump(exclude_unset=True)
    plan = await server.planner.plan(
        caller.tenant, asked.kind, asked.operation, asked.domain, config, version=asked.version, model=asked.model
    )
    check_language(plan, server.settings)
    if asked.body.callback_url is not None:
        await check_callback(asked.body.callback_url, server.settings)

    intake = Intake(server, caller.tenant, asked.body.id, takes="recordings" if asked.kind in ("audio", "video") else "pages")
    try:
        reads = [await intake.read(position, source) for position, source in enumerate(asked.sources)]
        params = [source.param for source in asked.sources]
        await server.checker.check(list(zip(params, reads, strict=True)), plan, queued=asked.body.batch)
        row, is_new = await _write(server, caller, asked, repeat, plan=plan, reads=reads)
    except Unavailable:
        raise  # a database that went away may have committed; what nobody names is collected later
    except HeliographError:
        await intake.undo()
        raise
    if not is_new:
        await intake.undo()
    return row


def check_language(plan: Plan, settings: Settings) -> None:
    """Raise NotConfigured for the stated language of a recording that this server's speech engine does not know."""
    if plan.recorded is not None and plan.recorded.transcribe_audio is not False:
        refuse(languages(settings), code(plan.recorded.language))


async def check_callback(url: str, settings: Settings) -> None:
    """Raise FetchError for a webhook's URL that may not be called."""
    try:
        await fetch.check_url(url, settings)
    except FetchError as error:
        error.param = "callback_url"
        raise


def check_created(created: datetime) -> None:
    """Raise InvalidRequest for a time that has not come yet."""
    if (created if created.tzinfo else created.replace(tzinfo=UTC)) > datetime.now(UTC) + FUTURE:
        raise InvalidRequest("created_at is in the future.", param="created_at")


async def _write(
    server: Server, caller: Caller, asked: Asked, repeat: Repeat, *, plan: Plan, reads: list[Input]
) -> tuple[Prediction, bool]:
    """The new row and True; or, when an equal request was faster, its row and False."""
    body = asked.body
    async with server.database.begin() as conn:
        known = await repeat.find_alone(server, conn, caller)
        if known is not None:
            return known, False
        row = await predictions.create(
            conn, caller.tenant, id=body.id, kind=asked.kind, operation=asked.operation, domain=plan.domain or asked.domain,
            model=plan.model, request=bodies.request_text(asked.kept(), plan), digest=repeat.digest, key_id=caller.key_id,
            metadata=body.metadata.model_dump_json(), callback_url=body.callback_url, tier=plan.service_tier,
            retain=body.metadata.allow_retention, log=body.metadata.allow_logging,
            created_at=body.created_at if "created_at" in body.model_fields_set else None, reads=reads,
        )  # fmt: skip
        if row is None:
            raise Conflict("This id was used for another request.", param="id")
        await skills.use(conn, caller.tenant, row.id, [use.id for use in plan.skills if use.id is not None])
        await repeat.remember(server, conn, caller, row.id)
        await queue.enqueue(conn, caller.tenant, row.id, plan.service_tier)
        return row, True
