"""Orion with a language model: it calls tools turn by turn (Orion-1), or writes programs that do (Orion-2), until it answers.

pydantic-ai turns the wheel. What is durable is at its two ends, the model (`model`) and the tools (`toolbox`): both answer from the run's
journal what was done before, so that a run which is done again comes the same way to where it was cut off, and goes on from there.
"""

from __future__ import annotations

import msgspec
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage

from heliograph.agents import tools as registry
from heliograph.agents.artifacts import Artifact
from heliograph.agents.calling import Caller
from heliograph.agents.context import Context
from heliograph.agents.events import Asked, Said
from heliograph.agents.loop import code, prompt, routing, skills
from heliograph.agents.loop.answering import Answering
from heliograph.agents.loop.budget import Budget
from heliograph.agents.loop.conversation import conversation, resumed
from heliograph.agents.loop.model import NoAnswer, RouteModel, Stopped, told_until
from heliograph.agents.loop.permission import Heeding, Permission
from heliograph.agents.loop.toolbox import MOST_FAILURES, Toolbox
from heliograph.agents.outcome import Finish, Outcome
from heliograph.agents.task import Format, Media, Task, ToolCall
from heliograph.agents.tools import Tool
from heliograph.errors import NotConfigured
from heliograph.models.contract import Reply

__all__ = ["run"]

STOPPED = "stopped"
"""The step of a run that was ended early."""


async def run(at: Context) -> Outcome:
    """Do what the task asks with the model of `at.route`. Raises `ModelError`s, and `model.Interrupted` where it cannot go on."""
    if at.route is None:
        raise NotConfigured("This needs a language model: set HELIOGRAPH_MODEL_URL, or add [models.<route>] to heliograph.toml.")
    return await (await _prepared(at, at.route)).done()


class _Run:
    """A run that is ready to begin."""

    def __init__(
        self, at: Context, model: RouteModel, toolbox: Toolbox, caller: Caller, budget: Budget, history: list[ModelMessage],
        answering: Answering | None,
    ) -> None:  # fmt: skip
        self._at, self._model, self._caller, self._budget = at, model, caller, budget
        self._history, self._answering = history, answering
        # calls that fail are answered in words, and counted by the toolbox; what pydantic-ai counts are turns that say nothing
        self._agent = Agent[None, str | DeferredToolRequests](
            model,
            output_type=[str, DeferredToolRequests],
            toolsets=[toolbox],
            deps_type=type(None),
            retries={"tools": MOST_FAILURES, "output": 2},
        )

    async def done(self) -> Outcome:
        """Go through with it. What ended it early is a step of its own, since a clock runs differently when it is done again."""
        stopped = await self._at.workspace.known(STOPPED)
        if stopped.output is not None:
            return await self._ended(msgspec.json.decode(stopped.output, type=Outcome))
        try:
            ended = await self._agent.run(message_history=self._history)
        except Stopped as stop:
            return await self._stopped(str(stop))
        except UnexpectedModelBehavior as fault:
            return await self._stopped(f"the model gave no usable answer ({fault.message})")
        if isinstance(ended.output, DeferredToolRequests):
            return await self._asking([ToolCall(call.tool_call_id, call.tool_name, call.args_as_json_str()) for call in ended.output.calls])
        last = self._model.last
        assert last is not None
        if last.finish == "refusal":
            return await self._refused(last)
        if self._answering is not None:
            return await self._formatted(self._answering, ended.all_messages(), ended.output)
        if self._model.over is not None:
            return await self._stopped(self._model.over)
        return self._outcome(self._model.said, "length" if last.finish == "length" else "stop")

    async def _asking(self, calls: list[ToolCall]) -> Outcome:
        await self._at.workspace.emit(Asked(calls), key="asked")
        made = self._outcome(self._model.said, "tool_calls")
        return msgspec.structs.replace(made, calls=calls)

    async def _refused(self, reply: Reply) -> Outcome:
        text = self._model.said or reply.text
        await self._end(text)
        return self._outcome(text, "content_filter")

    async def _formatted(self, answering: Answering, messages: list[ModelMessage], text: str) -> Outcome:
        answer = await answering.answer(messages, text)
        await self._end(answer.text)
        over = self._model.over
        warnings = [*answer.warnings, *([f"The run was ended early: {over}."] if over else [])]
        made = self._outcome(answer.text, "length" if over else "stop", warnings)
        return msgspec.structs.replace(made, value=answer.value)

    async def _stopped(self, why: str) -> Outcome:
        """The answer so far, which says that it is not all. Raises NoAnswer where JSON was asked for: half of it is none."""
        sentence = f"This run was ended early: {why}."
        if self._answering is not None:
            raise NoAnswer(f"{sentence} There is no answer of the format that was asked for.")
        said = await self._told()
        outcome = self._outcome(f"{said}\n\n[{sentence}]" if said else f"[{sentence}]", "length", [sentence])
        await self._at.workspace.keep(STOPPED, msgspec.json.encode(outcome))
        return await self._ended(outcome)

    async def _ended(self, outcome: Outcome) -> Outcome:
        await self._end(outcome.text)
        return outcome

    async def _end(self, text: str) -> None:
        """Tell what of the answer was not told yet."""
        if rest := text.removeprefix(await self._told()):
            await self._at.workspace.emit(Said(rest), key="end:said:0")

    async def _told(self) -> str:
        """What listeners have heard of the model, a turn that was cut off included."""
        return await self._at.workspace.said("model:")

    def _outcome(self, text: str, finish: Finish, warnings: list[str] | None = None) -> Outcome:
        left_out = self._model.left_out
        noted = [f"The {left_out} oldest messages of the conversation did not fit into the model's context."] if left_out else []
        spent = msgspec.structs.replace(self._budget.spent(self._caller.calls), read=self._at.readings.anew)
        execution = self._at.task.kind == "execution"
        return Outcome(
            text=text, value=text if execution else None, finish=finish, spent=spent, warnings=[*(warnings or []), *noted],
            mode="agent" if execution else None, answered_by=self._model.answered_by,
        )  # fmt: skip


