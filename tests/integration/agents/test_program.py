from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from heliograph.agents import program, toolsets
from heliograph.agents.context import Context
from heliograph.agents.events import Thought
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.agents.outcome import Outcome
from heliograph.agents.program import ProgramFailed
from heliograph.agents.task import Format, SkillRef, Task
from heliograph.config import Settings
from heliograph.errors import InvalidRequest
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader

from .packets import card, letter

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]

SCHEMA = '{"type": "object", "properties": {"diagnosis": {"type": ["string", "null"]}, "patient_name": {"type": ["string", "null"]}}}'
EXTRACT = """\
import json

async def main(inputs):
    schema = json.loads(vlmrun.io.read_file("skills/letters/schema.json"))
    vlmrun.log.print("reading", inputs["letter"])
    data = await vlmrun.document.extract(inputs["letter"], json_schema=schema, grounding=True, confidence=True)
    vlmrun.io.write_file("summary.txt", data["patient_name"])
    return data
"""


class Programs:
    """Runs of one skill's program over one memory."""

    def __init__(self, settings: Settings, reader: Reader, models: Models, folder: Path) -> None:
        toolsets.load()
        self.memory = Memory()
        self.settings, self._reader, self._models, self._folder = settings, reader, models, folder

    async def run(self, code: str | None, inputs: dict[str, Any] | None = None, **task: Any) -> Outcome:
        place = self._folder / "letters"
        place.mkdir(exist_ok=True)
        (place / "SKILL.md").write_text("---\nname: letters\ndescription: letters\n---\nRead.\n")
        (place / "schema.json").write_text(SCHEMA)
        if code is not None:
            (place / "pipeline.py").write_text(code)
        self.memory.skills["letters"] = place
        if not self.memory.inputs:
            self.memory.inputs[0] = Brought(content=letter(), kind="doc", media_type="application/pdf", filename="letter.pdf")
            self.memory.inputs[1] = Brought(content=card(), kind="img", media_type="image/png", filename="card.png")
        asked = Task(
            kind="execution", model="vlmrun-orion-2:auto", mode="program", skills=[SkillRef(name="letters", hash="letters", blob="b")],
            inputs={"letter": {"$media": 0}, "card": {"$media": 1}, "n": 3} if inputs is None else inputs, **task,
        )  # fmt: skip
        return await program.run(
            Context(
                task=asked, workspace=MemoryWorkspace(self.memory), settings=self.settings, reader=self._reader, models=self._models,
                route=None, say=self._say, show=self._show,
            )
        )  # fmt: skip

    async def _say(self, line: str) -> None: ...

    async def _show(self, card: Any, data: Any) -> None: ...


@pytest.fixture
def programs(settings: Settings, reader: Reader, models: Models, tmp_path: Path) -> Programs:
    return Programs(settings, reader, models, tmp_path)


async def test_a_pipeline_reads_its_skills_files_and_extracts_with_grounding(programs: Programs) -> None:
    made = await programs.run(EXTRACT)
    assert made.mode == "program"
    assert made.value["diagnosis"] == "Type 2 diabetes mellitus"
    assert made.value["patient_name_metadata"]["bboxes"][0]["page"] == 0
    assert made.spent.tools == {"parse_document": 1}
    assert made.spent.steps == 2
    assert Thought("reading inputs/letter.pdf\n") in programs.memory.events.values()
    files = {artifact.filename: (artifact.source, data) for artifact, data in programs.memory.artifacts.values()}
    assert files["summary.txt"] == ("workspace", b"Amara Okafor")


async def test_a_program_that_came_to_its_end_is_not_run_again_and_one_that_did_not_repeats_no_call(programs: Programs) -> None:
    first = await programs.run(EXTRACT)
    calls = [step for step in programs.memory.steps if step.startswith("program:") and step != "program:end"]
    assert len(calls) == 1
    assert (await programs.run("raise ValueError('not run again')")) == first
    del programs.memory.steps["program:end"]
    kept = dict(programs.memory.steps)
    again = await programs.run(EXTRACT)
    assert again.value == first.value
    assert {step: output for step, output in programs.memory.steps.items() if step != "program:end"} == kept


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("result = {'n': inputs['n'] + 1}", {"n": 4}),
        ("{'last': inputs['n']}", {"last": 3}),
        ("[1, 2]", {"results": [1, 2]}),
        ("7", {"result": 7}),
        ("print('hello')", {"printed": "hello"}),
        ("def run(inputs):\n    return {'ran': sorted(inputs)}", {"ran": ["card", "letter", "n"]}),
        ("async def pipeline():\n    return {'ran': True}", {"ran": True}),
        ("async def main(inputs):\n    return 1\nresult = {'own': await main(inputs)}", {"own": 1}),
        ("import os\nresult = {'size': os.path.getsize(inputs['card'])}", {"size": len(card())}),
        ("open('a.csv', 'w').write('x,y\\n')\nNone", {"files": ["a.csv"]}),
    ],
)
async def test_the_value_of_a_program_is_an_object(programs: Programs, code: str, value: dict[str, Any]) -> None:
    assert (await programs.run(code)).value == value


