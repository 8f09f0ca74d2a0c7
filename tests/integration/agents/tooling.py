"""Tools over a workspace in memory: bring files, call tools by name, see what was shown."""

from __future__ import annotations

from typing import Any

from heliograph.agents import tools, toolsets
from heliograph.agents.artifacts import Kind
from heliograph.agents.context import Context
from heliograph.agents.memory import Brought, Memory, MemoryWorkspace
from heliograph.agents.task import Card, Provider, SkillRef, Task
from heliograph.config import Settings
from heliograph.models.serving import Models
from heliograph.perception.reader import Reader
from tests.unit.media.paper import Pdf

Json = Any
INVOICE = [
    ["Invoice", "Invoice number: INV-4711", "Due date: 2026-03-01", "Total due: USD 119.00"],
    ["Terms", "Payment is made by Jane Doe, jane@example.com"],
]


def pdf(*pages: list[str]) -> bytes:
    """A PDF with these lines on its pages, the first of each large."""
    made = Pdf()
    for lines in pages:
        head, *rest = lines
        shown = [f"/F1 22 Tf 72 720 Td ({head}) Tj /F1 12 Tf 0 -40 Td", *(f"({line}) Tj 0 -22 Td" for line in rest)]
        made.page(f"BT {' '.join(shown)} ET".encode())
    return made.bytes()


class Tools:
    """A run's tools. `said`: the lines that were told, `shown`: the cards, in order."""

    def __init__(
        self, settings: Settings, reader: Reader, models: Models, *, skills: list[SkillRef] | None = None,
        providers: list[Provider] | None = None, task: Task | None = None,
    ) -> None:  # fmt: skip
        toolsets.load()
        self.memory = Memory()
        self.workspace = MemoryWorkspace(self.memory)
        self.said: list[str] = []
        self.shown: list[tuple[Card, dict[str, Json]]] = []
        task = task or Task(kind="completion", model="vlmrun-orion-1", skills=skills or [], providers=providers or [])
        self.at = Context(
            task=task, workspace=self.workspace, settings=settings, reader=reader, models=models, route=None, say=self._say, show=self._show
        )

    async def bring(self, content: bytes, kind: Kind = "doc", media_type: str = "application/pdf", filename: str | None = None) -> str:
        """The reference of a file that the caller brought."""
        position = len(self.memory.inputs)
        self.memory.inputs[position] = Brought(content=content, kind=kind, media_type=media_type, filename=filename)
        return (await self.workspace.bring(position)).ref

    async def call(self, name: str, /, **arguments: Json) -> Json:
        """What a tool answers, as JSON."""
        return await tools.REGISTRY[name].call(self.at, arguments)

    async def _say(self, line: str) -> None:
        self.said.append(line)

    async def _show(self, card: Card, data: dict[str, Json]) -> None:
        self.shown.append((card, data))
