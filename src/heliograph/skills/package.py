"""What a skill's files say: SKILL.md with its frontmatter and text, schema.json or schemas/, vlmrun.yaml, examples and tests."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, cast

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.extraction.plan import Example
from heliograph.extraction.schema import Schema, compile_schema
from heliograph.skills import archive, frontmatter, manifest
from heliograph.skills.archive import SKILL_MD, Files
from heliograph.skills.manifest import Manifest
from heliograph.skills.pairs import Answers
from heliograph.skills.values import fault

PROGRAM = "pipeline.py"
MAX_SKILL_MD = 1 << 20
MAX_SCHEMA = 4 << 20
"""Bytes of all schemas of a skill together."""
MAX_CHOICES = 64
MAX_SKILL_NAME = 255
"""Characters."""


class Package(msgspec.Struct, kw_only=True):
    """A skill as it is used. Only the examples' plain text is in it; other files are read from where the package is kept."""

    name: str | None = None
    description: str | None = None
    text: str
    """SKILL.md below its frontmatter: the instructions."""
    schema: dict[str, Any] | None = None
    """schema.json: of every answer, or of those that fit none of the `choices`."""
    choices: dict[str, dict[str, Any]] = {}
    """schemas/<name>.json by name, of which each document decides."""
    manifest: Manifest | None = None
    examples: list[Example] = []
    """From `resources/`: what extraction may learn from."""
    tests: list[Example] = []
    """From `examples/`: what the skill is tested on, without text. Never shown to a model."""
    warnings: list[str] = []
    """What is in the package and has no effect."""
    program: bool = False
    """Whether there is a `pipeline.py`, which does the skill's work as it is."""
    hash: str = ""
    """SHA-256 of its content, hexadecimal."""

    @property
    def model(self) -> str | None:
        """The model that the skill was made for."""
        return self.manifest.model if self.manifest else None


def read(files: Files, *, hash: str | None = None) -> Package:
    """The skill in `files`; `hash` is that of its content where it is known.

    Raises `InvalidRequest` for what cannot work: no SKILL.md, or a SKILL.md, schema or vlmrun.yaml that cannot be read as what it is.
    Examples that cannot be used are `warnings`.
    """
    if SKILL_MD not in files:
        raise InvalidRequest("A skill has exactly one SKILL.md; this one has none.")
    matter, text = frontmatter.split(_text(files[SKILL_MD]))
    settings = manifest.read(files["vlmrun.yaml"]) if "vlmrun.yaml" in files else None
    schemas = _schemas(files)
    compiled = {path: _compiled(schema, path) for path, schema in schemas.items()}
    choices = {PurePosixPath(path).stem: path for path in schemas if path != "schema.json"}
    answers = Answers(compiled.get("schema.json"), {name: compiled[path] for name, path in choices.items()})
    name = frontmatter.line(matter.get("name"))
    if name and len(name) > MAX_SKILL_NAME:
        raise InvalidRequest(f"The name of the skill is longer than {MAX_SKILL_NAME} characters.")
    hash = hash or archive.content_hash(files)
    examples, unused = answers.examples(files, hash)
    tests, untested = answers.tests(files, hash)
    return Package(
        name=name,
        description=frontmatter.line(matter.get("description")),
        text=text,
        schema=schemas.get("schema.json"),
        choices={name: schemas[path] for name, path in choices.items()},
        manifest=settings,
        examples=examples,
        tests=tests,
        program=PROGRAM in files,
        warnings=[*(settings.warnings if settings else []), *unused, *untested],
        hash=hash,
    )


def read_zip(data: bytes) -> Package:
    """The skill in a zip. Raises `InvalidRequest` as `archive.unpack` and `read`."""
    return read(archive.unpack(data))


def read_folder(folder: Path) -> Package:
    """The skill in a folder. Raises `InvalidRequest` as `archive.from_folder` and `read`."""
    return read(archive.from_folder(folder))


def _text(data: bytes) -> str:
    if len(data) > MAX_SKILL_MD:
        raise InvalidRequest(f"SKILL.md of the skill is larger than {MAX_SKILL_MD} bytes.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest("SKILL.md of the skill is not UTF-8 text.") from None
    if wrong := fault(text):
        raise InvalidRequest(f"SKILL.md of the skill holds {wrong}.")
    return text


def _schemas(files: Files) -> dict[str, dict[str, Any]]:
    """By path: schema.json, and those directly in schemas/."""
    paths = [path for path in sorted(files) if _holds_a_schema(PurePosixPath(path))]
    if len(paths) > MAX_CHOICES + ("schema.json" in files):
        raise InvalidRequest(f"The skill has more than {MAX_CHOICES} schemas.")
    if sum(len(files[path]) for path in paths) > MAX_SCHEMA:
        raise InvalidRequest(f"The schemas of the skill are larger than {MAX_SCHEMA} bytes.")
    return {path: _schema(files[path], path) for path in paths}


def _holds_a_schema(path: PurePosixPath) -> bool:
    return str(path) == "schema.json" or (str(path.parent) == "schemas" and path.suffix == ".json")


def _schema(data: bytes, path: str) -> dict[str, Any]:
    try:
        schema = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} of the skill is not JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise InvalidRequest(f"{path} of the skill is not a JSON Schema: it must be an object.")
    if wrong := fault(schema):
        raise InvalidRequest(f"{path} of the skill holds {wrong}.")
    return cast("dict[str, Any]", schema)


def _compiled(schema: dict[str, Any], path: str) -> Schema:
    try:
        return compile_schema(schema)
    except InvalidRequest as error:
        raise InvalidRequest(f"{path} of the skill: {error.message}") from None
