"""Bodies of the log of chats, in the OpenAI dialect: stored completions, and what the platform adds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from heliograph.wire.base import Sent


class LoggedCompletion(Sent):
    """A chat as the log has it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = Field(description="As it was asked for.")
    answered_by: str = Field(description="The route that answered; `embedded` without a model.")
    status: Literal["running", "completed", "failed", "cancelled"]
    choices: list[dict[str, Any]] = Field(description="The first choice; none of one that failed.")
    usage: dict[str, Any] | None
    session_id: str | None
    metadata: dict[str, Any] | None
    stream: bool
    error: dict[str, Any] | None
    user_agent: str | None
    milliseconds: int = Field(description="From the request to the end of the answer.")


class LoggedCompletionDetail(LoggedCompletion):
    """A chat with what was asked."""

    request: dict[str, Any] = Field(description="The messages, with media by reference, and the options.")


class LoggedCompletionList(Sent):
    """Some of the log. `after` takes the `last_id` for the next ones."""

    object: Literal["list"] = "list"
    data: list[LoggedCompletion]
    first_id: str | None
    last_id: str | None
    has_more: bool


class CompletionDeleted(Sent):
    """What was taken out of the log."""

    id: str
    object: Literal["chat.completion.deleted"] = "chat.completion.deleted"
    deleted: Literal[True] = True
