"""Webhooks: what is sent, how it is signed, how often, and when no more."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from heliograph.agents.task import SkillRef, Task
from heliograph.config import Settings
from heliograph.jobs import queue, webhooks
from heliograph.jobs.bodies import execution_body, prediction_body
from heliograph.jobs.loop import Draining
from heliograph.jobs.queue import Job
from heliograph.jobs.tasks import request_text
from heliograph.jobs.webhooks import Webhooks, signature
from heliograph.store import deliveries, predictions, tenants
from heliograph.store.database import Database

from .asking import look, queued, submit
from .conftest import Settled, Stored, Working
from .working import Script


class Receiver:
    """A receiver on loopback that answers with `answers` in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[int] = [200]
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.seen.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers={"Location": self.url} if 300 <= status < 400 else None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def sending(settings: Settings, database: Database) -> AsyncIterator[dict[Any, Any]]:
    """The handler of the webhooks queue, for `working(handlers=...)`."""
    async with aiohttp.ClientSession() as session:
        yield {"webhooks": Webhooks(settings, database, session).run}


async def _attempts(database: Database, id: str = "p") -> list[deliveries.Delivery]:
    async with database.begin() as conn:
        return await deliveries.list_(conn, tenants.DEFAULT, id)


async def _run_once(settings: Settings, database: Database, session: aiohttp.ClientSession) -> None:
    """Take the waiting webhook as a worker would, whenever it is due, and run it."""
    async with database.begin() as conn:
        taken = await conn.execute(
            text(
                "WITH w AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) UPDATE procrastinate_jobs AS job "
                "SET status = 'doing', worker_id = w.id FROM w WHERE queue_name = 'webhooks' AND status = 'todo' "
                "RETURNING job.id, w.id, job.attempts"
            )
        )
        job, worker, attempt = taken.one()
    await Webhooks(settings, database, session).run(Job(job, "webhooks", tenants.DEFAULT, "p", worker, attempt), Draining())


async def _finished(database: Database, url: str) -> None:
    """A completed prediction whose webhook waits, as `Predictions` leaves it."""
    async with database.begin() as conn:
        await submit(conn, "p", callback_url=url)
        await queue.cancel(conn, tenants.DEFAULT, "p")
        await predictions.claim(conn, tenants.DEFAULT, "p", "run")
        await predictions.finish(conn, tenants.DEFAULT, "p", "run", status="completed", response='{"z":1,"a":2}')
        await queue.enqueue_webhook(conn, tenants.DEFAULT, "p")


@pytest.mark.parametrize("fail", [None, "corrupt"], ids=["completed", "failed"])
async def test_a_finished_prediction_is_sent_as_get_would_answer_it_signed_both_ways(
    database: Database, stored: Stored, working: Working, settled: Settled, receiver: Receiver, sending: Any, fail: str | None
) -> None:
    async with database.begin() as conn:
        await submit(conn, "p", reads=[await stored(Script(fail=fail))], callback_url=receiver.url)
        secret = await tenants.webhook_secret(conn, tenants.DEFAULT)
    async with working(handlers=sending):
        await settled("p")
        async with asyncio.timeout(10):
            while not (await look(database, "p")).delivered_at:
                await asyncio.sleep(0.02)
    [(headers, body)] = receiver.seen
    assert body == prediction_body(await look(database, "p"))
    assert json.loads(body)["status"] == ("failed" if fail else "completed")
    assert headers["content-type"] == "application/json"
    assert headers["x-vlmrun-signature"] == "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    [delivery] = await _attempts(database)
    assert (delivery.attempt, delivery.status_code, delivery.error) == (1, 200, None)
    assert delivery.webhook_id == headers["webhook-id"]
    assert await queued(database) == []


async def test_failed_attempts_are_recorded_and_repeated_later_under_the_same_id(
    settings: Settings, database: Database, receiver: Receiver
) -> None:
    receiver.answers = [500, 302, 204]
    await _finished(database, receiver.url)
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
        async with database.begin() as conn:
            due = await conn.scalar(text("SELECT scheduled_at FROM procrastinate_jobs"))
        assert timedelta(seconds=5) < due - datetime.now(UTC) < timedelta(seconds=11)
        await _run_once(settings, database, session)
        assert (await look(database, "p")).delivered_at is None
        await _run_once(settings, database, session)
    attempts = await _attempts(database)
    assert [(attempt.attempt, attempt.status_code) for attempt in attempts] == [(1, 500), (2, 302), (3, 204)]
    assert "redirects are not followed" in (attempts[1].error or "")
    assert len({headers["webhook-id"] for headers, _ in receiver.seen}) == 1
    assert len(receiver.seen) == 3
    assert await queued(database) == []


