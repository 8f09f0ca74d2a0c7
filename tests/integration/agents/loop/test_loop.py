"""The loop with what is real but the model: tools, pictures, and programs in bubblewrap."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heliograph.agents import running
from heliograph.agents.events import Said, Shown, Thought
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.agents.outcome import Outcome
from heliograph.agents.sandbox.shared import shared
from heliograph.agents.task import Media, Message, Task, Text
from heliograph.config import ModelSettings, Settings
from heliograph.models.scripted import Scripted, Turn
from heliograph.models.scripted.script import Call
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

BUBBLEWRAP = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt-get install bubblewrap)")


def picture(width: int = 80, height: int = 40) -> Brought:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, "PNG")
    return Brought(content=buffer.getvalue(), kind="img", media_type="image/png", facts={"width": width, "height": height})


class World:
    def __init__(self, server: Scripted, folder: Path, reader: Reader, models: Models, settings: Settings) -> None:
        self.server, self.folder, self.reader, self.models, self.settings = server, folder, reader, models, settings
        self.memory = Memory()

    async def run(self, text: str, **fields: Any) -> Outcome:
        told: dict[str, Any] = {"toolsets": ["core", "image"]} | fields
        parts = [Text(text), *(Media(position=place, kind="image") for place in self.memory.inputs)]
        task = Task(
            kind="completion", model="vlmrun-orion-1:auto", route="default", messages=[Message(role="user", parts=parts)],
            **told,
        )  # fmt: skip
        workspace = MemoryWorkspace(self.memory)
        return await running.run(task, workspace, settings=self.settings, reader=self.reader, models=self.models)

    @property
    def results(self) -> list[str]:
        heard = self.server.requests[-1].heard
        assert heard is not None
        return heard.results


@asynccontextmanager
async def world(turns: list[Any], folder: Path, **model: Any) -> AsyncGenerator[World]:
    async with Scripted(turns, "vllm", checks=False) as server:
        route = ModelSettings(url=server.url, model="scripted", attempts=1, **model)
        settings = Settings(data_dir=folder, models={"default": route})
        models = Models(settings)
        async with Reader(settings) as reader:
            try:
                yield World(server, folder, reader, models, settings)
            finally:
                await shared(settings).close()
                await models.close()


def the_picture(heard: Any) -> str:
    return heard.text.split("[img_")[1][:6]


async def test_the_users_pictures_are_shown_to_a_model_that_sees(tmp_path: Path) -> None:
    async with world(["It is red."], tmp_path) as at:
        at.memory.inputs[0] = picture()
        await at.run("What colour is it?")
        heard = at.server.requests[0].heard
    assert heard is not None
    assert heard.pictures == 1


async def test_a_picture_is_turned_by_the_real_tool(tmp_path: Path) -> None:
    def turns(heard: Any) -> Any:
        return Turn(calls=[Call("rotate_image", {"image": f"img_{the_picture(heard)}", "angle": 90})])

    async with world([Turn(answer=turns), "It is turned."], tmp_path) as at:
        at.memory.inputs[0] = picture()
        outcome = await at.run("Turn it by 90 degrees.")
        made = json.loads(at.results[0].split("\n")[1])
    assert outcome.text == "It is turned."
    assert (made["width"], made["height"]) == (40, 80)


PROGRAM = """
import asyncio, numpy
from PIL import Image
given = "img_REF"
first, second = await asyncio.gather(
    vlmrun.image.rotate_image(image=given, angle=90), vlmrun.image.rotate_image(image=given, angle=180))
vlmrun.log.print("both are turned")
vlmrun.log.preview({"type": "preview.image", "image": {"id": first["id"]}})
mean = float(numpy.asarray(Image.open(given)).mean())
open("notes.txt", "w").write("mean " + str(mean))
{"first": first["id"], "second": second["id"], "mean": mean}
"""


def programs(*sources: str) -> list[Any]:
    """A model that writes these programs, one a turn."""

    def written(source: str) -> Any:
        def turn(heard: Any) -> Any:
            return Turn(calls=[Call("execute_code", {"code": source.replace("REF", the_picture(heard))})])

        return Turn(answer=turn)

    return [written(source) for source in sources]


@BUBBLEWRAP
async def test_orion_2_writes_a_program_that_calls_tools_side_by_side(tmp_path: Path) -> None:
    async with world([*programs(PROGRAM), "Done."], tmp_path) as at:
        at.memory.inputs[0] = picture()
        outcome = await at.run("Turn it both ways.", generation="orion-2", cards=["preview.image"], stream=True)
        result = json.loads(at.results[0].split("\n")[1])
        events = list(at.memory.events.values())
        heard = at.server.requests[0].heard
        names = {artifact.filename for artifact, _ in at.memory.artifacts.values()}
    assert heard is not None
    assert heard.tools == ("execute_code",)
    assert "vlmrun.image.rotate_image(image, angle" in heard.messages[0].text
    assert result["error"] is None
    assert result["value"]["mean"] == 85.0
    assert outcome.text == "Done."
    assert outcome.spent.tools == {"execute_code": 1, "rotate_image": 2}
    assert "notes.txt" in names
    assert any(isinstance(event, Thought) and event.text == "both are turned\n" for event in events)
    assert {"image": {"id": result["value"]["first"]}} in [event.data for event in events if isinstance(event, Shown)]
    assert "".join(event.text for event in events if isinstance(event, Said)) == "Done."


@BUBBLEWRAP
async def test_a_program_that_fails_is_mended(tmp_path: Path) -> None:
    bad = 'await vlmrun.image.rotate_image(image="img_ffffff", angle=90)'
    async with world([*programs(bad, "1 / 0", "6 * 7"), "42."], tmp_path) as at:
        at.memory.inputs[0] = picture()
        outcome = await at.run("Compute.", generation="orion-2")
        results = [json.loads(result.split("\n")[1]) for result in at.results]
    assert "img_ffffff" in results[0]["error"]
    assert "ZeroDivisionError" in results[1]["error"]
    assert results[2]["value"] == 42
    assert outcome.text == "42."


@BUBBLEWRAP
async def test_a_program_that_fails_again_and_again_ends_the_run(tmp_path: Path) -> None:
    async with world([*programs(*["1 / 0"] * 10)], tmp_path) as at:
        at.memory.inputs[0] = picture()
        outcome = await at.run("Compute.", generation="orion-2")
    assert outcome.finish == "length"
    assert "ZeroDivisionError" in outcome.text


@BUBBLEWRAP
async def test_a_program_that_is_run_again_after_a_crash_calls_no_tool_twice(tmp_path: Path) -> None:
    async with world([*programs(PROGRAM), "Done."], tmp_path) as at:
        at.memory.inputs[0] = picture()
        await at.run("Turn it.", generation="orion-2")
        made, steps = set(at.memory.artifacts), dict(at.memory.steps)
        del at.memory.steps["tool:0:0"], at.memory.steps["model:1"]
        at.memory.events.clear()
        at.server.script.turns.append(Turn(answer="Done.", times=0))
        at.server.script.used.append(0)
        outcome = await at.run("Turn it.", generation="orion-2")
    assert outcome.text == "Done."
    assert set(at.memory.artifacts) == made
    assert set(at.memory.steps) == set(steps)
