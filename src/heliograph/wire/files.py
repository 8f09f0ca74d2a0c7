"""Files and the ways to upload them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from heliograph.wire.base import Received, Sent

Purpose = Literal["fine-tune", "assistants", "assistants_output", "batch", "batch_output", "vision", "datasets"]
UploadPurpose = Literal["assistants", "batch", "fine-tune", "vision", "datasets"]


class FileResponse(Sent):
    """An uploaded file."""

    id: str
    filename: str
    bytes: int
    purpose: Purpose
    created_at: datetime
    object: Literal["file"] = "file"
    public_url: str | None = Field(default=None, description="A signed, expiring link to the content.")


class PresignedUrlRequest(Received):
    """Ask for a URL to upload to."""

    filename: str = Field(min_length=1, max_length=1024)
    purpose: UploadPurpose = "assistants"
    expiration: int = Field(default=86400, ge=1, le=7 * 86400, description="Seconds that the URL works.")


class PresignedUrlResponse(Sent):
    """Where to upload: `PUT` the bytes to `url` with `Content-Type: content_type`, then call `verify-upload`."""

    id: str
    url: str
    filename: str
    content_type: str
    upload_method: Literal["PUT"] = "PUT"
    method: Literal["PUT"] = "PUT"
    public_url: str | None = None
    created_at: datetime
    expiration: int
