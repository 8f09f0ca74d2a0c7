"""Programs that a run performs, whoever wrote them: with its tools, each call a step of its journal, and what they write as artifacts.

A program that was under way when a worker died is run again from its beginning. Its calls are known by what they are called with rather
than by when, since calls side by side come in any order: those that were done are answered from the journal.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, cast

import msgspec

from heliograph.agents.artifacts import REF, Artifact, Kind, Source
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.sandbox.script import Answer, Attachment, Ran, Script, ToolSpec
from heliograph.agents.sandbox.shared import shared
from heliograph.agents.task import CARDS
from heliograph.agents.telling import within
from heliograph.agents.tools import Made, Tool
from heliograph.errors import NotFound
from heliograph.media.sniff import sniff

Json = Any
Arguments = dict[str, Json]
MOST_ANSWERED = 16 << 20
"""Bytes of artifacts that come to a program with the answer of a tool."""


def _as_given(arguments: Arguments) -> Arguments:
    return arguments


def _as_answered(answer: Json) -> Json:
    return answer


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A tool as a program finds it. `tool`: which one a call is of; `fit` makes the arguments that it takes, `shape` what the program
    gets of its answer."""

    spec: ToolSpec
    tool: Callable[[Arguments], str]
    fit: Callable[[Arguments], Arguments] = _as_given
    shape: Callable[[Json], Json] = _as_answered

    @classmethod
    def of(cls, tool: Tool) -> Self:
        """A tool under its own name."""
        spec = ToolSpec(group=tool.group, name=tool.name, doc=tool.doc, parameters=tool.parameters)
        return cls(spec=spec, tool=lambda _arguments: tool.name)


async def perform(
    at: Context, script: Script, caller: Caller, offers: Sequence[Offer], *, key: str, refs: Mapping[str, str] | None = None
) -> tuple[Ran, list[Made]]:
    """Run a program with the rights of the run, and keep what it wrote: what came of it, and its files.

    `key`: what its steps are called by. `refs`: of files that it finds, which artifacts they are, so that it may hand tools their paths.
    Raises NotConfigured where programs cannot be run, and as `Sandbox.run`.
    """
    offered = {offer.spec.path: offer for offer in offers}
    alike: Counter[str] = Counter()
    known = {*script.files, *(refs or {}).values()}

    async def call(path: str, arguments: Arguments) -> Json:
        offer = offered[path]
        given = cast("Arguments", await _kept(at, arguments, refs or {}))
        tool, fitted = offer.tool(given), offer.fit(given)
        content = hashlib.sha256(path.encode() + msgspec.json.encode(fitted, order="sorted")).hexdigest()[:16]
        alike[content] += 1
        value = offer.shape(await caller.call(f"{key}:{content}:{alike[content]}", tool, fitted))
        return Answer(value, await _new_files(at, value, known))

    lines = within(at, key)

    async def preview(card: dict[str, Json]) -> None:
        kind = card.get("type")
        if kind in CARDS:
            await lines.show(kind, {name: value for name, value in card.items() if name != "type"})

    specs = [offer.spec for offer in offers]
    ran = await shared(at.settings).run(script, call, specs, on_print=lines.say, on_preview=preview)
    made: list[Made] = []
    for name, data in ran.files.items():
        made.append(Made(id=(await _put(at, name, data, "workspace")).ref, filename=name))
    return ran, made


async def _kept(at: Context, value: Json, refs: Mapping[str, str]) -> Json:
    """Arguments with a reference in the place of each picture and file that the program handed over."""
    if isinstance(value, Attachment):
        async with at.workspace.step(f"given:{hashlib.sha256(value.data).hexdigest()[:16]}"):
            return (await _put(at, value.name, value.data, "store")).ref
    if isinstance(value, str):
        return refs.get(value.removeprefix("./"), value)
    if isinstance(value, dict):
        return {name: await _kept(at, inner, refs) for name, inner in cast("dict[str, Json]", value).items()}
    if isinstance(value, list):
        return [await _kept(at, inner, refs) for inner in cast("list[Json]", value)]
    return value


async def _new_files(at: Context, value: Json, known: set[str]) -> dict[str, bytes]:
    """The artifacts that an answer names and that the program does not have yet, called by their references, as far as they fit."""
    made: dict[str, bytes] = {}
    room = MOST_ANSWERED
    for ref in dict.fromkeys(REF.findall(msgspec.json.encode(value).decode())):
        if ref not in known:
            with suppress(NotFound):
                artifact = await at.artifacts.get(ref)
                if artifact.bytes <= room:
                    made[ref] = await at.artifacts.read(ref)
                    room -= artifact.bytes
                    known.add(ref)
    return made


async def _put(at: Context, name: str, data: bytes, source: Source) -> Artifact:
    media_type = sniff(data).media_type if data else "text/plain"
    return await at.artifacts.put(data, kind=_kind(media_type), media_type=media_type, filename=name, source=source)


def _kind(media_type: str) -> Kind:
    match media_type.partition("/")[0]:
        case "image":
            return "img"
        case "video":
            return "vid"
        case "audio":
            return "aud"
        case _:
            return "doc"
