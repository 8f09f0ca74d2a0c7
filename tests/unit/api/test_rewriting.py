"""Streams of models on their way through: what is changed in them, what is read from them, and what is no stream at all."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.agents.task import ToolCall
from heliograph.api.passthrough.rewriting import Rewriter


def chunk(text: str | None = None, *, id: str = "up-1", model: str = "m", **more: Any) -> bytes:
    delta = {"content": text} if text is not None else {}
    event = {"id": id, "object": "chat.completion.chunk", "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return b"data: " + json.dumps(event | more, separators=(",", ":")).encode() + b"\n\n"


def end(reason: str = "stop") -> bytes:
    return chunk(choices=[{"index": 0, "delta": {}, "finish_reason": reason}])


def through(stream: bytes, *cuts: int) -> tuple[Rewriter, list[dict[str, Any]], bytes]:
    """The stream cut at these places; the events that are sent on; the bytes."""
    rewriter = Rewriter(id="ours", session="S", model="asked")
    places = [0, *sorted(place % (len(stream) + 1) for place in cuts), len(stream)]
    sent = b"".join(rewriter.feed(stream[start:stop]) for start, stop in pairwise(places) if stop > start)
    sent += rewriter.end()
    return rewriter, [json.loads(line[6:]) for line in sent.decode().splitlines() if line.startswith("data: ")], sent


ALL = (
    b": greeting\n\n" + chunk("Say \"id\":\"up-1\", ") + chunk("\"model\":\"m\" — 😀\n\ndata: [DONE]") + chunk(None) + end()
    + chunk(choices=[], usage={"total_tokens": 7}) + b"data: [DONE]\n\n"
)  # fmt: skip


@given(st.lists(st.integers(0, 5000), max_size=12), st.booleans())
def test_wherever_a_stream_is_cut_the_same_comes_out_with_our_names(cuts: list[int], windows: bool) -> None:
    stream = ALL.replace(b"\n", b"\r\n") if windows else ALL
    rewriter, sent, _ = through(stream, *cuts)
    assert rewriter.text == 'Say "id":"up-1", "model":"m" — 😀\n\ndata: [DONE]'
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in sent if event["choices"]) == rewriter.text
    assert [(event["id"], event["session_id"], event["model"]) for event in sent] == [("ours", "S", "asked")] * 5
    assert (rewriter.finish, rewriter.usage, rewriter.done) == ("stop", {"total_tokens": 7}, True)


@pytest.mark.parametrize(
    "stream",
    [
        chunk("a").replace(b'"id":"up-1",', b"") + end(),  # no id at all
        chunk("a", id="one") + chunk(None, id="two") + end(),  # another one each time
        chunk("a").replace(b":", b": ") + end(),  # written with spaces
        chunk("a").replace(b"\n\n", b"\n") + end(),  # no blank lines
        chunk("a").replace(b"data: ", b"data:") + end(),  # no space
        chunk("a", usage={"id": "up-1"}) + end(),  # the id once more, deeper
        b"event: message\n" + chunk("a") + end().rstrip(b"\n"),  # named events, no last line feed
        chunk("a", model="m1") + chunk(None, model="m2") + end(),
    ],
)
def test_servers_of_other_habits_are_understood(stream: bytes) -> None:
    for cuts in ((), (5, 50, 100), tuple(range(len(stream)))):
        rewriter, sent, _ = through(stream, *cuts)
        assert rewriter.text == "a"
        assert rewriter.finish == "stop"
        assert rewriter.garbled is None
        assert {(event["id"], event["session_id"], event["model"]) for event in sent} == {("ours", "S", "asked")}


def test_calls_are_put_together_from_their_pieces_and_only_the_first_choice_counts() -> None:
    def delta(index: int, **delta: Any) -> bytes:
        return chunk(choices=[{"index": index, "delta": delta, "finish_reason": None}])

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"ci'}}
    more = {"index": 0, "function": {"arguments": 'ty":1}'}}
    other = {"index": 1, "id": "c2", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    stream = delta(0, tool_calls=[call]) + delta(1, content="not this") + delta(0, tool_calls=[more, other]) + end("tool_calls")
    rewriter, _, _ = through(stream)
    assert rewriter.calls == [ToolCall("c1", "weather", '{"city":1}'), ToolCall("c2", "time", "{}")]
    assert (rewriter.text, rewriter.finish) == ("", "tool_calls")


@pytest.mark.parametrize(
    "broken",
    [
        b'data: {"error": {"message": "out of memory", "code": 500}}\n\n',
        b'data: {"object": "error", "message": "out of memory", "code": 500}\n\n',
        b'event: error\ndata: {"message": "out of memory"}\n\n',
    ],
)
def test_an_error_in_the_stream_ends_it_and_is_not_sent_on(broken: bytes) -> None:
    rewriter, sent, raw = through(chunk("a") + broken + chunk("b"))
    assert rewriter.error is not None
    assert rewriter.error.sentence == "out of memory"
    assert rewriter.over
    assert [event["choices"][0]["delta"]["content"] for event in sent] == ["a"]
    assert b"memory" not in raw


@pytest.mark.parametrize(
    "garbage", [b"data: {broken\n\n", b"data: 17\n\n", b'data: {"choices": 5}\n\n', b'data: {"choices": [{"delta": "x"}]}\n\n']
)
def test_what_is_no_chunk_is_told_as_such(garbage: bytes) -> None:
    rewriter, sent, _ = through(chunk("a") + garbage + chunk("b") + b"data: [DONE]\n\n")
    assert rewriter.garbled is not None
    assert not rewriter.done
    assert len(sent) == 1


def test_an_event_without_end_is_given_up() -> None:
    rewriter = Rewriter(id="ours", session="S", model="asked")
    for _ in range(9):
        rewriter.feed(b'data: {"x":"' + b"y" * (1 << 20))
        if rewriter.over:
            return
    raise AssertionError("it was read on and on")
