"""Skills: as a request names or carries them, and as the server keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from heliograph.wire.base import Received, Sent

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]
Description = Annotated[str, Field(max_length=10_000)]


class InlineSkillSource(Received):
    """Source payload for an inline skill bundle.

    Follows the OpenAI inline skill format::

        {
            "type": "base64",
            "media_type": "application/zip",
            "data": "<base64-encoded-zip>"
        }
    """

    type: Literal["base64"] = Field(
        default="base64", description="Encoding type for the inline skill data. Currently only 'base64' is supported."
    )
    media_type: str = Field(default="application/zip", description="MIME type of the skill bundle. Must be 'application/zip'.")
    data: str = Field(description="Base64-encoded zip bundle containing the skill files.")


class AgentSkill(Received):
    """A modular capability: its prompt and its schema are applied to the request.

    Either referenced (``type="skill_reference"`` with ``skill_id``, a UUID or a name) or inline (``type="inline"`` with a
    ``source``: a base64-encoded zip with exactly one ``SKILL.md``; nothing of it is stored).
    """

    type: str = Field(
        default="skill_reference",
        description="The type of the skill: 'skill_reference' for stored skills, 'inline' for one that comes with the request.",
    )
    skill_id: str | None = Field(default=None, description="The unique identifier of the skill: a UUID or a name.")
    skill_name: str | None = Field(default=None, description="Name of the skill. Deprecated in favour of skill_id.")
    skill_version: int | str = Field(default="latest", description="The version of the skill: an integer, a version string or 'latest'.")
    version: int | str | None = Field(default=None, description="DEPRECATED: use 'skill_version' instead.")
    name: str | None = Field(default=None, description="Name of the inline skill.")
    description: str | None = Field(default=None, description="Short description of what the inline skill does.")
    source: InlineSkillSource | None = Field(default=None, description="The inline skill's zip, base64-encoded.")
    bundle: str | None = Field(default=None, description="DEPRECATED: use 'source.data' instead. Base64-encoded zip of an inline skill.")


class SkillInfo(Sent):
    """One version of a skill that the server keeps."""

    id: str = Field(description="Names this version.")
    name: str
    description: str | None = None
    skill_version: str = Field(description="`YYYYMMDD-<8 hex>`: the day on which this content first came, and the beginning of its hash.")
    version: str = Field(description="DEPRECATED: the same as `skill_version`.")
    number: int = Field(description="Counts the versions of the name, from 1; may stand for the version.")
    created_at: datetime
    updated_at: datetime = Field(description="When it was published last; the newest of a name is `latest`.")
    status: Literal["completed"] = "completed"
    is_public: bool = Field(description="Whether other tenants see it.")
    hash: str = Field(description="SHA-256 of its content, hexadecimal.")
    files: int = Field(description="How many files it has.")
    bytes: int = Field(description="Their sizes together.")
    warnings: list[str] = Field(description="What in it has no effect, and what the Agent Skills specification says against it.")
    deleted_at: datetime | None = Field(
        default=None, description="When it was deleted: it is read by its id alone, and its files are gone."
    )


class SkillLookupRequest(Received):
    """Ask for a version by name or id."""

    name: Name | None = Field(default=None, description="The skill's name, or its id.")
    id: Name | None = Field(default=None, description="A version's id; without `skill_version` that version.")
    skill_version: int | str | None = Field(default=None, description="`latest`, an integer (the nth) or a version string.")
    version: int | str | None = Field(default=None, description="DEPRECATED: use 'skill_version' instead.")


class SkillCreateRequest(Received):
    """Make a skill from exactly one source. A name that is there already gets a new version."""

    file_id: str | None = Field(
        default=None, description="An uploaded zip with one SKILL.md; `name` and `description` are required with it."
    )
    prompt: str | None = Field(default=None, min_length=1, max_length=20_000, description="What to extract, in words.")
    json_schema: dict[str, Any] | None = Field(default=None, description="The schema of a skill that is written from a prompt.")
    session_id: str | None = Field(default=None, description="A chat session to make the skill from.")
    name: Name | None = None
    description: Description | None = None
    is_public: bool | None = Field(default=None, description="Whether other tenants see this version. Unset: as the one before it.")


class SkillUpdateRequest(Received):
    """Publish a new version of a skill; without `file_id`, change what is said of this one."""

    file_id: str | None = Field(default=None, description="An uploaded zip with one SKILL.md.")
    description: Description | None = None
    is_public: bool | None = Field(default=None, description="Whether other tenants see this version.")


class SkillFile(Sent):
    """A file of a skill."""

    path: str
    bytes: int


class SkillDownloadResponse(Sent):
    """Where a skill's zip can be downloaded, without a key."""

    download_url: str
    expires_in: int = Field(description="Seconds that the URL works.")
