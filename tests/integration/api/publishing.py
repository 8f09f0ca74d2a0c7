"""Skills for the tests of the API: zips, and how they come to a server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from .conftest import Answer, Api

SCHEMA = json.dumps({"type": "object", "properties": {"total": {"type": ["number", "null"]}}})


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def package(text: str = "Read the total.", name: str = "totals", more: Mapping[str, str | bytes] | None = None) -> bytes:
    """The zip of a small skill, with `more` files."""
    matter = f"---\nname: {name}\ndescription: Reads totals.\n---\n{text}\n"
    return zipped({"SKILL.md": matter, "schema.json": SCHEMA} | dict(more or {}))


async def upload(api: Api, data: bytes, *, key: str | None = None) -> str:
    """The id of the uploaded file."""
    return (await api.upload(data, "skill.zip", key=key))["id"]


async def create(api: Api, data: bytes | None = None, *, key: str | None = None, **body: Any) -> Answer:
    """Upload a skill and create it."""
    file = await upload(api, data if data is not None else package(), key=key)
    return await api("POST", "/v1/skills/create", json={"file_id": file, "description": "As said."} | body, key=key)


async def publish(api: Api, data: bytes | None = None, *, key: str | None = None, **body: Any) -> Any:
    """As `create`; the skill that was made."""
    answer = await create(api, data, key=key, **body)
    assert answer.status == 201, answer.content
    return answer.json
