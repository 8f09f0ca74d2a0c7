"""Regular expressions of strangers are matched where they can be killed."""

from __future__ import annotations

import time

import pytest

from heliograph.agents import patterns
from heliograph.errors import InvalidRequest


async def test_hits_tell_text_place_and_groups() -> None:
    found = await patterns.find(r"(\d+) (EUR)", ["no", "10 eur\n20 EUR"])
    assert [(hit.text, hit.start, hit.end, hit.groups) for hit in found] == [(1, 0, 6, ["10", "eur"]), (1, 7, 13, ["20", "EUR"])]


async def test_a_pattern_that_takes_for_ever_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(InvalidRequest, match="simpler"):
        await patterns.find(r"(a+)+$", ["a" * 40 + "b"])
    assert time.monotonic() - started < 30


async def test_what_is_no_pattern_is_said_to_be_none() -> None:
    with pytest.raises(InvalidRequest, match="not a regular expression"):
        await patterns.split("(", "text")
    with pytest.raises(InvalidRequest, match="replacement"):
        await patterns.replace("a", "text", r"\3")


async def test_empty_hits_neither_count_nor_part() -> None:
    assert await patterns.find("x*", ["ab"]) == []
    assert await patterns.split(",|", "a,b") == ["a", "b"]
    assert await patterns.replace("(a)", "banana", r"<\1>") == patterns.Replaced("b<a>n<a>n<a>", 3)
