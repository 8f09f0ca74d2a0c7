"""What a run may use, and what it says when that is used up."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.agents.loop import budget
from heliograph.agents.loop.model import NoAnswer
from heliograph.models.scripted import Turn
from heliograph.models.scripted.script import Call
from heliograph.models.serving import Models

from .conftest import Done, Worlds, asks

CALLS = Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3"})], times=0)


async def test_the_last_step_is_for_an_answer(world: Worlds, done: Done) -> None:
    turns = [Turn(calls=CALLS.calls), Turn(calls=CALLS.calls), "I turned it twice."]
    async with world(turns, agent_steps=2) as at:
        outcome = await at.run(asks())
        assert at.server.bodies[-1]["tool_choice"] == "none"
        assert "last turn" in at.server.requests[-1].heard.text
    assert outcome.finish == "length"
    assert outcome.text.startswith("I turned it twice.\n\n[This run was ended early: it took the 2 steps")
    assert at.said == outcome.text
    assert "HELIOGRAPH_AGENT_STEPS" in outcome.warnings[0]
    assert outcome.spent.steps == 3


async def test_a_model_that_only_calls_is_stopped(world: Worlds, done: Done) -> None:
    async with world([CALLS], agent_steps=2) as at:
        outcome = await at.run(asks())
    assert outcome.text.startswith("[This run was ended early")
    assert (outcome.finish, at.said) == ("length", outcome.text)
    assert done.times("rotate_image") == 2


@pytest.mark.parametrize(("tier", "steps"), [("lite", 2), ("fast", 4), ("auto", 8), ("pro", 16)])
async def test_tiers_have_shares_of_the_steps(world: Worlds, done: Done, tier: str, steps: int) -> None:
    async with world([CALLS], agent_steps=8) as at:
        await at.run(asks(tier=tier))
    assert done.times("rotate_image") == steps


async def test_tokens_credits_and_seconds_are_budgets_too(world: Worlds, done: Done) -> None:
    async with world([CALLS], agent_tokens=100) as at:
        assert "HELIOGRAPH_AGENT_TOKENS" in (await at.run(asks())).text
    async with world([CALLS], agent_credits=1, model={"price_input": 100.0}) as at:
        assert "HELIOGRAPH_AGENT_CREDITS" in (await at.run(asks())).text
    async with world([Turn(calls=CALLS.calls, delay=0.2), "Done."], agent_seconds=0.1) as at:
        outcome = await at.run(asks())
    assert outcome.text.startswith("Done.\n\n[This run was ended early: it ran for the 0.1 seconds")


async def test_the_same_budget_ends_a_run_that_is_done_again(world: Worlds, done: Done) -> None:
    async with world([Turn(calls=CALLS.calls, delay=0.2), "Done."], agent_seconds=0.1) as at:
        first = await at.run(asks())
        assert await at.run(asks()) == first
        assert at.said == first.text


async def test_a_tool_that_fails_again_and_again_ends_the_run(world: Worlds, done: Done) -> None:
    async with world([Turn(calls=[Call("fail", {"how": "so"})], times=0)]) as at:
        outcome = await at.run(asks())
    assert "That cannot be done so." in outcome.text
    assert done.times("fail") == 6


async def test_json_that_a_budget_left_unfinished_is_an_error(world: Worlds, done: Done) -> None:
    async with world([CALLS], agent_steps=1) as at:
        with pytest.raises(NoAnswer, match="ended early"):
            await at.run(asks(format={"schema": {"type": "object"}}))


async def test_a_tier_has_the_route_that_is_called_like_it(world: Worlds, done: Done) -> None:
    async with world(["From the default."]) as at, world(["From pro."]) as other:
        at.settings.models["pro"] = other.settings.models["default"]
        at.models = Models(at.settings)
        assert (await at.run(asks(tier="pro"))).text == "From pro."
        at.memory.steps.clear()
        assert (await at.run(asks(tier="auto"))).text == "From the default."


@pytest.mark.parametrize(
    ("tier", "dialect", "sent"),
    [
        ("lite", "vllm", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("pro", "vllm", {"chat_template_kwargs": {"enable_thinking": True}}),
        ("auto", "vllm", {}),
        ("pro", "openai", {"reasoning_effort": "high"}),
    ],
)
async def test_tiers_say_how_long_a_model_thinks(world: Worlds, done: Done, tier: str, dialect: str, sent: dict[str, Any]) -> None:
    async with world(["Yes."], dialect, abilities={"reasoning": True}) as at:
        await at.run(asks(tier=tier))
        body = at.server.bodies[-1]
    assert {name: body[name] for name in ("chat_template_kwargs", "reasoning_effort") if name in body} == sent


async def test_a_model_that_cannot_be_told_how_long_to_think_is_not_told_again(world: Worlds, done: Done) -> None:
    async with world([Turn(answer="Yes.", times=0)], "openai") as at:
        for _ in range(2):
            at.memory.steps.clear()
            assert (await at.run(asks(tier="pro"))).text == "Yes."
        assert ["reasoning_effort" in body for body in at.server.bodies] == [True, False, False]


async def test_a_turn_that_the_clock_cut_off_is_told_as_far_as_it_came(world: Worlds, done: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "GRACE", 0.2)
    async with world([Turn(answer="one two three four five six seven eight nine ten " * 5, pace=0.02)], agent_seconds=0.1) as at:
        outcome = await at.run(asks("Count.", stream=True))
        assert outcome.text.startswith("one two")
        assert "[This run was ended early" in outcome.text
        assert at.said == outcome.text
        assert await at.run(asks("Count.", stream=True)) == outcome
        assert at.said == outcome.text


async def test_a_model_that_says_nothing_ends_the_run(world: Worlds, done: Done) -> None:
    async with world([Turn(answer="", times=0)]) as at:
        outcome = await at.run(asks())
    assert "gave no usable answer" in outcome.text
