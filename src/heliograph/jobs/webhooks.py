"""Webhooks: the finished prediction, signed, sent to where the caller asked, until somebody says 2xx or a day has passed.

Two signatures go with each request. `X-VLMRun-Signature: sha256=<hex>` is the HMAC-SHA256 of the raw body, keyed with the
tenant's secret as it is written. `webhook-id`, `webhook-timestamp` and `webhook-signature` are those of Standard Webhooks
(https://www.standardwebhooks.com, symmetric `v1`), keyed with the secret's base64 after `whsec_`. `webhook-id` stays the same over
all attempts, so a receiver can tell a repeat; there is one only when a worker died between a 2xx and its note of it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
import uuid
from datetime import UTC, datetime, timedelta

import aiohttp

import heliograph
from heliograph.config import Settings
from heliograph.errors import HeliographError
from heliograph.jobs import queue
from heliograph.jobs.bodies import result_body
from heliograph.jobs.copies import link_from
from heliograph.jobs.loop import Draining
from heliograph.jobs.queue import Job
from heliograph.store import deliveries, predictions, server, tenants
from heliograph.store.database import Database
from heliograph.store.deliveries import Delivery
from heliograph.store.predictions import Prediction

log = logging.getLogger(__name__)

DELAYS = (10, 60, 300, 1800, 7200, 21600, 54000)
"""Seconds from one attempt to the next: eight attempts in 23.6 hours. Further ones, when allowed, keep the last delay."""

_NAMESPACE = uuid.UUID("6e1e4bd5-5c0c-4bd5-8a7e-1f0f3c7a52c1")


class Webhooks:
    """Delivers webhooks through `session`, whose connector refuses addresses that callers may not reach; one for all jobs of a worker."""

    def __init__(self, settings: Settings, database: Database, session: aiohttp.ClientSession) -> None:
        self._settings, self._database, self._session = settings, database, session

    async def run(self, job: Job, draining: Draining) -> None:
        """The handler of the queue `webhooks`: one attempt."""
        draining.check()
        async with self._database.begin() as conn:
            row = await predictions.get(conn, job.tenant, job.prediction)
            before = await deliveries.list_(conn, job.tenant, job.prediction)
            url = row.callback_url if row else None
            if row is None or url is None or any(attempt.acknowledged for attempt in before):
                await queue.done(conn, job)
                return
            secret = await tenants.webhook_secret(conn, job.tenant)
            link = link_from(self._settings, await server.url_secret(conn))
            delivery = await deliveries.start(conn, job.tenant, job.prediction, webhook_id=webhook_id(row), url=url)
        status, error = await self._post(url, result_body(row, link), secret, delivery.webhook_id)
        await self._note(job, row, delivery, status, error)

    async def _post(self, url: str, body: bytes, secret: str, id: str) -> tuple[int | None, str | None]:
        headers = {"Content-Type": "application/json", "User-Agent": f"heliograph/{heliograph.__version__}"} | signature(body, secret, id)
        timeout = aiohttp.ClientTimeout(total=self._settings.webhook_timeout)
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as answer:
                return answer.status, None if 200 <= answer.status < 300 else _why(answer.status)
        except HeliographError as problem:
            return None, problem.message
        except TimeoutError:
            return None, f"The receiver did not answer within {self._settings.webhook_timeout:g} seconds."
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError, ValueError) as problem:
            refusal = _cause(problem)
            return None, refusal.message if refusal else f"The receiver could not be reached ({type(problem).__name__})."

    async def _note(self, job: Job, row: Prediction, delivery: Delivery, status: int | None, error: str | None) -> None:
        async with self._database.begin() as conn:
            await deliveries.finish(conn, job.tenant, delivery.id, status_code=status, error=error)
            if error is None:
                await predictions.delivered(conn, job.tenant, job.prediction)
                await queue.done(conn, job)
            elif delivery.attempt >= self._settings.webhook_attempts:
                log.warning("gave up the webhook of prediction %s after %d attempts", row.id, delivery.attempt)
                await queue.done(conn, job)
            else:
                delay = DELAYS[min(delivery.attempt, len(DELAYS)) - 1]
                await queue.again(conn, job, at=datetime.now(UTC) + timedelta(seconds=delay))


def webhook_id(row: Prediction) -> str:
    """The `webhook-id` of a prediction's webhook: the same over all attempts, another for another prediction."""
    return "msg_" + uuid.uuid5(_NAMESPACE, f"{row.tenant} {row.created_at.timestamp()} {row.id}").hex


def signature(body: bytes, secret: str, id: str, *, timestamp: int | None = None) -> dict[str, str]:
    """The headers that sign `body`. `secret`: `whsec_` and base64; `timestamp`: seconds since 1970, now when not given.

    Raises ValueError for a secret without a key in it.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    if not key:
        raise ValueError("a webhook secret is `whsec_` and at least one byte in base64")
    moment = str(int(time.time()) if timestamp is None else timestamp)
    standard = hmac.digest(key, b".".join((id.encode(), moment.encode(), body)), hashlib.sha256)
    return {
        "X-VLMRun-Signature": "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex(),
        "webhook-id": id,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + base64.b64encode(standard).decode(),
    }


def _why(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirects are not followed."
    return f"The receiver answered {status}."


def _cause(problem: BaseException | None) -> HeliographError | None:
    """Our own refusal, when that is what lies behind a client's exception."""
    while problem is not None and not isinstance(problem, HeliographError):
        problem = problem.__cause__ or problem.__context__
    return problem
