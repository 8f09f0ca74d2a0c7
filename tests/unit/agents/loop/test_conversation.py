"""What a model is told: history, files, pictures, skills, toolsets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heliograph.agents.loop import routing
from heliograph.agents.loop.thinking import Thinker
from heliograph.agents.memory import Brought
from heliograph.agents.task import Media, Message, SkillRef, Task, Text, ToolCall
from heliograph.models.errors import ModelLimit
from heliograph.models.scripted import Turn
from heliograph.models.scripted.script import Call

from .conftest import Done, Worlds, asks


def said(role: Any, text: str) -> Message:
    return Message(role=role, parts=[Text(text)])


async def test_history_and_instructions_come_in_their_order(world: Worlds, done: Done) -> None:
    messages = [said("system", "Be brief."), said("user", "One?"), said("assistant", "Yes."), said("user", "Two?")]
    async with world(["No."]) as at:
        await at.run(asks(messages=messages))
        heard = at.server.requests[0].heard
    assert [message.role for message in heard.messages] == ["system", "user", "assistant", "user"]
    assert "Be brief." in heard.messages[0].text
    assert heard.last == "Two?"


async def test_history_that_does_not_fit_is_cut_by_whole_turns_and_noted(world: Worlds, done: Done) -> None:
    messages = [said(role, f"{role} {number} " + "word " * 300) for number in range(12) for role in ("user", "assistant")]
    async with world(["Yes."], model={"context": 6_000, "max_output": 1_000}) as at:
        outcome = await at.run(asks(messages=[*messages, said("user", "Is it so?")], toolsets=["core"]))
        heard = at.server.requests[0].heard
    kept = [message for message in heard.messages if message.role != "system"]
    left_out = 25 - len(kept)
    assert 2 < len(kept) < 20
    assert kept[0].role == "user"
    assert kept[-1].text == "Is it so?"
    assert f"The {left_out} oldest messages" in heard.messages[0].text
    assert outcome.warnings == [f"The {left_out} oldest messages of the conversation did not fit into the model's context."]


async def test_results_of_a_run_make_room_for_newer_ones(world: Worlds, done: Done) -> None:
    turns = [Turn(calls=[Call("read_page", {"document": "page.txt"})]) for _ in range(4)]
    async with world([*turns, "Done."], model={"context": 5_000, "max_output": 500}) as at:
        at.memory.inputs[0] = Brought(content=b"word " * 700, kind="doc", media_type="text/plain", filename="page.txt")
        outcome = await at.run(asks(messages=[Message(role="user", parts=[Text("Read."), Media(position=0)])], toolsets=["document"]))
        results = at.server.requests[-1].heard.results
    assert outcome.text == "Done."
    assert "cut here to make room" in results[0]
    assert "make room" not in results[-1]


async def test_instructions_larger_than_the_context_are_an_error_that_says_so(world: Worlds, done: Done) -> None:
    async with world(["Yes."], model={"context": 1_000, "max_output": 100}) as at:
        with pytest.raises(ModelLimit, match="context of 1000 tokens"):
            await at.run(asks())


async def test_what_was_brought_has_a_reference_and_is_named(world: Worlds, done: Done) -> None:
    async with world(["Nice."], model={"vision": False}) as at:
        facts: dict[str, Any] = {"width": 640, "height": 480}
        at.memory.inputs[0] = Brought(content=b"x", kind="img", media_type="image/png", filename="a\ncat.png", facts=facts)
        await at.run(asks(messages=[Message(role="user", parts=[Text("What is it?"), Media(position=0, kind="image")])]))
        ((made, _),) = at.memory.artifacts.values()
        assert at.server.requests[0].heard.last == f"What is it?\n\n[{made.ref}: image/png, a cat.png, 640x480 pixels]"


async def test_an_executions_inputs_have_references_in_their_places(world: Worlds, done: Done) -> None:
    async with world(["Done."]) as at:
        at.memory.inputs[0] = Brought(content=b"x", kind="doc", media_type="application/pdf")
        task = asks(messages=[], kind="execution", prompt="Read it.", inputs={"file": {"$media": 0}, "page": [1, {"x": None}]})
        outcome = await at.run(task)
        ((made, _),) = at.memory.artifacts.values()
        assert f'{{"file": {{"id": "{made.ref}"}}, "page": [1, {{"x": null}}]}}' in at.server.requests[0].heard.last
    assert (outcome.value, outcome.mode) == ("Done.", "agent")


async def test_a_skill_is_in_the_instructions_and_its_files_at_hand(world: Worlds, done: Done, tmp_path: Path) -> None:
    folder = tmp_path / "rates"
    (folder / "resources").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: rates\ndescription: Exchange rates.\n---\nAlways use the rate of the day.")
    (folder / "resources" / "rates.csv").write_text("USD,1.1")
    turns = [
        Turn(calls=[Call("read_skill_file", {"skill": "rates", "path": "resources/rates.csv"})]),
        Turn(calls=[Call("read_skill_file", {"skill": "rates", "path": "../../etc/passwd"})]),
        "1.1.",
    ]
    async with world(turns) as at:
        at.memory.skills["h"] = folder
        await at.run(asks("What is the rate?", skills=[SkillRef(name="rates", hash="h", blob="b")], toolsets=["core"]))
        heard = [request.heard for request in at.server.requests]
    assert "Always use the rate of the day." in heard[0].messages[0].text
    assert "resources/rates.csv" in heard[0].messages[0].text
    assert "USD,1.1" in heard[1].results[0]
    assert "has no file" in heard[2].results[1]


@pytest.mark.parametrize(
    ("words", "stream", "given", "found"),
    [
        ("Blur the faces.", True, None, ["core", "image"]),
        ("Draw a bar chart of 3, 4, 5.", True, None, ["core", "viz"]),
        ("What is the total of this invoice?", True, None, ["core", "document"]),
        ("Search the web for llamas.", True, None, ["core", "web"]),
        ("Hello!", True, None, ["core"]),
        ("Blur the faces.", False, None, ["core"]),
        ("Blur the faces.", False, ["viz", "viz"], ["viz"]),
    ],
)
def test_toolsets_follow_from_the_words_while_streaming(words: str, stream: bool, given: Any, found: list[str]) -> None:
    task = Task(kind="completion", model="m", messages=[said("user", words)], stream=stream, toolsets=given)
    assert routing.toolsets(task, []) == found


def test_toolsets_follow_from_what_is_brought() -> None:
    message = Message(role="user", parts=[Media(position=0, kind="image")])
    assert routing.toolsets(Task(kind="completion", model="m", messages=[message], stream=True), []) == ["core", "document", "image"]
    assert routing.toolsets(Task(kind="completion", model="m", messages=[said("user", "And now?")], stream=True), ["doc"]) == [
        "core",
        "document",
    ]
    assert routing.toolsets(Task(kind="execution", model="m", messages=[message]), ["doc"]) == ["core"]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("text", "thoughts", "words"),
    [
        ("<think>a < b</think>\n\nYes.", "a < b", "Yes."),
        ("Yes, <think> is a tag.", "", "Yes, <think> is a tag."),
        ("<think>never ends", "never ends", ""),
        ("<b>", "", "<b>"),
        ("\n<think>\nHm.\n</think>Yes", "\nHm.\n", "Yes"),
    ],
)
def test_thoughts_are_told_from_words_however_they_are_cut(text: str, thoughts: str, words: str, size: int) -> None:
    thinker = Thinker()
    pieces = [thinker.feed(text[at : at + size]) for at in range(0, len(text), size)] + [thinker.rest()]
    assert "".join(thought for thought, _ in pieces) == thoughts
    assert "".join(word for _, word in pieces) == words


def test_providers_bring_their_toolsets_once() -> None:
    task = Task(kind="completion", model="m", toolsets=["image"], providers=["meta-sam2", "google-veo-3.1", "depth-anything-3"])
    assert routing.toolsets(task, []) == ["image", "video", "world-gen"]


async def test_ids_of_calls_too_long_for_providers_are_shortened_alike(world: Worlds, done: Done) -> None:
    call = ToolCall("call_" + "x" * 60, "weather", "{}")
    messages = [
        said("user", "Weather?"),
        Message(role="assistant", calls=[call]),
        Message(role="tool", call_id=call.id, parts=[Text("rain")]),
    ]
    async with world(["It rains."]) as at:
        await at.run(asks(messages=messages))
        (assistant,) = [message for message in at.server.bodies[0]["messages"] if message["role"] == "assistant"]
        assert len(assistant["tool_calls"][0]["id"]) <= 40


async def test_what_an_earlier_turn_brought_and_is_gone_is_said_to_be(world: Worlds, done: Done) -> None:
    earlier = Message(role="user", parts=[Text("Look."), Media(ref="img_0a0b0c", kind="image")])
    async with world(["I see."]) as at:
        await at.run(asks(messages=[earlier, said("assistant", "Yes."), said("user", "And now?")]))
        assert "[img_0a0b0c: no longer there]" in at.server.requests[0].heard.text


async def test_a_model_without_schemas_is_asked_for_json_in_words(world: Worlds, done: Done) -> None:
    turns = [{"tool": "rotate_image", "arguments": {"image": "img_a1b2c3"}}, Turn(answer={"answer": "Done."}, wrap="fence")]
    async with world(turns, model={"tool_calls": "schema", "json_mode": "prompt"}) as at:
        outcome = await at.run(asks())
        assert '"enum":["rotate_image"]' in at.server.requests[0].heard.text
    assert outcome.text == "Done."
    assert done.times("rotate_image") == 1
