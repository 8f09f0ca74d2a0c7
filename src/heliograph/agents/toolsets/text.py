"""`core`, for text: search, replace, split, count, compare, and arithmetic."""

from __future__ import annotations

import difflib
import re
from typing import Annotated

import msgspec
from pydantic import Field
from rapidfuzz.distance import Indel

from heliograph.agents import arithmetic, patterns
from heliograph.agents.artifacts import REF
from heliograph.agents.context import Context
from heliograph.agents.tools import tool
from heliograph.agents.toolsets.core import text_in
from heliograph.errors import InvalidRequest

TextOrRef = Annotated[str, Field(description="The text itself, or the reference of a file to take it from.", max_length=8 << 20)]
MOST = 200
"""Hits that are told."""
MOST_COUNTED = 100_000
_COMPARED = 200_000
"""Characters of each of two texts that are compared."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a text: from the letter `start` to before `end`, counted from 0; its line, from 1; what a pattern's groups hold."""

    text: str
    start: int
    end: int
    line: int
    groups: list[str | None] = []


class Hits(msgspec.Struct, frozen=True):
    """Where something was found, at most the first 200 places, and how often in all."""

    count: int
    matches: list[Hit]


class Changed(msgspec.Struct, frozen=True):
    """A text after a change, and how often something was replaced."""

    text: str
    count: int


class Parts(msgspec.Struct, frozen=True):
    """The parts of a text."""

    count: int
    parts: list[str]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is made of. `matches`: how often what was looked for is in it."""

    characters: int
    words: int
    lines: int
    matches: int | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How two texts differ: `similarity` 0-1, and the lines that do as a unified diff."""

    equal: bool
    similarity: float
    diff: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A result: as a number, and as it is written with all its digits."""

    value: int | float
    text: str


@tool("core", group="text")
async def search_text(
    at: Context,
    text: TextOrRef,
    query: Annotated[str, Field(description="Words, or a regular expression.", min_length=1, max_length=2_000)],
    regex: Annotated[bool, Field(description="Whether query is a regular expression.")] = False,
    ignore_case: bool = True,
) -> Hits:
    """Find words or a regular expression in a text. For documents with pages, search_document also says where on the page."""
    whole = await _text(at, text)
    if regex:
        found = await patterns.find(query, [whole], ignore_case=ignore_case, most=MOST_COUNTED)
    else:
        words = r"\s+".join(re.escape(word) for word in query.split()) or re.escape(query)
        found = patterns.hits(words, [whole], ignore_case, MOST_COUNTED)
    told = [
        Hit(
            text=whole[hit.start : hit.end], start=hit.start, end=hit.end, line=whole.count("\n", 0, hit.start) + 1, groups=hit.groups
        )
        for hit in found[:MOST]
    ]  # fmt: skip
    return Hits(len(found), told)


@tool("core", group="text")
async def replace_text(
    at: Context,
    text: TextOrRef,
    query: Annotated[str, Field(description="What to replace: the words as they are, or a regular expression.", min_length=1)],
    replacement: Annotated[str, Field(description=r"What to put there; with regex, \1 is what the first group holds.")],
    regex: Annotated[bool, Field(description="Whether query is a regular expression.")] = False,
    ignore_case: bool = False,
) -> Changed:
    """Replace words, or what fits a regular expression, everywhere in a text."""
    whole = await _text(at, text)
    if regex:
        made = await patterns.replace(query, whole, replacement, ignore_case=ignore_case)
    else:
        made = patterns.replaced(re.escape(query), whole, replacement.replace("\\", "\\\\"), ignore_case)
    return Changed(made.text, made.count)


@tool("core", group="text")
async def split_text(
    at: Context,
    text: TextOrRef,
    separator: Annotated[str, Field(description="What stands between the parts; a line feed when left out.", min_length=1)] = "\n",
    regex: Annotated[bool, Field(description="Whether separator is a regular expression.")] = False,
) -> Parts:
    """Split a text at a separator: into lines, paragraphs, columns or pieces of your own."""
    whole = await _text(at, text)
    parts = await patterns.split(separator, whole) if regex else whole.split(separator)
    return Parts(len(parts), parts)


@tool("core", group="text")
async def count_text(
    at: Context,
    text: TextOrRef,
    query: Annotated[str | None, Field(description="Words to count as well, in any case.", min_length=1, max_length=2_000)] = None,
) -> Counts:
    """Count the letters, words and lines of a text, and how often something is in it."""
    whole = await _text(at, text)
    matches = len(re.findall(re.escape(query), whole, re.IGNORECASE)) if query is not None else None
    return Counts(characters=len(whole), words=len(whole.split()), lines=len(whole.splitlines()), matches=matches)


@tool("core", group="text")
async def compare_texts(at: Context, first: TextOrRef, second: TextOrRef) -> Comparison:
    """Compare two texts line by line: how alike they are, and which lines differ."""
    one, other = await _text(at, first), await _text(at, second)
    if max(len(one), len(other)) > _COMPARED:
        raise InvalidRequest(f"Texts of more than {_COMPARED:,} characters are not compared; compare their pages.", param="first")
    lines = difflib.unified_diff(one.splitlines(), other.splitlines(), "first", "second", lineterm="", n=1)
    return Comparison(equal=one == other, similarity=round(Indel.normalized_similarity(one, other), 4), diff="\n".join(lines))


@tool("core", group="text")
async def calculate(
    at: Context,
    expression: Annotated[
        str, Field(description="Such as (1240.50 + 99) * 1.19, 15% of 80, round(7/3, 2), sum(1, 2, 3).", max_length=2_000)
    ],
) -> Number:
    """Work out an arithmetic expression exactly. Use it for every sum instead of reckoning in your head."""
    value = arithmetic.calculate(expression)
    return Number(value=arithmetic.as_json(value), text=f"{value:f}")


async def _text(at: Context, text: str) -> str:
    return await text_in(at, text.strip()) if REF.fullmatch(text.strip()) else text
