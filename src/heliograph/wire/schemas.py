"""Schemas, domains, the hub and models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from heliograph.wire.base import Received, Sent
from heliograph.wire.requests import GenerationConfig


class SchemaRequest(Received):
    """Ask for the schema that a request with this domain and config would be answered in."""

    domain: str | None = Field(default=None, max_length=255)
    config: GenerationConfig = Field(default_factory=GenerationConfig)


class HubSchemaRequest(Received):
    """Ask for a domain's schema."""

    domain: str = Field(max_length=255)
    gql_stmt: str | None = None


class SchemaResponse(Sent):
    """A schema, as JSON Schema and as the GraphQL selection of all its leaves."""

    domain: str | None
    description: str | None
    schema_version: str
    schema_hash: str
    gql_stmt: str
    json_schema: dict[str, Any]


class DomainResponse(Sent):
    """A domain of the catalogue."""

    domain: str
    name: str
    description: str | None = None
    supported_inputs: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    sample_data: str | None = None


class HubInfoResponse(Sent):
    """The catalogue's version."""

    version: str


class ModelResponse(Sent):
    """A model and a domain it serves."""

    model: str
    domain: str


class OpenAIModel(Sent):
    """A model, in the OpenAI dialect."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    answered_by: str = Field(description="The configured route that answers under this name, or `embedded`.")
    task: Literal["chat", "transcribe"] = Field(description="What it is for: `transcribe` is taken by `/v1/openai/audio/transcriptions`.")


class OpenAIModelList(Sent):
    """All models, in the OpenAI dialect."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class Health(Sent):
    """The server answers, and the key is good."""

    status: Literal["ok"] = "ok"
    version: str
