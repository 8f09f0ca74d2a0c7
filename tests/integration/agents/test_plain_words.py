"""The embedded planner with the real tools, on files drawn here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate
from reportlab.platypus import tables as reportlab_tables

from heliograph import samples
from heliograph.agents import running, tools
from heliograph.agents.context import Context
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.agents.outcome import Outcome
from heliograph.agents.task import TOOLSETS, Media, Message, Task, Text
from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.integration.agents.plain_words import CODE, INVOICE, LETTER, PHOTO, REQUESTS, SIGN, TABLE, Asked

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Brought]:
    folder = tmp_path_factory.mktemp("drawn")
    drawers: dict[str, Callable[[Path], None]] = {PHOTO: _photo, SIGN: _sign, CODE: _code, LETTER: _letter, TABLE: _table}
    for name, draw in drawers.items():
        draw(folder / name)
    (folder / INVOICE).write_bytes(samples.INVOICE.read_bytes())
    types = {".jpg": ("img", "image/jpeg"), ".png": ("img", "image/png"), ".pdf": ("doc", "application/pdf")}
    found: dict[str, Brought] = {}
    for path in folder.iterdir():
        kind, media_type = types[path.suffix]
        found[path.name] = Brought(content=path.read_bytes(), kind=kind, media_type=media_type, filename=path.name)  # pyright: ignore[reportArgumentType]
    return found


async def answered(
    asked: Asked, drawn: dict[str, Brought], settings: Settings, reader: Reader, models: Models, monkeypatch: pytest.MonkeyPatch
) -> tuple[Outcome, list[tuple[str, dict[str, object]]], Memory]:
    called: list[tuple[str, dict[str, object]]] = []
    call = tools.Tool.call

    async def noted(self: tools.Tool, at: Context, arguments: dict[str, object]) -> object:
        called.append((self.name, arguments))
        return await call(self, at, arguments)

    monkeypatch.setattr(tools.Tool, "call", noted)
    memory = Memory(inputs={position: drawn[name] for position, name in enumerate(asked.files)})
    parts = [*(Media(position=position, name=name) for position, name in enumerate(asked.files)), Text(asked.words)]
    task = Task(kind="completion", model="vlmrun-orion-1:auto", messages=[Message(role="user", parts=parts)], toolsets=list(TOOLSETS))
    outcome = await running.run(task, MemoryWorkspace(memory), settings=settings, reader=reader, models=models)
    return outcome, called, memory


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: f"{asked.words[:50]} {len(asked.files)}")
async def test_a_request_in_plain_words_is_answered_rightly(
    asked: Asked, drawn: dict[str, Brought], settings: Settings, reader: Reader, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, called, memory = await answered(asked, drawn, settings, reader, models, monkeypatch)
    assert outcome.value["result"] in asked.right, outcome.text
    for words in asked.says:
        assert words.lower() in outcome.text.lower()
    made = [ref for ref in memory.artifacts.values() if ref[0].source == "store"]
    assert made or outcome.value["result"] != "artifact"
    for name, arguments in asked.calls:
        assert any(name == other and arguments.items() <= given.items() for other, given in called), called


def _photo(path: Path) -> None:
    image = Image.linear_gradient("L").resize((600, 400)).convert("RGB")
    ImageDraw.Draw(image).ellipse((200, 100, 320, 260), fill=(180, 60, 40))
    image.save(path, quality=90)


def _sign(path: Path) -> None:
    image = Image.new("RGB", (640, 240), "white")
    ImageDraw.Draw(image).text((60, 80), "NO PARKING", font=ImageFont.load_default(80), fill="black")
    image.save(path)


def _code(path: Path) -> None:
    made = zxingcpp.create_barcode("https://example.com/42", zxingcpp.BarcodeFormat.QRCode)
    image = Image.new("RGB", (500, 500), "white")
    image.paste(Image.fromarray(np.array(made.to_image(scale=8))).convert("RGB"), (60, 60))
    image.save(path)


def _letter(path: Path) -> None:
    pages = (
        ["Dear Ms Anna Keller,", "thank you for your order of 3 March 2026.", "Call us at +49 30 1234567 with any question."],
        ["Our warranty lasts for two years", "from the day of delivery."],
        ["Delivery terms", "We deliver within ten days."],
    )
    canvas = Canvas(str(path), pagesize=A4)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 760 - 24 * number, line)
        canvas.showPage()
    canvas.save()


def _table(path: Path) -> None:
    rows = [["Month", "Sales"], ["January", "300"], ["February", "400"], ["March", "450"]]
    made = reportlab_tables.Table(rows, colWidths=[120, 120], style=[("GRID", (0, 0), (-1, -1), 0.5, "black")])
    SimpleDocTemplate(str(path), pagesize=A4).build([made])
