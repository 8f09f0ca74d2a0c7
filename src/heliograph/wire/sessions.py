"""Bodies of `/sessions` and `/shared`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from heliograph.wire.base import Received, Sent


class SessionChange(Received):
    """What is to be changed of a session."""

    title: str = Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$", description="What it is called; empty for no title.")


class SessionResponse(Sent):
    """A session, as lists have it."""

    id: str
    object: Literal["session"] = "session"
    title: str | None
    created_at: datetime
    updated_at: datetime = Field(description="When something was last said.")
    messages: int = Field(description="How many there are, of all roles.")
    share_url: str | None = Field(description="Where anybody may read it, while it is shared.")


class SessionMessage(Sent):
    """A message of a session. What it brought or shows is named by reference; `/artifacts` has the bytes."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]]
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    completion_id: str | None = Field(default=None, description="The completion that added it.")
    created_at: datetime


class SessionArtifact(Sent):
    """An artifact of a session."""

    object_id: str
    filename: str | None
    source: Literal["store", "manifest", "workspace"]


class SessionDetail(Sent):
    """A session with what was said in it, oldest first."""

    id: str
    object: Literal["session"] = "session"
    title: str | None
    created_at: datetime
    updated_at: datetime
    share_url: str | None
    messages: list[SessionMessage]
    artifacts: list[SessionArtifact]


class ShareResponse(Sent):
    """The public link to a session, good until it is taken back."""

    id: str
    share_url: str = Field(description="Answers JSON, without a key.")
    token: str


class SharedSession(Sent):
    """A session as anybody may read it who has its link. Instructions (`system`) are left out."""

    object: Literal["shared_session"] = "shared_session"
    title: str | None
    created_at: datetime
    updated_at: datetime
    messages: list[SessionMessage]
    artifacts: list[SessionArtifact]
