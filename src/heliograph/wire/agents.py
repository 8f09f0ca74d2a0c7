"""`/agent`: stored agents, and executions of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from heliograph.agents.task import PROVIDERS, TOOLSETS
from heliograph.ids import new_id
from heliograph.wire.base import Received, Sent, leave_open
from heliograph.wire.chat import AgentModel, AgentToolset, one_of
from heliograph.wire.predictions import CreditUsageResponse, PredictionError, SkillUsed, Status
from heliograph.wire.requests import PredictionId, RequestMetadata, ServiceTier, Url, now
from heliograph.wire.skills import AgentSkill

AgentExecutionModel = Literal[
    "vlmrun-orion-1",
    "vlmrun-orion-1:lite",
    "vlmrun-orion-1:auto",
    "vlmrun-orion-1:fast",
    "vlmrun-orion-1:pro",
    "vlmrun-orion-1.5",
    "vlmrun-orion-1.5:lite",
    "vlmrun-orion-1.5:auto",
    "vlmrun-orion-1.5:fast",
    "vlmrun-orion-1.5:pro",
]
MOST_PROMPT = 200_000
"""Characters of a prompt."""
AgentName = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prompt = Annotated[str, Field(max_length=MOST_PROMPT)]


class _AgentConfig(Received):
    model_config = ConfigDict(extra="allow", json_schema_extra=leave_open)

    json_schema: dict[str, Any] | None = Field(default=None, description="The JSON schema of the response.")
    skills: list[AgentSkill] | None = Field(default=None, description="List of agent skills to enable for this execution.")
    service_tier: ServiceTier | None = Field(
        default=None, description="Delivery tier: 'flex' costs half and waits, 'priority' costs 1.8 times and goes first, else 'standard'."
    )
    orchestration_mode: bool | None = Field(
        default=None, description="Accepted and kept with the agent. Every execution here takes as many steps as it needs."
    )


class AgentExecutionConfig(_AgentConfig):
    """Configuration for the agent execution request."""

    prompt: Prompt | None = Field(default=None, description="The prompt to guide the execution of the agent.")
    mode: Literal["agent", "program"] | None = Field(
        default=None,
        description="'program' runs a skill's `pipeline.py` as it is, where there is one: the default of Orion-2. 'agent' plans freely.",
    )
    grounding: bool | None = Field(
        default=None,
        description="Say where every value was found, in `<field>_metadata` beside it. The default where no language model answers.",
    )
    confidence: bool | None = Field(default=None, description="Say how sure every value is, in `<field>_metadata` beside it.")
    max_tokens: int | None = Field(default=None, description="The most tokens of one answer of a model.")
    temperature: float | None = Field(default=None, description="The sampling temperature of a model.")


class AgentCreationConfig(_AgentConfig):
    """Configuration for the agent creation request."""

    prompt: Annotated[Prompt, Field(min_length=1)] = Field(description="The prompt to guide the agent.")


class AgentExecutionRequest(Received):
    """Request to execute an agent."""

    metadata: RequestMetadata = Field(default_factory=RequestMetadata, description="Optional metadata to pass to the model.")
    config: AgentExecutionConfig = Field(
        default_factory=AgentExecutionConfig, description="The configuration for the agent execution request."
    )
    id: PredictionId = Field(
        default_factory=new_id, description="Unique identifier of the request. The same id with the same body is the same request."
    )
    created_at: datetime = Field(default_factory=now, description="Date and time when the request was created (in UTC timezone)")
    callback_url: Url | None = Field(default=None, description="The URL to call when the request is completed.")
    model: AgentExecutionModel | str | None = Field(
        default=None,
        description="VLM Run Agent model to use for execution. When omitted, the first skill's vlmrun.yaml model, otherwise "
        "`vlmrun-orion-1:auto`.",
    )
    name: AgentName | None = Field(
        default=None, description="Name of the agent. If not provided, we use the prompt to identify the unique agent."
    )
    batch: bool = Field(default=True, description="Whether to process the document in batch mode (async).")
    inputs: dict[str, Any] | None = Field(
        default=None,
        description="The inputs to the agent: any JSON, in which a message part (`{type: input_file, file_id}`, `{type: image_url, ...}`), "
        "the URL of a file and `{url}` or `{urls}` are things to look at.",
    )
    toolsets: list[Annotated[AgentToolset, one_of("toolset", TOOLSETS)]] | None = Field(
        default=None,
        description="List of tool categories to enable for this agent execution. When specified, only tools from these categories are "
        "available. If None, those of the skills' vlmrun.yaml, otherwise 'core' tools only.",
    )
    models: list[Annotated[AgentModel, one_of("model provider", PROVIDERS)]] | None = Field(
        default=None, description="List of model-specific tool providers to enable for this execution. Their tools are merged."
    )
    version: str | int | None = Field(default=None, description="Older clients: the version of `name`.")
    urls: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None, max_length=1000, description="Older clients: URLs of files, instead of `inputs`."
    )
    file_ids: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None, max_length=1000, description="Older clients: ids of uploaded files, instead of `inputs`."
    )


class AgentExecutionResponse(Sent):
    """Response to the agent execution request."""

    usage: CreditUsageResponse = Field(default_factory=CreditUsageResponse, description="The usage metrics for the request.")
    id: str = Field(description="Unique identifier of the agent execution response.")
    name: str = Field(description="Name of the agent")
    created_at: datetime = Field(description="Date and time when the execution was created (in UTC timezone)")
    completed_at: datetime | None = Field(default=None, description="Date and time when the execution was completed (in UTC timezone)")
    response: dict[str, Any] | None = Field(default=None, description="The response from the model.")
    execution_mode: Literal["agent", "program"] | None = Field(
        default=None, description="Whether a skill's program ran, or an agent planned."
    )
    status: Status = Field(default="pending", description="The status of the job.")
    model: str = Field(description="The model, as it was asked for.")
    metadata: RequestMetadata = Field(default_factory=RequestMetadata, description="The metadata of the request.")
    message: str | None = Field(default=None, description="Why the execution failed, in a sentence.")
    error: PredictionError | None = Field(default=None, description="Why the execution failed.")
    skills: list[SkillUsed] = Field(default=[], description="The skills that the execution used, in their order.")


class AgentCreationRequest(Received):
    """Request to create an agent."""

    name: AgentName | None = Field(default=None, description="Name of the agent. When omitted, one is made from the prompt.")
    inputs: dict[str, Any] | None = Field(default=None, description="Example inputs, kept with the agent.")
    config: AgentCreationConfig = Field(description="The configuration of the agent.")
    callback_url: Url | None = Field(default=None, description="Accepted. An agent is there when the answer is, so nothing is called.")


class AgentCreationResponse(Sent):
    """Response to the agent creation request."""

    id: str = Field(description="ID of the agent")
    name: str = Field(description="Name of the agent, `<name>:<version>`")
    created_at: datetime = Field(description="Date and time when the agent was created (in UTC timezone)")
    updated_at: datetime = Field(description="Date and time when the agent was updated (in UTC timezone)")
    status: Status = Field(description="The status of the agent")


class AgentInfo(AgentCreationResponse):
    """A stored agent."""

    description: str = Field(description="Description of the agent")
    prompt: str = Field(description="The prompt of the agent")
    json_schema: dict[str, Any] | None = Field(default=None, description="The JSON schema of the agent's response")
    json_sample: dict[str, Any] | None = Field(default=None, description="A sample response; null, because none is kept")


class AgentLookupRequest(Received):
    """Which agent is meant: exactly one of these."""

    id: str | None = Field(default=None, description="ID of the agent", max_length=255)
    name: str | None = Field(default=None, description="Name of the agent, `<name>` for the newest version or `<name>:<version>`")
    prompt: Prompt | None = Field(default=None, description="Prompt of the agent")
