"""Bodies of `/openai/chat/completions`, in the OpenAI dialect and what the platform adds to it.

Fields that are not named here are kept (`model_extra`), as the published contract allows: a model that the request is passed through to
may know them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from heliograph.agents.task import CARDS, PROVIDERS, TOOLSETS, Card, Provider, Toolset
from heliograph.ids import new_completion_id
from heliograph.wire.base import Received, Sent, leave_open
from heliograph.wire.requests import PredictionId, ServiceTier
from heliograph.wire.skills import AgentSkill

MOST_CHOICES = 4
MOST_MESSAGES = 10_000

OrionModel = Literal[
    "vlmrun-orion-1",
    "vlmrun-orion-1:lite",
    "vlmrun-orion-1:auto",
    "vlmrun-orion-1:fast",
    "vlmrun-orion-1:pro",
    "vlmrun-orion-2",
    "vlmrun-orion-2:lite",
    "vlmrun-orion-2:auto",
    "vlmrun-orion-2:qwen3.6-35b-a3b",
    "vlmrun-orion-2:gemma4-26b-a4b",
    "vlmrun-orion-2:kimi-2.6",
    "vlmrun-orion-2:gpt-5.5",
    "vlmrun-orion-2:claude-opus-4.8",
    "vlmrun-orion-2:fast",
    "vlmrun-orion-2:pro",
]
PartType = Literal[
    "text", "image_url", "video_url", "audio_url", "file_url", "input_file",
    "input_text", "output_text", "refusal", "input_image", "file", "input_audio", "document_url",
]  # fmt: skip
"""The published kinds, then those of OpenAI's own and of the gateway's dialect."""
SessionId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
AgentToolset = TypeAliasType("AgentToolset", Toolset)
AgentModel = TypeAliasType("AgentModel", Provider)


def one_of(what: str, known: tuple[str, ...]) -> BeforeValidator:
    """Refuses what is not `known`, in one sentence; underscores are as good as hyphens."""

    def check(value: object) -> object:
        name = value.replace("_", "-") if isinstance(value, str) and value not in known else value
        if name not in known:
            shown = value[:100] if isinstance(value, str) else value
            told = {"what": what, "name": repr(shown), "known": ", ".join(known)}
            raise PydanticCustomError("enum", "There is no {what} {name}; there are {known}", told)
        return name

    return BeforeValidator(check)


def _cards(value: object) -> object:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise PydanticCustomError("preview_type", "preview is true, false or a list of card names: {cards}", {"cards": ", ".join(CARDS)})
    for name in cast("list[object]", value):
        if name not in CARDS:
            context = {"name": repr(name)[:100], "cards": ", ".join(CARDS)}
            raise PydanticCustomError("enum", "There is no card {name}; there are {cards}", context)
    return cast("list[object]", value)


def _always(model: type[Received]) -> WrapValidator:
    """A bare string is as good as the object around it; what is neither is told of as the object."""

    def read(value: object, _: object) -> Received:
        return model.model_validate({"url": value} if isinstance(value, str) else value)

    return WrapValidator(read)


class MessageContentUrl(Received):
    """Where something to look at is: http(s), or a `data:` URI."""

    url: str = Field(min_length=1)


class MessageContentImageUrl(MessageContentUrl):
    """Where an image is."""

    detail: Literal["auto", "low", "high"] = "auto"


class MessageContentVideoUrl(MessageContentUrl):
    """Where a video is."""


class MessageContentAudioUrl(MessageContentUrl):
    """Where an audio file is."""


class MessageContentFileUrl(MessageContentUrl):
    """Where a document is, or any other file."""


class MessageContentFile(Received):
    """A file in OpenAI's own dialect: uploaded before, or brought along as base64 (a `data:` URI too)."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class MessageContentInputAudio(Received):
    """Sound in OpenAI's own dialect: base64."""

    data: str = Field(min_length=1)
    format: str = Field(default="wav", max_length=32)


class MessageContent(Received):
    """A part of a message. What a `type` brings stands in the field of its name."""

    model_config = ConfigDict(extra="allow", json_schema_extra=leave_open)

    type: PartType
    text: str | None = None
    image_url: Annotated[MessageContentImageUrl | str, _always(MessageContentImageUrl)] | None = None
    video_url: Annotated[MessageContentVideoUrl | str, _always(MessageContentVideoUrl)] | None = None
    audio_url: Annotated[MessageContentAudioUrl | str, _always(MessageContentAudioUrl)] | None = None
    file_url: Annotated[MessageContentFileUrl | str, _always(MessageContentFileUrl)] | None = None
    document_url: Annotated[MessageContentFileUrl | str, _always(MessageContentFileUrl)] | None = None
    file_id: str | None = Field(default=None, description="Of a file that was uploaded.")
    file_data: str | None = Field(default=None, description="A file as base64 or as a `data:` URI.")
    filename: str | None = Field(default=None, max_length=1024)
    file: MessageContentFile | None = None
    input_audio: MessageContentInputAudio | None = None
    detail: Literal["auto", "low", "high"] | None = Field(default=None, description="Of an `input_image`.")
    refusal: str | None = None


