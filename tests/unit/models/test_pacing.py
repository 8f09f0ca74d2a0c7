"""As many requests at a time as a model keeps up with."""

from __future__ import annotations

import asyncio
import time

import pytest

from heliograph.models.errors import ModelBusy
from heliograph.models.pacing import Pace


async def hold(pace: Pace, done: asyncio.Event, order: list[int] | None = None, number: int = 0) -> None:
    async with pace.slot():
        if order is not None:
            order.append(number)
        await done.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_allowed_run_and_who_waits_longest_is_next() -> None:
    pace, done, order = Pace("test", 2, patience=1), asyncio.Event(), list[int]()
    tasks = [asyncio.create_task(hold(pace, done, order, number)) for number in range(6)]
    await settle()
    assert pace.running == 2
    done.set()
    await asyncio.gather(*tasks)
    assert order == list(range(6))
    assert pace.running == 0


async def test_an_overload_halves_once_and_answers_raise_by_and_by() -> None:
    pace = Pace("test", 16, patience=1)
    began = asyncio.get_running_loop().time()
    for _ in range(10):
        pace.too_much(began, None)
    assert pace.limit == 8
    for _ in range(8):
        pace.kept_up()
    assert 8.8 < pace.limit <= 9
    for _ in range(500):
        pace.kept_up()
    assert pace.limit == 16
    for _ in range(10):
        pace.too_much(asyncio.get_running_loop().time(), None)
    assert pace.limit == 1


async def test_a_retry_after_holds_everyone_back() -> None:
    pace = Pace("test", 4, patience=5)
    pace.too_much(asyncio.get_running_loop().time(), 0.3)
    started = time.monotonic()
    async with pace.slot():
        assert 0.25 < time.monotonic() - started < 0.8


async def test_nobody_waits_longer_than_patience() -> None:
    pace, done = Pace("test", 1, patience=5), asyncio.Event()
    holding = asyncio.create_task(hold(pace, done))
    await settle()
    waiting = asyncio.create_task(hold(pace, done))
    await settle()
    pace.too_much(asyncio.get_running_loop().time(), 60)
    done.set()
    await holding
    for task in (waiting, asyncio.create_task(hold(pace, done))):
        with pytest.raises(ModelBusy) as caught:
            await task
        assert caught.value.retry_after == 60
    assert pace.running == 0


async def test_who_leaves_the_queue_takes_no_slot() -> None:
    pace, done = Pace("test", 1, patience=5), asyncio.Event()
    tasks = [asyncio.create_task(hold(pace, done)) for _ in range(5)]
    await settle()
    for task in tasks[1:4]:
        task.cancel()
    tasks[0].cancel()
    await settle()
    assert pace.running == 1
    done.set()
    await tasks[4]
    assert pace.running == 0
