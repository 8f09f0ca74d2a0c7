"""What a chat's body asks an agent for: which model, with which tools, answering how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from heliograph.agents.task import (
    CARDS,
    PROVIDERS,
    TOOLSETS,
    Card,
    ClientTool,
    Format,
    Generation,
    Provider,
    Sampling,
    Task,
    Tier,
    Toolset,
)
from heliograph.api.planning import Attached
from heliograph.errors import InvalidRequest
from heliograph.extraction.schema import check_schema
from heliograph.models.routes import EXTRACTOR, PUBLISHED, Routes
from heliograph.wire.chat import AgentChatCompletionsRequest, JSONSchemaResponseFormatStrict, NamedToolChoice

MODEL = "vlmrun-orion-1:auto"
"""The model of a request that names none."""
FUTURE = timedelta(minutes=5)
"""How far a client's clock may be ahead."""


def check(body: AgentChatCompletionsRequest) -> None:
    """Raise InvalidRequest for what the fields say together that cannot be."""
    created = body.created_at
    if created is not None and (created if created.tzinfo else created.replace(tzinfo=UTC)) > datetime.now(UTC) + FUTURE:
        raise InvalidRequest("created_at is in the future.", param="created_at")
    extra = body.model_extra or {}
    for older, newer in {"functions": "tools", "function_call": "tool_choice"}.items():
        if extra.get(older):
            raise InvalidRequest(f"{older} is the older name of {newer}; send {newer}.", param=older)
    names = [tool.function.name for tool in body.tools or []]
    if len(set(names)) < len(names):
        raise InvalidRequest("Two tools have the same name.", param="tools")
    chosen = body.tool_choice
    if isinstance(chosen, NamedToolChoice) and chosen.function.name not in names:
        raise InvalidRequest(f"tool_choice names {chosen.function.name!r}, which is not among the tools.", param="tool_choice")
    for index, tool in enumerate(body.tools or []):
        _check_schema(tool.function.parameters, f"tools.{index}.function.parameters")
    if isinstance(body.response_format, JSONSchemaResponseFormatStrict):
        _check_schema(body.response_format.json_schema, "response_format.json_schema")


def _check_schema(schema: dict[str, Any], param: str) -> None:
    try:
        check_schema(schema)
    except InvalidRequest as error:
        error.param = param
        raise


def task(routes: Routes, body: AgentChatCompletionsRequest, attached: Sequence[Attached]) -> Task:
    """The run that a body asks for, but for what was said and brought. Raises ModelNotFound."""
    manifests = [skill.package.manifest for skill in attached if skill.package.manifest is not None]
    model = body.model or next((manifest.model for manifest in manifests if manifest.model), MODEL)
    route = routes.find(model)
    wanted: list[Toolset] | None = body.toolsets
    if wanted is None:
        named = [name.replace("_", "-") for manifest in manifests for name in manifest.toolsets]
        wanted = [name for name in TOOLSETS if name in named] or None
    if wanted is None and model in routes.configured and model not in PUBLISHED:
        wanted = []  # a model that is asked for itself, and that only a worker can ask
    if wanted is None and not body.stream:
        wanted = ["core"]
    providers: list[Provider] = body.models or []
    if body.models is None:
        providers = [name for name in PROVIDERS if any(name in manifest.models for manifest in manifests)]
    format = _format(body)
    cards: list[Card] = list(CARDS) if body.preview is True else body.preview or []
    chosen = body.tool_choice
    return Task(
        kind="completion",
        model=model,
        route=route.name,
        generation=generation(model),
        tier=tier(model),
        format=format,
        toolsets=None if wanted is None else list(dict.fromkeys(wanted)),
        providers=list(dict.fromkeys(providers)),
        tools=[
            ClientTool(
                name=tool.function.name, description=tool.function.description, parameters=tool.function.parameters,
                strict=tool.function.strict,
            )
            for tool in body.tools or []
        ],
        tool_choice=chosen.function.name if isinstance(chosen, NamedToolChoice) else chosen or "auto",
        parallel_tool_calls=body.parallel_tool_calls,
        cards=[] if format is not None else cards,  # content that is JSON has no room for them
        sampling=_sampling(body),
        stream=body.stream,
        choices=body.n or 1,
    )  # fmt: skip


def generation(model: str) -> Generation:
    """How a model of this name works."""
    return "orion-2" if model.startswith("vlmrun-orion-2") else "orion-1"


def tier(model: str) -> Tier:
    """What a model of this name may use."""
    named = model.partition(":")[2] if model in PUBLISHED and model != EXTRACTOR else ""
    return cast("Tier", named) if named in get_args(Tier) else "auto"


def _format(body: AgentChatCompletionsRequest) -> Format | None:
    given = body.response_format
    if given is None:
        return None
    if isinstance(given, JSONSchemaResponseFormatStrict):
        return Format(schema=given.json_schema, name=given.name, strict=given.strict)
    return Format()


def _sampling(body: AgentChatCompletionsRequest) -> Sampling:
    """As far as it was said: what was not is the model's own. What no model could do is brought to what one can."""
    said = body.model_fields_set
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens if "max_tokens" in said else None
    logprobs = body.top_logprobs or 1 if body.logprobs is True else body.logprobs or None
    return Sampling(
        max_tokens=limit if limit and limit > 0 else None,
        temperature=min(max(body.temperature, 0.0), 2.0) if "temperature" in said else None,
        top_p=min(max(body.top_p, 0.0), 1.0) if "top_p" in said else None,
        top_k=body.top_k if body.top_k and body.top_k > 0 else None,
        logprobs=min(max(logprobs, 1), 20) if logprobs else None,
        seed=body.seed,
        stop=[body.stop] if isinstance(body.stop, str) else body.stop or [],
    )
