"""Regular expressions that callers and models write, matched in a child that is killed when one takes too long.

`heliograph.agents.patterns` is also the module of that child: a pattern can keep Python's `re` busy for years, holding the interpreter.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from heliograph.children import ChildPool
from heliograph.errors import InvalidRequest, MediaLimitExceeded

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a pattern may take on all texts together."""
MEMORY = 512 << 20
LONGEST = 2_000
"""Characters of a pattern."""


class Hit(msgspec.Struct, array_like=True):
    """Where a pattern fits: which text, from which letter to which, and what its groups hold."""

    text: int
    start: int
    end: int
    groups: list[str | None] = []


class Replaced(msgspec.Struct):
    """A text with what fitted a pattern replaced, and how often that was."""

    text: str
    count: int


def hits(pattern: str, texts: list[str], ignore_case: bool, most: int) -> list[Hit]:
    """Every place where the pattern fits and takes at least a letter, at most so many. Runs in the child."""
    wanted = _compiled(pattern, ignore_case)
    found: list[Hit] = []
    for number, text in enumerate(texts):
        for hit in wanted.finditer(text):
            if hit.end() > hit.start():
                found.append(Hit(number, hit.start(), hit.end(), list(hit.groups())))
            if len(found) >= most:
                return found
    return found


def replaced(pattern: str, text: str, by: str, ignore_case: bool) -> Replaced:
    r"""`text` with what fits replaced by `by`, in which `\1` is the first group. Runs in the child."""
    try:
        return Replaced(*_compiled(pattern, ignore_case).subn(by, text))
    except (re.error, IndexError) as error:
        raise InvalidRequest(f"The replacement cannot be used: {error}.", param="replacement") from None


def parts(pattern: str, text: str, ignore_case: bool) -> list[str]:
    """`text`, parted where the pattern fits. Runs in the child."""
    made: list[str] = []
    at = 0
    for hit in _compiled(pattern, ignore_case).finditer(text):
        if hit.end() > hit.start():
            made.append(text[at : hit.start()])
            at = hit.end()
    return [*made, text[at:]]


async def find(pattern: str, texts: list[str], *, ignore_case: bool = True, most: int = 1000) -> list[Hit]:
    """Where `pattern` fits in `texts`, in order. Raises InvalidRequest for one that is wrong or takes too long."""
    return await _asked("hits", pattern, texts, ignore_case, most, returns=list[Hit])


async def replace(pattern: str, text: str, by: str, *, ignore_case: bool = False) -> Replaced:
    """As `replaced`. Raises InvalidRequest."""
    return await _asked("replaced", pattern, text, by, ignore_case, returns=Replaced)


async def split(pattern: str, text: str, *, ignore_case: bool = False) -> list[str]:
    """As `parts`. Raises InvalidRequest."""
    return await _asked("parts", pattern, text, ignore_case, returns=list[str])


async def _asked(function: str, pattern: str, *arguments: object, returns: type[T]) -> T:
    if not pattern or len(pattern) > LONGEST:
        raise InvalidRequest(f"A pattern has at least one character and at most {LONGEST:,}.", param="pattern")
    async with ChildPool("heliograph.agents.patterns", memory=MEMORY) as pool:
        try:
            return await pool.call(function, pattern, *arguments, timeout=PATIENCE, returns=returns)
        except MediaLimitExceeded:
            raise InvalidRequest(
                f"The pattern took longer than {PATIENCE:g} seconds, or too much memory: make it simpler.", param="pattern"
            ) from None


def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidRequest(f"The pattern is not a regular expression: {error}.", param="pattern") from None
