"""A prediction, as every route answers it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from heliograph.ids import new_id
from heliograph.wire.base import Sent
from heliograph.wire.requests import RequestMetadata

Status = Literal["pending", "enqueued", "running", "completed", "failed", "paused"]


class CreditUsageResponse(Sent):
    """Response model for credit usage metrics."""

    elements_processed: int | None = Field(default=None, description="Number of elements processed.")
    element_type: Literal["image", "page", "video", "audio"] | None = Field(
        default=None, description="The type of element processed (e.g. image, page, video, audio)."
    )
    credits_used: int | None = Field(default=None, description="Amount of total credits used.")
    steps: int | None = Field(default=None, description="Number of steps processed, in case of agentic execution.")
    message: str | None = Field(default=None, description="Warnings, or why the request failed, in one line.")
    duration_seconds: int = Field(default=0, description="Duration of the request in seconds.")


class PredictionError(Sent):
    """Why a prediction failed."""

    type: str = Field(description="Machine-readable, such as `encrypted_media`.")
    message: str = Field(description="A sentence for a person.")
    pages_read: int | None = Field(default=None, description="How many pages had been read.")


class SkillUsed(Sent):
    """A skill that a request used, by its content: the same again gives the same answer again."""

    name: str = Field(description="Its name.")
    version: str | None = Field(default=None, description="Its version; null for a skill that came with the request.")
    hash: str = Field(description="SHA-256 of its content, hexadecimal.")
    id: str | None = Field(default=None, description="The version's unique identifier; null for a skill that came with the request.")


class PredictionResponse(Sent):
    """Base prediction response for all API responses."""

    usage: CreditUsageResponse = Field(default_factory=CreditUsageResponse, description="The usage metrics for the request.")
    id: str = Field(default_factory=new_id, description="Unique identifier of the response.")
    created_at: datetime = Field(default_factory=datetime.now, description="Date and time when the request was created (in UTC timezone)")
    completed_at: datetime | None = Field(default=None, description="Date and time when the response was completed (in UTC timezone)")
    response: Any | None = Field(
        default=None,
        description="The response from the model. May be empty when there was no extractable content (valid for status=completed).",
    )
    status: Status = Field(default="pending", description="The status of the job.")
    domain: str | None = Field(default=None, description="The domain of the prediction (e.g. document.invoice, image.caption).")
    metadata: RequestMetadata = Field(default_factory=RequestMetadata, description="The metadata of the request.")
    message: str | None = Field(default=None, description="Why the request failed, in a sentence.")
    error: PredictionError | None = Field(default=None, description="Why the request failed.")
    skills: list[SkillUsed] = Field(default=[], description="The skills that the request used, in their order.")
    progress: float | None = Field(default=None, description="How far it is, 0 to 1; null until it begins, and 1 once it is completed.")
    step: str | None = Field(default=None, description="What is being done, such as `Listening`; null unless it runs.")


class DeliveryResponse(Sent):
    """One attempt to deliver a webhook."""

    id: str = Field(description="Unique identifier of the attempt.")
    webhook_id: str = Field(description="The `webhook-id` sent: the same over all attempts.")
    attempt: int = Field(description="1 for the first.")
    url: str = Field(description="Where it was sent.")
    status_code: int | None = Field(default=None, description="What the receiver answered; null when it did not.")
    error: str | None = Field(default=None, description="Why there was no answer.")
    started_at: datetime
    finished_at: datetime | None = None
