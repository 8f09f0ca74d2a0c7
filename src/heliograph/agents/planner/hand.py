"""The hand that does what the rules understood: it holds the subjects of a request and calls tools, each a step of the run's journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import msgspec

from heliograph.agents import tools
from heliograph.agents.artifacts import Artifact
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.planner.clauses import Clause
from heliograph.agents.planner.moves import Needs, Question
from heliograph.agents.task import MEDIA, TOOLSETS, Media, Toolset
from heliograph.agents.tools import Tool
from heliograph.errors import HeliographError

Json = Any

ASK_FOR = {
    "image": "Which picture? Attach it, or name one of this chat, such as img_a1b2c3.",
    "images": "Which pictures? Attach two or more.",
    "document": "Which document? Attach it, or name one of this chat, such as doc_a1b2c3.",
    "documents": "Which documents? Attach two or more.",
    "recording": "Which recording? Attach a video or an audio file, or name one of this chat, such as vid_a1b2c3.",
    "recordings": "Which recordings? Attach two or more.",
    "anything": "Of what? Attach a picture or a document.",
}


class Asks(Exception):
    """Something has to be known first."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = Question(question)


class Withheld(Exception):
    """The request did not enable the toolset that this needs."""

    def __init__(self, tool: Tool, enabled: Sequence[Toolset]) -> None:
        super().__init__(tool.name)
        self.tool, self.enabled = tool, enabled


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes that an earlier clause found in an image or on the pages of a document. `boxes`: `{label, xywh, page?}`."""

    ref: str
    what: str
    boxes: list[dict[str, Json]]


class Done(msgspec.Struct, kw_only=True):
    """What a clause came to: a sentence or more, references of what was made, and a value for who reads JSON.

    `result`: where it is neither an artifact nor a value.
    """

    text: str
    result: Literal["question", "decline"] | None = None
    made: list[str] = []
    value: dict[str, Json] = {}


class Hand:
    """Of one run. `found` and `made` are what the clauses before have left."""

    def __init__(self, at: Context) -> None:
        self.at = at
        self.enabled = enabled(at)
        self.caller = Caller(at, tools.REGISTRY.values())
        self.found: Found | None = None
        self.made: list[str] = []
        self._brought: list[Artifact] | None = None
        self._steps = 0

    @property
    def steps(self) -> int:
        """How many tools were called."""
        return self._steps

    async def call(self, name: str, **arguments: Json) -> Json:
        """The answer of a tool. Raises Withheld when the request does not allow it, and ToolFailed."""
        tool = tools.REGISTRY[name]
        if tool.toolset not in self.enabled:
            raise Withheld(tool, self.enabled)
        step = f"tool:{self._steps}:0"
        self._steps += 1
        given = {key: value for key, value in arguments.items() if value is not None}
        return await self.caller.call(step, name, given)

    async def subjects(self, needs: Needs, clause: Clause) -> list[Artifact]:
        """What a clause is about: what it names, else what was just made, else what came with the message, else what the chat had last.

        Raises Asks when there is nothing of the kind, or too little.
        """
        if clause.slots.refs:
            return [await self._named(ref) for ref in clause.slots.refs]
        artifacts = self.at.artifacts
        made = [await artifacts.get(ref) for ref in self.made]
        for candidates in (made, await self.brought(), (await artifacts.list())[::-1][:1]):
            fitting = [each for each in candidates if _fits(each, needs)]
            if needs in ("documents", "images", "recordings") and len(fitting) < 2:
                continue
            if fitting:
                return fitting
        raise Asks(ASK_FOR[needs])

    async def recorded(self) -> bool:
        """Whether what came with the message, else what the chat had last, is a recording."""
        latest = await self.brought() or (await self.at.artifacts.list())[-1:]
        return any(each.kind in ("vid", "aud") for each in latest)

    async def images(self, clause: Clause) -> list[Artifact]:
        """The images that a clause is about; of documents, the pages that it names, or the only page."""
        found: list[Artifact] = []
        for subject in await self.subjects("anything", clause):
            if subject.kind == "img":
                found.append(subject)
            elif subject.kind == "doc":
                pages = clause.slots.pages
                if not pages and subject.facts.get("pages") != 1:
                    raise Asks(f"Which page of {subject.name}? Say, for example, “page 1”.")
                found += await self.pages(subject, pages or [0])
        if not found:
            raise Asks(ASK_FOR["image"])
        return found

    async def pages(self, document: Artifact, pages: Sequence[int] | None) -> list[Artifact]:
        """Pages of a document as images."""
        answer = await self.call("document_images", document=document.ref, pages=list(pages) if pages else None)
        return [await self.at.artifacts.get(image["id"]) for image in answer["images"]]

    async def brought(self) -> list[Artifact]:
        """What came with the message, in order."""
        if self._brought is None:
            self._brought = []
            for part in media(self.at):
                if part.ref is not None:
                    self._brought.append(await self._named(part.ref))
                elif part.position is not None:
                    self._brought.append(await self.at.workspace.bring(part.position))
        return self._brought

    async def _named(self, ref: str) -> Artifact:
        try:
            return await self.at.artifacts.get(ref)
        except HeliographError as missing:
            raise Asks(f"{missing.message} Which one do you mean?") from None


def media(at: Context) -> list[Media]:
    """What came with the newest message, or with an execution."""
    if at.task.kind == "execution":
        return [Media(position=position, name=at.task.names.get(position)) for position in sorted(_positions(at.task.inputs))]
    return [part for part in at.task.newest.parts if isinstance(part, Media)] if at.task.newest else []


def _positions(inputs: Json) -> list[int]:
    """The places of the media in an execution's inputs."""
    if isinstance(inputs, dict):
        table = cast("dict[str, Json]", inputs)
        return [table[MEDIA]] if MEDIA in table else [found for value in table.values() for found in _positions(value)]
    return [found for value in cast("list[Json]", inputs) for found in _positions(value)] if isinstance(inputs, list) else []


def enabled(at: Context) -> tuple[Toolset, ...]:
    """The toolsets that a request allows: those it names; none named, all where its answer is streamed, else `core` alone."""
    if at.task.toolsets is not None:
        return tuple(at.task.toolsets)
    return TOOLSETS if at.task.kind == "completion" and at.task.stream else ("core",)


def _fits(artifact: Artifact, needs: Needs) -> bool:
    if needs in ("recording", "recordings"):
        return artifact.kind in ("vid", "aud")
    return artifact.kind == "img" if needs == "images" else artifact.kind in ("doc", "img")
