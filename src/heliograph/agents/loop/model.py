"""The model of a run, as pydantic-ai asks it: a configured route, each turn a step of the run's journal.

Retries, circuits, pace and fallbacks stay those of `models`. A turn that is in the journal is not asked for again; a turn that was cut off
while listeners heard it is gone on from where they stopped hearing, or ends the run with an error: nothing is said twice.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponsePart, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from heliograph.agents.context import Context
from heliograph.agents.events import Said, Thought
from heliograph.agents.loop import constrained
from heliograph.agents.loop.budget import Budget
from heliograph.agents.loop.thinking import Thinker
from heliograph.agents.loop.wording import fitted, size, worded
from heliograph.agents.task import Tier
from heliograph.errors import Unavailable
from heliograph.models.contract import Ask, Backend, Effort, Function, JsonMode, Message, Profile, Reply, system
from heliograph.models.errors import ModelError, ModelLimit, ModelUnavailable
from heliograph.models.servers import HOSTED

Json = Any
TOGETHER = 0.04
"""Seconds for which the pieces of an answer are gathered into one event."""
EFFORT: dict[Tier, Effort | None] = {"lite": "none", "fast": "low", "auto": None, "pro": "high"}
"""How long a model thinks, by tier; at `auto` as it is set up."""
LEAST_ROOM = 512
"""Tokens that must be left for the conversation."""
LAST_STEP = "\n\nThis is your last turn: no more tools can be called. Answer with what you have, and say plainly what is missing."


class Interrupted(Unavailable):
    """The answer was cut off when its worker stopped, and this model cannot go on from what was said; ask again."""

    type = "interrupted"


class NoAnswer(ModelError):
    """The run came to no answer of the format that was asked for."""

    type = "no_answer"


class Stopped(Exception):
    """The run ends here, with what was said so far; the message says why."""


class _Turn(msgspec.Struct, frozen=True):
    """What the journal keeps of a turn. `over`: the budget that made it the last one."""

    reply: Reply
    over: str | None = None


class RouteModel(Model):
    """A route of a run. `system`: its instructions. `answer`: the JSON Schema of the answer, lowered, where JSON was asked for."""

    _announces_lookalike_notes = False  # pydantic-ai's notes on its own framing, of which we use none

    def __init__(
        self, at: Context, backend: Backend, profile: Profile, budget: Budget, *, instructions: str, answer: Json | None,
        formatted: bool, quiet: bool, told_until: int,
    ) -> None:  # fmt: skip
        """`formatted`: whether the answer is to be JSON, which `answering` tells. `quiet`: words are not told while they come.
        `told_until`: turns before this one were told by the run that this one resumes."""
        super().__init__()
        self.said = ""
        self.last: Reply | None = None
        self.turn = 0
        self.left_out = 0
        self.over: str | None = None
        self.places: dict[str, tuple[int, int]] = {}
        self.answered_by = ""
        self._at, self._backend, self._known, self._budget = at, backend, profile, budget
        self._formatted = formatted
        self._instructions, self._answer, self._quiet, self.told_until = instructions, answer, quiet, told_until

    @property
    def model_name(self) -> str:
        """The route's name."""
        return self._backend.name

    @property
    def system(self) -> str:
        """Whose it is."""
        return "heliograph"

    async def request(
        self, messages: list[ModelMessage], model_settings: ModelSettings | None, model_request_parameters: ModelRequestParameters
    ) -> ModelResponse:
        """One turn. Raises `ModelError`s, Interrupted, Stopped, and what ends the run."""
        turn, self.turn = self.turn, self.turn + 1
        step = f"model:{turn}"
        tools = [
            Function(tool.name, tool.description or "", tool.parameters_json_schema) for tool in model_request_parameters.function_tools
        ]
        known = await self._at.workspace.known(step)
        if known.output is not None:
            taken = msgspec.json.decode(known.output, type=_Turn)
        else:
            over = self._budget.over()
            reply = await self._asked(step, turn, worded(messages), tools, over)
            calls = [msgspec.structs.replace(call, id=f"call_{secrets.token_hex(8)}") for call in reply.calls]
            taken = _Turn(msgspec.structs.replace(reply, calls=[] if over else calls), over)
            await self._at.workspace.keep(step, msgspec.json.encode(taken))
        reply, self.over = taken.reply, taken.over
        self._budget.count(reply.spent)
        self.last, self.answered_by = reply, reply.route or self._backend.name
        if self.over is not None and not reply.text:
            raise Stopped(self.over)
        if turn >= self.told_until:
            await self._tell(step, reply)
        self.places |= {call.id: (turn, place) for place, call in enumerate(reply.calls)}
        parts: list[ModelResponsePart] = [TextPart(reply.text)] if reply.text else []
        parts += [ToolCallPart(call.name, call.arguments, tool_call_id=call.id) for call in reply.calls]
        return ModelResponse(parts, model_name=reply.model)

    async def mend(self, messages: list[Message], schema: dict[str, Json] | None) -> Reply:
        """One more turn, for JSON alone; a step like every other, told to nobody."""
        turn, self.turn = self.turn, self.turn + 1
        step = f"model:{turn}"
        known = await self._at.workspace.known(step)
        if known.output is not None:
            reply = msgspec.json.decode(known.output, type=_Turn).reply
        else:
            kept, _ = fitted(messages, self._room(self._instructions, []))
            reply = await self._backend.ask(
                Ask(
                    messages=[system(self._instructions), *kept], schema=schema or {"type": "object"}, max_tokens=self._most(),
                    mode=None if schema else self._loosest(), temperature=0.0,
                )
            )  # fmt: skip
            await self._at.workspace.keep(step, msgspec.json.encode(_Turn(reply)))
        self._budget.count(reply.spent)
        self.last = reply
        return reply

    def _loosest(self) -> JsonMode:
        """How to ask for any JSON object, of which there is no schema that decoders take alike."""
        modes: list[JsonMode] = [mode for mode in self._known.json_modes if mode in ("json_object", "prompt")]
        return modes[0] if modes else "prompt"

    async def _asked(self, step: str, turn: int, messages: list[Message], tools: list[Function], over: str | None) -> Reply:
        native, task = self._known.calls == "native" and self._known.tools, self._at.task
        choice = "none" if over is not None else task.tool_choice if turn == 0 else "auto"
        if choice not in ("auto", "none", "required") and choice not in {tool.name for tool in tools}:
            choice = "auto"
        instructions = self._instructions + (LAST_STEP if over is not None else "")
        if tools and not native:
            instructions = f"{instructions}\n\n{constrained.RULES}\n{constrained.catalogue(tools)}"
        if not (tools and native):
            messages = [constrained.spoken(message) for message in messages]
        form, mode = self._held(tools, choice) if tools and not native else (None, None)
        kept, left_out = fitted(messages, self._room(instructions, tools if native or mode else []))
        self.left_out = max(self.left_out, left_out)
        if left_out:
            instructions += f"\n\nThe {left_out} oldest messages of this conversation were left out here, as they do not fit."
        sampling = task.sampling
        ask = Ask(
            messages=[system(instructions), *kept], tools=tools if native else [], choice=choice if native else "auto",
            parallel=task.parallel_tool_calls, temperature=sampling.temperature or 0.0, top_p=sampling.top_p, top_k=sampling.top_k,
            seed=sampling.seed, stop=sampling.stop, effort=EFFORT[task.tier], max_tokens=self._most(),
        )  # fmt: skip
        if form is not None:
            ask = msgspec.structs.replace(ask, schema=form, mode=mode, name="turn", stop=[])
        try:
            async with asyncio.timeout_at(self._budget.deadline):
                if self._quiet:
                    return self._understood(await self._backend.ask(ask), tools)
                return await self._streamed(step, ask, tools)
        except TimeoutError:
            raise Stopped(self._budget.over() or "it took too long") from None

    def _held(self, tools: list[Function], choice: str) -> tuple[dict[str, Json], JsonMode | None]:
        """What a turn without native calls is held to, and how: in the strongest mode that takes alternatives at the root."""
        only = {"none": constrained.ANSWER, "auto": None}.get(choice, choice)
        strong = self._known.json_modes[0] == "json_schema" and self._known.dialect not in HOSTED
        return constrained.schema(tools, self._answer, only=only), None if strong else self._loosest()

    def _most(self) -> int:
        asked = self._at.task.sampling.max_tokens
        return min(asked or self._known.max_output, self._known.max_output)

    def _room(self, instructions: str, tools: list[Function]) -> int:
        """Tokens that the conversation may take. Raises ModelLimit when instructions and tools leave none."""
        told = size(system(instructions)) + sum(
            size(system(f"{tool.name} {tool.description} {msgspec.json.encode(tool.parameters).decode()}")) for tool in tools
        )
        room = self._known.context - told - min(self._most(), self._known.context // 4)
        if room < LEAST_ROOM:
            raise ModelLimit(
                f"The model route {self._backend.name!r} has a context of {self._known.context} tokens, and instructions and tools take "
                f"{told} of them: ask with fewer toolsets or skills, or with a model of a larger context."
            )
        return room

    def _understood(self, reply: Reply, tools: list[Function]) -> Reply:
        """The reply with its thoughts apart, and its calls taken out of its JSON where it was held to that."""
        if reply.finish == "broken":
            raise ModelUnavailable(f"The model route {self._backend.name!r} broke off its answer.")
        if reply.finish == "refusal":
            return msgspec.structs.replace(reply, text=reply.text or reply.refusal or "The model would not answer.", calls=[])
        thinker = Thinker()
        thought, words = (one + other for one, other in zip(thinker.feed(reply.text), thinker.rest(), strict=True))
        reply = msgspec.structs.replace(reply, text=words, thinking=reply.thinking + thought)
        if reply.mode is None:
            return reply
        text, value, call = constrained.heard(reply.text, tools)
        if call is not None:
            # what was cut off in the middle of its arguments is no call
            calls = [call] if reply.finish != "length" else []
            return msgspec.structs.replace(reply, text="", calls=calls)
        return msgspec.structs.replace(reply, text=text if text is not None else msgspec.json.encode(value).decode())

    async def _streamed(self, step: str, ask: Ask, tools: list[Function]) -> Reply:
        """Ask, and tell what comes as it comes; go on from what was told before."""
        begun = (await self._at.workspace.said(f"{step}:")).removeprefix(self._lead)
        if begun:
            if not self._known.prefill:
                raise Interrupted
            ask = msgspec.structs.replace(ask, prefill=begun, schema=None)
        thinker, reader = Thinker(), constrained.AnswerReader() if ask.schema is not None else None
        words, thoughts = _Gathering(self._told(step, begun)), _Gathering(self._thought(step))
        reply: Reply | None = None
        async for delta in self._backend.stream(ask):
            thought, text = thinker.feed(delta.text) if delta.text else ("", "")
            await thoughts.add(delta.thinking + thought)
            await words.add(reader.feed(text) if reader else text)
            reply = delta.reply or reply
        thought, text = thinker.rest()
        await thoughts.end(thought)
        await words.end(reader.feed(text) if reader else text)
        if reply is None:
            raise ModelUnavailable(f"The model route {self._backend.name!r} ended its answer without a word.")
        reply = self._understood(reply, tools)
        return msgspec.structs.replace(reply, text=begun + reply.text) if begun else reply

    @property
    def _lead(self) -> str:
        """What parts a turn's words from those before it."""
        return "\n\n" if self.said else ""

    def _told(self, step: str, begun: str) -> Callable[[str], Any]:
        lead = self._lead
        place = len(lead) + len(begun) if begun else 0

        async def tell(text: str) -> None:
            nonlocal place
            text = text if place else lead + text
            await self._at.workspace.emit(Said(text), key=f"{step}:said:{place}")
            place += len(text)

        return tell

    def _thought(self, step: str) -> Callable[[str], Any]:
        place = 0

        async def tell(text: str) -> None:
            nonlocal place
            await self._at.workspace.emit(Thought(text), key=f"{step}:thought:{place}")
            place += 1

        return tell

    async def _tell(self, step: str, reply: Reply) -> None:
        """Tell what of a turn was not told while it came: all of it when it came quietly, or the end of it after a crash."""
        if self._quiet:
            aside = reply.thinking + (f"{reply.text}\n" if reply.text and reply.calls else "")
            if aside:
                await self._at.workspace.emit(Thought(aside), key=f"{step}:thought:0")
            if self._formatted or reply.calls:
                return
        whole = self._lead + reply.text if reply.text else ""
        told = await self._at.workspace.said(f"{step}:")
        if len(told) < len(whole) and whole.startswith(told):
            await self._at.workspace.emit(Said(whole[len(told) :]), key=f"{step}:said:{len(told)}")
        self.said += whole


class _Gathering:
    """Gathers pieces into events of a few words each."""

    def __init__(self, tell: Callable[[str], Any]) -> None:
        self._tell, self._pieces, self._since = tell, list[str](), 0.0
        self._clock = asyncio.get_running_loop().time

    async def add(self, text: str) -> None:
        if text:
            self._pieces.append(text)
        if self._pieces and self._clock() - self._since >= TOGETHER:
            await self.end()

    async def end(self, text: str = "") -> None:
        if whole := "".join(self._pieces) + text:
            self._pieces, self._since = [], self._clock()
            await self._tell(whole)


async def told_until(at: Context, answers: Collection[str]) -> int:
    """The first turn that the run which this one resumes did not tell: the one after the last call that the client has answered.

    `answers`: the ids of those calls.
    """
    turn = last = 0
    while answers and (known := await at.workspace.known(f"model:{turn}")).output is not None:
        turn += 1
        if any(call.id in answers for call in msgspec.json.decode(known.output, type=_Turn).reply.calls):
            last = turn
    return last
