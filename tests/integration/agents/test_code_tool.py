"""`execute_code`: a program has the run's files and tools, and what it writes is kept."""

from __future__ import annotations

import pytest

from heliograph.agents import tools
from heliograph.agents.sandbox.shared import shared
from heliograph.agents.task import Task
from heliograph.config import Settings
from heliograph.errors import NotConfigured
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.tooling import INVOICE, Tools, pdf

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
async def run(settings: Settings, reader: Reader, models: Models) -> Tools:
    made = Tools(
        settings, reader, models, task=Task(kind="completion", model="vlmrun-orion-1", toolsets=["document", "code-execution", "web"])
    )
    try:
        await shared(settings).warm()
    except NotConfigured as reason:
        pytest.skip(f"needs a sandbox: {reason.message}")
    return made


async def test_a_program_calls_tools_reads_files_and_leaves_its_own(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    code = f"""
found = await vlmrun.document.answer_from_document(document="{ref}", field="total")
size = len(open("{ref}", "rb").read())
open("total.txt", "w").write(str(found["value"]))
print("done")
result = {{"total": found["value"] * 2, "size": size}}
"""
    ran = await run.call("execute_code", code=code)
    assert ran["error"] is None
    assert ran["value"] == {"total": 238.0, "size": len(pdf(*INVOICE))}
    assert ran["printed"] == "done"
    assert [file["filename"] for file in ran["files"]] == ["total.txt"]
    assert await run.workspace.artifacts.read("total.txt") == b"119.0"


async def test_what_a_tool_makes_is_a_file_of_the_program_at_once(run: Tools) -> None:
    ref = await run.bring(pdf(*INVOICE))
    code = f"""
from PIL import Image
made = await vlmrun.document.document_images(document="{ref}", pages=[0])
result = Image.open(made["images"][0]["id"]).width == made["images"][0]["width"]
"""
    ran = await run.call("execute_code", code=code)
    assert ran["error"] is None
    assert ran["value"] is True
    assert ran["files"] == []


async def test_what_goes_wrong_in_a_program_is_told_to_mend_it_by(run: Tools) -> None:
    assert "ZeroDivisionError" in (await run.call("execute_code", code="1 / 0"))["error"]
    missing = await run.call("execute_code", code='await vlmrun.document.read_document(document="doc_000000")')
    assert "doc_000000" in missing["error"]


async def test_a_program_cannot_reach_outside_by_the_tools(run: Tools) -> None:
    ran = await run.call("execute_code", code='await vlmrun.web.fetch_page(url="https://x.example/")')
    assert ran["error"]
    assert run.memory.artifacts == {}


async def test_programs_may_be_switched_off() -> None:
    assert "HELIOGRAPH_SANDBOX" in (tools.REGISTRY["execute_code"].needs(Settings(sandbox="off")) or "")
