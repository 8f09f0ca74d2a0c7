"""The items of `config.skills`: a reference to a stored skill by id or name, or a whole skill inline as a base64 zip.

A reference is looked up by the caller; an inline skill is read here, which belongs into a child where it is a stranger's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.errors import InvalidRequest, NotConfigured
from heliograph.extraction.plan import Skill, SkillReader, SkillUse
from heliograph.skills import frontmatter
from heliograph.skills.archive import MAX_PACKED
from heliograph.skills.derive import derive
from heliograph.skills.package import Package, read_zip

Lookup = Callable[[str, str], Skill]
"""A stored skill by (id or name, version); raises `NotFound`."""

MAX_WARNINGS = 5
"""Of one inline skill, whose author hears of them nowhere else."""

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


def reader(lookup: Lookup | None = None, *, keeps_files: bool = False) -> SkillReader:
    """How to read the items of `config.skills`; references need `lookup`, without which they are `NotConfigured`.

    `keeps_files`: the files of inline skills stay at hand, so that examples which are not text can be read from them.
    """

    def read(item: dict[str, Any]) -> Skill:
        asked = reference(item)
        if asked is None:
            return inline(item, keeps_files=keeps_files)
        if lookup is None:
            raise NotConfigured(
                f"Skill {asked[0][:100]!r} is a reference, and no skills are kept here; send the skill itself with type inline.",
                param="config.skills",
            )
        return lookup(*asked)

    return read


def reference(item: dict[str, Any]) -> tuple[str, str] | None:
    """The (id or name, version) that an item asks for; None for a skill that comes inline. Raises InvalidRequest."""
    given = _attachment(item)
    if given.type == "inline":
        return None
    asked = given.skill_id or given.skill_name
    if not asked:
        raise InvalidRequest(
            "A skill reference needs skill_id or skill_name; a whole skill has type inline and a source.", param="config.skills"
        )
    return asked, _version(given)


def named(name: str, version: int | str) -> dict[str, Any]:
    """The item that asks for a skill by its name alone."""
    return {"type": "skill_reference", "skill_id": name, "skill_version": version}


def inline(item: dict[str, Any], *, keeps_files: bool = False) -> Skill:
    """The skill that an item brings along. Raises InvalidRequest."""
    given = _attachment(item)
    try:
        package = read_zip(_bundle(given))
    except InvalidRequest as error:
        error.param = "config.skills"
        raise
    name = given.name or package.name or "inline"
    made = skill(package, SkillUse(name=name, hash=package.hash), given.description)
    made.warnings = [f"skill {name}: {warning}" for warning in package.warnings[:MAX_WARNINGS]]
    if not keeps_files:
        text = [example for example in made.examples if example.text is not None]
        if left_out := [str(example.path) for example in made.examples if example.text is None]:
            named = ", ".join(left_out)
            made.warnings.append(f"skill {name}: {named} not used as examples: of an inline skill, which is not kept, only plain text is")
        made.examples = [msgspec.structs.replace(example, package=None, path=None) for example in text]
    return made


def bundle(item: dict[str, Any]) -> bytes:
    """The zip that an inline item carries. Raises InvalidRequest."""
    return _bundle(_attachment(item))


def skill(package: Package, use: SkillUse, description: str | None = None) -> Skill:
    """What a package brings to a request: its schema or schemas, or one derived from its text, and its text as instructions."""
    schema = package.schema
    derived = derive(package.text) if schema is None and not package.choices else None
    return Skill(
        name=use.name,
        prompt=package.text,
        description=frontmatter.told(description) or package.description,
        schema=schema if schema is not None else derived,
        choices=package.choices,
        derived=derived is not None,
        examples=package.examples,
        model=package.model,
        use=use,
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


def _version(given: _Attachment) -> str:
    """`version` is the older name of `skill_version`; the one that is not `latest` wins."""
    asked = {str(version) for version in (given.skill_version, given.version) if version is not None} - {"latest"}
    if len(asked) > 1:
        raise InvalidRequest(f"A skill is asked for in two versions: {' and '.join(sorted(asked))}.", param="config.skills")
    return asked.pop() if asked else "latest"
