"""The answer of a run that must be JSON: taken as the model gave it where it fits, else asked for again, held to the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic_ai.messages import ModelMessage

from heliograph.agents.context import Context
from heliograph.agents.loop import formats
from heliograph.agents.loop.constrained import spoken
from heliograph.agents.loop.formats import Unfit
from heliograph.agents.loop.wording import worded
from heliograph.agents.task import Format
from heliograph.models.contract import Message, Profile, Text, assistant, user
from heliograph.models.errors import ModelError
from heliograph.models.lowering import lower

if TYPE_CHECKING:
    from heliograph.agents.loop.model import RouteModel

Json = Any
REPAIRS = 2
"""Times that a model is told what is wrong with its answer."""


class Unformatted(ModelError):
    """The model's answer is not of the format that was asked for."""

    type = "format_not_met"


class Answer(msgspec.Struct, frozen=True):
    """An answer: its text, its value where it is JSON, and what is to be said of it."""

    text: str
    value: Json
    warnings: list[str] = []


class Answering:
    """Of one run. `schema`: what a model is held to while it may also call tools; None where one schema cannot say it."""

    def __init__(self, at: Context, profile: Profile, wanted: Format, *, kept: bool = False) -> None:
        """`kept`: whether an answer that cannot be mended is given with a warning all the same."""
        self._at, self._wanted, self._kept = at, wanted, kept
        self._lowered = lower(wanted.schema, profile) if wanted.schema is not None else []
        self.schema = self._lowered[0].schema if len(self._lowered) == 1 else None
        self.model: RouteModel | None = None

    async def answer(self, messages: Sequence[ModelMessage], text: str) -> Answer:
        """The answer as it should be. Raises Unformatted when the model cannot make it so and the format is strict."""
        assert self.model is not None
        refs = {artifact.ref for artifact in await self._at.artifacts.list()}
        talk = worded(messages)
        if not talk or talk[-1].role != "assistant":
            talk.append(assistant(text))
        why = ""
        for attempt in range(REPAIRS + 1):
            try:
                value = self._value(text)
                formats.check(value, self._wanted)
                formats.check_refs(value, refs)
                return Answer(formats.written(value), value)
            except Unfit as unfit:
                why = str(unfit)
            if attempt == REPAIRS or not self._wanted.strict:
                break
            talk = [*_talk(talk), user(Text(f"That answer cannot be used. {why} Give the whole answer again, as JSON and nothing else."))]
            reply = await self.model.mend(talk, self.schema)
            text = reply.text
            talk.append(assistant(text))
        if self._wanted.strict and not self._kept:
            raise Unformatted(f"The model's answer is not of the format that was asked for, after {REPAIRS} repairs. {why}")
        try:
            value = self._value(text)
        except Unfit:
            value = None
        return Answer(text, value, [f"The answer is not of the format that was asked for. {why}"])

    def _value(self, text: str) -> Json:
        """The value of an answer. What fits the lowered schema alone is raised to the one that was asked for."""
        value = formats.parse(text)
        if len(self._lowered) != 1:
            return value
        try:
            formats.check(value, self._wanted)
        except Unfit:
            return self._lowered[0].raised(value)
        return value


def _talk(messages: list[Message]) -> list[Message]:
    """The conversation without native calls, so that it can go on without the tools."""
    return [spoken(message) for message in messages]
