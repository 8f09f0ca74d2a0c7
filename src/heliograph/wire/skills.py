"""Skills as a request names or carries them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heliograph.wire.base import Received


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
