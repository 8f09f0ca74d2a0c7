"""Files with a schema or skills that have no language model, or whose values are to say where they stand: all that an execution or the
newest message of a chat brought is read as one packet and becomes one JSON.

Each file is told apart where there are several skills or schemas, answered by the embedded engine or a model as Requests are, and kept as a
step of the journal; `extraction.packet` makes one answer of all, whose values cite file and page. Words among the inputs are files too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from heliograph.agents.artifacts import Artifact
from heliograph.agents.asides import Asides
from heliograph.agents.context import Context
from heliograph.agents.events import Said
from heliograph.agents.outcome import Outcome, Spent
from heliograph.agents.task import MEDIA, SkillRef, Task
from heliograph.errors import HeliographError, InvalidRequest, MediaError, NotFound, UnsupportedMedia
from heliograph.extraction import packet
from heliograph.extraction.answer import answer
from heliograph.extraction.examples import first_pages
from heliograph.extraction.metadata import with_metadata
from heliograph.extraction.packet import Part
from heliograph.extraction.plan import Example, Kind, Plan, Skill, SkillUse, resolve
from heliograph.extraction.recordings.sources import Sources
from heliograph.extraction.result import Extraction, Leaf
from heliograph.extraction.schema import compile_schema
from heliograph.extraction.shortcomings import shortcomings
from heliograph.media.document import Document
from heliograph.media.recording import Transcript, Viewing
from heliograph.media.sniff import sniff
from heliograph.models.routes import Route
from heliograph.skills.attach import skill as attached

Json = Any
INSTRUCTIONS = frozenset({"instruction", "instructions", "prompt", "question", "task", "query"})
"""Names of inputs whose words say what to do, not what there is."""
LETTER = 80
"""Characters from which on words under a name are a file of their own; shorter ones are lines of one."""
_INVENTED = re.compile(r"input-\d+(\.\w+)?")
"""The names that files without one are stored under."""
LINES = "inputs"
"""What the file of all short inputs is called."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the packet. `position`: of one that was brought; `text`: of one that is words."""

    key: str
    position: int | None = None
    text: str = ""


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file; a step of the journal. `failure`: why nothing did. `choice`: which skill or schema it was read for.
    `transcript`, `viewing`: of a recording, whose values cite seconds."""

    file: str
    pages: int = 0
    values: Json = None
    leaves: list[tuple[list[str | int], Leaf]] = []
    response: Json = None
    choice: str | None = None
    kind: str | None = None
    rationale: str | None = None
    warnings: list[str] = []
    failure: str | None = None
    transcript: Transcript | None = None
    viewing: Viewing | None = None

    @property
    def part(self) -> Part:
        """The file as the packet takes it."""
        return Part(self.file, self.pages, Extraction(self.values, {tuple(path): leaf for path, leaf in self.leaves}))


_PLANNED = {"img": "image", "aud": "audio", "vid": "video"}


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the packet is asked. `plans` by kind of file. `by`: what a file is told apart by."""

    plans: dict[str, Plan]
    by: Literal["skill", "schema"] | None = None

    def plan(self, artifact: Artifact) -> Plan:
        """The plan for a file. Raises MediaError for a recording that none of the packet's skills takes."""
        kind = _PLANNED.get(artifact.kind, "document")
        if kind not in self.plans:
            raise UnsupportedMedia(f"what is asked for is not found in {kind}")
        return self.plans[kind]


async def run(at: Context) -> Outcome:
    """Answer the packet. Raises InvalidRequest where there is nothing to read, MediaError and FetchError for files that cannot be read,
    RequiredMissing where a strict schema stays without a required value."""
    files, said = _files(at.task.inputs or _of_chat(at.task))
    if not files:
        raise InvalidRequest("There is nothing to read: give files, URLs or text in `inputs`.", param="inputs")
    asked = await _asked(at, said)
    names: dict[str, int] = {}
    reads: list[_Read] = []
    for number, file in enumerate(files):
        reads.append(await _step(at, asked, file, number, len(files), names))
    failed = [read for read in reads if read.failure is not None]
    if len(failed) == len(reads):
        raise MediaError(" ".join(f"{read.file}: {read.failure}" for read in failed[:5]))
    warnings = [f"not_read: {read.file}: {read.failure}" for read in failed]
    read = [each for each in reads if each.failure is None]
    value = await asyncio.to_thread(_answered, at, asked, read, warnings)
    text = msgspec.json.encode(value).decode()
    if at.task.kind == "completion":
        await at.workspace.emit(Said(text), key="said:1")
    return Outcome(
        text=text, value=value, mode="agent", answered_by=at.route or "embedded",
        spent=Spent(steps=len(reads)), warnings=list(dict.fromkeys(warnings)),
    )  # fmt: skip


# -- what there is -------------------------------------------------------------------------------------------------------