async def test_tools_take_paths_references_and_pictures_and_go_by_their_short_names_too(programs: Programs) -> None:
    code = """\
import asyncio
from pathlib import Path
from PIL import Image
picture = Image.open(inputs["card"]).crop((0, 0, 900, 120))
texts, turned, info, faces = await asyncio.gather(
    vlmrun.image.ocr(picture), vlmrun.image.rotate(inputs["card"], 90), vlmrun.document.info(inputs["letter"]),
    vlmrun.image.detect(inputs["card"], "faces"),
)
again = await vlmrun.image.resize(turned["id"], width=100)
own = await vlmrun.image.convert_image(Path(inputs["card"]), format="jpeg")
result = {"text": str(texts), "turned": [turned["width"], turned["height"]], "info": info["pages"], "again": again["width"], "faces": faces}
"""
    value = (await programs.run(code)).value
    assert "Northwind" in value["text"]
    assert value["turned"] == [520, 900]
    assert value["info"] == 2
    assert value["again"] == 100
    assert "Okafor" not in str(value["faces"])


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\ny = x / 0\n", ('File "pipeline.py", line 2', "ZeroDivisionError")),
        ("async def main(inputs):\n    return inputs['nothing']\n", ("line 2", "KeyError: 'nothing'")),
        ("x = (\n", ("pipeline.py", "SyntaxError")),
        ("await vlmrun.document.guess('x')", ("line 1", "guess")),
        ("await vlmrun.kitchen.cook()", ("line 1", "kitchen")),
        ("await vlmrun.document.extract('inputs/none.pdf')", ("ToolError", "inputs/none.pdf")),
        ("await vlmrun.document.extract(inputs['letter'], colour='red')", ("TypeError", "colour")),
        ("await vlmrun.web.search('news')", ("line 1", "web")),
        ("await vlmrun.io.put_file_url('http://127.0.0.1/secret')", ("line 1", "put_file_url")),
        ("await vlmrun.image.detect(inputs['card'], 'cat')", ("ToolError",)),
        ("await vlmrun.image.detect(inputs['card'], '')", ("ToolError", "target")),
        ("import sys\nsys.exit('enough')", ("enough",)),
        ("import socket\nsocket.create_connection(('example.com', 80))", ("line 2", "gaierror")),
        ("open('/etc/passwd').read()", ("Error",)),
    ],
)
async def test_what_goes_wrong_in_a_program_is_told_with_its_line(programs: Programs, code: str, told: tuple[str, ...]) -> None:
    with pytest.raises(ProgramFailed) as failed:
        await programs.run(code)
    for words in told:
        assert words in failed.value.message, failed.value.message
    assert "program:end" not in programs.memory.steps


async def test_a_program_that_runs_too_long_is_ended_and_named(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.settings, "sandbox_timeout", 1.0)
    with pytest.raises(ProgramFailed, match="HELIOGRAPH_SANDBOX_TIMEOUT"):
        await programs.run("import time\ntime.sleep(30)")


async def test_a_program_may_catch_what_a_tool_refuses(programs: Programs) -> None:
    code = (
        "try:\n    await vlmrun.document.extract('nothing.pdf')\nexcept vlmrun.ToolError as error:\n"
        "    result = {'caught': 'nothing.pdf' in str(error)}"
    )
    assert (await programs.run(code)).value == {"caught": True}


async def test_the_web_is_there_for_a_program_whose_skill_names_it(programs: Programs) -> None:
    code = "try:\n    await vlmrun.web.search('news')\nexcept vlmrun.ToolError as error:\n    result = {'said': str(error)}"
    assert "HELIOGRAPH" in (await programs.run(code, toolsets=["web"])).value["said"]


async def test_a_file_is_loaded_by_its_url_for_a_program_whose_skill_names_the_toolset(programs: Programs) -> None:
    programs.memory.web["https://example.com/card.png"] = Brought(content=card(), kind="img", media_type="image/png", filename="card.png")
    made = await programs.run("result = await vlmrun.io.put_image_url('https://example.com/card.png')", toolsets=["core"])
    assert made.value["id"].startswith("img_")


async def test_a_response_that_does_not_fit_the_schema_is_told_of(programs: Programs) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    wrong = await programs.run("result = {'n': 'three'}", format=Format(schema=schema, strict=False))
    assert any("schema_mismatch" in warning for warning in wrong.warnings)
    programs.memory.steps.clear()
    right = await programs.run("result = {'n': 3, 'n_metadata': None}", format=Format(schema=schema))
    assert right.warnings == []


async def test_a_skill_without_a_program_is_refused(programs: Programs) -> None:
    with pytest.raises(InvalidRequest, match="pipeline"):
        await programs.run(None)
