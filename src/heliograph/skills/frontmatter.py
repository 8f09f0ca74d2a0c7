"""The YAML of a skill, which strangers wrote: what stands before the text of SKILL.md, and vlmrun.yaml."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, cast

import yaml

from heliograph.errors import InvalidRequest
from heliograph.skills.values import fault

MAX_YAML = 64 << 10
"""Characters."""

_FRONTMATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?(.*)\Z", re.DOTALL | re.MULTILINE)

_COLONS = re.compile(r"^([A-Za-z][\w-]*):[ \t]+([^\s\"'\[{|>&*!%@`].*:(?:[ \t].*)?)$", re.MULTILINE)
"""A line whose value has a colon of its own, and no quotes."""

_BLOCK = re.compile(r"([|>][-+0-9]{0,2})?")
"""How YAML begins a text of several lines."""

_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""PyYAML's constructors fail in all these ways on values that are not what their tags say."""


def split(text: str) -> tuple[dict[str, Any], str]:
    """The frontmatter of `text`, empty where there is none, and the text below it. Raises `InvalidRequest` as `mapping`.

    `description: Read orders: number, date` is no YAML, but people write it and other readers of skills take it; so it is taken here.
    """
    found = _FRONTMATTER.match(text)
    if found is None:
        return {}, text.strip()
    what = "The frontmatter of SKILL.md"
    try:
        matter = mapping(found[1], what)
    except InvalidRequest as error:
        quoted = _COLONS.sub(lambda line: f"{line[1]}: {json.dumps(line[2].rstrip(), ensure_ascii=False)}", found[1])
        if quoted == found[1]:
            raise
        try:
            matter = mapping(quoted, what)
        except InvalidRequest:
            raise error from None
    return matter, found[2].strip()


def mapping(text: str, what: str) -> dict[str, Any]:
    """`text` as keys and values. Raises `InvalidRequest`, naming `what`, where it is something else, too long, or has anchors."""
    if len(text) > MAX_YAML:
        raise InvalidRequest(f"{what} is longer than {MAX_YAML} characters.")
    try:
        matter = cast(object, yaml.load(text, Loader=_PlainLoader))  # noqa: S506 (a SafeLoader without anchors)
    except RecursionError:
        raise InvalidRequest(f"{what} is nested too deeply.") from None
    except _NOT_YAML as error:
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidRequest(f"{what} is not YAML: {problem}.") from None
    if wrong := fault(matter):
        raise InvalidRequest(f"{what} holds {wrong}.")
    if matter is None:
        return {}
    if not isinstance(matter, dict):
        raise InvalidRequest(f"{what} is not a list of `key: value`.")
    return {str(key): value for key, value in cast("dict[object, Any]", matter).items()}


def line(value: object) -> str | None:
    """A value that shall be one line of text; None when it is not."""
    return " ".join(str(value).split()) or None if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def told(description: str | None) -> str | None:
    """A description that a client read out of SKILL.md and sent along; None where it is empty, or only the mark before lines that follow.

    The official clients read frontmatter line by line: of `description: >` with a text below it they send `>`.
    """
    return None if description is None or _BLOCK.fullmatch(description.strip()) else description


class _PlainLoader(yaml.SafeLoader):
    """YAML without anchors and aliases, which a skill has no use for and with which a few bytes can mean gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast("yaml.Event", self.peek_event())  # pyright: ignore[reportUnknownMemberType]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _no_aliases()
        return super().compose_node(parent, index)


def _no_aliases() -> NoReturn:
    raise InvalidRequest("SKILL.md or vlmrun.yaml uses YAML anchors or aliases, which are not taken.")
