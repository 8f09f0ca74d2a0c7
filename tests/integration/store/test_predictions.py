import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store import credits, deliveries, idempotency, predictions, steps
from heliograph.store.database import Database
from heliograph.store.predictions import Input, Prediction


async def ask(conn: AsyncConnection, tenant: str = "default", id: str = "p", **more: object) -> Prediction:
    values: dict[str, object] = {
        "kind": "document",
        "operation": "generate",
        "domain": None,
        "model": "vlm-1",
        "request": "{}",
        "digest": "d",
    }
    made = await predictions.create(conn, tenant, id=id, **(values | more))  # type: ignore[arg-type]
    assert made is not None
    return made


async def test_an_id_is_taken_once_per_tenant(conn: AsyncConnection, other: str):
    made = await ask(conn)
    assert made.status == "pending"
    assert await predictions.get(conn, "default", "p") == made
    again = await predictions.create(
        conn, "default", id="p", kind="image", operation="generate", domain=None, model="m", request="", digest=""
    )
    assert again is None
    assert (await ask(conn, other)).tenant == other


async def test_inputs_come_back_in_order(conn: AsyncConnection):
    given = [
        Input(position=0, source="url", url="https://example.org/a.pdf"),
        Input(position=1, source="data", blob="b", bytes=2, sha256="s"),
    ]
    await ask(conn, reads=given)
    await predictions.fetched(conn, "default", "p", 0, blob="c", bytes=7, sha256="t")
    first, second = await predictions.reads(conn, "default", "p")
    assert (first.blob, first.bytes, first.sha256, first.url) == ("c", 7, "t", "https://example.org/a.pdf")
    assert second == given[1]


async def test_predictions_are_listed_newest_first_and_filtered_by_metadata(conn: AsyncConnection):
    await ask(conn, id="a", metadata='{"environment": "dev", "extra": {"set": "x", "n": 1}}')
    await ask(conn, id="b", metadata='{"environment": "prod", "extra": {"set": "x"}}')
    await ask(conn, id="c")
    assert [p.id for p in await predictions.list_(conn, "default")] == ["c", "b", "a"]
    assert [p.id for p in await predictions.list_(conn, "default", skip=1, limit=1)] == ["b"]
    assert [p.id for p in await predictions.list_(conn, "default", metadata={"extra": {"set": "x"}})] == ["b", "a"]
    assert [p.id for p in await predictions.list_(conn, "default", metadata={"environment": "dev", "extra": {"n": 1}})] == ["a"]
    assert [p.id for p in await predictions.list_(conn, "default", statuses=["failed"])] == []


async def test_a_result_keeps_the_order_of_its_keys(conn: AsyncConnection):
    await ask(conn)
    await predictions.claim(conn, "default", "p", "r")
    await predictions.finish(conn, "default", "p", "r", status="completed", response='{"b": 1, "a": 2, "a_metadata": null}')
    done = await predictions.get(conn, "default", "p")
    assert done is not None
    assert done.response == '{"b": 1, "a": 2, "a_metadata": null}'
    assert done.completed_at is not None


async def test_only_the_newest_run_may_finish_and_only_once(conn: AsyncConnection):
    await ask(conn)
    first = await predictions.claim(conn, "default", "p", "one")
    second = await predictions.claim(conn, "default", "p", "two")
    assert first is not None
    assert second is not None
    assert (first.attempts, second.attempts) == (1, 2)
    assert first.started_at == second.started_at
    assert await predictions.finish(conn, "default", "p", "one", status="failed") is None
    done = await predictions.finish(conn, "default", "p", "two", status="completed", credits=2)
    assert done is not None
    assert await predictions.finish(conn, "default", "p", "two", status="failed") is None
    assert await predictions.claim(conn, "default", "p", "three") is None
    assert await predictions.fail(conn, "default", "p", error="{}") is None
    assert await predictions.statuses(conn, [("default", "p"), ("default", "q")]) == {("default", "p"): "completed"}


async def test_a_cancelled_prediction_neither_starts_nor_finishes(conn: AsyncConnection):
    await ask(conn)
    await ask(conn, id="q")
    await predictions.claim(conn, "default", "p", "r")
    for id in "pq":
        cancelled = await predictions.cancel(conn, "default", id)
        assert cancelled is not None
        assert cancelled.cancelled
    assert await predictions.finish(conn, "default", "p", "r", status="completed") is None
    assert await predictions.claim(conn, "default", "q", "r") is None
    assert await predictions.cancel(conn, "default", "nobody") is None


async def test_cancelling_what_is_finished_changes_nothing(conn: AsyncConnection):
    await ask(conn)
    await predictions.claim(conn, "default", "p", "r")
    done = await predictions.finish(conn, "default", "p", "r", status="completed")
    assert await predictions.cancel(conn, "default", "p") == done


