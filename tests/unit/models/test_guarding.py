"""What is tried again, how often, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from heliograph.errors import NotConfigured
from heliograph.models import guarding
from heliograph.models.breaker import FAILURES
from heliograph.models.contract import Reply
from heliograph.models.errors import CircuitOpen, ModelBusy, ModelError, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.guarding import Guard
from heliograph.models.metrics import ModelMetrics
from tests.unit.models.fakes import QUESTION, Fake, said, settings


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest waits that chance could have chosen, without the waiting."""
    chosen: list[float] = []

    def longest(low: float, high: float) -> float:
        assert low == 0
        chosen.append(high)
        return 0.0

    monkeypatch.setattr(guarding.random, "uniform", longest)
    return chosen


async def test_what_may_go_better_is_tried_again_with_growing_pauses(waits: list[float]) -> None:
    fake = Fake(ModelUnavailable(), ModelUnavailable(), ModelUnavailable(), said("yes"))
    assert (await Guard(fake, settings(attempts=4)).ask(QUESTION)).text == "yes"
    assert len(fake.asked) == 4
    assert waits == [0.5, 1.0, 2.0]


async def test_no_more_tries_than_allowed() -> None:
    fake = Fake(ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable, match="gone"):
        await Guard(fake, settings(attempts=3)).ask(QUESTION)
    assert len(fake.asked) == 3


@pytest.mark.parametrize("error", [ModelRefused(), ModelLimit(), NotConfigured(), ValueError()])
async def test_what_no_second_try_can_help_is_not_tried_again(error: Exception) -> None:
    fake = Fake(error)
    with pytest.raises(type(error)):
        await Guard(fake, settings()).ask(QUESTION)
    assert len(fake.asked) == 1


async def test_a_broken_answer_is_given_not_asked_again() -> None:
    fake = Fake(said("half", finish="broken"))
    assert (await Guard(fake, settings()).ask(QUESTION)).finish == "broken"
    assert len(fake.asked) == 1


async def test_a_retry_after_is_obeyed_by_everyone() -> None:
    loop = asyncio.get_running_loop()
    fake = Fake(ModelBusy(retry_after=1), said("yes"))
    guard = Guard(fake, settings())
    started = loop.time()

    async def later() -> float:
        await asyncio.sleep(0.1)
        await guard.ask(QUESTION)
        return loop.time()

    first, second = await asyncio.gather(guard.ask(QUESTION), later())
    assert first.text == "yes"
    assert second - started >= 0.95


async def test_a_rest_longer_than_the_timeout_is_not_waited_for() -> None:
    fake = Fake(ModelBusy(retry_after=60))
    started = asyncio.get_running_loop().time()
    with pytest.raises(ModelBusy) as caught:
        await Guard(fake, settings(timeout=30)).ask(QUESTION)
    assert caught.value.retry_after == 60
    assert asyncio.get_running_loop().time() - started < 1


async def test_tries_end_with_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> Reply:
        await asyncio.sleep(10)
        raise AssertionError

    monkeypatch.setattr(guarding, "GRACE", 0.0)
    fake = Fake(ModelUnavailable(), never)
    with pytest.raises(ModelUnavailable, match=r"within 0\.2 seconds, in 2 tries"):
        await Guard(fake, settings(timeout=0.2)).ask(QUESTION)
    assert fake.running == 0


async def test_a_model_that_keeps_failing_is_left_alone_and_fresh_requests_are_told_at_once() -> None:
    fake = Fake(ModelUnavailable("gone"))
    guard = Guard(fake, settings(attempts=1))
    for _ in range(FAILURES):
        with pytest.raises(ModelUnavailable):
            await guard.ask(QUESTION)
    for _ in range(10):
        with pytest.raises(CircuitOpen) as caught:
            await guard.ask(QUESTION)
        assert caught.value.retry_after
    assert len(fake.asked) == FAILURES


