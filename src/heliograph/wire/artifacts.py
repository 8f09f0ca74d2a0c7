"""What a chat or an execution has read and made."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heliograph.wire.base import Sent


class ArtifactItem(Sent):
    """One artifact. `source`: made by a tool, brought by the caller, or written as a file by code."""

    object_id: str = Field(description="Its reference, such as `img_a1b2c3`.")
    filename: str | None = None
    source: Literal["store", "manifest", "workspace"]


class ArtifactListResponse(Sent):
    """The artifacts of a session or an execution, oldest first."""

    namespace_id: str = Field(description="The id of the session or the execution.")
    items: list[ArtifactItem]
