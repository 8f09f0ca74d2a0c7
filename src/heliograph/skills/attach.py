"""The items of `config.skills`: a reference by id or name, or a whole skill inline as a base64 zip."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction.plan import Skill, SkillReader
from heliograph.skills.archive import MAX_PACKED
from heliograph.skills.derive import derive
from heliograph.skills.package import Package, read_zip

Lookup = Callable[[str, str], Package]
"""A stored skill by (id or name, version); raises `NotFound`."""

_ZIP_TYPES = ("application/zip", "application/x-zip-compressed")


class _Source(msgspec.Struct):
    data: str
    type: str = "base64"
    media_type: str = "application/zip"


class _Attachment(msgspec.Struct):
    """AgentSkill, as clients send it; null was taken out before."""

    type: str = "skill_reference"
    skill_id: str | None = None
    skill_name: str | None = None
    skill_version: int | str = "latest"
    version: int | str | None = None
    name: str | None = None
    description: str | None = None
    source: _Source | None = None
    bundle: str | None = None


def reader(lookup: Lookup | None = None) -> SkillReader:
    """How to read the items of `config.skills`; references need `lookup`, without which they are `NotConfigured`."""

    def read(item: dict[str, Any]) -> Skill:
        given = _attachment(item)
        if given.type == "inline":
            package = read_zip(_bundle(given))
            return skill(package, given.name or package.name or "inline", given.description)
        asked, version = _reference(given)
        if lookup is None:
            raise NotConfigured(
                f"Skill {asked[:100]!r} is a reference, and this server keeps no skills yet; send the skill itself with type inline.",
                param="config.skills",
            )
        package = lookup(asked, version)
        return skill(package, package.name or asked, None)

    return read


def reference(item: dict[str, Any]) -> tuple[str, str] | None:
    """The skill, an id or a name, and the version that an item of `config.skills` refers to; None for one that brings its skill along.

    Raises InvalidRequest for an item that names none, or two versions.
    """
    given = _attachment(item)
    return None if given.type == "inline" else _reference(given)


def skill(package: Package, name: str, description: str | None = None) -> Skill:
    """What a package brings to a request: its schema, or one derived from its text, and its text as instructions."""
    schema = package.schema if package.schema is not None else derive(package.text)
    return Skill(
        name=name,
        prompt=package.text,
        description=description or package.description,
        schema=schema,
        derived=package.schema is None and schema is not None,
        model=package.model,
    )


def _attachment(item: dict[str, Any]) -> _Attachment:
    try:
        return msgspec.convert({key: value for key, value in item.items() if value is not None}, _Attachment)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"config.skills: {error}.", param="config.skills") from None


def _bundle(given: _Attachment) -> bytes:
    if given.skill_id or given.skill_name:
        raise InvalidRequest("An inline skill has no skill_id and no skill_name; use name.", param="config.skills")
    if given.source is None and given.bundle is None:
        raise InvalidRequest("An inline skill needs source: {type, media_type, data} with a base64 zip.", param="config.skills")
    source = given.source or _Source(data=given.bundle or "")
    if source.type != "base64":
        raise InvalidRequest(f"An inline skill's source.type must be base64, not {source.type[:50]!r}.", param="config.skills")
    if source.media_type not in _ZIP_TYPES:
        raise InvalidRequest(
            f"An inline skill's source.media_type must be application/zip, not {source.media_type[:50]!r}.", param="config.skills"
        )
    if len(source.data) > MAX_PACKED * 4 // 3 + 1024:
        raise InvalidRequest(f"The inline skill's zip is larger than {MAX_PACKED} bytes.", param="config.skills")
    try:
        return base64.b64decode("".join(source.data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("The inline skill's data is not base64.", param="config.skills") from None


def _reference(given: _Attachment) -> tuple[str, str]:
    asked = given.skill_id or given.skill_name
    if not asked:
        raise InvalidRequest(
            "A skill reference needs skill_id or skill_name; a whole skill has type inline and a source.", param="config.skills"
        )
    return asked, _version(given)


def _version(given: _Attachment) -> str:
    """`version` is the older name of `skill_version`; the one that is not `latest` wins."""
    asked = {str(version) for version in (given.skill_version, given.version) if version is not None} - {"latest"}
    if len(asked) > 1:
        raise InvalidRequest(f"A skill is asked for in two versions: {' and '.join(sorted(asked))}.", param="config.skills")
    return asked.pop() if asked else "latest"
