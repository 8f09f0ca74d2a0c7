"""Who is next: transactions, turns, tiers, ageing, holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.jobs import holds, queue
from heliograph.jobs.connection import job_manager
from heliograph.store import predictions, tenants
from heliograph.store.database import Database

from .asking import look, submit


async def _take(database: Database, name: queue.Queue = "predictions") -> str | None:
    """The id of the prediction that a worker would run now."""
    manager = job_manager(database)
    job = await manager.fetch_job(queues=[name], worker_id=await manager.register_worker())
    return str(job.task_kwargs["prediction"]) if job else None


async def _take_all(database: Database) -> list[str]:
    taken: list[str] = []
    while (id := await _take(database)) is not None:
        taken.append(id)
    return taken


async def _tenant(conn: AsyncConnection, name: str) -> str:
    return (await tenants.create(conn, name)).id


async def test_a_rollback_leaves_neither_the_prediction_nor_its_job(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.begin() as conn:
            await submit(conn, "p")
            _ = 1 / 0
    async with database.begin() as conn:
        assert await predictions.get(conn, tenants.DEFAULT, "p") is None
    assert await _take(database) is None


async def test_a_commit_leaves_both_and_the_row_names_the_job(database: Database) -> None:
    async with database.begin() as conn:
        job = await submit(conn, "p")
    row = await look(database, "p")
    assert (row.status, row.job_id) == ("pending", job)
    assert await _take_all(database) == ["p"]


async def test_the_first_job_of_a_tenant_does_not_wait_for_the_backlog_of_another(database: Database) -> None:
    async with database.begin() as conn:
        big, small = await _tenant(conn, "big"), await _tenant(conn, "small")
        for number in range(5):
            await submit(conn, f"big{number}", tenant=big)
    assert await _take(database) == "big0"
    async with database.begin() as conn:
        await submit(conn, "small0", tenant=small)
        await submit(conn, "small1", tenant=small)
    assert await _take_all(database) == ["big1", "small0", "big2", "small1", "big3", "big4"]


async def test_a_backlog_that_has_drained_is_not_held_against_its_tenant(database: Database) -> None:
    async with database.begin() as conn:
        big, small = await _tenant(conn, "big"), await _tenant(conn, "small")
        for number in range(20):
            await submit(conn, f"big{number}", tenant=big)
    assert len(await _take_all(database)) == 20
    async with database.begin() as conn:
        await submit(conn, "big-again", tenant=big)
        await submit(conn, "small", tenant=small)
    assert await _take_all(database) == ["big-again", "small"]


async def test_a_tenants_own_jobs_stay_in_order(database: Database) -> None:
    async with database.begin() as conn:
        for number in range(3):
            await submit(conn, f"a{number}")
    assert await _take(database) == "a0"
    async with database.begin() as conn:
        await submit(conn, "a3")
    assert await _take_all(database) == ["a1", "a2", "a3"]


async def test_better_tiers_run_first_whatever_came_first(database: Database) -> None:
    async with database.begin() as conn:
        for tier in ("flex", "standard", "priority"):
            for number in range(2):
                await submit(conn, f"{tier}{number}", tier=tier)
    assert await _take_all(database) == ["priority0", "priority1", "standard0", "standard1", "flex0", "flex1"]


async def test_flex_is_served_with_standard_once_it_has_waited_long_enough(database: Database) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    async with database.begin() as conn:
        for number in range(3):
            await submit(conn, f"standard{number}")
        await submit(conn, "flex-old0", tier="flex", created_at=long_ago)
        await submit(conn, "flex-old1", tier="flex", created_at=long_ago)
        await submit(conn, "flex-new", tier="flex")
        assert await queue.age(conn) == 2
    assert await _take_all(database) == ["standard0", "flex-old0", "standard1", "flex-old1", "standard2", "flex-new"]


async def test_standard_is_served_with_priority_once_it_has_waited_longer_still(database: Database) -> None:
    async with database.begin() as conn:
        await submit(conn, "standard", created_at=datetime.now(UTC) - timedelta(minutes=31))
        await submit(conn, "priority0", tier="priority")
        await submit(conn, "priority1", tier="priority")
        assert await queue.age(conn) == 1
    assert await _take_all(database) == ["standard", "priority0", "priority1"]


async def test_a_cancelled_job_that_waits_is_taken_out(database: Database) -> None:
    async with database.begin() as conn:
        await submit(conn, "p")
        await submit(conn, "q")
    async with database.begin() as conn:
        assert await queue.cancel(conn, tenants.DEFAULT, "p")
        assert not await queue.cancel(conn, tenants.DEFAULT, "p")
    assert await _take_all(database) == ["q"]


async def test_a_job_is_struck_out_only_by_the_worker_that_holds_it(database: Database) -> None:
    async with database.begin() as conn:
        await submit(conn, "p")
    manager = job_manager(database)
    first, second = await manager.register_worker(), await manager.register_worker()
    row = await manager.fetch_job(queues=["predictions"], worker_id=first)
    assert row
    assert row.id
    mine = queue.Job(row.id, "predictions", tenants.DEFAULT, "p", first, row.attempts)
    others = queue.Job(row.id, "predictions", tenants.DEFAULT, "p", second, row.attempts)
    async with database.begin() as conn:
        assert not await queue.done(conn, others)
        assert await queue.again(conn, mine)
    again = await manager.fetch_job(queues=["predictions"], worker_id=first)
    assert again
    async with database.begin() as conn:
        assert not await queue.done(conn, mine), "put back meanwhile, though to the same worker"
        assert await queue.done(conn, queue.Job(row.id, "predictions", tenants.DEFAULT, "p", first, again.attempts))


async def test_a_hold_keeps_what_waits_and_what_comes_until_it_is_released(database: Database) -> None:
    async with database.begin() as conn:
        await submit(conn, "before")
        assert await holds.hold(conn) == 1
        await submit(conn, "after")
    assert [(await look(database, id)).status for id in ("before", "after")] == ["paused", "paused"]
    assert await _take(database) is None
    async with database.begin() as conn:
        assert await holds.release(conn) == 2
    assert [(await look(database, id)).status for id in ("before", "after")] == ["pending", "pending"]
    assert await _take_all(database) == ["before", "after"]


async def test_a_hold_on_one_tenant_leaves_the_others_alone(database: Database) -> None:
    async with database.begin() as conn:
        held = await _tenant(conn, "held")
        await holds.hold(conn, held)
        await submit(conn, "p", tenant=held)
        await submit(conn, "q")
    assert await _take_all(database) == ["q"]
    async with database.begin() as conn:
        assert await holds.release(conn, held) == 1
    assert await _take_all(database) == ["p"]


async def test_one_prediction_can_be_held_and_does_not_stop_the_turns_of_others(database: Database) -> None:
    async with database.begin() as conn:
        for number in range(3):
            await submit(conn, f"a{number}")
        assert await holds.hold(conn, ids=["a0"]) == 1
        await submit(conn, "b", tenant=await _tenant(conn, "b"))
    assert await _take_all(database) == ["a1", "b", "a2"]
    async with database.begin() as conn:
        assert await holds.release(conn, ids=["a0"]) == 1
    assert await _take_all(database) == ["a0"]


@pytest.mark.parametrize("name", ["predictions", "runs"])
async def test_the_rounds_are_found_by_index_and_not_by_reading_the_backlog(database: Database, name: str) -> None:
    async with database.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) SELECT 'predictions', 'predictions', "
                "1000000000 - n, jsonb_build_object('tenant', 'default', 'prediction', CAST(n AS text)) FROM generate_series(1, 20000) n"
            )
        )
    async with database.begin() as conn:
        await conn.execute(text("ANALYZE procrastinate_jobs"))
        plan = "\n".join(
            row[0]
            for row in await conn.execute(
                text("EXPLAIN (ANALYZE, FORMAT TEXT) " + str(queue._PLACE)),  # pyright: ignore[reportPrivateUsage]
                {"top": 1_000_000_000, "low": 1, "tenant": "default", "holds": ["hold"], "queue": name},
            )
        )
    assert "Seq Scan" not in plan
    assert "rows=20000" not in plan
    assert "Removed by Filter" not in plan, plan