async def test_nobody_is_told_twice_after_a_2xx(settings: Settings, database: Database, receiver: Receiver) -> None:
    await _finished(database, receiver.url)
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
        async with database.begin() as conn:
            await queue.enqueue_webhook(conn, tenants.DEFAULT, "p")
        await _run_once(settings, database, session)
    assert len(receiver.seen) == 1
    assert await queued(database) == []


async def test_an_attempt_that_was_cut_off_is_made_again(settings: Settings, database: Database, receiver: Receiver) -> None:
    await _finished(database, receiver.url)
    async with database.begin() as conn:
        await deliveries.start(conn, tenants.DEFAULT, "p", webhook_id="msg_x", url=receiver.url)
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
    assert [(attempt.attempt, attempt.status_code) for attempt in await _attempts(database)] == [(1, None), (2, 200)]


async def test_after_eight_attempts_it_is_given_up(settings: Settings, database: Database, receiver: Receiver) -> None:
    receiver.answers = [503]
    await _finished(database, receiver.url)
    async with aiohttp.ClientSession() as session:
        for _ in range(settings.webhook_attempts):
            await _run_once(settings, database, session)
    assert len(receiver.seen) == 8
    assert await queued(database) == []
    assert 23 * 3600 < sum(webhooks.DELAYS) < 24 * 3600


async def test_a_receiver_that_is_not_there_is_an_attempt_with_a_reason(settings: Settings, database: Database) -> None:
    await _finished(database, "http://127.0.0.1:1/hook")
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
    [attempt] = await _attempts(database)
    assert (attempt.status_code, attempt.finished_at is not None) == (None, True)
    assert "could not be reached" in (attempt.error or "")
    assert await queued(database) == [("webhooks", "p", "todo")]


async def test_a_deleted_prediction_sends_nothing(settings: Settings, database: Database, receiver: Receiver) -> None:
    await _finished(database, receiver.url)
    async with database.begin() as conn:
        await predictions.delete(conn, tenants.DEFAULT, "p")
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
    assert receiver.seen == []
    assert await queued(database) == []


def test_the_signature_is_the_published_vectors(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "webhooks_standard" / "items" / "vectors.json").read_text())
    for vector in vectors["sign"]:
        signed = signature(vector["payload"].encode(), vector["secret"], vector["msg_id"], timestamp=int(vector["timestamp"]))
        assert signed["webhook-signature"] == vector["signature"]
        assert signed == signature(vector["payload"].encode(), vector["secret"], vector["msg_id"], timestamp=int(vector["timestamp"]))


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_a_secret_without_a_key_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signature(b"{}", secret, "msg_1")


async def test_the_webhook_of_an_execution_sends_what_its_get_answers(settings: Settings, database: Database, receiver: Receiver) -> None:
    skill = SkillRef(name="letters", hash="h", blob="b", id="i", version="v")
    task = Task(kind="execution", model="vlmrun-orion-1:auto", mode="agent", skills=[skill])
    async with database.begin() as conn:
        await predictions.create(
            conn, tenants.DEFAULT, id="p", kind="execution", operation="execute", domain=None, model=task.model,
            request=request_text(task), digest="0", callback_url=receiver.url, agent="reader:1",
        )  # fmt: skip
        assert await predictions.claim(conn, tenants.DEFAULT, "p", "run")
        done = await predictions.finish(conn, tenants.DEFAULT, "p", "run", status="completed", response="[1]")
        await queue.enqueue_webhook(conn, tenants.DEFAULT, "p")
    assert done is not None
    async with aiohttp.ClientSession() as session:
        await _run_once(settings, database, session)
    assert [body for _, body in receiver.seen] == [execution_body(done)]
    body = json.loads(receiver.seen[0][1])
    assert (body["name"], body["response"], body["execution_mode"]) == ("reader:1", {"results": [1]}, "agent")
    assert body["skills"] == [{"name": "letters", "version": "v", "hash": "h", "id": "i"}]
