"""What a run is asked to do, decided when the request is accepted. Plain data: the API process writes it, a worker reads it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

Json = Any
Toolset = Literal["core", "code-execution", "document", "image", "image-gen", "video", "viz", "web", "world-gen"]
TOOLSETS: tuple[Toolset, ...] = get_args(Toolset)
Provider = Literal[
    "google-gemini-3-image", "google-gemini-3-analysis", "google-gemini-robotics-er", "google-veo-3.1", "microsoft-omniparser-v2",
    "qwen-qwen3-vl-8b", "meta-sam2", "meta-sam3", "meta-sam3d", "depth-anything-3", "vlm-dots-ocr", "nvidia-cosmos-reason-2-8b",
]  # fmt: skip
PROVIDERS: tuple[Provider, ...] = get_args(Provider)
Generation = Literal["orion-1", "orion-2"]
"""Orion-1 calls tools, one turn after the other; Orion-2 writes programs that do."""
Tier = Literal["lite", "fast", "auto", "pro"]
MEDIA = "$media"
"""Under this key stands, in an execution's inputs, the place of what was brought."""
Role = Literal["system", "user", "assistant", "tool"]
Card = Literal[
    "preview.image", "preview.grid", "preview.video", "preview.audio", "preview.document", "preview.table", "preview.json", "preview.chart"
]  # fmt: skip
CARDS: tuple[Card, ...] = get_args(Card)
LONGEST_TITLE = 80
"""Characters of a chat's title."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words of a message."""

    text: str


class Media(msgspec.Struct, frozen=True, tag="media", kw_only=True):
    """Something that was brought to be looked at. `ref`: an artifact of an earlier turn; else `position`: the place among the run's inputs.

    `kind` as the part was named (`image`, `video`, `audio`, `file`): the bytes decide what it is. `name`: the file's, or the key of an
    execution's
    input. `detail` as the caller asked for an image.
    """

    position: int | None = None
    ref: str | None = None
    kind: Literal["image", "video", "audio", "file"] = "file"
    name: str | None = None
    detail: Literal["auto", "low", "high"] = "auto"


Part = Text | Media


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool that the client runs. `arguments`: JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A turn. `calls`: of an assistant's turn; `call_id`: which of them a `tool` turn answers. `developer` has become `system`."""

    role: Role
    parts: list[Part] = []
    name: str | None = None
    call_id: str | None = None
    calls: list[ToolCall] = []

    @property
    def text(self) -> str:
        """Its words, one part a line."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def title(self) -> str | None:
        """What a chat is called that begins with it; None without words."""
        words = " ".join(self.text.split())
        return (words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1].rstrip() + "…") or None


class ClientTool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the client runs itself. `parameters`: a JSON Schema."""

    name: str
    description: str = ""
    parameters: dict[str, Json] = {}
    strict: bool = False


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer must be: JSON, of a schema where one is given. `strict`: an answer that does not fit is mended, then refused;
    otherwise it
    is given as it is with a warning."""

    schema: dict[str, Json] | None = None
    name: str = "answer"
    strict: bool = True


class SkillRef(msgspec.Struct, frozen=True, kw_only=True):
    """A skill by content, as it was resolved when the request was accepted. An inline skill's files stand under `blob` for as long as
    the run."""

    name: str
    hash: str
    blob: str
    description: str = ""
    id: str | None = None
    version: str | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How a model's words are drawn; None is the model's own default."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    logprobs: int | None = None
    seed: int | None = None
    stop: list[str] = []


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as it was asked for.

    `model`: the name that was sent; `route`: the configured model that it leads to, None without one. `messages`: of a chat, the history
    of its
    session and the new turn, oldest first. `inputs`: of an execution, the caller's object with each thing to look at replaced by
    `{"$media": <position>}`. `earlier`: of a chat, how many of its messages the session keeps already; what comes after is its new turn.
    `toolsets`: None lets the run choose. `choice`: which of `n` this run is.
    """

    kind: Literal["completion", "execution"]
    model: str
    route: str | None = None
    generation: Generation = "orion-1"
    tier: Tier = "auto"
    messages: list[Message] = []
    earlier: int = 0
    resumes: str | None = None
    """The completion that asked for the client's tools whose results have come: this run goes on from its journal."""
    prompt: str = ""
    inputs: dict[str, Json] | None = None
    names: dict[int, str] = {}
    """Of inputs by position, the name of the file where one is known."""
    format: Format | None = None
    grounding: bool = False
    confidence: bool = False
    skills: list[SkillRef] = []
    toolsets: list[Toolset] | None = None
    providers: list[Provider] = []
    tools: list[ClientTool] = []
    tool_choice: Literal["auto", "none", "required"] | str = "auto"
    parallel_tool_calls: bool = True
    cards: list[Card] = []
    sampling: Sampling = Sampling()
    stream: bool = False
    mode: Literal["agent", "program"] | None = None
    choice: int = 0
    choices: int = 1

    ui: bool = False
    """Whether the chat UI asked, whose turns are not logged."""
    user_agent: str | None = None

    @property
    def newest(self) -> Message | None:
        """Of a chat, the last thing that the person said."""
        return next((message for message in reversed(self.messages) if message.role == "user"), None)

    @property
    def brought(self) -> list[Media]:
        """What came with the newest message of a chat to be looked at."""
        return [part for part in self.newest.parts if isinstance(part, Media) and part.position is not None] if self.newest else []
