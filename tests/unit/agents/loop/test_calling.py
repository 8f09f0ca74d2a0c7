"""Orion-1: turns with calls, and the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heliograph.agents.events import Asked
from heliograph.agents.task import ClientTool, Message, Text
from heliograph.models.scripted import Turn
from heliograph.models.scripted.script import Call

from .conftest import Done, Worlds, asks

ROTATE = Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3", "angle": 90})])
BOTH = pytest.mark.parametrize("dialect", ["vllm", "llama.cpp"])


def calls(name: str, arguments: Any, dialect: str) -> Any:
    """A turn that calls, in the way of the dialect."""
    return Turn(calls=[Call(name, arguments)]) if dialect == "vllm" else {"tool": name, "arguments": arguments}


def says(text: Any, dialect: str) -> Any:
    return text if dialect == "vllm" else {"answer": text}


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_and_its_result_answered_with(world: Worlds, done: Done, dialect: str, stream: bool) -> None:
    async with world([calls("rotate_image", {"image": "img_a1b2c3", "angle": 90}, dialect), says("It is turned.", dialect)], dialect) as at:
        outcome = await at.run(asks(stream=stream))
        (made,) = [artifact for artifact, _ in at.memory.artifacts.values()]
        heard = at.server.requests[-1].heard
    assert (outcome.text, outcome.finish, outcome.calls, outcome.answered_by) == ("It is turned.", "stop", [], "default")
    assert (outcome.spent.steps, outcome.spent.tools) == (2, {"rotate_image": 1})
    assert done.calls == [("rotate_image", 90)]
    assert made.ref in heard.messages[-1].text
    assert at.said == "It is turned."
    assert "rotate_image(image=img_a1b2c3, angle=90)\n" in at.thought
    assert "turning by 90\n" in at.thought


@BOTH
async def test_an_answer_streams_as_it_comes(world: Worlds, done: Done, dialect: str) -> None:
    words = "One two three four five six seven eight nine ten."
    async with world([Turn(answer=says(words, dialect), pace=0.01)], dialect) as at:
        outcome = await at.run(asks("Count.", stream=True))
        pieces = len(at.memory.events)
    assert (outcome.text, at.said) == (words, words)
    assert pieces > 2


async def test_calls_side_by_side_are_each_a_step(world: Worlds, done: Done) -> None:
    turn = Turn(calls=[Call("rotate_image", {"image": "img_a1b2c3", "angle": angle}) for angle in (90, 180)])
    async with world([turn, "Both are turned."]) as at:
        outcome = await at.run(asks())
    assert sorted(angle for _, angle in done.calls) == [90, 180]
    assert outcome.spent.tools == {"rotate_image": 2}
    assert {"tool:0:0", "tool:0:1"} <= set(at.memory.steps)


@BOTH
async def test_a_failing_call_is_mended(world: Worlds, done: Done, dialect: str) -> None:
    turns = [
        calls("rotate_image", {"image": "img_a1b2c3", "angle": 1000}, dialect),
        calls("fail", {"how": "bug"}, dialect),
        calls("rotate_image", {"image": "img_a1b2c3"}, dialect),
        says("Done.", dialect),
    ]
    async with world(turns, dialect) as at:
        outcome = await at.run(asks())
        results = [request.heard.messages[-1].text for request in at.server.requests[1:]]
    assert outcome.text == "Done."
    assert "angle" in results[0]
    assert "less than or equal to 360" in results[0]
    assert "a bug" not in results[1]
    assert "fail failed" in results[1]


async def test_a_tool_that_there_is_not_is_named_to_the_model(world: Worlds, done: Done) -> None:
    async with world([Turn(calls=[Call("rotate_imag", {})]), "Sorry."]) as at:
        outcome = await at.run(asks())
        assert "rotate_image" in at.server.requests[-1].heard.messages[-1].text
    assert outcome.text == "Sorry."


async def test_words_before_a_call_are_told_while_they_come_and_apart_from_the_answer(world: Worlds, done: Done) -> None:
    turns = [Turn(answer="Let me turn it.", calls=ROTATE.calls), "It is turned."]
    async with world(turns) as at:
        outcome = await at.run(asks(stream=True))
        assert at.said == outcome.text == "Let me turn it.\n\nIt is turned."
    async with world(turns) as at:
        outcome = await at.run(asks())
        assert at.said == outcome.text == "It is turned."
        assert "Let me turn it.\n" in at.thought


async def test_thoughts_are_told_as_thoughts(world: Worlds, done: Done) -> None:
    for turn in (Turn(answer="Four.", reasoning="Two and two."), Turn(answer="<think>Two and two.</think>\n\nFour.")):
        async with world([turn]) as at:
            outcome = await at.run(asks("What is two and two?", stream=True))
        assert (outcome.text, at.said, at.thought) == ("Four.", "Four.", "Two and two.")


async def test_a_refusal_is_said_and_named(world: Worlds, done: Done) -> None:
    async with world([Turn(refusal="I will not.")], "openai") as at:
        outcome = await at.run(asks())
    assert (outcome.text, outcome.finish, at.said) == ("I will not.", "content_filter", "I will not.")


async def test_an_answer_cut_off_at_the_limit_says_so(world: Worlds, done: Done) -> None:
    async with world(["one two three four five six"]) as at:
        outcome = await at.run(asks("Count.", sampling={"max_tokens": 3}))
    assert outcome.finish == "length"
    assert outcome.text == "one two three"


WEATHER = ClientTool(name="weather", description="The weather.", parameters={"type": "object", "properties": {"city": {"type": "string"}}})


@BOTH
async def test_the_clients_tool_ends_the_run_and_its_answer_resumes_it(world: Worlds, done: Done, dialect: str) -> None:
    turns = [
        calls("rotate_image", {"image": "img_a1b2c3"}, dialect),
        calls("weather", {"city": "Bonn"}, dialect),
        says("It rains in Bonn.", dialect),
    ]
    async with world(turns, dialect) as at:
        first = await at.run(asks("Turn it, and what is the weather?", tools=[WEATHER], stream=True))
        assert (first.finish, [call.name for call in first.calls]) == ("tool_calls", ["weather"])
        assert json.loads(first.calls[0].arguments) == {"city": "Bonn"}
        assert [event.calls for event in at.memory.events.values() if isinstance(event, Asked)] == [first.calls]
        at.memory.events.clear()  # the next run has a log of its own
        messages = [
            Message(role="user", parts=[Text("Turn it, and what is the weather?")]),
            Message(role="assistant", calls=first.calls),
            Message(role="tool", call_id=first.calls[0].id, parts=[Text("rain")]),
        ]
        second = await at.run(asks(messages=messages, tools=[WEATHER], resumes="chatcmpl-1", stream=True))
        assert "rain" in at.server.requests[-1].heard.messages[-1].text
    assert (second.text, second.finish, at.said, at.thought) == ("It rains in Bonn.", "stop", "It rains in Bonn.", "")
    assert done.times("rotate_image") == 1
    assert len(at.server.requests) == 3


async def test_calls_of_both_sides_in_one_turn(world: Worlds, done: Done) -> None:
    turn = Turn(calls=[Call("weather", {"city": "Bonn"}), Call("rotate_image", {"image": "img_a1b2c3"})])
    async with world([turn, "Done."]) as at:
        first = await at.run(asks(tools=[WEATHER]))
        messages = [
            Message(role="user", parts=[Text("Turn img_a1b2c3.")]),
            Message(role="assistant", calls=first.calls),
            Message(role="tool", call_id=first.calls[0].id, parts=[Text("rain")]),
        ]
        second = await at.run(asks(messages=messages, tools=[WEATHER], resumes="chatcmpl-1"))
        results = at.server.requests[-1].heard.results
    assert second.text == "Done."
    assert done.times("rotate_image") == 1
    assert len(results) == 2


async def test_a_clients_answer_is_taken_from_its_messages_when_the_journal_is_gone(world: Worlds, done: Done) -> None:
    call = {"id": "call_x", "name": "weather", "arguments": "{}"}
    messages = [
        Message(role="user", parts=[Text("The weather?")]),
        Message(role="assistant", calls=[call]),  # type: ignore[list-item]
        Message(role="tool", call_id="call_x", parts=[Text("rain")]),
    ]
    async with world(["It rains."]) as at:
        outcome = await at.run(asks(messages=messages, tools=[WEATHER], resumes="chatcmpl-1"))
        assert at.server.requests[-1].heard.results == ["rain"]
    assert outcome.text == "It rains."


async def test_no_tool_of_the_clients_is_offered_when_it_forbids_them(world: Worlds, done: Done) -> None:
    async with world(["No."]) as at:
        await at.run(asks("The weather?", tools=[WEATHER], tool_choice="none"))
        assert "weather" not in at.server.requests[-1].heard.tools


async def test_a_named_tool_is_forced_once(world: Worlds, done: Done) -> None:
    async with world([Turn(calls=[Call("weather", {})])]) as at:
        await at.run(asks("Hello.", tools=[WEATHER], tool_choice="weather"))
        assert at.server.bodies[0]["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