def _of_chat(task: Task) -> dict[str, Json]:
    """The newest message of a chat as inputs: what it brought, under its names, and its words as what to do."""
    inputs: dict[str, Json] = {f"file_{number}": {MEDIA: media.position} for number, media in enumerate(task.brought, 1)}
    said = task.newest.text if task.newest else ""
    return inputs | {"prompt": said} if said.strip() else inputs


def _files(inputs: dict[str, Json]) -> tuple[list[_File], str]:
    """The files of the packet, in order, and the instructions that stand among them."""
    brought = sorted(_brought(inputs, ""), key=lambda file: file.position or 0)
    letters: list[_File] = []
    lines: list[str] = []
    said: list[str] = []
    for name, value in inputs.items():
        if isinstance(value, str) and name.lower() in INSTRUCTIONS:
            said.append(value)
        elif isinstance(value, str) and (len(value) > LETTER or "\n" in value.strip()):
            letters.append(_File(key=name, text=value))
        else:
            lines += _lines(value, name)
    if lines:
        letters.append(_File(key=LINES, text="\n".join(lines) + "\n"))
    return brought + letters, "\n".join(said)


def _brought(value: Json, key: str) -> Iterator[_File]:
    if isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        if MEDIA in table:
            yield _File(key=key, position=table[MEDIA])
        else:
            for name, inner in table.items():
                yield from _brought(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[Json]", value)):
            yield from _brought(inner, f"{key}.{index}")


def _lines(value: Json, label: str) -> Iterator[str]:
    """`label: value` for every scalar, as a form would say it."""
    if isinstance(value, dict):
        table = cast("dict[str, Json]", value)
        for name, inner in table.items() if MEDIA not in table else ():
            yield from _lines(inner, f"{label} {name}".replace("_", " "))
    elif isinstance(value, list):
        for inner in cast("list[Json]", value):
            yield from _lines(inner, label)
    elif value is not None and value != "":
        told = ("yes" if value else "no") if isinstance(value, bool) else value
        yield f"{label.replace('_', ' ').capitalize()}: {told}"


# -- what is asked -------------------------------------------------------------------------------------------------------


async def _asked(at: Context, said: str) -> _Asked:
    task = at.task
    config: dict[str, Json] = {"grounding": task.grounding, "confidence": task.confidence}
    if prompt := "\n\n".join(text for text in (task.prompt, said) if text.strip()):
        config["prompt"] = prompt
    if task.format is not None and task.format.schema is not None:
        config["json_schema"] = task.format.schema
    skills = {ref.hash: await _skill(at, ref) for ref in task.skills}
    if skills:
        config["skills"] = [{"skill_id": hash} for hash in skills]

    def read(item: dict[str, Json]) -> Skill:
        return skills[item["skill_id"]]

    route = Route(asked=task.model, name=at.route)
    plans: dict[str, Plan] = {}
    kinds: tuple[Kind, ...] = ("document", "image", "audio", "video")
    for kind in kinds:
        try:
            plans[kind] = await asyncio.to_thread(resolve, kind, "generate", None, config, skills=read, route=route)
        except HeliographError:
            if kind in ("document", "image"):
                raise
    one = plans["document"]
    own = [skill for skill in skills.values() if skill.schema is not None and not skill.derived]
    if one.choices:
        return _Asked(plans=plans, by="schema")
    if one.schema_from != "skill" or len(own) < 2:
        return _Asked(plans=plans)
    choices = {skill.name: cast("dict[str, Json]", skill.schema) for skill in own}
    examples = [msgspec.structs.replace(example, choice=skill.name) for skill in own for example in skill.examples]
    return _Asked(
        plans={kind: msgspec.structs.replace(plan, choices=choices, examples=examples) for kind, plan in plans.items()}, by="skill"
    )


async def _skill(at: Context, ref: SkillRef) -> Skill:
    use = SkillUse(name=ref.name, version=ref.version, hash=ref.hash, id=ref.id)
    return attached(await at.workspace.package(ref), use, ref.description or None)


class _Examples:
    """`extraction.examples.Examples` of the run's skills."""

    def __init__(self, at: Context) -> None:
        self._at = at

    async def document(self, example: Example) -> Document:
        """The example's file, read. Raises NotFound."""
        ref = next((ref for ref in self._at.task.skills if ref.hash == example.package), None)
        if ref is None or example.path is None:
            raise NotFound("The example belongs to no skill of this run.")
        path = _within(await self._at.workspace.folder(ref), example.path)
        return await first_pages(self._at.reader, path)


def _within(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise NotFound("The skill has no such file.")
    return path


# -- file by file --------------------------------------------------------------------------------------------------------


async def _step(at: Context, asked: _Asked, file: _File, number: int, count: int, names: dict[str, int]) -> _Read:
    """What comes of one file, from the journal where it is there."""
    step = f"packet:{number}"
    known = await at.workspace.known(step)
    if known.output is not None:
        read = msgspec.json.decode(known.output, type=_Read)
        names[read.file] = number
        return read
    async with at.workspace.step(step):
        artifact = await _artifact(at, file)
        name = _name(at, file, artifact)
        name = f"{name} ({file.key})" if name in names else name
        names[name] = number
        await at.say(f"Reading {name} ({number + 1} of {count})")
        try:
            read = await _read(at, asked.plan(artifact), artifact, name, asked.by)
        except MediaError as error:
            read = _Read(file=name, failure=error.message)
    await at.workspace.keep(step, msgspec.json.encode(read))
    return read


def _name(at: Context, file: _File, artifact: Artifact) -> str:
    """What a file is cited as: its own name where it has one, else its place among the inputs."""
    if file.position is None:
        return file.key
    own = at.task.names.get(file.position) or artifact.filename
    return file.key if own is None or _INVENTED.fullmatch(own) else own


async def _artifact(at: Context, file: _File) -> Artifact:
    if file.position is None:
        content = file.text.encode("utf-8", "replace")
        return await at.artifacts.put(
            content, kind="doc", media_type=sniff(content).media_type, filename=f"{file.key}.txt", source="manifest"
        )
    try:
        return await at.workspace.bring(file.position)
    except HeliographError as error:
        error.param = error.param or f"inputs.{file.key}"
        raise


async def _read(at: Context, plan: Plan, artifact: Artifact, name: str, by: str | None) -> _Read:
    async with at.artifacts.local(artifact.ref) as path:
        plan = msgspec.structs.replace(plan, strict=False)
        steps = Asides(at.workspace, artifact.sha256.encode(), msgspec.json.encode(plan))
        got = await answer(at.reader, [path], plan, models=at.models, steps=steps, examples=_Examples(at))
    chosen = cast("dict[str, Json]", got.response) if by is not None else {}
    extraction = got.extraction or Extraction(None, {})
    told = [warning for warning in got.warnings if not warning.startswith(("required_missing", "schema_mismatch"))]
    return _Read(
        file=name,
        pages=len(got.document.pages),
        transcript=got.transcript,
        viewing=got.viewing,
        values=extraction.values,
        leaves=[(list(path), leaf) for path, leaf in extraction.leaves.items()],
        response=None if plan.schema is not None or by is not None else got.response,
        choice=chosen.get("schemaUsed"),
        kind=chosen.get("documentType"),
        rationale=chosen.get("classificationRationale"),
        warnings=told,
    )


# -- one answer ----------------------------------------------------------------------------------------------------------


def _answered(at: Context, asked: _Asked, reads: Sequence[_Read], warnings: list[str]) -> Json:
    plan = asked.plans["document"]
    of_plan = set(plan.warnings)
    warnings += plan.warnings
    for read in reads:
        warnings += [f"{read.file}: {warning}" for warning in read.warnings if warning not in of_plan]
    if asked.by == "schema":
        return _by_schema(at, plan, reads, warnings)
    if asked.by == "skill":
        warnings += [
            f"kind: {read.file} is {read.choice}" if read.choice else f"kind: {read.file} is none of the skills'" for read in reads
        ]
    if plan.schema is None:
        return {"results": [{"file": read.file, "data": packet.cited(read.response, [read.part])} for read in reads]}
    return _joined(at, plan.schema, reads, warnings, strict=at.task.format is not None and at.task.format.strict)


def _joined(at: Context, schema: dict[str, Json], reads: Sequence[_Read], warnings: list[str], *, strict: bool) -> Json:
    compiled = compile_schema(schema)
    parts = [read.part for read in reads]
    whole = packet.combined(parts, compiled)
    warnings += whole.warnings
    warnings += shortcomings(whole.values, compiled, strict=strict)
    recorded = {number: Sources(read.transcript, read.viewing) for number, read in enumerate(reads) if read.transcript is not None}
    located = packet.located(parts, {number: sources.located for number, sources in recorded.items()})
    return packet.cited(with_metadata(whole, compiled, grounding=at.task.grounding, confidence=at.task.confidence, located=located), parts)


def _by_schema(at: Context, plan: Plan, reads: Sequence[_Read], warnings: list[str]) -> Json:
    """The files of each schema of a skill that has several together; the one group bare, several as `results`."""
    groups: dict[str | None, list[_Read]] = {}
    for read in reads:
        groups.setdefault(read.choice, []).append(read)
    made: list[dict[str, Json]] = []
    for choice, group in groups.items():
        schema = plan.choices[choice] if choice is not None else plan.schema
        made.append(
            {
                "schemaUsed": choice,
                "documentType": group[0].kind,
                "classificationRationale": group[0].rationale,
                "files": [read.file for read in group],
                "data": None if schema is None else _joined(at, schema, group, warnings, strict=False),
            }
        )
    return made[0] if len(made) == 1 else {"results": made}
