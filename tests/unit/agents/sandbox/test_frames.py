"""Frames of the channel between a program and the worker."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.agents.sandbox.inside.frames import HEAD, pack, unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc$", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def parts(frame: bytes) -> tuple[bytes, bytes]:
    text, blob = HEAD.unpack(frame[: HEAD.size])
    rest = frame[HEAD.size :]
    assert len(rest) == text + blob
    return rest[:text], rest[text:]


@given(message=st.dictionaries(st.text("abc", max_size=3), JSON, max_size=4), loads=st.sampled_from([json.loads, msgspec.json.decode]))
def test_what_was_packed_is_unpacked_with_its_bytes(message: dict[str, Any], loads: Any) -> None:
    assert unpack(*parts(pack(message)), loads) == message


@pytest.mark.parametrize("length", [-1, 4, 1 << 40])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="more bytes than it has"):
        unpack(json.dumps({"a": {"$bytes": length}}).encode(), b"abc")


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan")])
def test_what_is_no_json_is_not_packed(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        pack({"value": value})
