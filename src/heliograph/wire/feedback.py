"""Feedback: what people say of an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from heliograph.wire.base import Received, Sent

FeedbackType = Literal["request", "agent_execution", "chat"]
EntityId = Annotated[str, Field(min_length=1, max_length=255)]


class FeedbackSubmitRequest(Received):
    """Say something of an answer. Exactly one id, and a corrected response, notes, or both."""

    request_id: EntityId | None = Field(default=None, description="The request (prediction) that this is about.")
    agent_execution_id: EntityId | None = Field(default=None, description="The agent execution that this is about.")
    chat_id: EntityId | None = Field(default=None, description="The chat that this is about.")
    response: dict[str, Any] | None = Field(
        default=None,
        description="The response as it should be. What it leaves out is not judged; null: the file does not hold it.",
    )
    notes: str | None = Field(default=None, max_length=20_000, description="What a person wants to say.")


class FeedbackSubmitResponse(Sent):
    """What was kept. Of the three ids, the one that was sent."""

    id: str
    request_id: str | None = None
    agent_execution_id: str | None = None
    chat_id: str | None = None
    created_at: datetime


class FeedbackItem(FeedbackSubmitResponse):
    """One thing said."""

    response: dict[str, Any] | None = None
    notes: str | None = None


class FeedbackListResponse(Sent):
    """What was said of one answer, newest first."""

    request_id: str | None = None
    agent_execution_id: str | None = None
    chat_id: str | None = None
    items: list[FeedbackItem]
