"""A worker that dies at any moment: the run is done again over what it kept, and comes to one answer, each tool called once, nothing said
twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.agents import tools
from heliograph.agents.events import Event, Said
from heliograph.agents.loop.model import Interrupted
from heliograph.agents.memory import Memory, MemoryWorkspace
from heliograph.models.errors import ModelUnavailable
from heliograph.models.scripted import Turn
from heliograph.models.scripted.heard import Heard
from heliograph.models.scripted.script import Call

from .conftest import Done, Worlds, asks


class Killed(BaseException):
    """As SIGKILL: nothing runs after it."""


class Mortal(MemoryWorkspace):
    """Dies before or after its so-manieth write."""

    def __init__(self, memory: Memory, at: int, *, after: bool) -> None:
        super().__init__(memory)
        self._left, self._after = at, after

    def _live(self, *, after: bool) -> None:
        if after == self._after:
            self._left -= 1
            if self._left < 0:
                raise Killed

    async def keep(self, step: str, output: bytes) -> None:
        self._live(after=False)
        await super().keep(step, output)
        self._live(after=True)

    async def begin(self, step: str) -> None:
        self._live(after=False)
        await super().begin(step)
        self._live(after=True)

    async def emit(self, event: Event, *, key: str) -> None:
        fresh = key not in self.memory.events
        if fresh:
            self._live(after=False)
        await super().emit(event, key=key)
        if fresh:
            self._live(after=True)


def answers(heard: Heard) -> Any:
    """A model of five turns that tells by the conversation where it stands."""
    results = len(heard.results) if heard.tools else 0
    if results < 4:
        return Turn(answer=f"Step {results}. ", calls=[Call("rotate_image", {"image": "img_a1b2c3", "angle": 90 + results})])
    return "All four are turned."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_every_write_it_comes_to_the_same_end(world: Worlds, done: Done, stream: bool, after: bool) -> None:
    task = asks(stream=stream)
    async with world([Turn(answer=answers, times=0)]) as at:
        whole = await at.run(task)
        wanted, events, made = at.said, dict(at.memory.events), set(at.memory.artifacts)
        for moment in range(200):
            at.memory, did = Memory(), len(done.calls)
            try:
                await at.run(task, Mortal(at.memory, moment, after=after))
                died = False
            except Killed:
                died = True
            outcome = await at.run(task)
            assert outcome.text == whole.text
            assert outcome.spent.tools == whole.spent.tools
            assert at.said == wanted
            assert set(at.memory.artifacts) == made
            kept = [step for step in at.memory.steps if step.startswith("tool:")]
            assert len(kept) == 4
            # a tool that is done and not yet kept is done once more, which is harmless for those that are idempotent
            assert len(done.calls) - did in (4, 5)
            if not died:
                break
        else:
            pytest.fail("it never came to its end")
    assert moment > 12
    assert events


async def test_killed_again_and_again_it_comes_to_its_end(world: Worlds, done: Done) -> None:
    async with world([Turn(answer=answers, times=0)]) as at:
        outcome = None
        for _ in range(100):
            try:
                outcome = await at.run(asks(stream=True), Mortal(at.memory, 2, after=True))
                break
            except Killed:
                continue
        said = at.said
    assert outcome is not None
    assert outcome.text == said
    assert said.endswith("All four are turned.")
    assert done.times("rotate_image") <= 8


async def test_a_turn_that_is_known_is_not_asked_for_again(world: Worlds, done: Done) -> None:
    async with world([Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3"})]), "Done."]) as at:
        first = await at.run(asks())
        again = await at.run(asks())
        assert len(at.server.requests) == 2
    assert first == again
    assert done.times("rotate_image") == 1


async def test_an_answer_that_was_cut_off_goes_on_from_what_was_said(world: Worlds, done: Done) -> None:
    async with world(["The total is 12 euros."]) as at:
        at.memory.events["model:0:said:0"] = Said("The total is")
        outcome = await at.run(asks(stream=True))
        assert at.server.requests[-1].heard.prefill == "The total is"
    assert (outcome.text, at.said) == ("The total is 12 euros.", "The total is 12 euros.")


async def test_an_answer_that_cannot_be_gone_on_with_ends_with_an_error(world: Worlds, done: Done) -> None:
    async with world(["The total is 12 euros."], "openai") as at:
        at.memory.events["model:0:said:0"] = Said("The total is")
        with pytest.raises(Interrupted):
            await at.run(asks(stream=True))
        assert at.said == "The total is"


async def test_a_stream_that_breaks_off_is_an_error_and_what_was_said_is_not_said_again(world: Worlds, done: Done) -> None:
    async with world([Turn(answer="The total is 12 euros.", reset_after=4, pace=0.05), "The total is 12 euros."]) as at:
        with pytest.raises(ModelUnavailable):
            await at.run(asks(stream=True))
        assert at.said
        outcome = await at.run(asks(stream=True))
    assert outcome.text == at.said == "The total is 12 euros."


async def test_a_call_outside_that_was_begun_is_reported_and_not_done_again(world: Worlds, done: Done) -> None:
    turns = [Turn(calls=[Call("post_webhook", {"text": "done"})]), "I do not know whether it was sent."]
    async with world(turns) as at:

        async def dies(*_: Any, **__: Any) -> Any:
            done.calls.append(("post_webhook", "once"))
            raise Killed

        sound = tools.REGISTRY["post_webhook"]
        tools.REGISTRY["post_webhook"] = replace(sound, run=dies)
        with pytest.raises(Killed):
            await at.run(asks("Send done to the webhook."))
        tools.REGISTRY["post_webhook"] = sound
        outcome = await at.run(asks("Send done to the webhook."))
        assert "not called again" in at.server.requests[-1].heard.messages[-1].text
    assert outcome.text == "I do not know whether it was sent."
    assert done.times("post_webhook") == 1
