"""The ground all wire models stand on."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator


class Received(BaseModel):
    """What a client sends. A null is as good as leaving the field out (one official client sends null for every option it does
    not use), and fields this server does not know are ignored, as the published contract allows.
    """

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _null_means_absent(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: value for key, value in cast("dict[str, Any]", data).items() if value is not None}
        return data


class Sent(BaseModel):
    """What the server answers. Only the OpenAPI document reads these: answers are written from rows."""

    model_config = ConfigDict(protected_namespaces=())


def leave_open(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of a model that keeps unknown fields where the published schema says nothing of them."""
    schema.pop("additionalProperties", None)
