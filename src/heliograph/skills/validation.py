"""Whether a skill works here, and what the Agent Skills specification says against it.

The specification's verdict is that of its reference validator (`skills-ref`), whose modules are imported when the first skill is looked
at. Heliograph takes more than that allows: a skill with an underscore in its name still says what to extract. So only what cannot
work is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.extraction.schema import compile_schema
from heliograph.skills import archive
from heliograph.skills.archive import SKILL_MD, Files
from heliograph.skills.derive import derive
from heliograph.skills.package import Package, read

_ALSO_KNOWN = frozenset({"skill_version"})
"""Frontmatter that VLM Run documents and the specification does not."""
MAX_LINES = 150
MAX_CHARACTERS = 8192
"""Of frontmatter that is judged by the specification: strictyaml takes half a second for the worst of that length (measured 2026-11-21),
and minutes for the longest that is read."""


class Report(msgspec.Struct, kw_only=True):
    """Sentences. `errors`: what cannot work; it is refused wherever the skill is sent. `warnings`: what has no effect, and what the
    specification says against the skill. `notes`: how it will be used. `package` is None where there are errors."""

    errors: list[str] = []
    warnings: list[str] = []
    notes: list[str] = []
    package: Package | None = None


def report(path: Path) -> Report:
    """About the skill in a folder or a zip."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _looked_at(archive.unpack(file.read(archive.MAX_PACKED + 1)), None)
        return _looked_at(archive.from_folder(path), path.resolve())
    except InvalidRequest as error:
        return Report(errors=[error.message])
    except OSError as error:
        return Report(errors=[f"{path} cannot be read: {error.strerror or error}."])


def objections(skill_md: str, folder: Path | None = None) -> list[str]:
    """What the specification says against a SKILL.md that could be read, and against the name of its `folder` where it has one."""
    from skills_ref.parser import parse_frontmatter  # noqa: PLC0415 (it imports a YAML of its own) # pyright: ignore[reportUnknownVariableType]
    from skills_ref.validator import validate_metadata  # noqa: PLC0415 # pyright: ignore[reportUnknownVariableType]

    text = skill_md.replace("\r\n", "\n")
    frontmatter = text.split("---", 2)[1] if text.count("---") > 1 else ""
    if len(frontmatter) > MAX_CHARACTERS or frontmatter.count("\n") > MAX_LINES:
        return [f"frontmatter of more than {MAX_LINES} lines or {MAX_CHARACTERS} characters is not held against the specification"]
    try:
        parsed = cast("tuple[dict[str, Any], str]", parse_frontmatter(text))
    except Exception as error:
        return [_line(str(error))[:300] or type(error).__name__]
    matter = {key: value for key, value in parsed[0].items() if key not in _ALSO_KNOWN}
    return [_line(said)[:300] for said in validate_metadata(matter, folder)]


def _looked_at(files: Files, folder: Path | None) -> Report:
    package = read(files)
    found = Report(package=package, warnings=[*objections(files[SKILL_MD].decode(), folder), *package.warnings])
    _say_what_is_answered(package, found)
    if package.examples:
        found.notes.append(f"examples: {len(package.examples)} in resources/, which extraction learns from")
    if package.tests:
        found.notes.append(f"tests: {len(package.tests)} in examples/")
    return found


def _say_what_is_answered(package: Package, found: Report) -> None:
    """Which schemas an answer can be in; and what of them cannot be enforced."""
    if package.choices:
        fallback = "schema.json" if package.schema is not None else "no answer"
        found.notes.append(f"schemas: each document is answered in one of {', '.join(package.choices)}; {fallback} where none fits")
    elif package.schema is None:
        schema = derive(package.text)
        if schema is None:
            found.notes.append("there is no schema.json, and the text names no fields: they are found in each document")
            return
        try:
            names = ", ".join(field.name for field in compile_schema(schema).fields)
        except InvalidRequest as error:
            raise InvalidRequest(f"The schema in the text of SKILL.md: {error.message}") from None
        found.notes.append(f"there is no schema.json; the fields are read from the text: {names}")
    for schema in filter(None, (package.schema, *package.choices.values())):
        found.warnings += [f"schema: {warning}" for warning in compile_schema(schema).warnings]


def _line(said: str) -> str:
    return " ".join(said.split())
