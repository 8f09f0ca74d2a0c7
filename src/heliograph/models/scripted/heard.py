"""A request as a model hears it, whichever wire dialect it came in."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.models.contract import JsonMode, Role

PICTURE = 800
"""Tokens that a picture counts for."""
_PIECES = re.compile(r"\s*(?:\w{1,5}|[^\w\s])|\s+")


class Spoken(msgspec.Struct, frozen=True):
    """A message. `pictures`: the hashes of its images. `result`: whether it is a tool's, which counts as the user's. `calls`: their ids."""

    role: Role
    text: str
    pictures: tuple[int, ...] = ()
    result: str | None = None
    calls: tuple[str, ...] = ()


class Heard(msgspec.Struct, kw_only=True, frozen=True):
    """What was asked. `tool`: the tool that must be called; `prefill`: the beginning of the answer, to be gone on from."""

    model: str = ""
    messages: list[Spoken]
    schema: dict[str, Any] | None = None
    mode: JsonMode = "prompt"
    tool: str | None = None
    tools: tuple[str, ...] = ()
    stream: bool = False
    usage: bool = True
    max_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    prefill: str | None = None
    body: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """The words of all messages."""
        return "\n".join(message.text for message in self.messages)

    @property
    def last(self) -> str:
        """The last message of the user."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def results(self) -> list[str]:
        """The results of tools, in their order."""
        return [message.text for message in self.messages if message.result is not None]

    @property
    def pictures(self) -> int:
        """How many images there are."""
        return sum(len(message.pictures) for message in self.messages)

    @property
    def repair(self) -> bool:
        """Whether an answer of the model's is followed by words of the user's."""
        roles = [message.role for message in self.messages]
        return roles[-1:] == ["user"] and "assistant" in roles

    @property
    def prompt(self) -> list[str]:
        """The tokens of the messages; a picture is `PICTURE` of them."""
        found: list[str] = []
        for message in self.messages:
            found.append(f"<{message.role}>")
            for picture in message.pictures:
                found += [f"<{picture}>"] * PICTURE
            found += tokens(message.text)
        return found


def cut(heard: Heard, context: int) -> Heard:
    """What is left of a prompt that is longer than `context` tokens where nobody is told: instructions and the end of the last message."""
    if len(heard.prompt) <= context:
        return heard
    kept = [message for message in heard.messages[:-1] if message.role == "system"]
    last = heard.messages[-1]
    room = context - sum(len(tokens(message.text)) + 1 for message in kept) - len(last.pictures) * PICTURE - 1
    text = "".join(tokens(last.text)[-room:]) if room > 0 else ""
    return msgspec.structs.replace(heard, messages=[*kept, msgspec.structs.replace(last, text=text)])


def tokens(text: str) -> list[str]:
    """`text` in pieces of a few letters, which joined are `text` again."""
    return _PIECES.findall(text)
