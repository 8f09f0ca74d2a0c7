"""Error bodies, in both dialects."""

from __future__ import annotations

from pydantic import Field

from heliograph.wire.base import Sent


class ErrorObject(Sent):
    """What went wrong."""

    type: str = Field(description="Machine-readable.")
    message: str = Field(description="A sentence for a person.")
    id: str = Field(description="The request's id, also in `X-Request-Id`.")


class ErrorResponse(Sent):
    """An error. `detail` is the sentence again, for clients that read only it."""

    detail: str
    error: ErrorObject


class OpenAIErrorObject(Sent):
    """What went wrong, in the OpenAI dialect."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIErrorResponse(Sent):
    """An error, in the OpenAI dialect."""

    error: OpenAIErrorObject
