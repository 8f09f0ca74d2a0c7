"""vlmrun.yaml: which model a skill was made for, what tools it needs, and how it goes about its work.

Only `model` has an effect on extraction. All keys are optional here, though the format asks for most; what is unknown, of the wrong
type or cannot be read is left out and warned about, since a skill written for another server still says what to extract.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from heliograph.errors import InvalidRequest
from heliograph.skills import diagram
from heliograph.skills.diagram import Graph
from heliograph.skills.frontmatter import line, mapping

API_VERSION = "vlm.run/v1alpha"
TOOLSETS = ("core", "code-execution", "document", "image", "image-gen", "video", "viz", "web", "world-gen")


class Manifest(msgspec.Struct, kw_only=True):
    """What vlmrun.yaml says. `graph`: how the work goes, step by step, and `plan` the same in prose. `metadata` is the author's own."""

    api_version: str | None = None
    model: str | None = None
    toolsets: list[str] = []
    models: list[str] = []
    graph: Graph | None = None
    plan: str | None = None
    metadata: dict[str, Any] = {}
    warnings: list[str] = []


def read(data: bytes) -> Manifest:
    """Raises `InvalidRequest` where `data` is not a YAML mapping in UTF-8."""
    try:
        given = mapping(data.decode("utf-8-sig"), "vlmrun.yaml of the skill")
    except UnicodeDecodeError:
        raise InvalidRequest("vlmrun.yaml of the skill is not UTF-8 text.") from None
    return _Reading(given).manifest()


class _Reading:
    def __init__(self, given: dict[str, Any]) -> None:
        self.given = {key: value for key, value in given.items() if value is not None}
        self.warnings: list[str] = []

    def manifest(self) -> Manifest:
        read = Manifest(
            api_version=self.text("apiVersion"),
            model=self.text("model"),
            toolsets=self.names("toolsets"),
            models=self.names("models"),
            graph=self.graph(),
            plan=self.prose("plan"),
            metadata=self.table("metadata"),
            warnings=self.warnings,
        )
        if read.api_version not in (None, API_VERSION):
            self.warn(f"apiVersion {read.api_version[:50]!r} is read as {API_VERSION}")
        for name in read.toolsets:
            if name.replace("_", "-") not in TOOLSETS:
                self.warn(f"toolset {name[:50]!r} is unknown; there are {', '.join(TOOLSETS)}")
        for key in sorted(self.given)[:10]:
            self.warn(f"{key[:50]} is not a key and has no effect")
        return read

    def text(self, key: str) -> str | None:
        value = self.given.pop(key, None)
        read = line(value)
        if value is not None and read is None and value != "":
            self.warn(f"{key} has no effect: it must be text")
        return read

    def graph(self) -> Graph | None:
        drawn = self.prose("graph")
        if drawn is None:
            return None
        try:
            graph = diagram.parse(drawn)
        except InvalidRequest as error:
            self.warn(error.message.rstrip("."))
            return None
        for problem in graph.problems():
            self.warn(f"graph: {problem}")
        return graph

    def prose(self, key: str) -> str | None:
        value = self.given.pop(key, None)
        if value is None or isinstance(value, str):
            return value.strip() or None if value else None
        self.warn(f"{key} has no effect: it must be text")
        return None

    def names(self, key: str) -> list[str]:
        value = self.given.pop(key, None)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
            self.warn(f"{key} has no effect: it must be a list of names")
            return []
        return list(dict.fromkeys(cast("list[str]", value)))

    def table(self, key: str) -> dict[str, Any]:
        value = self.given.pop(key, None)
        if value is None or isinstance(value, dict):
            return cast("dict[str, Any]", value or {})
        self.warn(f"{key} has no effect: it must be a list of `key: value`")
        return {}

    def warn(self, what: str) -> None:
        self.warnings.append(f"vlmrun.yaml: {what}")