class Function(Received):
    """The function that the model called."""

    arguments: str = Field(description="JSON, as the model wrote it.")
    name: str = Field(min_length=1, max_length=255)


class ChatCompletionMessageFunctionToolCallParam(Received):
    """A call to a function tool created by the model."""

    id: str = Field(min_length=1, max_length=255)
    function: Function
    type: Literal["function"]


_PARTS = TypeAdapter(list[MessageContent])


def _content(value: object, _: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _PARTS.validate_python(value)
    raise PydanticCustomError("message_content", "The content of a message is a string or a list of parts")


class Message(Received):
    """A turn of the chat. `developer` is as good as `system`."""

    model_config = ConfigDict(extra="allow", json_schema_extra=leave_open)

    role: Literal["user", "assistant", "system", "developer", "tool"] = "user"
    content: Annotated[str | list[MessageContent], WrapValidator(_content)] | None = None
    name: str | None = Field(default=None, max_length=255)
    tool_call_id: str | None = Field(default=None, max_length=255, description="Of a `tool` message: the call that it answers.")
    tool_calls: list[ChatCompletionMessageFunctionToolCallParam] | None = None


class JSONSchemaResponseFormat(Received):
    """Response format for JSON schema mode as per Fireworks AI specification."""

    type: Literal["json_schema"] = "json_schema"
    schema_: dict[str, Any] = Field(alias="schema", description="JSON schema definition")


class JSONModeResponseFormat(Received):
    """Response format for JSON object mode as per Fireworks AI specification."""

    type: Literal["json_object"] = "json_object"


class JSONSchemaResponseFormatStrict(Received):
    """Response format for JSON schema mode: the schema itself, or OpenAI's `{name, schema, strict}`."""

    type: Literal["json_schema"] = "json_schema"
    json_schema: dict[str, Any] = Field(description="JSON schema definition")
    name: str = Field(description="The name of the JSON schema")
    strict: bool = Field(default=True, description="Whether to use strict mode for the JSON schema")


def _format(value: object) -> object:
    """All five shapes of a format become one of two: any JSON, or a schema with its name and strictness."""
    if not isinstance(value, dict):
        raise PydanticCustomError("response_format", "response_format is an object with a type: text, json_object or json_schema")
    given = cast("dict[str, Any]", value)
    kind = given.get("type") or ("json_schema" if {"schema", "json_schema"} & given.keys() else "json_object")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema":
        told = {"name": repr(kind)[:100]}
        raise PydanticCustomError("response_format", "There is no response format {name}; there are text, json_object, json_schema", told)
    schema = given.get("json_schema") or given.get("schema")
    if not isinstance(schema, dict):
        raise PydanticCustomError("response_format", "A json_schema format needs its schema, an object, as `json_schema` or `schema`")
    inner = cast("dict[str, Any]", schema)
    native = isinstance(inner.get("schema"), dict)  # OpenAI's own: name, schema and strictness one level down
    named = (inner if native else given) | {key: given[key] for key in ("name", "strict") if given.get(key) is not None}
    name = named.get("name")
    strict = named.get("strict")
    return {
        "type": "json_schema",
        "json_schema": inner["schema"] if native else inner,
        "name": "answer" if name is None else name,
        "strict": True if strict is None else strict,
    }


class StreamOptions(Received):
    """What a stream tells. Usage is always told."""

    include_usage: bool = True


class FunctionDefinition(Received):
    """A function that the client runs."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict, description="JSON Schema of its arguments.")
    strict: bool = False


class ChatCompletionTool(Received):
    """A tool that the client runs: the completion ends with `tool_calls`, and goes on when their results are sent."""

    type: Literal["function"] = "function"
    function: FunctionDefinition


class FunctionChoice(Received):
    """The name of a function."""

    name: str = Field(min_length=1, max_length=64)


class NamedToolChoice(Received):
    """The one tool that is to be called."""

    type: Literal["function"] = "function"
    function: FunctionChoice


def _choice(value: object, _: object) -> object:
    if value in ("none", "auto", "required"):
        return value
    if isinstance(value, dict):
        return NamedToolChoice.model_validate(value)
    raise PydanticCustomError("tool_choice", "tool_choice is none, auto, required, or {{type: function, function: {{name}}}}")


class AgentChatCompletionsRequest(Received):
    """Request payload for the OpenAI chat completions API for VLM Run agents."""

    model_config = ConfigDict(extra="allow")

    id: PredictionId = Field(
        default_factory=new_completion_id, description="ID of the completion. The same id with the same body is the same completion."
    )
    model: OrionModel | str | None = Field(
        default=None,
        description="The model to use. When omitted, the first skill's vlmrun.yaml model, otherwise the agent default. "
        "The name of a configured model passes the request straight to it.",
    )
    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES, description="Messages to complete")
    max_tokens: int = Field(default=32768, description="Maximum number of tokens to generate; more than the model allows is that much.")
    max_completion_tokens: int | None = Field(default=None, description="The newer name of `max_tokens`.")
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = Field(default=1, description="Number of completions to generate, at most 4")
    temperature: float = Field(default=0, description="Temperature of the sampling distribution")
    top_p: float = Field(
        default=1, description="Cumulative probability of parameter highest probability vocabulary tokens to keep for nucleus sampling"
    )
    top_k: int | None = Field(default=None, description="Number of highest probability vocabulary tokens to keep for top-k-filtering")
    logprobs: int | bool | None = Field(
        default=None, description="Include the log probabilities on the logprobs most likely tokens, as well the chosen tokens"
    )
    top_logprobs: int | None = Field(default=None, description="How many, where `logprobs` is true.")
    seed: int | None = Field(default=None, description="The same seed draws the same words, where the model can.")
    stop: str | Annotated[list[str], Field(max_length=16)] | None = Field(default=None, description="Texts at which the answer ends.")
    created_at: datetime | None = Field(default=None, description="Date and time when the request was created (in UTC timezone)")
    batch: bool = Field(default=False, description="Whether to answer at once, without the completion, which its events then tell.")
    stream: bool = Field(default=False, description="Whether to stream the response or not")
    stream_options: StreamOptions | None = None
    preview: Annotated[bool | list[Card], BeforeValidator(_cards)] | None = Field(
        default=None,
        description="Which preview cards are shown: all of them, those named, or none. A card is a line `<preview data='{...json...}'/>`.",
    )
    response_format: Annotated[
        JSONSchemaResponseFormat | JSONModeResponseFormat | JSONSchemaResponseFormatStrict | None, BeforeValidator(_format)
    ] = Field(default=None, description="Format of the response")
    service_tier: ServiceTier | None = Field(
        default=None, description="Delivery tier: 'flex' costs half and waits, 'priority' costs 1.8 times and goes first, else 'standard'."
    )
    session_id: Annotated[SessionId | None, WithJsonSchema({"type": "string"})] = Field(
        default=None, description="Session UUID for persisting the chat history; a client may choose it."
    )
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="Additional metadata for the request (e.g., dataset_name, experiment_id, etc.). "
        "`allow_logging`, `allow_training` and `allow_retention` mean what they mean elsewhere.",
    )
    skills: list[AgentSkill] | None = Field(default=None, description="List of agent skills to enable for this request.")
    toolsets: list[Annotated[AgentToolset, one_of("toolset", TOOLSETS)]] | None = Field(
        default=None,
        description="List of tool categories to enable for this request. When specified, only tools from these categories are available. "
        "None: chosen by what is asked where the request streams, otherwise `core`. An empty list passes the request to the model.",
    )
    models: list[Annotated[AgentModel, one_of("model provider", PROVIDERS)]] | None = Field(
        default=None,
        description="List of model-specific tool providers to enable for this request. Their tools are merged and deduplicated, "
        "and added on top of the toolset-selected tools.",
    )
    tools: list[ChatCompletionTool] | None = Field(default=None, max_length=128, description="Functions that the client runs itself.")
    tool_choice: Annotated[Literal["none", "auto", "required"] | NamedToolChoice, WrapValidator(_choice)] | None = None
    parallel_tool_calls: bool = True


class CompletionUsage(Sent):
    """What a completion used."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    credits_used: int | None = None


class CompletionMessage(Sent):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    tool_calls: list[ChatCompletionMessageFunctionToolCallParam] | None = None


class CompletionChoice(Sent):
    """One of `n` answers."""

    index: int
    message: CompletionMessage
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    logprobs: dict[str, Any] | None = None


class ChatCompletion(Sent):
    """A completion, in the OpenAI dialect, with the session that it belongs to."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = Field(description="As it was asked for.")
    choices: list[CompletionChoice]
    usage: CompletionUsage | None
    session_id: str
    status: Literal["pending", "enqueued", "running", "paused"] | None = Field(
        default=None, description="Of one that goes on and was not waited for: it has no choices yet."
    )
    service_tier: str | None = None
    warnings: list[str] = Field(default=[], description="What to know about the answer, such as which budget ended it.")
