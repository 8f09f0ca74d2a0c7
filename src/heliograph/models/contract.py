"""What is said to a model and what comes back, whoever serves it.

    reply = await backend.ask(Ask(messages=[system(...), user(Text(...), Picture(...))], schema={...}, max_tokens=4000))

A `Backend` is one configured model behind one address. It speaks its own wire dialect, and this one to us.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

import msgspec

from heliograph.media.geometry import Coordinates

JsonMode = Literal["json_schema", "tool", "json_object", "prompt"]
"""How a backend is held to JSON, the strongest first: a schema it decodes under, a tool whose arguments have that schema, any JSON
object, or nothing but the request to answer in JSON."""
Finish = Literal["stop", "length", "refusal", "broken"]
"""Why a reply ended: by itself, at a token limit, because the model or its provider would not answer, or its stream broke off."""
Effort = Literal["none", "low", "high"]
Role = Literal["system", "user", "assistant", "tool"]
Calling = Literal["native", "schema"]
"""How a model calls tools: as its server's dialect has it, or as JSON that it is held to, where servers make up or lose native calls."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words of a message."""

    text: str


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """An encoded image of a message. `width`, `height` in pixels, as encoded."""

    data: bytes
    width: int
    height: int
    media_type: str = "image/jpeg"


class Clip(msgspec.Struct, frozen=True, tag="clip"):
    """A stretch of video of a message; only where the profile says `video`, or a caller is ready for a refusal."""

    data: bytes
    media_type: str = "video/mp4"


Part = Text | Picture | Clip


class Function(msgspec.Struct, frozen=True):
    """A tool that the model may call. `parameters`: a JSON Schema of an object, lowered for nobody."""

    name: str
    description: str
    parameters: dict[str, Any]


class Call(msgspec.Struct, frozen=True):
    """A call of a tool. `arguments`: JSON text as the model wrote it, which need not be JSON."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True):
    """A turn. What does not change between requests comes first, so that a backend's prefix cache finds it.

    `calls`: of an assistant's turn. `call`: which of them a `tool` turn answers; its result is text.
    """

    role: Role
    parts: list[Part]
    calls: list[Call] = []
    call: Call | None = None


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """A request to a model.

    `schema` was lowered for the backend already (`lowering`), and is what the answer must fit; None asks for text. `mode` overrides
    the backend's strongest JSON mode. `prefill` is the beginning of the answer, to be gone on from; only where the profile says
    `prefill`. `logprobs` asks for the log-probability of each token; a backend that cannot gives none.
    `tools` may be called where the profile says `tools`; `choice`: `auto`, `none`, `required`, or the name of the one to be called.
    What is None of the sampling is the backend's own, and so is `effort`, how long it thinks, where it can be told.
    """

    messages: list[Message]
    schema: dict[str, Any] | None = None
    name: str = "answer"
    mode: JsonMode | None = None
    tools: list[Function] = []
    choice: str = "auto"
    parallel: bool = True
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: list[str] = []
    effort: Effort | None = None
    max_tokens: int | None = None
    logprobs: bool = False
    prefill: str | None = None


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token of a reply, and the natural logarithm of the probability that the model gave it."""

    text: str
    logprob: float


class Spent(msgspec.Struct, frozen=True):
    """Tokens of a request: read, of those taken from the backend's prefix cache, and written."""

    input: int = 0
    cached: int = 0
    output: int = 0


class Reply(msgspec.Struct, kw_only=True, frozen=True):
    """What a model said. `text` is its answer, of a tool call the arguments; with `prefill`, only what came after it.

    `refusal`: its words when `finish` is `refusal`. `route`, `model`: who really answered, after fallbacks. `mode`: how it was held
    to JSON. `calls`: of tools, in their order. `thinking`: what it thought before it spoke, where its server tells it apart.
    """

    text: str
    finish: Finish = "stop"
    refusal: str | None = None
    tokens: list[Token] | None = None
    spent: Spent = Spent()
    route: str = ""
    model: str = ""
    mode: JsonMode | None = None
    calls: list[Call] = []
    thinking: str = ""


class Thinking(msgspec.Struct, frozen=True):
    """A piece of what a model thinks before it speaks."""

    text: str


class Delta(msgspec.Struct, kw_only=True, frozen=True):
    """A piece of a streamed reply, of its text or of its thinking; the last one carries `reply`, whole."""

    text: str = ""
    thinking: str = ""
    reply: Reply | None = None


class Backend(Protocol):
    """A configured model. Belongs to one event loop; calls may run side by side; cancelling one cancels it at the model within a second."""

    name: str
    """The route's name, as in `[models.<name>]`."""

    async def profile(self) -> Profile:
        """What this model can do: settings first, else probed once and kept; never guessed from its name alone.

        Raises `ModelError`s while its server cannot be asked and never could."""
        ...

    async def ask(self, ask: Ask) -> Reply:
        """The whole reply. Raises `ModelError`s of `models.errors`."""
        ...

    def stream(self, ask: Ask) -> AsyncIterator[Delta]:
        """The reply as it is made. A stream that breaks off raises, it never ends silently."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...


Dialect = Literal["openai", "vllm", "sglang", "llama.cpp", "ollama", "gemini", "anthropic", "plain"]
"""Whose rules a JSON Schema must keep (`lowering`). `plain`: those that every backend known keeps."""


class Profile(msgspec.Struct, kw_only=True, frozen=True):
    """What a backend can do. `context`, `max_output` in tokens; `max_pictures` a request; `longest_side` of a picture in pixels.

    `json_modes` are those it accepts, the strongest first. `tools`: whether requests with tools are taken; `calls`: how it calls them best.
    `known_from` says for each field whether it was `set`, `probed` or `assumed`.
    """

    vision: bool = False
    audio: bool = False
    video: bool = False
    json_modes: tuple[JsonMode, ...] = ("prompt",)
    dialect: Dialect = "plain"
    tools: bool = False
    calls: Calling = "schema"
    streaming: bool = True
    logprobs: bool = False
    prefill: bool = False
    context: int = 32_768
    max_output: int = 8_192
    max_pictures: int = 16
    longest_side: int = 2_048
    coordinates: Coordinates = "0-1000"
    concurrency: int = 4
    model: str = ""
    known_from: dict[str, Literal["set", "probed", "assumed"]] = {}


def system(text: str) -> Message:
    """A message of instructions."""
    return Message("system", [Text(text)])


def user(*parts: Part) -> Message:
    """A message of the caller's."""
    return Message("user", list(parts))


def assistant(text: str) -> Message:
    """A message of the model's, when a conversation goes on."""
    return Message("assistant", [Text(text)])
