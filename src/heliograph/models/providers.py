"""Models behind the native API of a provider that pydantic-ai knows: `anthropic`, `google`, `mistral`, `bedrock`, `cohere` and others.

pydantic-ai (extra `heliograph[providers]`) translates the request and the answer; everything else stays ours: it tries once, because
`guarding` tries again, and its errors become `ModelError`s. It is imported when a backend is first asked, in workers and on the command
line only. The settings `options` are its model settings (https://ai.pydantic.dev/api/settings/), such as `{cache = true}`.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from heliograph.config import ModelSettings, Settings
from heliograph.errors import NotConfigured
from heliograph.models import egress
from heliograph.models.completions import instruction
from heliograph.models.contract import (
    Ask,
    Call,
    Coordinates,
    Dialect,
    Finish,
    JsonMode,
    Message,
    Profile,
    Reply,
    Spent,
    Text,
    Thinking,
)  # fmt: skip
from heliograph.models.errors import ModelBusy, ModelError, ModelLimit, ModelRefused, ModelUnavailable
from heliograph.models.failures import Complaint, failure, read
from heliograph.models.keys import hide, read_key, secrets
from heliograph.models.profiles import JSON_MODES, ProfileCache, profile_of
from heliograph.models.speaking import Speaking

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings as Options

EXTRA = "heliograph[providers]"
_KNOWN: Final[dict[str, tuple[Dialect, int, int, int, Coordinates]]] = {
    # dialect, context and answer in tokens, longest side in pixels, how boxes are written: of the smallest models offered in November
    # 2026. https://platform.claude.com/docs/en/about-claude/models and .../vision, https://ai.google.dev/gemini-api/docs/models and
    # .../image-understanding
    "anthropic": ("anthropic", 200_000, 32_000, 1_568, "pixels"),
    "google": ("gemini", 1_000_000, 32_000, 3_072, "0-1000-yx"),
    "google-cloud": ("gemini", 1_000_000, 32_000, 3_072, "0-1000-yx"),
    "openai": ("openai", 128_000, 16_000, 2_048, "0-1000"),
    "openai-responses": ("openai", 128_000, 16_000, 2_048, "0-1000"),
}
_FINISHES: Final[dict[str | None, Finish]] = {"length": "length", "content_filter": "refusal", "error": "broken", None: "broken"}


class ProviderBackend(Speaking):
    """The `Backend` of a model at a provider."""

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        *,
        settings: Settings | None = None,
        cache: ProfileCache | None = None,
        profile: Profile | None = None,
    ) -> None:
        """`settings`: those of the server, for what it may reach. `profile` replaces what is assumed; nothing is probed or kept in `cache`.

        Raises NotConfigured without a model id, or when an offline server may not reach the provider.
        """
        if not model.model:
            raise NotConfigured(f"The model route {name!r} has no model: set models.{name}.model to the provider's id of it.")
        if settings is not None and (why := egress.refusal(model, settings)) is not None:
            raise NotConfigured(f"The model route {name!r} may not be asked: {why}.")
        self.name = name
        self.who = f"The model {model.model!r} at {model.kind} (route {name!r})"
        self._settings, self._id, self._known = model, model.model, profile
        self._hidden = secrets(model, None)
        self._model: Model[Any] | None = None
        self._theirs: dict[str, Any] = {}
        self._opening = asyncio.Lock()

    async def profile(self) -> Profile:
        """As set, else as pydantic-ai and the provider's documentation have it. Raises NotConfigured."""
        if self._known is None:
            await self._open()
            self._known = _profile(self._settings, self._theirs)
        return self._known

    async def close(self) -> None:
        """Close its connections."""
        model, self._model = self._model, None
        if model is not None:
            await model.__aexit__(None, None, None)

    async def _answer(self, ask: Ask) -> AsyncGenerator[str | Thinking | Reply]:
        """Pieces of text and thinking, and the reply at last."""
        profile = await self.profile()
        model = await self._open()
        mode = None if ask.schema is None else ask.mode or profile.json_modes[0]
        if ask.prefill is not None:
            raise ModelRefused(f"{self.who} cannot go on from a begun answer.")
        begun: list[str] = []
        try:
            async with aclosing(self._listen(model, ask, profile, mode)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        begun.append(piece)
                        yield piece
                    elif isinstance(piece, Thinking):
                        yield piece
                    else:
                        yield self._reply(piece, mode, "".join(begun))
        except Exception as problem:
            failed = self._failure(problem)
            if failed is None:
                yield Reply(text="".join(begun), finish="refusal", refusal=self._words(problem), route=self.name, model=self._id, mode=mode)
            elif begun:
                yield Reply(text="".join(begun), finish="broken", route=self.name, model=self._id, mode=mode)
            else:
                raise failed from problem

    async def _listen(
        self, model: Model[Any], ask: Ask, profile: Profile, mode: JsonMode | None
    ) -> AsyncGenerator[str | Thinking | ModelResponse]:
        from pydantic_ai.direct import model_request, model_request_stream  # noqa: PLC0415

        messages, parameters, options = _messages(ask, mode), _parameters(ask, mode), self._options(ask, profile)
        clock = asyncio.get_running_loop().time
        until = deadline = clock() + self._settings.timeout
        if not profile.streaming:
            async with asyncio.timeout_at(deadline):
                response = await model_request(model, messages, model_settings=options, model_request_parameters=parameters)
            yield response
            return
        async with AsyncExitStack() as stack:
            async with asyncio.timeout_at(deadline):
                opening = model_request_stream(model, messages, model_settings=options, model_request_parameters=parameters)
                stream = await stack.enter_async_context(opening)
            events = aiter(stream)
            while True:
                async with asyncio.timeout_at(until):
                    event = await anext(events, None)
                if event is None:
                    break
                piece, thought = _piece(event, mode), _thought(event)
                if piece or thought:
                    yield piece or Thinking(thought)
                    until = min(deadline, clock() + self._settings.idle_timeout)
            yield stream.get()

    def _reply(self, response: ModelResponse, mode: JsonMode | None, begun: str) -> Reply:
        finish = _FINISHES.get(response.finish_reason, "stop")
        called = [
            Call(part.tool_call_id, part.tool_name, part.args_as_json_str()) for part in response.parts if part.part_kind == "tool-call"
        ]
        answers = [call.arguments for call in called if mode == "tool"]
        thoughts = [part.content for part in response.parts if part.part_kind == "thinking"]
        texts = [part.content for part in response.parts if part.part_kind == "text"]
        details = response.provider_details or {}
        said = begun or "".join(answers[:1] or texts)
        refusal = None
        if finish == "refusal":
            refusal = str(details.get("refusal") or said or details.get("finish_reason") or "The provider's filter stopped the answer.")
        usage = response.usage
        spent = Spent(input=usage.input_tokens, cached=usage.cache_read_tokens, output=usage.output_tokens)
        if finish == "broken" and not said and not called:
            raise ModelUnavailable(f"{self.who} gave up before it said anything.")
        who = response.model_name or self._id
        return Reply(
            text=said,
            finish=finish,
            refusal=refusal,
            spent=spent,
            route=self.name,
            model=who,
            mode=mode,
            calls=[] if mode == "tool" else called,
            thinking="".join(thoughts),
        )

    def _options(self, ask: Ask, profile: Profile) -> Options:
        most = min(ask.max_tokens or profile.max_output, profile.max_output)
        made: dict[str, Any] = {"temperature": ask.temperature, "max_tokens": most, "max_retries": 0, "timeout": self._settings.timeout}
        if self._theirs.get("anthropic_disallows_sampling_settings"):
            del made["temperature"]  # newer models of Anthropic's refuse it
        asked = {"top_p": ask.top_p, "seed": ask.seed, "stop_sequences": ask.stop or None, "top_k": ask.top_k}
        made |= {name: value for name, value in asked.items() if value is not None}
        if ask.tools:
            choice = ask.choice if ask.choice in ("auto", "none", "required") else [ask.choice]
            made |= {"tool_choice": choice, "parallel_tool_calls": ask.parallel}
        if self._settings.headers:
            made["extra_headers"] = dict(self._settings.headers)
        options: Any = made | self._settings.options
        return options

    async def _open(self) -> Model[Any]:
        """The model, made when it is first needed. Raises NotConfigured."""
        async with self._opening:
            if self._model is None:
                key = read_key(self.name, self._settings)
                self._hidden = secrets(self._settings, key)
                await asyncio.to_thread(_load, self.name, self._settings.kind)
                self._model = await _make(self.name, self._settings, self._id, key).__aenter__()
                self._theirs = dict(self._model.profile)
                # a schema was lowered already; their own lowering of it fails on lists of types (pydantic-ai 2.68, Anthropic)
                unaltered: Any = self._theirs | {"json_schema_transformer": None}
                self._model.profile = unaltered
            return self._model

    def _failure(self, problem: Exception) -> ModelError | None:
        """`problem` as one of ours; None when it says that the model refuses."""
        from pydantic_ai import exceptions as theirs  # noqa: PLC0415

        if isinstance(problem, ModelError):
            return problem
        words = self._words(problem)
        told = getattr(problem, "retry_after", None)
        wait = None if told is None else math.ceil(told)
        match problem:
            case theirs.ContentFilterError():
                return None
            case theirs.ModelContextWindowExceededError():
                return ModelLimit(f"The request is larger than {self.who[0].lower()}{self.who[1:]} takes: {words}")
            case theirs.ModelRateLimitError() | theirs.ModelOverloadedError():
                return ModelBusy(f"{self.who} takes no more requests for now: {words}", retry_after=wait)
            case theirs.ModelQuotaExceededError():
                return ModelRefused(f"{self.who} has no quota left: {words}")
            case theirs.ModelHTTPError():
                headers = {} if told is None else {"Retry-After": str(told)}
                complaint = _complaint(problem)
                return failure(problem.status_code, complaint, headers, who=self.who, route=self.name, hidden=words)
            case theirs.ModelRequestRejectedError():
                return ModelRefused(f"{self.who} refused the request: {words}")
            case theirs.UserError():
                return ModelRefused(f"{self.who} cannot be asked so: {words}")
            case TimeoutError():
                return ModelUnavailable(f"{self.who} did not answer within {self._settings.timeout:g} seconds.")
            case theirs.ModelAPIError() | theirs.UnexpectedModelBehavior() | OSError():
                return ModelUnavailable(f"{self.who} failed: {words}", retry_after=wait)
            case _:
                raise problem

    def _words(self, problem: Exception) -> str:
        words = _complaint(problem).sentence
        return hide(" ".join(words.split())[:300], self._hidden)


def _complaint(problem: Exception) -> Complaint:
    body: Any = getattr(problem, "body", None)
    return read(cast("dict[str, Any]", body)) if isinstance(body, dict) else Complaint(str(problem))


def _load(route: str, kind: str) -> None:
    """Import pydantic-ai and what it needs for `kind`. Raises NotConfigured."""
    try:
        from pydantic_ai.providers import infer_provider_class  # noqa: PLC0415
    except ImportError as missing:
        raise NotConfigured(f"The kind {kind!r} of the model route {route!r} needs pydantic-ai: pip install '{EXTRA}'") from missing
    try:
        infer_provider_class(kind)
    except ValueError:
        kinds = "embedded, openai, gguf, and the providers of pydantic-ai, such as anthropic, google, mistral and bedrock"
        raise NotConfigured(f"models.{route}.kind is {kind!r}, which is none of {kinds}.") from None
    except ImportError as missing:
        raise NotConfigured(f"The kind {kind!r} of the model route {route!r} needs a package: {missing}") from missing


def _make(route: str, settings: ModelSettings, id: str, key: str | None) -> Model[Any]:
    from pydantic_ai.exceptions import UserError  # noqa: PLC0415
    from pydantic_ai.models import infer_model  # noqa: PLC0415
    from pydantic_ai.providers import Provider, infer_provider_class  # noqa: PLC0415

    def provider(kind: str) -> Provider[Any]:
        made: Any = infer_provider_class(kind)
        takes = inspect.signature(made).parameters
        given = {"api_key": key, "base_url": settings.url}
        unknown = [name for name, value in given.items() if value is not None and name not in takes]
        if unknown:
            setting = {"api_key": "key", "base_url": "url"}[unknown[0]]
            raise NotConfigured(f"models.{route}.{setting} has no meaning for the kind {kind!r}, which is set up by its own environment.")
        return made(**{name: value for name, value in given.items() if value is not None})

    try:
        return infer_model(f"{settings.kind}:{id}", provider_factory=provider)
    except UserError as problem:
        advice = f"Set models.{route}.key_env or key_file." if "KEY" in problem.message else "This kind is set up by its own environment."
        raise NotConfigured(f"The model route {route!r} cannot be used: {problem.message.splitlines()[0]} {advice}") from problem
    except ImportError as missing:
        raise NotConfigured(f"The kind {settings.kind!r} of the model route {route!r} needs a package: {missing}") from missing


def _profile(settings: ModelSettings, theirs: dict[str, Any]) -> Profile:
    """What is set, else what pydantic-ai says of the model, else what the provider's documentation says of its smallest."""
    profile = profile_of(None, settings)
    assumed: dict[str, Any] = {
        "vision": theirs.get("supports_image_input", False),
        "tools": theirs.get("supports_tools", False),
        "logprobs": False,
        "prefill": False,
    }
    if settings.kind in _KNOWN:
        dialect, context, output, side, coordinates = _KNOWN[settings.kind]
        context = theirs.get("context_window") or context
        assumed |= {"dialect": dialect, "context": context, "max_output": output, "longest_side": side, "coordinates": coordinates}
    made = {field: value for field, value in assumed.items() if profile.known_from.get(field) != "set"}
    made["max_output"] = min(made.get("max_output", profile.max_output), made.get("context", profile.context))
    accepted: list[JsonMode] = ["prompt"]
    if theirs.get("supports_tools"):
        accepted.insert(0, "tool")
    if theirs.get("supports_json_schema_output"):
        accepted.insert(0, "json_schema")
    if settings.json_mode not in ("auto", "json_object"):
        accepted = [settings.json_mode, *(mode for mode in accepted if JSON_MODES.index(mode) > JSON_MODES.index(settings.json_mode))]
    return msgspec.structs.replace(profile, **made, json_modes=tuple(accepted))


def _messages(ask: Ask, mode: JsonMode | None) -> list[ModelMessage]:
    """The conversation as pydantic-ai has it; instructions stay messages of the system's, in their place."""
    from pydantic_ai import messages as theirs  # noqa: PLC0415

    made: list[ModelMessage] = []
    requests: list[ModelRequest] = []
    for place, message in enumerate(ask.messages):
        if message.role == "assistant":
            words = [theirs.TextPart(_text(message))] if _text(message) or not message.calls else []
            calls = [theirs.ToolCallPart(call.name, call.arguments, tool_call_id=call.id) for call in message.calls]
            made.append(theirs.ModelResponse(parts=[*words, *calls]))
            continue
        content: list[Any] = [
            part.text if isinstance(part, Text) else theirs.BinaryContent(part.data, media_type=part.media_type) for part in message.parts
        ]
        last = place == len(ask.messages) - 1
        if last and mode in ("json_object", "prompt") and ask.schema is not None:
            content.append(instruction(ask.schema))
        part: Any = theirs.SystemPromptPart(_text(message)) if message.role == "system" else theirs.UserPromptPart(content)
        if message.call is not None:
            part = theirs.ToolReturnPart(message.call.name, _text(message), tool_call_id=message.call.id)
        if made and made[-1].kind == "request":
            requests[-1].parts = [*requests[-1].parts, part]
        else:
            requests.append(theirs.ModelRequest(parts=[part]))
            made.append(requests[-1])
    return made


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def _parameters(ask: Ask, mode: JsonMode | None) -> ModelRequestParameters:
    from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415
    from pydantic_ai.output import OutputObjectDefinition  # noqa: PLC0415
    from pydantic_ai.tools import ToolDefinition  # noqa: PLC0415

    schema: Any = ask.schema
    if mode == "json_schema":
        return ModelRequestParameters(output_mode="native", output_object=OutputObjectDefinition(json_schema=schema, name=ask.name))
    if mode == "tool":
        tool = ToolDefinition(name=ask.name, description="Give the answer.", parameters_json_schema=schema)
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
    tools = [
        ToolDefinition(name=given.name, description=given.description, parameters_json_schema=given.parameters, strict=False)
        for given in ask.tools
    ]
    return ModelRequestParameters(function_tools=tools)


def _piece(event: Any, mode: JsonMode | None) -> str:
    """The text that a stream's event adds to the answer, or to the arguments of the call that is the answer."""
    nothing = SimpleNamespace(part_kind="", part_delta_kind="")
    part = getattr(event, "part", nothing) if event.event_kind == "part_start" else nothing
    delta = getattr(event, "delta", nothing) if event.event_kind == "part_delta" else nothing
    if part.part_kind == "text":
        return part.content
    if mode != "tool":
        return delta.content_delta if delta.part_delta_kind == "text" else ""
    if part.part_kind == "tool-call":
        return part.args_as_json_str() if part.args else ""
    if delta.part_delta_kind == "text":
        return delta.content_delta
    if delta.part_delta_kind == "tool_call":
        return delta.args_delta if isinstance(delta.args_delta, str) else ""
    return ""


def _thought(event: Any) -> str:
    """What a stream's event adds to the model's thinking."""
    part = getattr(event, "part", None) if event.event_kind == "part_start" else getattr(event, "delta", None)
    if getattr(part, "part_kind", "") == "thinking":
        return getattr(part, "content", "") or ""
    return getattr(part, "content_delta", "") or "" if getattr(part, "part_delta_kind", "") == "thinking" else ""