async def test_a_held_prediction_is_not_claimed(conn: AsyncConnection):
    await ask(conn)
    await conn.execute(text("UPDATE predictions SET status = 'paused'"))
    assert await predictions.claim(conn, "default", "p", "r") is None
    await conn.execute(text("UPDATE predictions SET status = 'enqueued'"))
    assert await predictions.claim(conn, "default", "p", "r") is not None


async def test_a_step_is_written_once_and_only_by_the_run_that_holds(conn: AsyncConnection):
    await ask(conn)
    assert not await steps.record(conn, "default", "p", "one", "page:0:0", output="1")
    await predictions.claim(conn, "default", "p", "one")
    assert await steps.record(conn, "default", "p", "one", "page:0:0", output="1")
    assert await steps.record(conn, "default", "p", "one", "page:0:0", output="2")
    await predictions.claim(conn, "default", "p", "two")
    assert not await steps.record(conn, "default", "p", "one", "page:0:1", output="1")
    assert await steps.record(conn, "default", "p", "two", "fetch:0", blob="b")
    found = await steps.get(conn, "default", "p", "page:0:0")
    assert found is not None
    assert found.output == "1"
    assert await steps.get(conn, "default", "p", "page:0:1") is None
    assert [s.key for s in await steps.list_(conn, "default", "p")] == ["page:0:0", "fetch:0"]
    assert [s.key for s in await steps.list_(conn, "default", "p", prefix="page:")] == ["page:0:0"]
    assert await steps.clear(conn, "default", "p") == 2


async def test_deleting_a_prediction_leaves_no_row_of_it(conn: AsyncConnection, other: str):
    for tenant in ("default", other):
        await ask(conn, tenant, reads=[Input(position=0, source="url", url="u")])
        await predictions.claim(conn, tenant, "p", "r")
        await steps.record(conn, tenant, "p", "r", "k")
        await deliveries.start(conn, tenant, "p", webhook_id="w", url="u")
        await idempotency.remember(conn, tenant, "k", digest="d", prediction="p", forgotten_before=datetime.now(UTC) - timedelta(days=1))
    assert await predictions.delete(conn, "default", "p") is not None
    assert await predictions.delete(conn, "default", "p") is None
    for table in ("predictions", "inputs", "steps", "deliveries", "idempotency"):
        left = (await conn.execute(text(f"select tenant from {table}"))).scalars().all()
        assert left == [other], table


async def test_no_function_sees_another_tenants_prediction(conn: AsyncConnection, other: str):
    made = await ask(conn, reads=[Input(position=0, source="url", url="u")])
    claimed = await predictions.claim(conn, "default", "p", "r")
    await steps.record(conn, "default", "p", "r", "k")
    await deliveries.start(conn, "default", "p", webhook_id="w", url="u")
    assert await predictions.get(conn, other, made.id) is None
    assert await predictions.statuses(conn, [(other, made.id)]) == {}
    assert await predictions.list_(conn, other) == []
    assert await predictions.reads(conn, other, made.id) == []
    assert await predictions.claim(conn, other, made.id, "x") is None
    assert await predictions.finish(conn, other, made.id, "r", status="failed") is None
    assert await predictions.fail(conn, other, made.id, error="{}") is None
    assert await predictions.cancel(conn, other, made.id) is None
    assert await predictions.delete(conn, other, made.id) is None
    assert await steps.get(conn, other, made.id, "k") is None
    assert await steps.list_(conn, other, made.id) == []
    assert await steps.clear(conn, other, made.id) == 0
    assert await deliveries.list_(conn, other, made.id) == []
    await predictions.delivered(conn, other, made.id)
    await predictions.fetched(conn, other, made.id, 0, blob="x", bytes=1, sha256="s")
    assert await predictions.get(conn, "default", made.id) == claimed
    assert (await predictions.reads(conn, "default", made.id))[0].blob is None


async def test_credits_are_summed_by_month_and_stay_used_when_a_prediction_is_deleted(conn: AsyncConnection, other: str):
    for id, tenant, amount in (("a", "default", 2), ("b", "default", 3), ("c", other, 50)):
        await ask(conn, tenant, id)
        await predictions.claim(conn, tenant, id, "r")
        await predictions.finish(conn, tenant, id, "r", status="completed", credits=amount)
    now = datetime.now(UTC)
    await credits.add(conn, "default", 7, at=datetime(2020, 2, 29, 23, 59, tzinfo=UTC))
    await predictions.delete(conn, "default", "a")
    assert await credits.used(conn, "default", at=now) == 5
    assert await credits.used(conn, other, at=now) == 50
    assert await credits.used(conn, "default", at=datetime(2020, 2, 1, tzinfo=UTC)) == 7
    assert await credits.used(conn, "default", at=datetime(2020, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))) == 7, "by UTC"
    assert await credits.used(conn, "default", at=datetime(2020, 3, 1, tzinfo=UTC)) == 0


