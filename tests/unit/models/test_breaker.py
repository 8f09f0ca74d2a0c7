"""A circuit opens, waits, tries once, and closes again."""

from __future__ import annotations

import pytest

from heliograph.models.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker, Entry
from heliograph.models.errors import CircuitOpen


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broken(clock: Clock) -> Breaker:
    breaker = Breaker("test", clock=clock)
    for _ in range(FAILURES):
        breaker.failed(breaker.enter())
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_says_when_to_come_again(broken: Breaker, clock: Clock) -> None:
    assert broken.state == "open"
    clock.now += FIRST_PAUSE - 2
    with pytest.raises(CircuitOpen, match="'test'") as caught:
        broken.enter()
    assert caught.value.retry_after == 2


def test_an_answer_between_failures_keeps_it_closed(clock: Clock) -> None:
    breaker = Breaker("test", clock=clock)
    for _ in range(FAILURES * 3):
        breaker.failed(breaker.enter())
        breaker.succeeded()
    assert breaker.state == "closed"


def test_one_trial_at_a_time_decides(broken: Breaker, clock: Clock) -> None:
    clock.now += FIRST_PAUSE
    assert broken.state == "half_open"
    assert broken.enter().trial
    with pytest.raises(CircuitOpen):
        broken.enter()
    broken.succeeded()
    assert broken.state == "closed"
    assert not broken.enter().trial


def test_each_trial_that_fails_doubles_the_pause(broken: Breaker, clock: Clock) -> None:
    pause = FIRST_PAUSE
    for _ in range(8):
        clock.now += pause
        broken.failed(broken.enter())
        pause = min(pause * 2, LONGEST_PAUSE)
        clock.now += pause - 1
        with pytest.raises(CircuitOpen):
            broken.enter()
        clock.now += 1


def test_a_pause_is_at_least_what_the_server_asks_for(clock: Clock) -> None:
    breaker = Breaker("test", clock=clock)
    for _ in range(FAILURES):
        breaker.failed(breaker.enter(), retry_after=40)
    with pytest.raises(CircuitOpen) as caught:
        breaker.check()
    assert caught.value.retry_after == 40


def test_a_trial_that_is_given_up_leaves_room_for_the_next(broken: Breaker, clock: Clock) -> None:
    clock.now += FIRST_PAUSE
    broken.abandoned(broken.enter())
    assert broken.enter().trial


def test_calls_from_before_do_not_decide_a_trial(broken: Breaker, clock: Clock) -> None:
    clock.now += FIRST_PAUSE
    broken.enter()
    broken.failed(Entry(clock.now - 60, trial=False))
    assert broken.state == "half_open"


def test_what_was_under_way_together_fails_once(clock: Clock) -> None:
    breaker = Breaker("test", clock=clock)
    together = [breaker.enter() for _ in range(FAILURES * 2)]
    for entry in together:
        clock.now += 0.01
        breaker.failed(entry)
    assert breaker.state == "closed"
    for _ in range(FAILURES - 1):
        breaker.failed(breaker.enter())
    assert breaker.state == "open"