async def test_a_request_under_way_waits_for_an_open_circuit_unless_another_route_would_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.models.breaker.FIRST_PAUSE", 0.5)
    for fallback, answered in ((None, True), ("b", False)):
        fake = Fake(*[ModelUnavailable("gone")] * FAILURES, said("yes"))
        guard = Guard(fake, settings(attempts=FAILURES + 3, fallback=fallback))
        if answered:
            assert (await guard.ask(QUESTION)).text == "yes"
        else:
            with pytest.raises(CircuitOpen):
                await guard.ask(QUESTION)


@pytest.mark.parametrize("error", [ModelRefused("no"), ModelLimit("no"), ModelBusy("no")])
async def test_a_server_that_answers_no_is_there(error: ModelError) -> None:
    fake = Fake(error)
    guard = Guard(fake, settings(attempts=1))
    for _ in range(FAILURES * 2):
        with pytest.raises(ModelError, match="no"):
            await guard.ask(QUESTION)
    assert len(fake.asked) == FAILURES * 2


async def test_concurrency_is_kept_and_shrinks_under_overload() -> None:
    async def slowly() -> Reply:
        await asyncio.sleep(0.01)
        return said("yes")

    fake = Fake(slowly)
    guard = Guard(fake, settings(concurrency=6))
    await asyncio.gather(*(guard.ask(QUESTION) for _ in range(30)))
    assert fake.most == 6
    fake.script, fake.most = [ModelBusy(), slowly], 0
    await guard.ask(QUESTION)
    fake.most = 0
    await asyncio.gather(*(guard.ask(QUESTION) for _ in range(9)))
    assert 3 <= fake.most <= 4


async def test_the_models_own_slots_bind_as_well() -> None:
    async def slowly() -> Reply:
        await asyncio.sleep(0.01)
        return said("yes")

    fake = Fake(slowly)
    guard = Guard(fake, settings(concurrency=50))
    fake._profile = type(fake._profile)(concurrency=2)
    await guard.profile()
    await asyncio.gather(*(guard.ask(QUESTION) for _ in range(10)))
    assert fake.most == 2


async def test_a_cancelled_request_frees_its_slot_and_blames_nobody() -> None:
    async def never() -> Reply:
        await asyncio.sleep(60)
        raise AssertionError

    fake = Fake(never)
    guard = Guard(fake, settings(concurrency=1))
    for _ in range(FAILURES + 1):
        task = asyncio.create_task(guard.ask(QUESTION))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert fake.running == 0
    fake.script = [said("yes")]
    assert (await guard.ask(QUESTION)).text == "yes"


async def test_a_stream_is_tried_again_only_before_its_first_piece() -> None:
    class Breaks(Fake):
        async def stream(self, ask):  # type: ignore[no-untyped-def]
            async for delta in super().stream(ask):
                if delta.reply is not None:
                    raise ModelUnavailable("broke off")
                yield delta

    guard = Guard(Fake(ModelUnavailable(), said("yes")), settings())
    assert "".join([delta.text async for delta in guard.stream(QUESTION)]) == "yes"
    breaks = Breaks(ModelUnavailable(), said("yes"))
    got = ""
    with pytest.raises(ModelUnavailable, match="broke off"):
        async for delta in Guard(breaks, settings()).stream(QUESTION):
            got += delta.text
    assert got == "yes"
    assert len(breaks.asked) == 2


async def test_what_happened_is_counted() -> None:
    metrics = ModelMetrics()
    guard = Guard(Fake(ModelBusy(), said("yes")), settings(), metrics=metrics)
    await guard.ask(QUESTION)
    text = metrics.render().decode()
    for line in (
        'heliograph_model_tries_total{outcome="stop",route="fake"} 1.0',
        'heliograph_model_tries_total{outcome="model_unavailable",route="fake"} 1.0',
        'heliograph_model_retries_total{route="fake"} 1.0',
        'heliograph_model_tokens_total{kind="cached",route="fake"} 4.0',
        'heliograph_model_circuit{route="fake"} 0.0',
    ):
        assert line in text