async def test_a_refused_result_adds_no_credits(conn: AsyncConnection):
    await ask(conn, "default", "a")
    await predictions.claim(conn, "default", "a", "r")
    assert await predictions.finish(conn, "default", "a", "another", status="completed", credits=4) is None
    assert await credits.used(conn, "default", at=datetime.now(UTC)) == 0


async def test_counts_are_of_what_is_unfinished(conn: AsyncConnection):
    for id in "abc":
        await ask(conn, id=id)
    await predictions.claim(conn, "default", "a", "r")
    await predictions.claim(conn, "default", "b", "r")
    await predictions.finish(conn, "default", "b", "r", status="completed")
    assert await predictions.by_status(conn) == {"pending": 1, "running": 1}


async def test_what_may_not_be_kept_is_due_after_its_time_or_its_delivery(conn: AsyncConnection):
    for id, retain in (("kept", True), ("late", False), ("told", False), ("fresh", False), ("running", False)):
        await ask(conn, id=id, retain=retain)
        await predictions.claim(conn, "default", id, "r")
        if id != "running":
            await predictions.finish(conn, "default", id, "r", status="completed")
    await conn.execute(text("update predictions set completed_at = now() - interval '2 hours' where id = 'late'"))
    await conn.execute(text("update predictions set delivered_at = now() - interval '10 minutes' where id = 'told'"))
    now = datetime.now(UTC)
    limits = {"unretained_completed_before": now - timedelta(hours=1), "unretained_delivered_before": now - timedelta(minutes=5)}
    due = await predictions.due_for_removal(conn, completed_before=None, **limits)
    assert {id for _, id in due} == {"late", "told"}
    due = await predictions.due_for_removal(conn, completed_before=now + timedelta(minutes=1), **limits)
    assert {id for _, id in due} == {"late", "told", "fresh", "kept"}


async def test_an_idempotency_key_stands_for_its_first_use_until_it_is_forgotten(conn: AsyncConnection, other: str):
    day_ago = datetime.now(UTC) - timedelta(days=1)
    first = await idempotency.remember(conn, "default", "k", digest="d", prediction="p", forgotten_before=day_ago)
    assert (first.digest, first.prediction) == ("d", "p")
    assert await idempotency.remember(conn, "default", "k", digest="e", prediction="q", forgotten_before=day_ago) == first
    theirs = await idempotency.remember(conn, other, "k", digest="e", prediction="q", forgotten_before=day_ago)
    assert theirs.prediction == "q"
    later = datetime.now(UTC) + timedelta(seconds=1)
    again = await idempotency.remember(conn, "default", "k", digest="e", prediction="q", forgotten_before=later)
    assert again.prediction == "q"
    assert await idempotency.forget(conn, before=later) == 2


async def test_two_uses_of_an_idempotency_key_at_once_agree(database: Database):
    day_ago = datetime.now(UTC) - timedelta(days=1)

    async def use(n: int) -> str:
        async with database.begin() as conn:
            used = await idempotency.remember(conn, "default", "k", digest="d", prediction=f"p{n}", forgotten_before=day_ago)
            await asyncio.sleep(0.05)
            return used.prediction

    assert len(set(await asyncio.gather(*(use(n) for n in range(8))))) == 1


async def test_deliveries_are_numbered_and_say_how_they_went(conn: AsyncConnection):
    await ask(conn)
    first = await deliveries.start(conn, "default", "p", webhook_id="w", url="https://example.org")
    await deliveries.finish(conn, "default", first.id, status_code=500)
    second = await deliveries.start(conn, "default", "p", webhook_id="w", url="https://example.org")
    await deliveries.finish(conn, "default", second.id, status_code=204)
    third = await deliveries.start(conn, "default", "p", webhook_id="w", url="https://example.org")
    listed = await deliveries.list_(conn, "default", "p")
    assert [(d.attempt, d.status_code, d.acknowledged) for d in listed] == [(1, 500, False), (2, 204, True), (3, None, False)]
    assert listed[2].id == third.id


@pytest.mark.parametrize("id", ["../../etc", "a/b", "ü" * 300, "'; drop table x", "%_"])
async def test_an_id_may_be_any_string(conn: AsyncConnection, id: str):
    await ask(conn, id=id)
    found = await predictions.get(conn, "default", id)
    assert found is not None
    assert found.id == id
