"""Server-sent events, cut anywhere and written as servers write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.models import streams
from heliograph.models.streams import DONE, Event, Events

CHUNKS: list[dict[str, Any]] = [{"n": 1, "text": "Zoë 株式会社 😀"}, {"n": 2, "text": "line\nfeed\r"}, {"n": 3}]


def written(newline: str, *, space: str = " ", done: bool = True) -> bytes:
    lines = [": a comment", "", "retry: 100"]
    for chunk in CHUNKS:
        lines += ["id: 7", f"data:{space}{json.dumps(chunk, ensure_ascii=False)}", ""]
    return (newline.join([*lines, *([f"data:{space}[DONE]", ""] if done else [])]) + newline).encode()


def read(*pieces: bytes) -> list[Event]:
    events = Events()
    return [event for piece in pieces for event in events.feed(piece)] + events.end()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("space", [" ", ""])
def test_events_are_the_same_however_the_bytes_are_cut(newline: str, space: str) -> None:
    stream = written(newline, space=space)
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], stream[cut:]) == [*CHUNKS, DONE]
    assert read(*(stream[place : place + 1] for place in range(len(stream)))) == [*CHUNKS, DONE]


@given(st.data())
def test_a_stream_that_ends_anywhere_gives_whole_events_only(data: st.DataObject) -> None:
    stream = written("\r\n", done=False)
    found = read(stream[: data.draw(st.integers(0, len(stream)))])
    assert found == CHUNKS[: len(found)]


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_break_the_reader(pieces: list[bytes]) -> None:
    read(*pieces)


def test_events_without_blank_lines_between_them_are_events() -> None:
    assert read(b'data: {"a": 1}\ndata: {"a": 2}\ndata: [DONE]') == [{"a": 1}, {"a": 2}, DONE]


def test_an_event_over_several_data_lines_is_one() -> None:
    assert read(b'data: {"a":\r\ndata: 1}\r\n\r\n') == [{"a": 1}]


def test_errors_in_a_stream_are_events_however_they_are_written() -> None:
    for stream in (
        b'data: {"error": {"message": "no"}}\n\n',
        b'event: error\ndata: {"message": "no"}\n\n',
        b'error: {"message": "no"}\n\n',
        b'{"error": {"message": "no"}}\n',
    ):
        assert read(stream) == [{"error": {"message": "no"}}], stream
    assert read(b"event: error\ndata: no\n\n") == [{"error": "no"}]


def test_what_is_no_event_stream_is_noticed_after_what_came_before() -> None:
    events = Events()
    assert events.feed(b'data: {"a": 1}\n\ndata: what?\n\ndata: {"a": 2}\n\n') == [{"a": 1}]
    assert events.garbled == "an event that is not JSON"


def test_an_event_without_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LARGEST_EVENT", 1000)
    events = Events()
    for _ in range(20):
        events.feed(b"x" * 100)
    assert events.garbled is not None


def test_half_a_surrogate_pair_is_read() -> None:
    assert read(b'data: {"text": "\\ud83d"}\n\n') == [{"text": "\ud83d"}]