async def _prepared(at: Context, route: str) -> _Run:
    task = at.task
    backend = at.models.backend(route)
    profile = await backend.profile()
    attached = await skills.attached(task, at.workspace)
    begun_with, answers = resumed(task) if task.resumes is not None else (task.messages, {})
    if task.resumes is not None and (await at.workspace.known("model:0")).state != "done":
        begun_with, answers = task.messages, {}  # its journal is gone: the client's messages say what there is to know
    history = await conversation(at, begun_with, profile)
    artifacts = await at.artifacts.list()
    usable, lacking = _usable(task, artifacts, at)
    resuming = begun_with is not task.messages
    permission = Permission(task, at.workspace, backend)
    permission.seen = bool(artifacts) or _brings(task)
    caller = Heeding(at, usable, permission)
    offered = usable
    programs: list[Tool] = []
    if task.generation == "orion-2":
        programs = [tool for tool in usable if tool.name != code.EXECUTE_CODE]
        offered = [code.tool(caller, programs)]
    if any(len(skill.files) > 1 for skill in attached):
        offered = [*offered, skills.tool(attached)]
    caller.tools |= {tool.name: tool for tool in offered}
    budget = Budget(at.settings, task.tier, route=route, readings=at.readings)
    wanted = task.format or _skills_format(task, attached)
    answering = Answering(at, profile, wanted, kept=task.format is None) if wanted is not None else None
    model = RouteModel(
        at, backend, profile, budget,
        instructions=prompt.instruct(task, wanted, attached, [] if resuming else artifacts, lacking, programs=programs),
        answer=answering.schema if answering is not None else None,
        formatted=wanted is not None,
        quiet=wanted is not None or not task.stream,
        told_until=await told_until(at, answers),
    )  # fmt: skip
    if answering is not None:
        answering.model = model
    client = task.tools if task.tool_choice != "none" else []
    toolbox = Toolbox(at, offered, client, caller=caller, permission=permission, model=model, answers=answers, context=profile.context)
    return _Run(at, model, toolbox, caller, budget, history, answering)


def _usable(task: Task, artifacts: list[Artifact], at: Context) -> tuple[list[Tool], list[tuple[str, str]]]:
    """The tools of the task's toolsets that can work here, and those that cannot, with what they need."""
    wanted = registry.of(routing.toolsets(task, [artifact.kind for artifact in artifacts]))
    needs = {tool.name: tool.needs(at.settings) for tool in wanted}
    return [tool for tool in wanted if needs[tool.name] is None], [(name, why) for name, why in needs.items() if why is not None]


def _skills_format(task: Task, attached: list[skills.Attached]) -> Format | None:
    """What an execution answers in that names no format: the schema of its first skill that has one."""
    schemas = [skill.package.schema for skill in attached if skill.package.schema is not None]
    return Format(schema=schemas[0]) if task.kind == "execution" and schemas else None


def _brings(task: Task) -> bool:
    return bool(task.inputs) or any(isinstance(part, Media) for message in task.messages for part in message.parts)
